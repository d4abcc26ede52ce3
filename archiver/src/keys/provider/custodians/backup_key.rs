//! The key that backups are sealed to: its public half needs nobody, its private half is parted among custodians.
//!
//! The pair follows from the secret of a ceremony of its own (RFC 9180 §7.1.3, DeriveKeyPair). The secret stands on no medium: with the sheets
//! it is gone from this program.

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};

use super::{Ceremony, Held, ShareError, ShareKind};
use crate::keys::error::KeyError;
use crate::keys::provider::hpke;
use crate::keys::secret::DataKey;

/// What is public of the key of backups: who can open what is sealed to it, and its public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BackupKey {
    /// Its number, from 1: each ceremony makes a new one.
    pub epoch: u32,
    /// How keys are sealed to it.
    suite: String,
    /// The public half, hexadecimal.
    public_key: String,
    /// The ceremony that parted the private half.
    pub ceremony: Ceremony,
}

/// The key of one backup's content, sealed to the custodians.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SealedContent {
    /// To which key.
    pub to: BackupKey,
    /// Encapsulated key ‖ ciphertext ‖ tag, hexadecimal.
    sealed: String,
}

impl BackupKey {
    /// The key of a ceremony for backups.
    ///
    /// # Errors
    /// [`KeyError::Share`] when the ceremony is one for something else.
    pub fn of(held: &Held, epoch: u32) -> Result<Self, KeyError> {
        held.require(ShareKind::Backups)?;
        Ok(Self {
            epoch,
            suite: hpke::SUITE.to_owned(),
            public_key: hex::encode(hpke::derive(&held.lock).1),
            ceremony: held.ceremony.clone(),
        })
    }

    /// The ceremony's code, as it stands on the sheets.
    #[must_use]
    pub fn code(&self, archive: ArchiveId) -> String {
        let origin = self.ceremony.origin(archive);
        origin.map(|code| code.to_string()).unwrap_or_default()
    }

    /// Whether this program can seal to it, and judge its shares.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.suite == hpke::SUITE
            && self.ceremony.kind == ShareKind::Backups
            && self.ceremony.is_sound()
    }

    /// Makes the key of one backup's content, and seals it. Nobody is needed for it.
    ///
    /// # Errors
    /// [`KeyError::Entropy`]; [`KeyError::KeyDerivation`] when the public half is no key.
    pub fn seal(
        &self,
        archive: ArchiveId,
        generation: u32,
        entropy: &dyn Entropy,
    ) -> Result<(SealedContent, DataKey), KeyError> {
        let content = DataKey::generate(entropy)?;
        let public = hex::decode(&self.public_key).unwrap_or_default();
        let context = self.context(generation);
        let sealed = hpke::seal(&public, &info(archive), &context, &content, entropy)?;
        let sealed = SealedContent {
            to: self.clone(),
            sealed: hex::encode(sealed.ok_or(KeyError::KeyDerivation)?),
        };
        Ok((sealed, content))
    }

    fn context(&self, generation: u32) -> Vec<u8> {
        [generation.to_be_bytes(), self.epoch.to_be_bytes()].concat()
    }
}

impl SealedContent {
    /// The key of the content, from what enough shares gave ([`super::Collector::combine`]).
    ///
    /// # Errors
    /// [`ShareError::BackupDoesNotOpen`]: the file was changed, or sealed to a key that these custodians do not hold.
    pub fn open(
        &self,
        archive: ArchiveId,
        generation: u32,
        secret: &DataKey,
    ) -> Result<DataKey, ShareError> {
        let (private, public) = hpke::derive(secret);
        let context = self.to.context(generation);
        let sealed = hex::decode(&self.sealed).unwrap_or_default();
        Some(hex::encode(public))
            .filter(|own| *own == self.to.public_key)
            .and_then(|_| hpke::open(&private, &info(archive), &context, &sealed))
            .ok_or(ShareError::BackupDoesNotOpen)
    }
}

fn info(archive: ArchiveId) -> Vec<u8> {
    [b"fumikura backup key 1\0".as_slice(), archive.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;
    use time::macros::datetime;

    use super::super::{Collector, Share};
    use super::*;

    const ARCHIVE: ArchiveId = ArchiveId::from_bytes([7; 16]);

    fn held(kind: ShareKind, seed: u64) -> Held {
        let names = ["佐藤", "鈴木", "高橋"].map(str::to_owned);
        let entropy = SeededEntropy::new(seed);
        let now = datetime!(2026-04-01 09:00 UTC);
        Ceremony::hold_for(kind, ARCHIVE, 2, &names, now, &entropy).unwrap()
    }

    fn again(share: &Share) -> Share {
        Share::parse(&share.words()).unwrap()
    }

    #[test]
    fn any_two_of_three_open_what_is_sealed_to_them() {
        let held = held(ShareKind::Backups, 1);
        let key = BackupKey::of(&held, 3).unwrap();
        let (sealed, content) = key.seal(ARCHIVE, 9, &SeededEntropy::new(2)).unwrap();
        for (one, other) in [(0, 1), (2, 0), (1, 2)] {
            let mut collector = Collector::new(ARCHIVE, sealed.to.ceremony.clone());
            collector.add(again(&held.shares[one])).unwrap();
            let missing = collector.combine().unwrap_err();
            assert_eq!(missing, ShareError::Missing { missing: 1 });
            let twice = collector.add(again(&held.shares[one]));
            assert!(matches!(twice, Err(ShareError::Twice { .. })));
            collector.add(again(&held.shares[other])).unwrap();
            let secret = collector.combine().unwrap();
            let opened = sealed.open(ARCHIVE, 9, &secret).unwrap();
            assert_eq!(opened.expose(), content.expose());
            // Of another backup, another archive, or named to be of another key.
            let refused = |archive, generation, sealed: &SealedContent| {
                let opened = sealed.open(archive, generation, &secret);
                assert_eq!(opened.unwrap_err(), ShareError::BackupDoesNotOpen);
            };
            refused(ARCHIVE, 8, &sealed);
            refused(ArchiveId::from_bytes([8; 16]), 9, &sealed);
            let mut renumbered = sealed.clone();
            renumbered.to.epoch = 4;
            refused(ARCHIVE, 9, &renumbered);
        }
    }

    #[test]
    fn shares_of_backups_and_of_the_key_medium_are_never_taken_for_each_other() {
        let (keys, backups) = (held(ShareKind::Keys, 1), held(ShareKind::Backups, 1));
        // The same random numbers: but for their kind they would be the same shares.
        assert_eq!(keys.shares[0].origin(), backups.shares[0].origin());
        for (asked, given) in [(&keys, &backups), (&backups, &keys)] {
            let found = asked.ceremony.check(ARCHIVE, &given.shares[0]);
            let expected = asked.ceremony.kind;
            assert!(
                matches!(found, Err(ShareError::OtherKind { number: 1, expected: kind, .. }) if kind == expected)
            );
        }
        assert!(BackupKey::of(&keys, 1).is_err());
        let mut key = BackupKey::of(&backups, 1).unwrap();
        assert!(key.is_known());
        key.ceremony.kind = ShareKind::Keys;
        assert!(!key.is_known());
    }
}
