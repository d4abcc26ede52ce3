//! HPKE (RFC 9180) in base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

use ::hpke::aead::AesGcm256;
use ::hpke::kdf::HkdfSha256;
use ::hpke::kem::DhP256HkdfSha256;
use ::hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open,
    single_shot_seal_with_rng,
};
use firmware::entropy::Entropy;
use zeroize::Zeroizing;

use crate::keys::error::KeyError;
use crate::keys::provider::random::EntropyNumbers;
use crate::keys::secret::{DataKey, KEY_BYTES, TAG_BYTES};

type Suite = DhP256HkdfSha256;

/// A private key. It is zeroised when it is dropped, and cannot be printed.
pub(super) struct PrivateKey(<Suite as Kem>::PrivateKey);

/// The pair that follows from a secret (RFC 9180 §7.1.3, DeriveKeyPair): nothing has to be kept for it.
pub(super) fn derive(secret: &DataKey) -> (PrivateKey, Vec<u8>) {
    let (private, public) = Suite::derive_keypair(secret.expose());
    (PrivateKey(private), public.to_bytes().to_vec())
}

/// Seals a key: encapsulated key 65 ‖ ciphertext 32 ‖ tag 16. `info` says what it is for, `context` which one it is. `None` when `public` is no
/// point of P-256.
pub(super) fn seal(
    public: &[u8],
    info: &[u8],
    context: &[u8],
    key: &DataKey,
    entropy: &dyn Entropy,
) -> Result<Option<Vec<u8>>, KeyError> {
    let Ok(public) = <Suite as Kem>::PublicKey::from_bytes(public) else {
        return Ok(None);
    };
    let mut numbers = EntropyNumbers::new(entropy);
    let sealed = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Suite>(
        &OpModeS::Base,
        &public,
        info,
        key.expose(),
        context,
        &mut numbers,
    );
    let Ok((encapsulated, body)) = numbers.finish(sealed)? else {
        return Ok(None);
    };
    Ok(Some([encapsulated.to_bytes().as_slice(), &body].concat()))
}

/// Opens what [`seal`] sealed; `None` when it was changed, or sealed to another key.
pub(super) fn open(
    private: &PrivateKey,
    info: &[u8],
    context: &[u8],
    sealed: &[u8],
) -> Option<DataKey> {
    let (encapsulated, body) = sealed.split_at_checked(ENCAPSULATED_BYTES)?;
    if body.len() != KEY_BYTES + TAG_BYTES {
        return None;
    }
    let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    let opened = single_shot_open::<AesGcm256, HkdfSha256, Suite>(
        &OpModeR::Base,
        &private.0,
        &encapsulated,
        info,
        body,
        context,
    );
    let opened = Zeroizing::new(opened.ok()?);
    Some(DataKey::from_bytes(opened.as_slice().try_into().ok()?))
}

/// The name of the suite, as it stands in the file.
pub(super) const SUITE: &str = "HPKE-P256-HKDF-SHA256-AES-256-GCM";
/// An uncompressed point of P-256.
const ENCAPSULATED_BYTES: usize = 65;
