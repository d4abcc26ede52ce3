//! Passwords of people: which are taken, and how they are kept (Argon2id, RFC 9106).
//!
//! The rules are those of the policies 000–002 (rows A11 to A16): length, character classes, age, history, first change. The values are a site's own;
//! [`PasswordRules::default`] has the sources' examples where they are stricter than what today's guidance asks for, and longer where it asks for more.

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, CustomizedPasswordHasher, Params, Version};
use firmware::entropy::Entropy;
use time::{Duration, OffsetDateTime};
use zxcvbn::{Score, zxcvbn};

use super::error::AccessError;
use crate::cli::lang::Lang;

/// What a password must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// Characters at least.
    pub length_min: usize,
    /// Whether upper case, lower case, digits and other characters must all occur.
    pub all_character_classes: bool,
    /// How long it may be used; `None`: as long as one likes.
    pub age_max: Option<Duration>,
    /// How many earlier passwords must not come again.
    pub history: usize,
    /// How much work deriving one is.
    pub cost: PasswordCost,
}

impl Default for PasswordRules {
    /// 12 characters of all classes, three months, ten earlier ones.
    fn default() -> Self {
        Self {
            length_min: 12,
            all_character_classes: true,
            age_max: Some(Duration::days(92)),
            history: 10,
            cost: PasswordCost::default(),
        }
    }
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordFault {
    /// Shorter than that many characters.
    TooShort {
        /// The least.
        length_min: usize,
    },
    /// Longer than that many bytes: it would cost time to derive, and nobody types it.
    TooLong {
        /// The most.
        bytes_max: usize,
    },
    /// A character class is missing.
    Classes,
    /// It stands in lists of common passwords, or is easily guessed from name and habits.
    Guessable,
    /// It was used before.
    UsedBefore {
        /// How many earlier ones are compared.
        history: usize,
    },
}

/// How much work a derivation is: memory in KiB, passes, lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// 19 MiB, two passes, one lane: some 20 ms, so that a log-in cannot be used to use up the machine.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

#[cfg(test)]
impl PasswordCost {
    /// As little as Argon2id allows.
    pub(super) const fn cheap() -> Self {
        Self {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        }
    }
}

/// The rules for a new password. `about` is what one would guess first: names, the company's, the mail address.
///
/// # Errors
/// [`PasswordFault`], the first that applies.
pub fn check(password: &str, about: &[&str], rules: &PasswordRules) -> Result<(), PasswordFault> {
    if password.chars().count() < rules.length_min {
        return Err(PasswordFault::TooShort {
            length_min: rules.length_min,
        });
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordFault::TooLong {
            bytes_max: PASSWORD_BYTES_MAX,
        });
    }
    let has = |is: fn(char) -> bool| password.chars().any(is);
    let classes = [
        has(|one| one.is_ascii_lowercase()),
        has(|one| one.is_ascii_uppercase()),
        has(|one| one.is_ascii_digit()),
        has(|one| !one.is_ascii_alphanumeric()),
    ];
    if rules.all_character_classes && classes.contains(&false) {
        return Err(PasswordFault::Classes);
    }
    if zxcvbn(password, about).score() < Score::Three {
        return Err(PasswordFault::Guessable);
    }
    Ok(())
}

