//! What an intake of the service needs of the archive: one source in, one acknowledgement out.

use std::fmt;

use formats::id::VersionId;

use super::error::IntakeError;
use super::malware::NotScanned;
use super::metadata::Metadata;
use super::source::Source;
use crate::cli::lang::Lang;

/// Takes sources in. Blocks until the archive has acknowledged or refused; asynchronous callers give it a thread.
pub trait TakesIn: Send + Sync {
    /// Deposits one source.
    ///
    /// # Errors
    /// [`TakeError`]: nothing of it is visible in the archive.
    fn take(&self, source: Source, under: &TakeUnder<'_>) -> Result<Taken, TakeError>;
}

/// Under what a source is taken in.
#[derive(Debug, Clone, Copy)]
pub struct TakeUnder<'a> {
    /// Id of the class.
    pub class: &'a str,
    /// What it is searched by, beside what the document itself says.
    pub given: &'a Metadata,
    /// Who deposits.
    pub depositor: &'a str,
    /// Through which channel: `hot-folder`, `syslog`.
    pub channel: &'a str,
}

/// A source that is in the archive: durable on every replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The version that holds it.
    pub version: VersionId,
    /// Whether it was there already: the same content, class, name and given metadata.
    pub was_there: bool,
    /// What a scanner found in it; it is then withheld until two people release it.
    pub threat: Option<String>,
}

/// Why a source was not taken in.
#[derive(Debug)]
pub enum TakeError {
    /// It is the source, and it will be so the next time: nothing but a person helps.
    Source {
        /// In Japanese.
        ja: String,
        /// In English.
        en: String,
    },
    /// It is the archive, a medium, the scanner, or a source that still changes: trying again makes sense.
    Later {
        /// In Japanese.
        ja: String,
        /// In English.
        en: String,
    },
}

impl TakeError {
    /// From a text in both languages.
    pub(crate) fn later(text: impl Fn(Lang) -> String) -> Self {
        Self::Later {
            ja: text(Lang::Ja),
            en: text(Lang::En),
        }
    }

    /// Whether trying again makes sense without anybody changing the source.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Later { .. })
    }

    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &str {
        match self {
            Self::Source { ja, en } | Self::Later { ja, en } => lang.pick(ja, en),
        }
    }
}

impl From<IntakeError> for TakeError {
    fn from(error: IntakeError) -> Self {
        let may_pass = match &error {
            IntakeError::Changed { .. } | IntakeError::Unreadable { .. } => true,
            IntakeError::NotScanned { reason, .. } => NotScanned::may_pass(*reason),
            IntakeError::Missing { .. }
            | IntakeError::Special { .. }
            | IntakeError::LinkLoop { .. }
            | IntakeError::DanglingLink { .. }
            | IntakeError::StandardInputTwice
            | IntakeError::NameTooLong { .. }
            | IntakeError::BadName { .. }
            | IntakeError::Unfit { .. }
            | IntakeError::Metadata(_) => false,
        };
        let (ja, en) = (error.text(Lang::Ja), error.text(Lang::En));
        if may_pass {
            Self::Later { ja, en }
        } else {
            Self::Source { ja, en }
        }
    }
}

impl fmt::Display for TakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(Lang::En))
    }
}

impl std::error::Error for TakeError {}

#[cfg(test)]
mod tests {
    use super::super::name::SourceName;
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_the_rest_is_not() {
        let name = || SourceName::from_bytes(*b"a");
        let not_scanned = |reason| IntakeError::NotScanned {
            name: name(),
            reason,
        };
        for (error, may_pass) in [
            (IntakeError::Changed { name: name() }, true),
            (not_scanned(NotScanned::Unreachable), true),
            (not_scanned(NotScanned::TooLarge), false),
            (IntakeError::BadName { name: name() }, false),
            (IntakeError::Missing { name: name() }, false),
        ] {
            let taken = TakeError::from(error);
            assert_eq!(taken.may_pass(), may_pass, "{taken}");
            assert_ne!(taken.text(Lang::Ja), taken.text(Lang::En));
        }
    }
}
