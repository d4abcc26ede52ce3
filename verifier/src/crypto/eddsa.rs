//! EdDSA (RFC 8032) as certificates and CMS use it: the pure form, with an empty context (RFC 8410 §3, RFC 8419 §2).

use ed448_goldilocks::EdwardsPoint;

use super::Unsupported;

/// Ed25519 (RFC 8032 §5.1.7), in the strict form: no small-order points, no second encodings.
pub(super) fn verify_ed25519(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Unsupported> {
    let key = <[u8; 32]>::try_from(key).map_err(|_| Unsupported::Key)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| Unsupported::Key)?;
    Ok(ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()))
}

/// Ed448 (RFC 8032 §5.2.7). A key outside of the group of prime order is none: with one of small order anybody makes signatures.
pub(super) fn verify_ed448(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Unsupported> {
    let key = <[u8; 57]>::try_from(key).map_err(|_| Unsupported::Key)?;
    let key = ed448_goldilocks::VerifyingKey::from_bytes(&key).map_err(|_| Unsupported::Key)?;
    let point: EdwardsPoint = key.to_edwards();
    if !bool::from(point.is_torsion_free()) {
        return Err(Unsupported::Key);
    }
    Ok(ed448_goldilocks::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_raw(&signature, message).is_ok()))
}
