//! One line on a terminal that says how far a run is; nothing where nobody looks.

use std::io::{self, IsTerminal as _, Write as _};

use verifier::bulk::Tally;
use verifier::finding::Language;

/// The line.
pub(super) struct Progress {
    shown: bool,
    language: Language,
}

impl Progress {
    /// A line on standard error, if that is a terminal and `wanted`.
    pub(super) fn new(wanted: bool, language: Language) -> Self {
        Self {
            shown: wanted && io::stderr().is_terminal(),
            language,
        }
    }

    /// Says how far the run is.
    pub(super) fn show(&self, tally: &Tally) {
        if self.shown {
            let not_passed = tally.items.saturating_sub(tally.passed);
            let text = match self.language {
                Language::Japanese => {
                    format!("検証 {} 件、うち合格以外 {not_passed} 件", tally.items)
                }
                Language::English => {
                    format!(
                        "verified {}, of which {not_passed} did not pass",
                        tally.items
                    )
                }
            };
            let _unprintable = write!(io::stderr(), "\r\x1b[2K{text}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.shown {
            let _unprintable = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}
