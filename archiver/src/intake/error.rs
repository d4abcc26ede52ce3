//! Why one source cannot be taken in, in one line that says what to do.

use std::fmt;
use std::io;

use formats::error::FormatError;

use super::malware::NotScanned;
use super::metadata::MetadataError;
use super::name::SourceName;
use crate::cli::lang::Lang;

/// Why one source was not deposited. The other sources of the same command go in.
#[derive(Debug)]
#[non_exhaustive]
pub enum IntakeError {
    /// No file or directory has this name.
    Missing {
        /// The name as it was given.
        name: SourceName,
    },
    /// The operating system refuses to open or read it.
    Unreadable {
        /// Which source.
        name: SourceName,
        /// What the operating system said.
        error: io::Error,
    },
    /// A device, FIFO or socket: it has no content of its own that could be kept.
    Special {
        /// Which source.
        name: SourceName,
        /// What it is.
        kind: SpecialFile,
    },
    /// A symbolic link that leads to itself.
    LinkLoop {
        /// The link.
        name: SourceName,
    },
    /// A symbolic link whose target does not exist.
    DanglingLink {
        /// The link.
        name: SourceName,
    },
    /// The content or its size changed between opening and closing, so what was read may be half old and half new.
    Changed {
        /// Which source.
        name: SourceName,
    },
    /// `-` was given more than once; standard input can be read only once.
    StandardInputTwice,
    /// The name does not fit into a manifest.
    NameTooLong {
        /// Which source.
        name: SourceName,
        /// The longest name in bytes.
        bytes_max: usize,
    },
    /// The name is empty or has parts such as `..`, so that it could lead elsewhere when it is restored.
    BadName {
        /// Which source.
        name: SourceName,
    },
    /// Something about the source does not fit into a manifest.
    Unfit {
        /// Which source.
        name: SourceName,
        /// What does not fit.
        error: FormatError,
    },
    /// It could not be scanned for malware, and the configuration asks for that.
    NotScanned {
        /// Which source.
        name: SourceName,
        /// Why.
        reason: NotScanned,
    },
    /// What `--meta` says is malformed.
    Metadata(MetadataError),
}

/// A kind of file that has no content of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialFile {
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// Something that is none of the known kinds.
    Other,
}

impl IntakeError {
    /// What the operating system said, told apart as far as the user can act on it.
    #[must_use]
    pub fn from_io(name: SourceName, error: io::Error) -> Self {
        if is_loop(&error) {
            return Self::LinkLoop { name };
        }
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing { name };
        }
        Self::Unreadable { name, error }
    }

    /// The source that was not deposited, where it has a name.
    #[must_use]
    pub fn name(&self) -> Option<&SourceName> {
        match self {
            Self::Missing { name }
            | Self::Unreadable { name, .. }
            | Self::Special { name, .. }
            | Self::LinkLoop { name }
            | Self::DanglingLink { name }
            | Self::Changed { name }
            | Self::NameTooLong { name, .. }
            | Self::BadName { name }
            | Self::NotScanned { name, .. }
            | Self::Unfit { name, .. } => Some(name),
            Self::StandardInputTwice | Self::Metadata(_) => None,
        }
    }

    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::Ja => self.text_ja(),
            Lang::En => self.text_en(),
        }
    }

    fn text_ja(&self) -> String {
        match self {
            Self::Missing { name } => {
                format!("{name}: ありません。パスを確かめてください")
            }
            Self::Unreadable { name, error } => {
                format!(
                    "{name}: 読めません ({error})。権限と媒体を確かめて、もう一度預けてください"
                )
            }
            Self::Special { name, kind } => format!(
                "{name}: {}は預けられません。内容を通常のファイルに書き出すか、標準入力 (-) から預けてください",
                kind.text(Lang::Ja)
            ),
            Self::LinkLoop { name } => format!(
                "{name}: シンボリックリンクが自分自身に戻ります。リンクを直すか、取り除いてください"
            ),
            Self::DanglingLink { name } => format!(
                "{name}: シンボリックリンクの先がありません。リンクを直すか、取り除いてください"
            ),
            Self::Changed { name } => format!(
                "{name}: 読んでいる間に変わりました。書き込みが終わってから (ログは切り替えてから) もう一度預けてください"
            ),
            Self::StandardInputTwice => {
                "標準入力 (-) は一度しか読めません。- を一つだけにしてください".to_owned()
            }
            Self::NameTooLong { name, bytes_max } => format!(
                "{name}: 名前が {bytes_max} バイトを超えています。より深いディレクトリから預けるか、名前を短くしてください"
            ),
            Self::BadName { name } => format!(
                "{name}: この名前では預けられません。空でなく、.. を含まない名前にしてください"
            ),
            Self::Unfit { name, error } => format!(
                "{name}: 目録に書けないものがあります ({error})。--meta の値を短くするか、ファイルを分けてください"
            ),
            Self::NotScanned { name, reason } => {
                format!("{name}: 預けていません。{}", reason.text(Lang::Ja))
            }
            Self::Metadata(error) => error.text(Lang::Ja),
        }
    }

    fn text_en(&self) -> String {
        match self {
            Self::Missing { name } => format!("{name}: does not exist; check the path"),
            Self::Unreadable { name, error } => format!(
                "{name}: cannot be read ({error}); check its permissions and medium, then deposit it again"
            ),
            Self::Special { name, kind } => format!(
                "{name}: is a {} and cannot be deposited; write its content to a regular file or pipe it to standard input (-)",
                kind.text(Lang::En)
            ),
            Self::LinkLoop { name } => {
                format!("{name}: the symbolic link leads back to itself; repair or remove it")
            }
            Self::DanglingLink { name } => {
                format!("{name}: the symbolic link leads nowhere; repair or remove it")
            }
            Self::Changed { name } => format!(
                "{name}: changed while it was read; deposit it again when nothing writes to it (rotate a log first)"
            ),
            Self::StandardInputTwice => {
                "standard input (-) can be read only once; give - only once".to_owned()
            }
            Self::NameTooLong { name, bytes_max } => format!(
                "{name}: the name is longer than {bytes_max} bytes; deposit from a deeper directory or shorten it"
            ),
            Self::BadName { name } => format!(
                "{name}: cannot be deposited under this name; use one that is not empty and has no .. in it"
            ),
            Self::Unfit { name, error } => format!(
                "{name}: does not fit into a manifest ({error}); shorten what --meta gives or split the file"
            ),
            Self::NotScanned { name, reason } => {
                format!("{name}: not deposited: {}", reason.text(Lang::En))
            }
            Self::Metadata(error) => error.text(Lang::En),
        }
    }
}

