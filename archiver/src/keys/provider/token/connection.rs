//! One session with one token: the library loaded, the token found, the PIN given once.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::{RawAuthPin, Ulong};
use formats::id::ArchiveId;
use zeroize::Zeroizing;

use super::error::TokenError;
use super::file::{KeyName, TokenName};
use crate::keys::provider::file::FIRST_EPOCH;
use crate::keys::secret::{KEY_BYTES, NONCE_BYTES, TAG_BYTES};

/// Keys that no file names, looked at in search of a free name: each is left over from one interrupted rotation.
const FREE_EPOCHS_LOOKED_AT: u32 = 1000;
/// How many names without a key, behind the current epoch, end the search for keys that no file names.
const GAPS_LOOKED_AT: u32 = 8;

/// An open session in which the PIN was accepted.
#[derive(Debug)]
pub(super) struct Connection {
    session: Session,
    /// The handles of the keys, by epoch; valid for this session.
    keys: BTreeMap<u32, ObjectHandle>,
}

/// What the library says when the session, the token or the reader has gone, as opposed to a refusal.
pub(super) const fn is_lost(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::CryptokiNotInitialized
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::UserNotLoggedIn
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::GeneralError,
            _
        )
    )
}

/// Loads the token's library, which becomes a part of this process: only one that nobody else can have put there.
pub(super) fn load(module: &Path, key_media: &[&Path]) -> Result<Pkcs11, TokenError> {
    let unusable = |reason: String| TokenError::Module {
        path: module.to_path_buf(),
        reason,
    };
    let distrusted = |reason| TokenError::ModuleNotTrusted {
        path: module.to_path_buf(),
        reason,
    };
    if !module.is_absolute() {
        return Err(distrusted("its path is not absolute"));
    }
    let real = fs::canonicalize(module).map_err(|error| unusable(error.to_string()))?;
    let on_medium = |root: &&Path| fs::canonicalize(root).is_ok_and(|root| real.starts_with(root));
    if key_media.iter().any(on_medium) {
        return Err(distrusted("it stands on the key medium"));
    }
    let own = rustix::process::geteuid().as_raw();
    for place in real.ancestors().take(2) {
        let facts = fs::metadata(place).map_err(|error| unusable(error.to_string()))?;
        if facts.uid() != 0 && facts.uid() != own {
            return Err(distrusted("it, or its folder, belongs to another user"));
        }
        if facts.mode() & 0o022 != 0 {
            return Err(distrusted("it, or its folder, can be written by others"));
        }
    }
    Pkcs11::new(&real).map_err(|error| unusable(error.to_string()))
}

/// Starts the library; another user of it in this process may have done so.
pub(super) fn start(library: &Pkcs11, module: &Path) -> Result<(), TokenError> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(TokenError::Module {
            path: module.to_path_buf(),
            reason: code(&error),
        }),
    }
}

/// The slot of a token; `serial` empty: any. Also tells the serial number.
pub(super) fn find(
    library: &Pkcs11,
    label: &str,
    serial: &str,
) -> Result<(Slot, TokenName), TokenError> {
    let refused = |error: Error| refusal("list the slots", &error);
    let mut found = Vec::new();
    for slot in library
        .get_slots_with_initialized_token()
        .map_err(refused)?
    {
        // A token that is pulled out between the two calls is not there.
        let Ok(token) = library.get_token_info(slot) else {
            continue;
        };
        if token.label() == label && (serial.is_empty() || token.serial_number() == serial) {
            let name = TokenName {
                label: label.to_owned(),
                serial: token.serial_number().to_owned(),
            };
            found.push((slot, name));
        }
    }
    match found.len() {
        0 => Err(TokenError::Missing {
            label: label.to_owned(),
            serial: serial.to_owned(),
        }),
        1 => found.pop().ok_or(TokenError::PinNeeded),
        _ => Err(TokenError::Ambiguous {
            label: label.to_owned(),
        }),
    }
}

