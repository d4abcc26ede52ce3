//! RSA verification (RFC 8017 §8.1.2, §8.2.2) on public numbers.

use formats::digest::{DigestAlgorithm, DigestValue};

use super::Unsupported;
use super::number::{Modulus, bits, is_below};
use super::scheme::PssParameters;
use crate::der::{INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};

/// Smallest modulus. Below 1024 bits, keys of old evidence can be factored on a laptop: a signature proves nothing.
pub(super) const MODULUS_BITS_MIN: u32 = 1024;

/// Largest modulus. OpenSSL verifies up to 16,384 bits (`OPENSSL_RSA_MAX_MODULUS_BITS`).
pub(super) const MODULUS_BITS_MAX: u32 = 16_384;

/// Largest public exponent: FIPS 186-5 §A.1.1 demands less than 2^256.
pub(super) const EXPONENT_BITS_MAX: u32 = 256;

/// Larger moduli have exponents of at most [`EXPONENT_BITS_MAX_LARGE`], as in OpenSSL (`OPENSSL_RSA_SMALL_MODULUS_BITS`): both large at once is an attack on time.
const SMALL_MODULUS_BITS: u32 = 3072;

/// See [`SMALL_MODULUS_BITS`] (`OPENSSL_RSA_MAX_PUBEXP_BITS`).
const EXPONENT_BITS_MAX_LARGE: u32 = 64;

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`
#[derive(Debug)]
pub(super) struct RsaKey<'a> {
    modulus: &'a [u8],
    exponent: &'a [u8],
}

impl<'a> RsaKey<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, Unsupported> {
        let key = Self::read(der).map_err(|_| Unsupported::Key)?;
        let (modulus_bits, exponent_bits) = (bits(key.modulus), bits(key.exponent));
        if !(MODULUS_BITS_MIN..=MODULUS_BITS_MAX).contains(&modulus_bits)
            || exponent_bits > EXPONENT_BITS_MAX
            || (modulus_bits > SMALL_MODULUS_BITS && exponent_bits > EXPONENT_BITS_MAX_LARGE)
        {
            return Err(Unsupported::KeySize);
        }
        // The exponent 1 makes every message its own signature.
        let odd = |number: &[u8]| number.last().is_some_and(|octet| octet & 1 == 1);
        if exponent_bits < 2 || !odd(key.exponent) || !odd(key.modulus) {
            return Err(Unsupported::Key);
        }
        Ok(key)
    }

    fn read(der: &'a [u8]) -> crate::der::Result<Self> {
        const STRUCTURE: &str = "RSAPublicKey";
        let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let modulus = fields.expect(INTEGER)?.unsigned(STRUCTURE)?;
        let exponent = fields.expect(INTEGER)?.unsigned(STRUCTURE)?;
        fields.finish()?;
        Ok(Self { modulus, exponent })
    }

    pub(super) fn bits(&self) -> u32 {
        bits(self.modulus)
    }

    /// RSAVP1 (RFC 8017 §5.2.2): the encoded message, as long as the modulus. `None` if the signature is out of range.
    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if signature.len() != self.modulus.len() || !is_below(signature, self.modulus) {
            return None;
        }
        let modulus = Modulus::new(self.modulus)?;
        let message = modulus.residue(signature)?.power(self.exponent).magnitude();
        let padding = self.modulus.len().checked_sub(message.len())?;
        let mut encoded = vec![0; padding];
        encoded.extend(message);
        Some(encoded)
    }

    /// RSASSA-PKCS1-v1_5-VERIFY. The encoding is made and compared, never parsed (§8.2.2 note).
    pub(super) fn verify_pkcs1(&self, digest: &DigestValue, signature: &[u8]) -> bool {
        let Some(encoded) = self.open(signature) else {
            return false;
        };
        // §9.2 note 1 asks for NULL parameters; A.2.4 asks to accept them absent too.
        [true, false].into_iter().any(|with_null| {
            encode_pkcs1(digest, with_null, encoded.len())
                .is_some_and(|expected| expected == encoded)
        })
    }

    /// RSASSA-PSS-VERIFY.
    pub(super) fn verify_pss(
        &self,
        digest: &DigestValue,
        parameters: PssParameters,
        signature: &[u8],
    ) -> bool {
        self.open(signature)
            .and_then(|encoded| {
                let message_bits = self.bits().checked_sub(1)?;
                verify_pss_encoding(&encoded, message_bits, digest, parameters)
            })
            .is_some()
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
fn encode_pkcs1(digest: &DigestValue, with_null: bool, length: usize) -> Option<Vec<u8>> {
    let info = digest_info(digest, with_null)?;
    // EM = 0x00 || 0x01 || PS || 0x00 || T, with at least eight octets of PS.
    let padding = length.checked_sub(info.len())?.checked_sub(3)?;
    if padding < 8 {
        return None;
    }
    let mut encoded = vec![0x00, 0x01];
    encoded.resize(padding.checked_add(2)?, 0xff);
    encoded.push(0x00);
    encoded.extend(info);
    Some(encoded)
}

/// `DigestInfo ::= SEQUENCE { digestAlgorithm AlgorithmIdentifier, digest OCTET STRING }`
fn digest_info(digest: &DigestValue, with_null: bool) -> Option<Vec<u8>> {
    fn short(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
        let length = u8::try_from(content.len()).ok().filter(|n| *n < 0x80)?;
        Some([&[tag, length][..], content].concat())
    }
    let oid = digest.algorithm().oid();
    let mut algorithm = short(OBJECT_IDENTIFIER, oid.as_bytes())?;
    if with_null {
        algorithm.extend([NULL, 0]);
    }
    let octets = short(OCTET_STRING, digest.as_bytes())?;
    short(SEQUENCE, &[short(SEQUENCE, &algorithm)?, octets].concat())
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2); `Some` if consistent. `encoded` is as long as the modulus.
fn verify_pss_encoding(
    encoded: &[u8],
    message_bits: u32,
    digest: &DigestValue,
    parameters: PssParameters,
) -> Option<()> {
    let length = usize::try_from(message_bits.div_ceil(8)).ok()?;
    let excess = encoded.len().checked_sub(length)?;
    let (zeros, encoded) = encoded.split_at_checked(excess)?;
    if zeros.iter().any(|octet| *octet != 0) {
        return None;
    }
    let digest_length = parameters.digest.len();
    let salt_length = usize::try_from(parameters.salt_length).ok()?;
    // Steps 3 to 5: EM = maskedDB || H || 0xbc.
    let (body, last) = encoded.split_last().map(|(last, body)| (body, *last))?;
    let masked_length = body.len().checked_sub(digest_length)?;
    let (masked, hash) = body.split_at_checked(masked_length)?;
    if last != 0xbc {
        return None;
    }
    // Step 6: the leftmost bits are zero.
    let unused = u32::try_from(length)
        .ok()?
        .checked_mul(8)?
        .checked_sub(message_bits)?;
    let keep = 0xff_u8.checked_shr(unused)?;
    if masked.first()? & !keep != 0 {
        return None;
    }
    // Steps 7 to 9.
    let mask = mgf1(parameters.mask_digest, hash, masked.len());
    let mut block: Vec<u8> = masked.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    if let Some(first) = block.first_mut() {
        *first &= keep;
    }
    // Step 10: zeros, 0x01, salt.
    let padding = block.len().checked_sub(salt_length)?.checked_sub(1)?;
    let (zeros, rest) = block.split_at_checked(padding)?;
    let (one, salt) = rest.split_first()?;
    if zeros.iter().any(|octet| *octet != 0) || *one != 0x01 {
        return None;
    }
    // Steps 12 to 14.
    let mut hasher = parameters.digest.hasher();
    hasher.update(&[0; 8]);
    hasher.update(digest.as_bytes());
    hasher.update(salt);
    (hasher.finish().as_bytes() == hash).then_some(())
}

/// MGF1 (RFC 8017 §B.2.1).
fn mgf1(digest: DigestAlgorithm, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length.saturating_add(digest.len()));
    let mut counter: u32 = 0;
    while mask.len() < length {
        let mut hasher = digest.hasher();
        hasher.update(seed);
        hasher.update(&counter.to_be_bytes());
        mask.extend_from_slice(hasher.finish().as_bytes());
        counter = counter.saturating_add(1);
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(tag_and: &[u8], magnitude: &[u8]) -> Vec<u8> {
        let mut content = magnitude.to_vec();
        if content.first().is_none_or(|first| first & 0x80 != 0) {
            content.insert(0, 0);
        }
        let mut out = tag_and.to_vec();
        out.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]);
        if content.len() < 256 {
            out.truncate(tag_and.len());
            if content.len() < 128 {
                out.push(content.len() as u8);
            } else {
                out.extend([0x81, content.len() as u8]);
            }
        }
        out.extend(content);
        out
    }

    fn key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let fields = [integer(&[2], modulus), integer(&[2], exponent)].concat();
        let mut out = vec![0x30];
        match fields.len() {
            length @ 0..=127 => out.push(length as u8),
            length @ 128..=255 => out.extend([0x81, length as u8]),
            length => out.extend([0x82, (length >> 8) as u8, length as u8]),
        }
        out.extend(fields);
        out
    }

    #[test]
    fn keys_out_of_bounds_are_refused() {
        let mut modulus = vec![0xff; 128];
        assert!(RsaKey::parse(&key(&modulus, &[1, 0, 1])).is_ok());
        assert_eq!(
            RsaKey::parse(&key(&modulus, &[1])).unwrap_err(),
            Unsupported::Key
        );
        assert_eq!(
            RsaKey::parse(&key(&modulus, &[4])).unwrap_err(),
            Unsupported::Key
        );
        assert_eq!(
            RsaKey::parse(&key(&modulus, &[0xff; 33])).unwrap_err(),
            Unsupported::KeySize
        );
        let large = vec![0xff; 512];
        assert!(RsaKey::parse(&key(&large, &[0xff; 8])).is_ok());
        assert_eq!(
            RsaKey::parse(&key(&large, &[0xff; 9])).unwrap_err(),
            Unsupported::KeySize
        );
        modulus[127] = 0xfe;
        assert_eq!(
            RsaKey::parse(&key(&modulus, &[3])).unwrap_err(),
            Unsupported::Key
        );
        assert_eq!(
            RsaKey::parse(&key(&[0x7f; 128], &[3])).unwrap_err(),
            Unsupported::KeySize
        );
        assert_eq!(
            RsaKey::parse(&key(&[0xff; 2049], &[3])).unwrap_err(),
            Unsupported::KeySize
        );
        assert_eq!(RsaKey::parse(&[0x30, 0]).unwrap_err(), Unsupported::Key);
    }

    #[test]
    fn a_digest_that_does_not_fit_is_refused() {
        let digest = DigestAlgorithm::Sha512.digest(b"x");
        assert!(encode_pkcs1(&digest, true, 94).is_some());
        assert!(encode_pkcs1(&digest, true, 93).is_none());
        assert!(encode_pkcs1(&digest, true, 0).is_none());
    }

    #[test]
    fn a_signature_of_another_length_is_refused() {
        let der = key(&[0xff; 128], &[3]);
        let key = RsaKey::parse(&der).unwrap();
        assert!(key.open(&[0x01; 128]).is_some());
        assert!(key.open(&[0x01; 127]).is_none());
        assert!(key.open(&[0x01; 129]).is_none());
        assert!(key.open(&[0xff; 128]).is_none(), "not below the modulus");
        let mut padded = vec![0; 128];
        padded[127] = 5;
        assert!(key.open(&padded).is_some());
        assert!(key.open(&padded[1..]).is_none(), "leading zero cut off");
    }
}
