//! What a token can refuse, and what to do.

use std::fmt;
use std::path::PathBuf;

/// Why the keys in a PKCS#11 token cannot be used. Holds no PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The token's library cannot be loaded.
    Module {
        /// The library.
        path: PathBuf,
        /// What the loader or the library said.
        reason: String,
    },
    /// The token's library could have been put there by somebody else: its owner or its rights are wrong, or it stands on the key medium.
    ModuleNotTrusted {
        /// The library.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No token of this label, and serial number where one is named, is in a slot.
    Missing {
        /// The label of the token.
        label: String,
        /// Its serial number; empty where none is named.
        serial: String,
    },
    /// Several tokens have this label.
    Ambiguous {
        /// The label of the token.
        label: String,
    },
    /// The token refused the PIN. It is not tried again: tokens lock after a few attempts.
    WrongPin {
        /// The label of the token.
        label: String,
        /// Whether the next wrong PIN, or one of the next, locks the token.
        nearly_locked: bool,
    },
    /// The token has locked its PIN after wrong attempts.
    PinLocked {
        /// The label of the token.
        label: String,
    },
    /// The PIN was never set, has expired, or must be changed first.
    PinNotUsable {
        /// The label of the token.
        label: String,
    },
    /// Something other than a PIN was given: shares, or a key that is held.
    PinNeeded,
    /// The token holds no such key.
    KeyMissing {
        /// The label of the token.
        token: String,
        /// The label of the key.
        key: String,
    },
    /// The token would hand the key out. Such a key is not used.
    KeyExposed {
        /// The label of the key.
        key: String,
    },
    /// The token does not know AES-256-GCM, or not for its own keys.
    NoCipher {
        /// The label of the token.
        label: String,
    },
    /// The token was removed or its session was lost, and connecting anew once did not help.
    Gone {
        /// The label of the token.
        label: String,
        /// What it said at last.
        code: String,
    },
    /// The token refused something else.
    Refused {
        /// What was tried.
        act: &'static str,
        /// What it said.
        code: String,
    },
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module { path, reason } => write!(
                f,
                "the PKCS#11 library {} cannot be used ({reason}): install the token's software, or correct the path",
                path.display()
            ),
            Self::ModuleNotTrusted { path, reason } => write!(
                f,
                "the PKCS#11 library {} is not loaded: {reason}",
                path.display()
            ),
            Self::Missing { label, serial } if serial.is_empty() => {
                write!(f, "no token \"{label}\" is there: plug it in")
            }
            Self::Missing { label, serial } => write!(
                f,
                "no token \"{label}\" with serial number {serial} is there: plug it in"
            ),
            Self::Ambiguous { label } => write!(
                f,
                "several tokens are called \"{label}\": name one with --token-serial, or unplug the others"
            ),
            Self::WrongPin {
                label,
                nearly_locked: false,
            } => write!(f, "wrong PIN for token \"{label}\""),
            Self::WrongPin {
                label,
                nearly_locked: true,
            } => write!(
                f,
                "wrong PIN for token \"{label}\", and it is about to lock: make sure of the PIN before you try again"
            ),
            Self::PinLocked { label } => write!(
                f,
                "the PIN of token \"{label}\" is locked after wrong attempts: its security officer must set a new one"
            ),
            Self::PinNotUsable { label } => write!(
                f,
                "token \"{label}\" wants its PIN to be set or changed first: use the token's own software"
            ),
            Self::PinNeeded => {
                f.write_str("the key-encryption keys are in a token: give its PIN, not shares")
            }
            Self::KeyMissing { token, key } => write!(
                f,
                "token \"{token}\" holds no key \"{key}\": plug in the token that holds it, or restore it from the token's own backup"
            ),
            Self::KeyExposed { key } => write!(
                f,
                "the key \"{key}\" in the token can be read out (it is extractable or not sensitive): it is not used"
            ),
            Self::NoCipher { label } => write!(
                f,
                "token \"{label}\" does not make AES-256 keys for AES-GCM (CKM_AES_GCM): it cannot hold key-encryption keys"
            ),
            Self::Gone { label, code } => write!(
                f,
                "token \"{label}\" is gone ({code}): plug it in and start again"
            ),
            Self::Refused { act, code } => write!(f, "the token refused to {act}: {code}"),
        }
    }
}

impl std::error::Error for TokenError {}
