//! Names in a watched folder: which are for us, and what stands beside a file.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::intake::metadata::{self, Metadata};
use crate::intake::taking::TakeError;
use crate::intake::{IntakeError, SourceName, StableSource};

/// What a name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// To be taken.
    Incoming,
    /// Taken up by us; the name that it came with.
    Taking(OsString),
    /// Still being written, hidden, or a sidecar.
    LeftAlone,
}

impl Named {
    pub(super) fn of(name: &OsStr) -> Self {
        match Self::of_any(name) {
            // A sidecar goes where its file goes.
            Self::Taking(original) if document_of(&original).is_some() => Self::LeftAlone,
            named @ (Self::Incoming | Self::Taking(_) | Self::LeftAlone) => named,
        }
    }

    /// The same, and also says of a sidecar that it was taken up.
    pub(super) fn of_any(name: &OsStr) -> Self {
        let bytes = name.as_bytes();
        if let Some(original) = bytes.strip_prefix(TAKING).filter(|rest| !rest.is_empty()) {
            return Self::Taking(OsStr::from_bytes(original).to_owned());
        }
        let lower = bytes.to_ascii_lowercase();
        let is_unfinished = LEFT_ALONE.iter().any(|end| lower.ends_with(end));
        if bytes.starts_with(b".") || is_unfinished || document_of(name).is_some() {
            Self::LeftAlone
        } else {
            Self::Incoming
        }
    }
}

/// The name of what was taken up.
pub(super) fn taking(name: &OsStr) -> OsString {
    let mut taking = OsStr::from_bytes(TAKING).to_owned();
    taking.push(name);
    taking
}

/// The name of a file's sidecar.
pub(super) fn sidecar(name: &OsStr) -> OsString {
    with_end(name, SIDECAR)
}

/// The name of the text that says why a file was refused.
pub(super) fn reason(name: &OsStr) -> OsString {
    with_end(name, ".reason.txt")
}

/// The file whose sidecar has this name.
pub(super) fn document_of(name: &OsStr) -> Option<OsString> {
    let document = name.as_bytes().strip_suffix(SIDECAR.as_bytes())?;
    (!document.is_empty()).then(|| OsStr::from_bytes(document).to_owned())
}

/// The first free one of `NAME.EXT`, `NAME.2.EXT`, `NAME.3.EXT`, … in a folder.
pub(super) fn free_name(folder: &Path, name: &OsStr) -> OsString {
    let path = Path::new(name);
    let mut number = 1_u64;
    loop {
        let candidate = match (number, path.file_stem(), path.extension()) {
            (1, _, _) => name.to_owned(),
            (_, Some(stem), Some(extension)) => {
                let mut numbered = with_end(stem, &format!(".{number}."));
                numbered.push(extension);
                numbered
            }
            _ => with_end(name, &format!(".{number}")),
        };
        let is_taken = |name: &OsStr| folder.join(name).symlink_metadata().is_ok();
        if !is_taken(&candidate) && !is_taken(&sidecar(&candidate)) {
            return candidate;
        }
        number += 1;
    }
}

/// Reads a sidecar: one `KEY=VALUE` in each line, as `--meta` takes them; empty lines and lines that begin with `#` say nothing. `None`: there
/// is none.
pub(super) fn read_sidecar(path: &Path) -> Result<Option<Metadata>, TakeError> {
    let Some(name) = path.file_name() else {
        return Ok(None);
    };
    let name = SourceName::from_bytes(name.as_bytes());
    let source = match StableSource::open_no_follow(path, name.clone()) {
        Ok(source) => source,
        Err(IntakeError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut text = Vec::new();
    let read = source.take(SIDECAR_BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|error| TakeError::from(IntakeError::from_io(name, error)))?;
    let text = String::from_utf8(text).ok();
    let text = text.filter(|text| text.len() as u64 <= SIDECAR_BYTES_MAX);
    let Some(text) = text else {
        return Err(unreadable());
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let given = metadata::from_arguments(lines);
    given
        .map(Some)
        .map_err(|error| TakeError::from(IntakeError::Metadata(error)))
}

fn unreadable() -> TakeError {
    TakeError::Source {
        ja: format!(
            "メタデータのファイル ({SIDECAR}) は UTF-8 で 64 KiB までの「キー=値」の行にしてください"
        ),
        en: format!(
            "the file of metadata ({SIDECAR}) must be lines of KEY=VALUE in UTF-8, of at most 64 KiB"
        ),
    }
}

fn with_end(name: &OsStr, end: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(end);
    name
}

/// What stands before the name of a file that was taken up.
const TAKING: &[u8] = b".taking.";

/// Ends of names that are still being written.
const LEFT_ALONE: [&[u8]; 2] = [b".part", b".tmp"];

/// The end of a sidecar's name.
const SIDECAR: &str = ".meta";

/// Longest sidecar.
const SIDECAR_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_for_us() {
        let of = |name: &str| Named::of(OsStr::new(name));
        for name in [
            "a.pdf",
            "請求書.xml",
            "part",
            "a.partial",
            "x.meta.pdf",
            ".meta.",
            "tmp",
        ] {
            let expected = if name.starts_with('.') {
                Named::LeftAlone
            } else {
                Named::Incoming
            };
            assert_eq!(of(name), expected, "{name}");
        }
        for name in [
            ".hidden",
            "a.part",
            "a.TMP",
            "a.pdf.meta",
            ".taking.",
            ".taking.a.meta",
        ] {
            assert_eq!(of(name), Named::LeftAlone, "{name}");
        }
        assert_eq!(of(".taking.a.pdf"), Named::Taking("a.pdf".into()));
    }

    #[test]
    fn free_names_keep_the_extension() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| std::fs::create_dir(folder.path().join(name)).unwrap();
        let free = |name: &str| free_name(folder.path(), OsStr::new(name));
        assert_eq!(free("a.pdf"), "a.pdf");
        make("a.pdf");
        assert_eq!(free("a.pdf"), "a.2.pdf");
        make("a.2.pdf.meta");
        assert_eq!(free("a.pdf"), "a.3.pdf");
        make("plain");
        assert_eq!(free("plain"), "plain.2");
    }
}