impl Connection {
    /// Opens a session and gives the PIN, once.
    pub(super) fn open(
        library: &Pkcs11,
        token: &TokenName,
        pin: &RawAuthPin,
    ) -> Result<Self, TokenError> {
        let (slot, _) = find(library, &token.label, &token.serial)?;
        knows_cipher(library, slot, &token.label)?;
        let session = library
            .open_rw_session(slot)
            .or_else(|_| library.open_ro_session(slot))
            .map_err(|error| refusal("open a session", &error))?;
        match session.login_with_raw(UserType::User, pin) {
            // Another session of this process with the same token: its PIN was accepted, and this one is not looked at.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(pin_refusal(library, slot, &token.label, &error)),
        }
        Ok(Self {
            session,
            keys: BTreeMap::new(),
        })
    }

    /// Finds a key and makes sure that the token does not hand it out; `false` where there is none.
    pub(super) fn find_key(&mut self, epoch: u32, key: &KeyName) -> Result<bool, TokenError> {
        let Some(handle) = self.handle(key)? else {
            return Ok(false);
        };
        if !self.is_guarded(handle)? {
            return Err(TokenError::KeyExposed {
                key: key.label.clone(),
            });
        }
        self.keys.insert(epoch, handle);
        Ok(true)
    }

    /// The first epoch after `last` of whose name the token holds no key. One that it holds may be that of a rotation whose file stands on a
    /// medium that is not here: what was wrapped under it nobody can tell, so it stays.
    pub(super) fn free_epoch(&self, archive: ArchiveId, last: u32) -> Result<u32, TokenError> {
        let first = last.saturating_add(1);
        for epoch in first..first.saturating_add(FREE_EPOCHS_LOOKED_AT) {
            if self.handle(&KeyName::new(archive, epoch))?.is_none() {
                return Ok(epoch);
            }
        }
        Err(TokenError::Refused {
            act: "make a key",
            code: "too many keys of this archive that no file names".to_owned(),
        })
    }

    /// The epochs of whose name the token holds a key, and that are none of `named`.
    pub(super) fn unnamed(
        &self,
        archive: ArchiveId,
        current: u32,
        named: &[u32],
    ) -> Result<Vec<u32>, TokenError> {
        let mut unnamed = Vec::new();
        let mut absent = 0;
        for epoch in FIRST_EPOCH.. {
            // They were made one after the other, so behind the current one the first gap is the end but for keys destroyed since.
            if absent == GAPS_LOOKED_AT {
                break;
            }
            let found = self.handle(&KeyName::new(archive, epoch))?.is_some();
            if found && !named.contains(&epoch) {
                unnamed.push(epoch);
            }
            absent = if found || epoch <= current {
                0
            } else {
                absent + 1
            };
        }
        Ok(unnamed)
    }

