//! Plain words: why a verdict is what it is, and what its reader can do next, in both languages and without acronyms.

mod cause;
mod reason;

pub(super) use self::cause::{Cause, causes};
pub(super) use self::reason::{next_step, reason};

use crate::finding::Language;

/// A text in both languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    ja: &'static str,
    en: &'static str,
}

impl Words {
    pub(super) const fn new(ja: &'static str, en: &'static str) -> Self {
        Self { ja, en }
    }

    pub(super) const fn text(self, language: Language) -> &'static str {
        match language {
            Language::Japanese => self.ja,
            Language::English => self.en,
        }
    }
}