/// Derives what is kept of a password: a PHC string with a salt of its own.
///
/// # Errors
/// [`AccessError::Vault`]: no randomness, or no memory for it.
pub fn derive(
    password: &str,
    cost: PasswordCost,
    entropy: &dyn Entropy,
) -> Result<String, AccessError> {
    let failed = |what: String| AccessError::Vault { what };
    let mut salt = [0; SALT_BYTES];
    entropy
        .fill(&mut salt)
        .map_err(|error| failed(error.to_string()))?;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
        .map_err(|error| failed(error.to_string()))?;
    let hash: PasswordHash = Argon2::default()
        .hash_password_customized(
            password.as_bytes(),
            &salt,
            Some(Algorithm::Argon2id.ident().as_str()),
            Some(Version::V0x13.into()),
            params,
        )
        .map_err(|error| failed(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether a password is the one that `kept` was derived from; in a time that does not depend on where they differ.
#[must_use]
pub fn matches(password: &str, kept: &str) -> bool {
    // A longer one was never taken, and shall not cost more.
    password.len() <= PASSWORD_BYTES_MAX
        && PasswordHash::new(kept).is_ok_and(|kept| {
            Argon2::default()
                .verify_password(password.as_bytes(), &kept)
                .is_ok()
        })
}

/// Whether a password that was set then is too old now.
#[must_use]
pub fn is_too_old(set_at: OffsetDateTime, now: OffsetDateTime, rules: &PasswordRules) -> bool {
    rules.age_max.is_some_and(|age_max| now - set_at > age_max)
}

impl PasswordFault {
    /// One clear line, with what to do.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        match self {
            Self::TooShort { length_min } => lang.pick(
                format!("パスワードは {length_min} 文字以上にしてください"),
                format!("use {length_min} characters or more"),
            ),
            Self::TooLong { bytes_max } => lang.pick(
                format!("パスワードは {bytes_max} バイトまでです"),
                format!("use {bytes_max} bytes at most"),
            ),
            Self::Classes => lang.pick(
                "英大文字・英小文字・数字・記号をすべて含めてください".to_owned(),
                "use upper case, lower case, digits and other characters".to_owned(),
            ),
            Self::Guessable => lang.pick(
                "推測されやすいパスワードです(よく使われる語、名前、並び)。関係のない語をいくつか並べてください".to_owned(),
                "it is easily guessed (common words, names, sequences): put several words together that have nothing to do with each other".to_owned(),
            ),
            Self::UsedBefore { history } => lang.pick(
                format!("最近の {history} 個のパスワードは使えません"),
                format!("it is among your last {history} passwords: choose a new one"),
            ),
        }
    }
}

/// What a password may take at most, so that deriving it costs the same for all.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// RFC 9106 §3.1 recommends 16 bytes.
const SALT_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn short_plain_common_and_personal_passwords_are_refused() {
        let rules = PasswordRules::default();
        let about = ["sato.hanako", "Fumikura"];
        let long = format!("Aa1!{}", "x".repeat(PASSWORD_BYTES_MAX));
        for (password, fault) in [
            ("Kz7!q", Some(PasswordFault::TooShort { length_min: 12 })),
            (
                "藤の花が咲く駅",
                Some(PasswordFault::TooShort { length_min: 12 }),
            ),
            (
                long.as_str(),
                Some(PasswordFault::TooLong { bytes_max: 256 }),
            ),
            ("correcthorsebattery", Some(PasswordFault::Classes)),
            ("Password1234!", Some(PasswordFault::Guessable)),
            ("Qwertyuiop1!", Some(PasswordFault::Guessable)),
            ("sato.hanakO1", Some(PasswordFault::Guessable)),
            ("Ume-kaban-7-tetsudo", None),
            ("藤の花Ab1の咲く駅前で待つ", None),
        ] {
            assert_eq!(check(password, &about, &rules).err(), fault, "{password}");
        }
    }

    #[test]
    fn only_the_same_password_matches_and_each_derivation_has_its_salt() {
        let entropy = SeededEntropy::new(7);
        let kept = derive("Ume-kaban-7-tetsudo", PasswordCost::cheap(), &entropy).expect("derived");
        let again =
            derive("Ume-kaban-7-tetsudo", PasswordCost::cheap(), &entropy).expect("derived");
        assert_ne!(kept, again);
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        assert!(matches("Ume-kaban-7-tetsudo", &kept));
        let long = format!("Ume-kaban-7-tetsudo{}", "x".repeat(PASSWORD_BYTES_MAX));
        for wrong in [
            "",
            "ume-kaban-7-tetsudo",
            "Ume-kaban-7-tetsudo ",
            long.as_str(),
        ] {
            assert!(!matches(wrong, &kept), "{wrong}");
        }
        for damaged in [
            "",
            "$argon2id$",
            "plain",
            "$argon2id$v=19$m=64,t=1,p=1$AAAA",
        ] {
            assert!(!matches("Ume-kaban-7-tetsudo", damaged), "{damaged}");
        }
    }

    #[test]
    fn a_password_lives_as_long_as_the_rules_say() {
        let rules = PasswordRules::default();
        let set = OffsetDateTime::UNIX_EPOCH;
        assert!(!is_too_old(set, set + Duration::days(92), &rules));
        assert!(is_too_old(
            set,
            set + Duration::days(92) + Duration::SECOND,
            &rules
        ));
        let ageless = PasswordRules {
            age_max: None,
            ..rules
        };
        assert!(!is_too_old(set, set + Duration::days(9_999), &ageless));
    }
}
