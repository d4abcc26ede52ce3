//! HPKE (RFC 9180) in base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open,
    single_shot_seal_with_rng,
};
use zeroize::Zeroizing;

use crate::keys::error::KeyError;
use crate::keys::provider::random::EntropyNumbers;
use crate::keys::secret::{DataKey, KEY_BYTES, TAG_BYTES};

type Suite = DhP256HkdfSha256;

/// The private key of the archive's intake. It is zeroised when it is dropped, and cannot be printed.
pub(super) struct PrivateKey(<Suite as Kem>::PrivateKey);

/// The pair that follows from a secret of the archive (RFC 9180 §7.1.3, DeriveKeyPair): nothing has to be kept for it.
pub(super) fn derive(secret: &DataKey) -> (PrivateKey, Vec<u8>) {
    let (private, public) = Suite::derive_keypair(secret.expose());
    (PrivateKey(private), public.to_bytes().to_vec())
}

/// Seals the key of an epoch: encapsulated key 65 ‖ ciphertext 32 ‖ tag 16. `None` when `public` is no point of P-256.
pub(super) fn seal(
    public: &[u8],
    archive: ArchiveId,
    epoch: u32,
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
        &info(archive),
        key.expose(),
        &epoch.to_be_bytes(),
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
    archive: ArchiveId,
    epoch: u32,
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
        &info(archive),
        body,
        &epoch.to_be_bytes(),
    );
    let opened = Zeroizing::new(opened.ok()?);
    Some(DataKey::from_bytes(opened.as_slice().try_into().ok()?))
}

fn info(archive: ArchiveId) -> Vec<u8> {
    [b"fumikura intake 1\0".as_slice(), archive.as_bytes()].concat()
}

/// The name of the suite, as it stands in the file.
pub(super) const SUITE: &str = "HPKE-P256-HKDF-SHA256-AES-256-GCM";
/// An uncompressed point of P-256.
const ENCAPSULATED_BYTES: usize = 65;
