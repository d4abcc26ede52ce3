//! Where the passphrase of the key medium comes from: a file, a systemd credential, or the terminal.
//!
//! Never an argument or an environment value: both are visible to other processes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use firmware::entropy::Entropy;
use secrecy::{ExposeSecret, SecretBox};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::error::KeyError;

/// The longest passphrase in bytes. More is a mistaken file.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;
/// The name of the systemd credential.
pub const CREDENTIAL: &str = "fumikura-passphrase";

/// The passphrase of a key medium. It cannot be printed, and is zeroised when it is dropped.
pub struct Passphrase {
    bytes: SecretBox<Vec<u8>>,
}

/// Where to look for the passphrase, in this order.
#[derive(Debug, Clone, Default)]
pub struct PassphraseSource {
    /// The argument of `--passphrase-file`.
    pub file: Option<PathBuf>,
    /// The directory of `$CREDENTIALS_DIRECTORY`, in which [`CREDENTIAL`] is looked for.
    pub credentials: Option<PathBuf>,
    /// Whether somebody may be asked on the terminal.
    pub prompt: Prompt,
}

/// Whether and how somebody is asked on the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prompt {
    /// Nobody is asked.
    #[default]
    Never,
    /// Asked once, to open a key medium.
    Open,
    /// Asked once, for the PIN of a token.
    Pin,
    /// Asked twice, to make a key medium.
    New,
}

impl Passphrase {
    /// The passphrase with these bytes.
    ///
    /// Text in UTF-8 is taken in Unicode normalisation form C, as RFC 8265 §4.2.2 (OpaqueString) asks: the same characters
    /// typed on another system must open the medium. Other bytes are taken as they are.
    ///
    /// # Errors
    /// [`KeyError::PassphraseMissing`] when it is empty, [`KeyError::PassphraseTooLong`].
    pub fn new(given: &Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        if given.is_empty() {
            return Err(KeyError::PassphraseMissing);
        }
        if given.len() > PASSPHRASE_BYTES_MAX {
            return Err(KeyError::PassphraseTooLong);
        }
        let bytes = match std::str::from_utf8(given) {
            Ok(text) if !text.is_ascii() => normalised(text),
            Ok(_) | Err(_) => given.to_vec(),
        };
        Ok(Self {
            bytes: SecretBox::new(Box::new(bytes)),
        })
    }

