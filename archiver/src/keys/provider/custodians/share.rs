//! One custodian's share, and the 32 words in which it stands on paper.

use std::fmt;

use bip39::Language;
use formats::id::ArchiveId;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::ShareError;
use crate::keys::secret::KEY_BYTES;

/// Bytes of a share: 32 words of 11 bits are exactly 44 bytes.
///
/// ```text
/// share = version u8 (1: of the key medium's key, 2: of the backups' key) | archive tag 2 | ceremony 3 | number u8 | threshold u8 | value 32 | check 4
/// ```
pub(super) const SHARE_BYTES: usize = 44;
/// Words of a share.
pub const SHARE_WORDS: usize = 32;
/// Bytes of the name of a ceremony.
pub(super) const CEREMONY_BYTES: usize = 3;

/// Which archive and which ceremony a share is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareOrigin {
    /// The first two bytes of SHA-256 over the archive id: tells archives apart, no more.
    pub archive_tag: [u8; 2],
    /// The random name of the ceremony.
    pub ceremony: [u8; CEREMONY_BYTES],
}

/// What the secret opens that a share is part of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareKind {
    /// The key medium.
    #[default]
    Keys,
    /// Backups.
    Backups,
}

/// The share of one custodian. It cannot be printed, and is zeroised when it is dropped.
pub struct Share {
    kind: ShareKind,
    origin: ShareOrigin,
    number: u8,
    threshold: u8,
    value: SecretBox<[u8; KEY_BYTES]>,
}

impl ShareKind {
    /// Whether it is [`ShareKind::Keys`], which is not written.
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(super) fn is_keys(&self) -> bool {
        *self == Self::Keys
    }

    const fn version(self) -> u8 {
        match self {
            Self::Keys => 1,
            Self::Backups => 2,
        }
    }
}

impl ShareOrigin {
    /// The origin of the shares of a ceremony.
    #[must_use]
    pub fn new(archive: ArchiveId, ceremony: [u8; CEREMONY_BYTES]) -> Self {
        let digest: [u8; 32] = Sha256::digest(archive.as_bytes()).into();
        let [first, second, ..] = digest;
        Self {
            archive_tag: [first, second],
            ceremony,
        }
    }
}

impl fmt::Display for ShareOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}",
            hex::encode(self.archive_tag),
            hex::encode(self.ceremony)
        )
    }
}

impl Share {
    pub(super) fn new(
        kind: ShareKind,
        origin: ShareOrigin,
        number: u8,
        threshold: u8,
        value: &[u8; KEY_BYTES],
    ) -> Self {
        Self {
            kind,
            origin,
            number,
            threshold,
            value: SecretBox::init_with_mut(|secret: &mut [u8; KEY_BYTES]| {
                secret.copy_from_slice(value);
            }),
        }
    }