impl SpecialFile {
    fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Fifo => lang.pick("名前付きパイプ", "named pipe"),
            Self::Socket => lang.pick("ソケット", "socket"),
            Self::CharacterDevice => lang.pick("キャラクターデバイス", "character device"),
            Self::BlockDevice => lang.pick("ブロックデバイス", "block device"),
            Self::Other => lang.pick("特殊ファイル", "special file"),
        }
    }
}

impl From<std::fs::FileType> for SpecialFile {
    fn from(kind: std::fs::FileType) -> Self {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            Self::Fifo
        } else if kind.is_socket() {
            Self::Socket
        } else if kind.is_char_device() {
            Self::CharacterDevice
        } else if kind.is_block_device() {
            Self::BlockDevice
        } else {
            Self::Other
        }
    }
}

impl From<MetadataError> for IntakeError {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

impl fmt::Display for IntakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for IntakeError {}

/// `ELOOP`, which has no stable [`io::ErrorKind`].
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(test)]
mod tests {
    use formats::error::ErrorKind;

    use super::*;

    #[test]
    fn every_error_is_one_line_in_both_languages() {
        let name = || SourceName::from_bytes(*b"a\nb\xff");
        let errors = [
            IntakeError::Missing { name: name() },
            IntakeError::from_io(name(), io::Error::from_raw_os_error(13)),
            IntakeError::from_io(name(), io::Error::from_raw_os_error(40)),
            IntakeError::Special {
                name: name(),
                kind: SpecialFile::Fifo,
            },
            IntakeError::LinkLoop { name: name() },
            IntakeError::DanglingLink { name: name() },
            IntakeError::Changed { name: name() },
            IntakeError::StandardInputTwice,
            IntakeError::NameTooLong {
                name: name(),
                bytes_max: 10,
            },
            IntakeError::BadName { name: name() },
            IntakeError::Unfit {
                name: name(),
                error: FormatError::new(ErrorKind::LimitExceeded, "manifest.facts"),
            },
        ];
        for error in errors {
            for lang in [Lang::Ja, Lang::En] {
                let text = error.text(lang);
                assert!(!text.contains('\n') && !text.is_empty(), "{text:?}");
                if error.name().is_some() {
                    assert!(text.starts_with("a\\nb\\xff: "), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_operating_systems_words_are_sorted() {
        let name = || SourceName::from_bytes(*b"a");
        let sorted = |code| IntakeError::from_io(name(), io::Error::from_raw_os_error(code));
        assert!(matches!(sorted(2), IntakeError::Missing { .. }));
        assert!(matches!(sorted(40), IntakeError::LinkLoop { .. }));
        assert!(matches!(sorted(5), IntakeError::Unreadable { .. }));
    }
}
