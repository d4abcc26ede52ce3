//! M-of-N custodians: the key that seals `kek.json` is parted by Shamir's secret sharing over GF(256) (crate `vsss-rs`).
//!
//! Any `threshold` of the shares give the key back; fewer tell nothing about it. A new ceremony makes a new key, so the
//! shares of the one before open nothing any more. What stands in the clear in `kek.json` is the [`Ceremony`]: names, numbers,
//! and a digest of each share by which a wrong one is named.

mod backup_key;
mod error;
mod share;
mod sheet;

use std::fmt;

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

pub use backup_key::{BackupKey, SealedContent};
pub use error::ShareError;
pub use share::{SHARE_WORDS, Share, ShareKind, ShareOrigin};
pub use sheet::{Sheet, SheetLanguage};

use super::random::EntropyNumbers;
use crate::keys::error::KeyError;
use crate::keys::secret::{DataKey, KEY_BYTES};
use share::CEREMONY_BYTES;

/// The most custodians of a ceremony: more sheets than that nobody keeps track of.
pub const CUSTODIANS_MAX: u8 = 16;
/// The longest name of a custodian, in characters.
pub const CUSTODIAN_NAME_MAX: usize = 64;

/// What is public of a ceremony; it stands in `kek.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ceremony {
    /// What the shares open. Absent for the key medium.
    #[serde(default, skip_serializing_if = "ShareKind::is_keys")]
    pub kind: ShareKind,
    /// The scheme.
    scheme: String,
    /// The random name of the ceremony, hexadecimal.
    ceremony: String,
    /// When it was held.
    #[serde(with = "rfc3339")]
    pub held_at: OffsetDateTime,
    /// How many shares unlock.
    pub threshold: u8,
    /// Who holds a share, in the order of the numbers.
    pub custodians: Vec<Custodian>,
}

/// Who holds a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Custodian {
    /// The number of the share, from 1.
    pub number: u8,
    /// The custodian.
    pub name: String,
    /// SHA-256 of the share, hexadecimal.
    commitment: String,
}

/// A ceremony that was just held: its facts, the new sealing key, and the shares. Nothing is sealed under the key yet.
#[derive(Debug)]
pub struct Held {
    /// What is public.
    pub ceremony: Ceremony,
    /// The shares, in the order of the custodians.
    pub shares: Vec<Share>,
    pub(super) lock: DataKey,
}

/// Gathers shares until there are enough.
#[derive(Debug)]
pub struct Collector {
    archive: ArchiveId,
    ceremony: Ceremony,
    shares: Vec<Share>,
}

impl Ceremony {
    /// Makes a new key that seals the key medium and its shares, one for each name.
    ///
    /// # Errors
    /// As [`Ceremony::hold_for`].
    pub fn hold(
        archive: ArchiveId,
        threshold: u8,
        names: &[String],
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<Held, KeyError> {
        Self::hold_for(ShareKind::Keys, archive, threshold, names, now, entropy)
    }

    /// Makes a new secret and its shares, one for each name.
    ///
    /// # Errors
    /// [`KeyError::Share`] with [`ShareError::Numbers`] or [`ShareError::Names`]; [`KeyError::Entropy`].
    pub fn hold_for(
        kind: ShareKind,
        archive: ArchiveId,
        threshold: u8,
        names: &[String],
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<Held, KeyError> {
        let count = u8::try_from(names.len()).map_err(|_| ShareError::Numbers)?;
        if !(2..=CUSTODIANS_MAX).contains(&count) || !(2..=count).contains(&threshold) {
            return Err(ShareError::Numbers.into());
        }
        check_names(names)?;
        let mut ceremony = [0; CEREMONY_BYTES];
        entropy.fill(&mut ceremony)?;
        let origin = ShareOrigin::new(archive, ceremony);
        let lock = DataKey::generate(entropy)?;
        let mut numbers = EntropyNumbers::new(entropy);
        let points = Gf256::split_bytes(
            usize::from(threshold),
            usize::from(count),
            lock.expose(),
            &mut numbers,
        )
        .map_err(|_| ShareError::Numbers)?;
        let points: Vec<Zeroizing<Vec<u8>>> =
            numbers.finish(points.into_iter().map(Zeroizing::new).collect())?;
        let shares = points
            .iter()
            .map(|point| share_of(kind, origin, threshold, point))
            .collect::<Result<Vec<_>, _>>()?;
        let custodians = shares.iter().zip(names).map(|(share, name)| Custodian {
            number: share.number(),
            name: name.clone(),
            commitment: hex::encode(share.commitment()),
        });
        let ceremony = Self {
            kind,
            scheme: SCHEME.to_owned(),
            ceremony: hex::encode(ceremony),
            held_at: now.replace_nanosecond(0).unwrap_or(now),
            threshold,
            custodians: custodians.collect(),
        };
        Ok(Held {
            ceremony,
            shares,
            lock,
        })
    }

    /// Which archive and ceremony its shares are of; `None` when the facts are not those of a ceremony.
    #[must_use]
    pub fn origin(&self, archive: ArchiveId) -> Option<ShareOrigin> {
        let mut ceremony = [0; CEREMONY_BYTES];
        hex::decode_to_slice(&self.ceremony, &mut ceremony).ok()?;
        Some(ShareOrigin::new(archive, ceremony))
    }

    /// The random name of the ceremony, hexadecimal.
    pub(super) fn code(&self) -> &str {
        &self.ceremony
    }

    /// Whether these are the facts of a ceremony that this program knows.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let count = self.custodians.len();
        self.scheme == SCHEME
            && (2..=usize::from(CUSTODIANS_MAX)).contains(&count)
            && (2..=count).contains(&usize::from(self.threshold))
    }

    /// Judges a share: the custodian whose it is, or what is wrong with it.
    ///
    /// # Errors
    /// [`ShareError::OtherArchive`], [`ShareError::OtherKind`], [`ShareError::OtherCeremony`], [`ShareError::Wrong`].
    pub fn check(&self, archive: ArchiveId, share: &Share) -> Result<&Custodian, ShareError> {
        let (number, found) = (share.number(), share.origin());
        let expected = self.origin(archive).ok_or(ShareError::Version)?;
        if found.archive_tag != expected.archive_tag {
            return Err(ShareError::OtherArchive {
                number,
                found,
                expected,
            });
        }
        if share.kind() != self.kind {
            let expected = self.kind;
            return Err(ShareError::OtherKind {
                number,
                found,
                expected,
            });
        }
        let custodian = self.custodians.iter().find(|c| c.number == number);
        let Some(custodian) = custodian.filter(|_| found == expected) else {
            return Err(ShareError::OtherCeremony {
                number,
                found,
                expected,
            });
        };
        if custodian.commitment != hex::encode(share.commitment()) {
            return Err(ShareError::Wrong {
                number,
                custodian: custodian.name.clone(),
            });
        }
        Ok(custodian)
    }
}

impl fmt::Display for Ceremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.custodians.iter().map(|c| c.name.as_str()).collect();
        write!(
            f,
            "any {} of {} ({})",
            self.threshold,
            names.len(),
            names.join(", ")
        )
    }
}