    /// Reads a share: 32 words of the list, whole or by their first four letters, in any case; or a sheet as `keys ceremony`
    /// writes it, from which the part between its marks is taken. Numbers before words are passed over.
    ///
    /// # Errors
    /// [`ShareError::Words`], [`ShareError::Unknown`] and [`ShareError::Mistyped`]; none of them repeats a word.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let words = marked(text)
            .split(|c: char| c.is_whitespace() || c == ',' || c == '.')
            .filter(|word| !word.is_empty() && !word.bytes().all(|b| b.is_ascii_digit()));
        let mut bits = Bits::default();
        let mut count = 0;
        for word in words {
            count += 1;
            let index = index_of(word).ok_or(ShareError::Unknown { word: count })?;
            if count <= SHARE_WORDS {
                bits.push(index);
            }
        }
        let bytes = bits.bytes.as_slice().try_into();
        let bytes: &[u8; SHARE_BYTES] = bytes.map_err(|_| ShareError::Words { count })?;
        if count != SHARE_WORDS {
            return Err(ShareError::Words { count });
        }
        Self::decode(bytes)
    }

    /// Reads all shares of a text: of several sheets, of lines with 32 words each, or one share over several lines.
    #[must_use]
    pub fn parse_all(text: &str) -> Vec<Result<Self, ShareError>> {
        let sheets: Vec<&str> = text.split(SHARE_BEGIN).skip(1).collect();
        if !sheets.is_empty() {
            let inside = |sheet: &&str| {
                let words = sheet
                    .split_once(SHARE_END)
                    .map_or(*sheet, |(words, _)| words);
                Self::parse(words)
            };
            return sheets.iter().map(inside).collect();
        }
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let is_whole = |line: &&str| line.split_whitespace().count() >= SHARE_WORDS;
        if lines.len() > 1 && lines.iter().all(is_whole) {
            return lines.into_iter().map(Self::parse).collect();
        }
        vec![Self::parse(text)]
    }

    /// The 32 words, parted by spaces.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let list = Language::English.word_list();
        let bytes = self.encode();
        let mut text = Zeroizing::new(String::with_capacity(SHARE_WORDS * 9));
        let mut rest: u32 = 0;
        let mut held = 0;
        for byte in bytes.iter() {
            rest = (rest << 8) | u32::from(*byte);
            held += 8;
            if held < WORD_BITS {
                continue;
            }
            held -= WORD_BITS;
            let index = usize::try_from((rest >> held) & WORD_MASK).unwrap_or_default();
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(list.get(index).copied().unwrap_or_default());
        }
        text
    }

    /// What the secret opens that it is part of.
    #[must_use]
    pub const fn kind(&self) -> ShareKind {
        self.kind
    }

    /// Which archive and ceremony it is of.
    #[must_use]
    pub const fn origin(&self) -> ShareOrigin {
        self.origin
    }

    /// Its number, from 1.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// How many shares unlock.
    #[must_use]
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The check digits that stand on the sheet, as hexadecimal digits.
    #[must_use]
    pub fn check_digits(&self) -> String {
        hex::encode(check(&self.body()))
    }

    /// The same share once more.
    pub(in crate::keys::provider) fn again(&self) -> Self {
        Self::new(
            self.kind,
            self.origin,
            self.number,
            self.threshold,
            self.value.expose_secret(),
        )
    }

    /// What stands in `kek.json` to tell a wrong share: SHA-256 over the share. The value has 256 random bits, so the digest
    /// helps nobody to find it.
    pub(super) fn commitment(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"fumikura share commitment 1\0")
            .chain_update(self.encode().as_slice())
            .finalize()
            .into()
    }

    /// Number ‖ value, as the secret sharing wants it.
    pub(super) fn point(&self) -> Zeroizing<Vec<u8>> {
        let mut point = Zeroizing::new(Vec::with_capacity(1 + KEY_BYTES));
        point.push(self.number);
        point.extend_from_slice(self.value.expose_secret());
        point
    }

    fn body(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SHARE_BYTES));
        bytes.push(self.kind.version());
        bytes.extend_from_slice(&self.origin.archive_tag);
        bytes.extend_from_slice(&self.origin.ceremony);
        bytes.push(self.number);
        bytes.push(self.threshold);
        bytes.extend_from_slice(self.value.expose_secret());
        bytes
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = self.body();
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    fn decode(bytes: &[u8; SHARE_BYTES]) -> Result<Self, ShareError> {
        let Some((body, found)) = bytes.split_last_chunk::<CHECK_BYTES>() else {
            return Err(ShareError::Mistyped);
        };
        if check(body) != *found {
            return Err(ShareError::Mistyped);
        }
        let [version, a, b, c, d, e, number, threshold, value @ ..] = body else {
            return Err(ShareError::Mistyped);
        };
        let value: &[u8; KEY_BYTES] = value.try_into().map_err(|_| ShareError::Mistyped)?;
        let kinds = [ShareKind::Keys, ShareKind::Backups];
        let kind = kinds.into_iter().find(|kind| kind.version() == *version);
        let Some(kind) = kind.filter(|_| *number > 0 && *threshold >= 2) else {
            return Err(ShareError::Version);
        };
        let origin = ShareOrigin {
            archive_tag: [*a, *b],
            ceremony: [*c, *d, *e],
        };
        Ok(Self::new(kind, origin, *number, *threshold, value))
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("kind", &self.kind)
            .field("origin", &self.origin)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Gathers 11 bits for each word.
struct Bits {
    bytes: Zeroizing<Vec<u8>>,
    rest: u32,
    held: u32,
}

impl Default for Bits {
    fn default() -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(SHARE_BYTES)),
            rest: 0,
            held: 0,
        }
    }
}

impl Bits {
    fn push(&mut self, index: u16) {
        self.rest = (self.rest << WORD_BITS) | u32::from(index);
        self.held += WORD_BITS;
        while self.held >= 8 {
            self.held -= 8;
            let byte = (self.rest >> self.held) & 0xff;
            self.bytes.push(u8::try_from(byte).unwrap_or_default());
        }
        self.rest &= (1 << self.held) - 1;
    }
}

/// The place of a word in the list. Its first four letters are enough: in the English list they name one word (BIP-39).
fn index_of(word: &str) -> Option<u16> {
    let word = Zeroizing::new(word.to_ascii_lowercase());
    if let Some(index) = Language::English.find_word(&word) {
        return Some(index);
    }
    let mut candidates = Language::English.words_by_prefix_iter(&word);
    let only = candidates.next().filter(|_| word.len() >= 4)?;
    if candidates.next().is_some() {
        return None;
    }
    Language::English.find_word(only)
}

/// The part of a sheet between its marks, or all of a text without marks.
fn marked(text: &str) -> &str {
    let Some((_, rest)) = text.split_once(SHARE_BEGIN) else {
        return text;
    };
    rest.split_once(SHARE_END)
        .map_or(rest, |(inside, _)| inside)
}

fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"fumikura share 1\0")
        .chain_update(body)
        .finalize()
        .into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