    /// Makes a key in the token that never leaves it.
    pub(super) fn generate(&mut self, epoch: u32, key: &KeyName) -> Result<(), TokenError> {
        let refused = |error: Error| refusal("make a key", &error);
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(
                Ulong::try_from(KEY_BYTES).map_err(|_| refused(Error::InvalidValue))?,
            ),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
            Attribute::Label(key.label.clone().into_bytes()),
            Attribute::Id(key.id.clone()),
        ];
        self.session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map_err(refused)?;
        if self.find_key(epoch, key)? {
            return Ok(());
        }
        Err(TokenError::Refused {
            act: "keep a key",
            code: "the key that it made is not there".to_owned(),
        })
    }

    /// Removes a key from the token; it is gone when this returns. `witness` is a key that stays: where it is not found either, it is the token
    /// that is gone, and its keys with it.
    pub(super) fn destroy(
        &mut self,
        epoch: u32,
        key: &KeyName,
        witness: &KeyName,
    ) -> Result<(), TokenError> {
        self.keys.remove(&epoch);
        if let Some(handle) = self.handle(key)? {
            self.session
                .destroy_object(handle)
                .map_err(|error| refusal("destroy a key", &error))?;
        }
        let left = self.handle(key)?;
        let refused = |code: &str| TokenError::Refused {
            act: "destroy a key",
            code: code.to_owned(),
        };
        match (left, self.handle(witness)?) {
            (None, Some(_)) => Ok(()),
            (None, None) => Err(refused("its other keys are not there either")),
            (Some(_), _) => Err(refused("the key is still there")),
        }
    }

    /// AES-256-GCM in the token; the nonce comes back as the token left it, because some choose their own.
    pub(super) fn encrypt(
        &self,
        epoch: u32,
        mut nonce: [u8; NONCE_BYTES],
        context: &[u8],
        secret: &[u8],
    ) -> Result<([u8; NONCE_BYTES], Vec<u8>), Error> {
        let key = *self.keys.get(&epoch).ok_or(Error::InvalidValue)?;
        let params = GcmParams::new(&mut nonce, context, tag_bits()?)?;
        let sealed = self
            .session
            .encrypt(&Mechanism::AesGcm(params), key, secret)?;
        Ok((nonce, sealed))
    }

    pub(super) fn decrypt(
        &self,
        epoch: u32,
        mut nonce: [u8; NONCE_BYTES],
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let key = *self.keys.get(&epoch).ok_or(Error::InvalidValue)?;
        let params = GcmParams::new(&mut nonce, context, tag_bits()?)?;
        let opened = self
            .session
            .decrypt(&Mechanism::AesGcm(params), key, sealed)?;
        Ok(Zeroizing::new(opened))
    }

    /// The epochs whose keys were found.
    pub(super) fn epochs(&self) -> Vec<u32> {
        self.keys.keys().copied().collect()
    }

    fn handle(&self, key: &KeyName) -> Result<Option<ObjectHandle>, TokenError> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(key.label.clone().into_bytes()),
            Attribute::Id(key.id.clone()),
        ];
        let found = self.session.find_objects(&template);
        let found = found.map_err(|error| refusal("look for a key", &error))?;
        Ok(found.first().copied())
    }

    fn is_guarded(&self, key: ObjectHandle) -> Result<bool, TokenError> {
        let asked = [
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::AlwaysSensitive,
            AttributeType::NeverExtractable,
        ];
        let facts = self.session.get_attributes(key, &asked);
        let facts = facts.map_err(|error| refusal("describe a key", &error))?;
        Ok(facts.contains(&Attribute::Sensitive(true))
            && facts.contains(&Attribute::Extractable(false))
            // A key that was brought in from outside was known there.
            && facts.contains(&Attribute::AlwaysSensitive(true))
            && facts.contains(&Attribute::NeverExtractable(true)))
    }
}

fn knows_cipher(library: &Pkcs11, slot: Slot, label: &str) -> Result<(), TokenError> {
    let known = library.get_mechanism_list(slot);
    let known = known.map_err(|error| refusal("list what it can do", &error))?;
    if known.contains(&MechanismType::AES_GCM) && known.contains(&MechanismType::AES_KEY_GEN) {
        return Ok(());
    }
    Err(TokenError::NoCipher {
        label: label.to_owned(),
    })
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "PKCS#11 has about a hundred codes; those that are not named are shown as they are"
)]
fn pin_refusal(library: &Pkcs11, slot: Slot, label: &str, error: &Error) -> TokenError {
    let label = label.to_owned();
    match error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => {
            let state = library.get_token_info(slot);
            if state.as_ref().is_ok_and(|token| token.user_pin_locked()) {
                return TokenError::PinLocked { label };
            }
            let nearly_locked =
                state.is_ok_and(|token| token.user_pin_final_try() || token.user_pin_count_low());
            TokenError::WrongPin {
                label,
                nearly_locked,
            }
        }
        Error::Pkcs11(RvError::PinLocked, _) => TokenError::PinLocked { label },
        Error::Pkcs11(RvError::UserPinNotInitialized | RvError::PinExpired, _) => {
            TokenError::PinNotUsable { label }
        }
        other => refusal("accept the PIN", other),
    }
}

/// What the token said, in one word where it is a code of PKCS#11: its long texts help nobody.
pub(super) fn code(error: &Error) -> String {
    if let Error::Pkcs11(code, _) = error {
        format!("{code:?}")
    } else {
        error.to_string()
    }
}

pub(super) fn refusal(act: &'static str, error: &Error) -> TokenError {
    TokenError::Refused {
        act,
        code: code(error),
    }
}

fn tag_bits() -> Result<Ulong, Error> {
    Ulong::try_from(8 * TAG_BYTES)
}
