//! The exit codes of `archiver`: a contract that scripts rely on, printed by `--help`.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Done, but not for every input; the summary names those that are missing.
    Partial = 1,
    /// Wrong usage, metadata or class.
    Usage = 2,
    /// The archive cannot be used: not found, in use, a medium or the key medium missing.
    Unusable = 3,
    /// The passphrase, the PIN or the shares are wrong, or not enough; nobody is logged in at the service.
    Passphrase = 4,
    /// A medium is full or failed; nothing that was acknowledged is lost.
    Medium = 5,
    /// No time-stamping authority gave a valid token; the records stay queued.
    Tsa = 6,
    /// An integrity failure was found.
    Integrity = 7,
    /// No such record or object.
    NotFound = 8,
    /// The service does not allow it to this account.
    NotAllowed = 9,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Exit {
    /// The number that the operating system gets.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Partial => 1,
            Self::Usage => 2,
            Self::Unusable => 3,
            Self::Passphrase => 4,
            Self::Medium => 5,
            Self::Tsa => 6,
            Self::Integrity => 7,
            Self::NotFound => 8,
            Self::NotAllowed => 9,
        }
    }
}
