//! The parts `[[hot_folder]]` of the configuration: folders whose files are deposited by the service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};
use crate::intake::hot_folder::HotFolder;
use crate::intake::metadata;

/// A folder whose files are deposited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotFolderConfig {
    /// Where files are put.
    pub path: PathBuf,
    /// Where deposited files go.
    pub done: PathBuf,
    /// Where refused files go.
    pub failed: PathBuf,
    /// Id of their class.
    pub class: String,
    /// What all of them are searched by: keys and values as `--meta` takes them.
    pub metadata: BTreeMap<String, String>,
    /// Seconds for which a file must have been unchanged.
    pub settle_s: u32,
}

impl HotFolderConfig {
    /// The folder as it is watched. Its files are deposited by `hot-folder:` and the folder's name.
    #[must_use]
    pub fn folder(&self) -> HotFolder {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        HotFolder {
            path: self.path.clone(),
            done: self.done.clone(),
            failed: self.failed.clone(),
            class: self.class.clone(),
            // The configuration was refused where they are malformed.
            given: given(&self.metadata).unwrap_or_default(),
            depositor: format!("hot-folder:{name}"),
            settle: Duration::from_secs(u64::from(self.settle_s)),
        }
    }
}

/// A part as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HotFolderForm {
    path: PathBuf,
    done: Option<PathBuf>,
    failed: Option<PathBuf>,
    class: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    settle_s: Option<u32>,
}

/// Reads the parts.
pub(super) fn read(
    forms: Vec<HotFolderForm>,
    place: &Place,
) -> Result<Vec<HotFolderConfig>, ConfigError> {
    let mut folders: Vec<HotFolderConfig> = Vec::new();
    for form in forms {
        let folder = read_one(form, place)?;
        let mut named: Vec<&PathBuf> = folders.iter().flat_map(paths).collect();
        named.extend(paths(&folder));
        let count = named.len();
        named.sort();
        named.dedup();
        if named.len() != count {
            return Err(place.invalid(
                "hot_folder.path",
                "folders of which no two are the same; done and failed are others, too",
                "互いに異なるフォルダ(done と failed も)",
            ));
        }
        folders.push(folder);
    }
    Ok(folders)
}

fn read_one(form: HotFolderForm, place: &Place) -> Result<HotFolderConfig, ConfigError> {
    let path = place.absolute(form.path);
    let Some(name) = path.file_name().map(std::ffi::OsStr::to_owned) else {
        return Err(place.invalid("hot_folder.path", "a folder", "フォルダ"));
    };
    let beside = |end: &str| {
        let mut name = name.clone();
        name.push(end);
        path.with_file_name(name)
    };
    if given(&form.metadata).is_none() {
        return Err(place.invalid(
            "hot_folder.metadata",
            "keys and values as --meta takes them",
            "--meta と同じキーと値",
        ));
    }
    let settle_s = form.settle_s.unwrap_or(SETTLE_S_DEFAULT);
    if !(1..=3600).contains(&settle_s) {
        return Err(place.invalid(
            "hot_folder.settle_s",
            "from 1 to 3600 seconds",
            "1 から 3600 秒まで",
        ));
    }
    Ok(HotFolderConfig {
        done: form
            .done
            .map_or_else(|| beside("-done"), |path| place.absolute(path)),
        failed: form
            .failed
            .map_or_else(|| beside("-failed"), |path| place.absolute(path)),
        class: form.class,
        metadata: form.metadata,
        settle_s,
        path,
    })
}

/// The text of the parts.
pub(super) fn text(folders: &[HotFolderConfig], place: &Place) -> String {
    let mut text = String::new();
    for folder in folders {
        let shown = |path| place.shown(path);
        let metadata: Vec<String> = folder
            .metadata
            .iter()
            .map(|(key, value)| format!("{} = {}", quoted(key), quoted(value)))
            .collect();
        text.push_str(&format!(
            "\n[[hot_folder]]\npath = {}\ndone = {}\nfailed = {}\nclass = {}\nmetadata = {{ {} }}\nsettle_s = {}\n",
            shown(&folder.path),
            shown(&folder.done),
            shown(&folder.failed),
            quoted(&folder.class),
            metadata.join(", "),
            folder.settle_s,
        ));
    }
    text
}

fn given(metadata: &BTreeMap<String, String>) -> Option<metadata::Metadata> {
    let arguments: Vec<String> = metadata
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    metadata::from_arguments(arguments.iter().map(String::as_str)).ok()
}

fn paths(folder: &HotFolderConfig) -> [&PathBuf; 3] {
    [&folder.path, &folder.done, &folder.failed]
}

/// Longer than a writer pauses.
const SETTLE_S_DEFAULT: u32 = 10;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[derive(Deserialize)]
    struct Parts {
        hot_folder: Vec<HotFolderForm>,
    }

    fn parse(text: &str) -> Result<Vec<HotFolderConfig>, ConfigError> {
        let parts: Parts = toml::from_str(text).expect("the form");
        read(parts.hot_folder, &Place::of(Path::new("/a/fumikura.toml")))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let line = "[[hot_folder]]\npath = \"in\"\nclass = \"general\"\nmetadata = { \"取引先\" = \"文蔵\" }\n[[hot_folder]]\npath = \"/b/in\"\ndone = \"/b/x\"\nclass = \"ledger\"\nsettle_s = 1\n";
        let folders = parse(line).unwrap();
        assert_eq!(folders[0].done, Path::new("/a/in-done"));
        assert_eq!(
            folders[0].folder().given.counterparty.as_deref(),
            Some("文蔵")
        );
        assert_eq!(folders[1].failed, Path::new("/b/in-failed"));
        let place = Place::of(Path::new("/a/fumikura.toml"));
        assert_eq!(parse(&text(&folders, &place)).unwrap(), folders);
    }

    #[test]
    fn bad_values_are_named() {
        for (line, bad) in [
            ("path = \"/\"\nclass = \"c\"", "hot_folder.path"),
            (
                "path = \"in\"\nclass = \"c\"\ndone = \"in\"",
                "hot_folder.path",
            ),
            (
                "path = \"in\"\nclass = \"c\"\nsettle_s = 0",
                "hot_folder.settle_s",
            ),
            (
                "path = \"in\"\nclass = \"c\"\nmetadata = { date = \"never\" }",
                "hot_folder.metadata",
            ),
            (
                "path = \"in\"\nclass = \"c\"\n[[hot_folder]]\npath = \"in\"\nclass = \"d\"",
                "hot_folder.path",
            ),
        ] {
            match parse(&format!("[[hot_folder]]\n{line}\n")) {
                Err(ConfigError::Invalid { key, .. }) => assert_eq!(key, bad, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}
