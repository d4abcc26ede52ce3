//! The second factor of people: codes of an authenticator (TOTP, RFC 6238), six digits in steps of 30 seconds.
//!
//! A code works once: whoever checks gives the last step that was used, and keeps the one that matched (RFC 6238 §5.2).

use firmware::entropy::Entropy;
use time::OffsetDateTime;
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use super::error::AccessError;

/// The shared secret of one person's authenticator.
pub struct SecondFactor {
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor").finish_non_exhaustive()
    }
}

impl SecondFactor {
    /// A new secret.
    ///
    /// # Errors
    /// [`AccessError::Vault`]: no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, AccessError> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        entropy
            .fill(secret.as_mut_slice())
            .map_err(|error| AccessError::Vault {
                what: error.to_string(),
            })?;
        Ok(Self { secret })
    }

    /// The secret that stands in the vault. `None`: it has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let secret = <[u8; SECRET_BYTES]>::try_from(bytes).ok()?;
        Some(Self {
            secret: Zeroizing::new(secret),
        })
    }

    /// For the vault, and for nothing else.
    pub(super) fn expose(&self) -> &[u8] {
        self.secret.as_slice()
    }

    /// The text that a person types into an authenticator who cannot scan (base32, groups of four).
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let text = Zeroizing::new(Secret::from(self.secret.as_slice()).to_base32());
        let mut grouped = Zeroizing::new(String::with_capacity(text.len() * 2));
        for (place, one) in text.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(one);
        }
        grouped
    }

    /// The `otpauth://` address that a QR code shows to an authenticator.
    ///
    /// # Errors
    /// [`AccessError::Vault`]: names that such an address cannot hold.
    pub fn address(&self, issuer: &str, account: &str) -> Result<Zeroizing<String>, AccessError> {
        let failed = |error: totp_rs::TotpError| AccessError::Vault {
            what: error.to_string(),
        };
        // A colon parts issuer and account there.
        let issuer = issuer.replace(':', " ");
        let totp = Builder::new()
            .with_secret(self.secret.as_slice())
            .with_account_name(account)
            .with_issuer(Some(issuer))
            .build()
            .map_err(failed)?;
        Ok(Zeroizing::new(totp.to_url().map_err(failed)?))
    }

    /// The step that a code belongs to, where it is of now or of the step before or after it, and later than the last one that was used.
    #[must_use]
    pub fn check(&self, code: &str, now: OffsetDateTime, last_step: Option<u64>) -> Option<u64> {
        let seconds = u64::try_from(now.unix_timestamp()).ok()?;
        let step = self.totp().check(code, seconds)?;
        last_step.is_none_or(|last| step > last).then_some(step)
    }

    /// The code of a moment: for tests, and for programs that act for a person.
    #[must_use]
    pub fn code(&self, at: OffsetDateTime) -> Option<String> {
        let seconds = u64::try_from(at.unix_timestamp()).ok()?;
        Some(self.totp().generate(seconds).to_string())
    }

    fn totp(&self) -> Totp {
        // The length of the secret is above the least of RFC 4226 §4, and there is no name that could be wrong.
        Builder::new()
            .with_secret(self.secret.as_slice())
            .with_skew(STEPS_AROUND)
            .build_noncompliant()
    }
}

/// RFC 4226 §4 R6 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// How many steps before and after the present one count (RFC 6238 §5.2).
const STEPS_AROUND: u16 = 1;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// RFC 6238 appendix B: the secret of its test vectors for HMAC-SHA-1.
    fn of_the_standard() -> SecondFactor {
        SecondFactor::from_bytes(b"12345678901234567890").expect("20 bytes")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        let factor = of_the_standard();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let at = OffsetDateTime::from_unix_timestamp(seconds).expect("a time");
            assert_eq!(factor.code(at).as_deref(), Some(code));
        }
    }

    #[test]
    fn a_code_works_once_and_only_near_its_step() {
        let factor = of_the_standard();
        let at = datetime!(2030-01-01 00:00:15 UTC);
        let code = factor.code(at).expect("a code");
        let step = factor.check(&code, at, None).expect("it is of now");
        assert_eq!(factor.check(&code, at, Some(step)), None, "used before");
        assert_eq!(factor.check(&code, at, Some(step - 1)), Some(step));
        for (seconds, is_taken) in [(-46, false), (-45, true), (44, true), (45, false)] {
            let now = at + time::Duration::seconds(seconds);
            assert_eq!(
                factor.check(&code, now, None).is_some(),
                is_taken,
                "{seconds}"
            );
        }
        for wrong in ["", "12345", "1234567", "abcdef", "12 456"] {
            assert_eq!(factor.check(wrong, at, None), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_names_issuer_and_account_and_the_text_is_in_groups() {
        let factor = of_the_standard();
        let address = factor
            .address("Fumikura: 文蔵", "sato")
            .expect("an address");
        assert!(
            address.starts_with("otpauth://totp/"),
            "{}",
            address.as_str()
        );
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        assert_eq!(
            factor.to_text().as_str(),
            "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
        );
        assert!(SecondFactor::from_bytes(b"short").is_none());
    }
}