    /// A new random passphrase of 128 bits, as 32 hexadecimal digits in groups of four. For a trial that must run unattended.
    ///
    /// # Errors
    /// [`KeyError::Entropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let mut random = Zeroizing::new([0; 16]);
        entropy.fill(random.as_mut_slice())?;
        let digits = Zeroizing::new(hex::encode(random.as_slice()).into_bytes());
        let groups: Vec<&[u8]> = digits.chunks(4).collect();
        Self::new(&Zeroizing::new(groups.join(&b'-')))
    }

    /// Takes the passphrase from the first place of `source` that has one.
    ///
    /// # Errors
    /// [`KeyError::Io`] when the file cannot be read; [`KeyError::PassphraseMissing`] when no place has one;
    /// [`KeyError::PassphrasesDiffer`] when a new one is typed differently the second time.
    pub fn obtain(source: &PassphraseSource) -> Result<Self, KeyError> {
        if let Some(file) = &source.file {
            return Self::from_file(file);
        }
        if let Some(credential) = source.credentials.as_ref().map(|dir| dir.join(CREDENTIAL))
            && credential.exists()
        {
            return Self::from_file(&credential);
        }
        match source.prompt {
            Prompt::Never => Err(KeyError::PassphraseMissing),
            Prompt::Open => Self::typed("Passphrase of the key medium: "),
            Prompt::Pin => Self::typed("PIN of the token: "),
            Prompt::New => {
                let first = Self::typed("New passphrase for the key medium: ")?;
                let second = Self::typed("The same again: ")?;
                if first.expose() != second.expose() {
                    return Err(KeyError::PassphrasesDiffer);
                }
                Ok(first)
            }
        }
    }

    /// Takes the passphrase from a file: all of it, without one line end at its end.
    ///
    /// # Errors
    /// As [`Passphrase::new`], and [`KeyError::Io`] when the file cannot be read.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let read = || -> io::Result<Zeroizing<Vec<u8>>> {
            // Room for all that may come, so that the buffer never moves and leaves a copy behind.
            let mut bytes = Zeroizing::new(Vec::with_capacity(2 * PASSPHRASE_BYTES_MAX));
            File::open(path)?
                .take(PASSPHRASE_BYTES_MAX as u64 + 3)
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let mut bytes = read().map_err(|e| KeyError::io(path, "read the passphrase", e))?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        Self::new(&bytes)
    }

    /// The passphrase in the clear, to be written into a file of a trial. Zeroise what is made of it.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.expose()
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    fn typed(question: &str) -> Result<Self, KeyError> {
        let text = rpassword::prompt_password(question)
            .map_err(|e| KeyError::io("/dev/tty", "ask for the passphrase", e))?;
        Self::new(&Zeroizing::new(text.into_bytes()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}

fn normalised(text: &str) -> Vec<u8> {
    // Form C has at most three times the bytes (Unicode UAX #15, table 7), so this never moves.
    let mut bytes = Vec::with_capacity(3 * text.len());
    let mut buffer = Zeroizing::new([0; 4]);
    for character in text.nfc() {
        bytes.extend_from_slice(character.encode_utf8(buffer.as_mut_slice()).as_bytes());
    }
    bytes
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests {
    use super::*;
    use firmware::entropy::SeededEntropy;

    fn passphrase(text: &str) -> Result<Passphrase, KeyError> {
        Passphrase::new(&Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_file_loses_one_line_end_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("passphrase");
        for (content, expected) in [
            ("open sesame", "open sesame"),
            ("open sesame\n", "open sesame"),
            ("open sesame\r\n", "open sesame"),
            (" open sesame \n\n", " open sesame \n"),
        ] {
            std::fs::write(&path, content).unwrap();
            let read = Passphrase::from_file(&path).unwrap();
            assert_eq!(read.expose(), expected.as_bytes(), "{content:?}");
        }
    }

    #[test]
    fn no_passphrase_and_a_mistaken_file_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("passphrase");
        for content in ["", "\n", "\r\n"] {
            std::fs::write(&path, content).unwrap();
            let error = Passphrase::from_file(&path).unwrap_err();
            assert!(matches!(error, KeyError::PassphraseMissing), "{content:?}");
        }
        std::fs::write(&path, [b'x'; 4096]).unwrap();
        let error = Passphrase::from_file(&path).unwrap_err();
        assert!(matches!(error, KeyError::PassphraseTooLong));
        let error = Passphrase::from_file(&place.path().join("absent")).unwrap_err();
        assert!(error.to_string().contains("absent"));
    }

    #[test]
    fn the_first_place_that_has_one_wins() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "from the file").unwrap();
        std::fs::write(place.path().join(CREDENTIAL), "from the credential").unwrap();
        let mut source = PassphraseSource {
            file: Some(file),
            credentials: Some(place.path().into()),
            prompt: Prompt::Never,
        };
        let obtained = Passphrase::obtain(&source).unwrap();
        assert_eq!(obtained.expose(), b"from the file");
        source.file = None;
        let obtained = Passphrase::obtain(&source).unwrap();
        assert_eq!(obtained.expose(), b"from the credential");
        source.credentials = Some(place.path().join("nowhere"));
        assert!(matches!(
            Passphrase::obtain(&source),
            Err(KeyError::PassphraseMissing)
        ));
    }

    #[test]
    fn one_text_is_one_passphrase_however_it_was_typed() {
        let composed = passphrase("か\u{3099}きくけこ").unwrap();
        let decomposed = passphrase("がきくけこ").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
        let half_width = passphrase("ｶﾞｷｸｹｺ").unwrap();
        assert_ne!(half_width.expose(), decomposed.expose());
        let binary = Passphrase::new(&Zeroizing::new(vec![0xff, 0xfe])).unwrap();
        assert_eq!(binary.expose(), [0xff, 0xfe]);
    }

    #[test]
    fn a_passphrase_is_never_shown() {
        let shown = format!("{:?}", passphrase("open sesame").unwrap());
        assert_eq!(shown, "Passphrase(secret)");
        let generated = Passphrase::generate(&SeededEntropy::new(1)).unwrap();
        assert_eq!(generated.reveal().len(), 39);
    }
}