/// The line before the words on a sheet.
pub(super) const SHARE_BEGIN: &str = "-----BEGIN FUMIKURA SHARE-----";
/// The line after them.
pub(super) const SHARE_END: &str = "-----END FUMIKURA SHARE-----";
const CHECK_BYTES: usize = 4;
const WORD_BITS: u32 = 11;
const WORD_MASK: u32 = (1 << WORD_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin() -> ShareOrigin {
        ShareOrigin::new(ArchiveId::from_bytes([7; 16]), [1, 2, 3])
    }

    proptest! {
        #[test]
        fn a_share_survives_the_way_to_words_and_back(value: [u8; KEY_BYTES], number in 1_u8.., threshold in 2_u8.., backups: bool) {
            let kind = if backups { ShareKind::Backups } else { ShareKind::Keys };
            let share = Share::new(kind, origin(), number, threshold, &value);
            let words = share.words();
            prop_assert_eq!(words.split(' ').count(), SHARE_WORDS);
            let back = Share::parse(&words).unwrap();
            prop_assert_eq!(back.value.expose_secret(), &value);
            prop_assert_eq!(back.kind(), kind);
            prop_assert_eq!((back.number(), back.threshold(), back.origin()), (number, threshold, origin()));
        }
    }

    #[test]
    fn words_are_read_as_people_write_them() {
        let share = Share::new(ShareKind::Keys, origin(), 2, 2, &[0xa7; KEY_BYTES]);
        let words = share.words();
        let short: Vec<&str> = words.split(' ').map(|w| &w[..w.len().min(4)]).collect();
        let numbered: Vec<String> = (1..)
            .zip(words.split(' '))
            .map(|(n, w)| format!("{n:>2}. {w}"))
            .collect();
        let sheet = format!(
            "Custodian: some words\n{SHARE_BEGIN}\n{}\n{SHARE_END}\nkeep it",
            numbered.join("\n")
        );
        for text in [
            words.to_uppercase(),
            short.join("\n"),
            numbered.join("  "),
            sheet,
        ] {
            let back = Share::parse(&text).unwrap();
            assert_eq!(back.value.expose_secret(), &[0xa7; KEY_BYTES]);
        }
    }

    #[test]
    fn each_wrong_word_is_noticed_and_none_is_repeated() {
        let share = Share::new(ShareKind::Keys, origin(), 2, 2, &[0x3c; KEY_BYTES]);
        let words = share.words();
        let list: Vec<&str> = words.split(' ').collect();
        for place in 0..SHARE_WORDS {
            let mut wrong = list.clone();
            wrong[place] = if list[place] == "zoo" { "zone" } else { "zoo" };
            let error = Share::parse(&wrong.join(" ")).unwrap_err();
            assert!(matches!(error, ShareError::Mistyped), "{place}");
            wrong[place] = "fumikura";
            let error = Share::parse(&wrong.join(" ")).unwrap_err();
            assert!(matches!(error, ShareError::Unknown { word } if word == place + 1));
            assert!(!error.to_string().contains("fumikura"));
        }
        for count in [0, 1, SHARE_WORDS - 1] {
            let error = Share::parse(&list[..count].join(" ")).unwrap_err();
            assert!(matches!(error, ShareError::Words { count: found } if found == count));
        }
        let more = format!("{} zoo", *words);
        assert!(matches!(
            Share::parse(&more),
            Err(ShareError::Words { count: 33 })
        ));
        let mut swapped = list;
        let other = swapped
            .iter()
            .position(|word| *word != swapped[20])
            .unwrap();
        swapped.swap(other, 20);
        assert!(matches!(
            Share::parse(&swapped.join(" ")),
            Err(ShareError::Mistyped)
        ));
    }

    #[test]
    fn several_shares_are_read_from_one_text() {
        let shares =
            [1, 2, 3].map(|n| Share::new(ShareKind::Keys, origin(), n, 2, &[n; KEY_BYTES]).words());
        let numbers = |text: &str| -> Vec<u8> {
            Share::parse_all(text)
                .into_iter()
                .map(|share| share.unwrap().number())
                .collect()
        };
        let lines = format!("{}\n\n{}\n{}\n", *shares[0], *shares[1], *shares[2]);
        assert_eq!(numbers(&lines), [1, 2, 3]);
        assert_eq!(numbers(&shares[1].replace(' ', "\n")), [2]);
        let sheet = |n: usize| {
            format!(
                "a sheet\n{SHARE_BEGIN}\n{}\n{SHARE_END}\nadvice\n",
                *shares[n]
            )
        };
        assert_eq!(numbers(&[sheet(2), sheet(0)].concat()), [3, 1]);
        assert!(matches!(
            Share::parse_all("")[..],
            [Err(ShareError::Words { count: 0 })]
        ));
        let mixed = format!("{}\nnothing", *shares[0]);
        assert!(Share::parse_all(&mixed)[0].is_err());
    }

    #[test]
    fn a_share_is_never_shown() {
        let share = Share::new(ShareKind::Keys, origin(), 2, 2, &[0xab; KEY_BYTES]);
        let shown = format!("{share:?}");
        assert!(!shown.contains("171") && !shown.contains("ab, "), "{shown}");
    }
}