impl Held {
    /// Refuses the shares of one kind where those of the other are needed.
    ///
    /// # Errors
    /// [`ShareError::Version`].
    pub(super) fn require(&self, kind: ShareKind) -> Result<(), ShareError> {
        if self.ceremony.kind == kind {
            Ok(())
        } else {
            Err(ShareError::Version)
        }
    }
}

impl Collector {
    /// Gathers shares for the ceremony of an archive.
    #[must_use]
    pub const fn new(archive: ArchiveId, ceremony: Ceremony) -> Self {
        Self {
            archive,
            ceremony,
            shares: Vec::new(),
        }
    }

    /// The ceremony.
    #[must_use]
    pub const fn ceremony(&self) -> &Ceremony {
        &self.ceremony
    }

    /// Takes a share; says whose it is. A share that is wrong is not kept.
    ///
    /// # Errors
    /// What [`Ceremony::check`] says, and [`ShareError::Twice`].
    pub fn add(&mut self, share: Share) -> Result<String, ShareError> {
        let custodian = self.ceremony.check(self.archive, &share)?.name.clone();
        let number = share.number();
        if self.shares.iter().any(|other| other.number() == number) {
            return Err(ShareError::Twice { number, custodian });
        }
        self.shares.push(share);
        Ok(custodian)
    }

    /// How many more shares are needed.
    #[must_use]
    pub fn missing(&self) -> usize {
        usize::from(self.ceremony.threshold).saturating_sub(self.shares.len())
    }

    /// The sealing key, when there are enough shares.
    ///
    /// # Errors
    /// [`ShareError::Missing`]; [`ShareError::DoNotOpen`] when the shares cannot be combined.
    pub fn combine(&self) -> Result<DataKey, ShareError> {
        let missing = self.missing();
        if missing > 0 {
            return Err(ShareError::Missing { missing });
        }
        let mut points: Vec<Vec<u8>> = self
            .shares
            .iter()
            .take(usize::from(self.ceremony.threshold))
            .map(|share| share.point().to_vec())
            .collect();
        let combined = Gf256::combine_bytes(&points).map(Zeroizing::new);
        points.zeroize();
        let combined = combined.map_err(|_| ShareError::DoNotOpen)?;
        let bytes: &[u8; KEY_BYTES] = combined
            .as_slice()
            .try_into()
            .map_err(|_| ShareError::DoNotOpen)?;
        Ok(DataKey::from_bytes(bytes))
    }
}

fn share_of(
    kind: ShareKind,
    origin: ShareOrigin,
    threshold: u8,
    point: &[u8],
) -> Result<Share, ShareError> {
    let Some((&number, value)) = point.split_first() else {
        return Err(ShareError::Numbers);
    };
    let value: &[u8; KEY_BYTES] = value.try_into().map_err(|_| ShareError::Numbers)?;
    Ok(Share::new(kind, origin, number, threshold, value))
}

fn check_names(names: &[String]) -> Result<(), ShareError> {
    let good = |name: &String| {
        let length = name.chars().count();
        (1..=CUSTODIAN_NAME_MAX).contains(&length)
            && name.trim() == name
            && !name.chars().any(char::is_control)
    };
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != names.len() || !names.iter().all(good) {
        return Err(ShareError::Names);
    }
    Ok(())
}

/// A time as RFC 3339 text.
mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    pub(super) fn serialize<S: Serializer>(
        time: &OffsetDateTime,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let text = time.format(&Rfc3339).map_err(ser::Error::custom)?;
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<OffsetDateTime, D::Error> {
        let text = String::deserialize(from)?;
        OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)
    }
}

/// Shamir's secret sharing, each byte of the key by itself over GF(256) with the polynomial of AES.
const SCHEME: &str = "Shamir-GF256";

#[cfg(test)]
mod tests;
