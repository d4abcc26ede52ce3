//! RSA verification (RFC 8017 §8.1.2, §8.2.2). The `rsa` crate computes; this module says which keys and digests it may be asked about.

use ::rsa::pkcs1::RsaPublicKeyRef;
use ::rsa::pkcs1::der::Decode as _;
use ::rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use formats::digest::{DigestAlgorithm, DigestValue};

use super::Unsupported;
use super::scheme::PssParameters;
use crate::der::{NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};

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

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`, within the bounds above, both odd.
#[derive(Debug)]
pub(super) struct RsaKey {
    modulus: BoxedUint,
    exponent: BoxedUint,
}

impl RsaKey {
    pub(super) fn parse(der: &[u8]) -> Result<Self, Unsupported> {
        let key = RsaPublicKeyRef::from_der(der).map_err(|_| Unsupported::Key)?;
        let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
        let odd = |number: &[u8]| number.last().is_some_and(|octet| octet & 1 == 1);
        let both_odd = odd(exponent) && odd(modulus);
        let key = Self {
            modulus: BoxedUint::from_be_slice_vartime(modulus),
            exponent: BoxedUint::from_be_slice_vartime(exponent),
        };
        let exponent_bits = key.exponent.bits_vartime();
        if !(MODULUS_BITS_MIN..=MODULUS_BITS_MAX).contains(&key.bits())
            || exponent_bits > EXPONENT_BITS_MAX
            || (key.bits() > SMALL_MODULUS_BITS && exponent_bits > EXPONENT_BITS_MAX_LARGE)
        {
            return Err(Unsupported::KeySize);
        }
        // The exponent 1 makes every message its own signature.
        if exponent_bits < 2 || !both_odd {
            return Err(Unsupported::Key);
        }
        Ok(key)
    }

    pub(super) fn bits(&self) -> u32 {
        self.modulus.bits_vartime()
    }

    /// The constructor without checks: that with checks refuses exponents above 2^33, which FIPS 186-5 allows. [`Self::parse`] has checked more narrowly
    /// than the crate needs (modulus and exponent odd, exponent smaller).
    fn public_key(&self) -> RsaPublicKey {
        RsaPublicKey::new_unchecked(self.modulus.clone(), self.exponent.clone())
    }

    /// RSASSA-PKCS1-v1_5-VERIFY. §9.2 note 1 asks for NULL parameters in DigestInfo; §A.2.4 asks to accept them absent too.
    pub(super) fn verify_pkcs1(&self, digest: &DigestValue, signature: &[u8]) -> bool {
        let key = self.public_key();
        [true, false].into_iter().any(|with_null| {
            digest_info_prefix(digest.algorithm(), with_null).is_some_and(|prefix| {
                let scheme = Pkcs1v15Sign {
                    hash_len: Some(digest.as_bytes().len()),
                    prefix: prefix.into_boxed_slice(),
                };
                key.verify(scheme, digest.as_bytes(), signature).is_ok()
            })
        })
    }

    /// RSASSA-PSS-VERIFY.
    ///
    /// # Errors
    ///
    /// [`Unsupported::MaskDigest`] if the mask is made with another digest than that of the message, which the `rsa` crate does not compute.
    pub(super) fn verify_pss(
        &self,
        digest: &DigestValue,
        parameters: PssParameters,
        signature: &[u8],
    ) -> Result<bool, Unsupported> {
        use DigestAlgorithm as D;
        if parameters.digest != parameters.mask_digest {
            return Err(Unsupported::MaskDigest);
        }
        let salt = usize::try_from(parameters.salt_length).map_err(|_| Unsupported::Parameters)?;
        macro_rules! verify_with {
            ($digest:ty) => {
                self.public_key()
                    .verify(
                        Pss::<$digest>::new_with_salt(salt),
                        digest.as_bytes(),
                        signature,
                    )
                    .is_ok()
            };
        }
        Ok(match parameters.digest {
            D::Md5 => verify_with!(md5::Md5),
            D::Sha1 => verify_with!(sha1::Sha1),
            D::Ripemd160 => verify_with!(ripemd::Ripemd160),
            D::Sha224 => verify_with!(sha2::Sha224),
            D::Sha256 => verify_with!(sha2::Sha256),
            D::Sha384 => verify_with!(sha2::Sha384),
            D::Sha512 => verify_with!(sha2::Sha512),
            D::Sha512_256 => verify_with!(sha2::Sha512_256),
            D::Sha3_224 => verify_with!(sha3::Sha3_224),
            D::Sha3_256 => verify_with!(sha3::Sha3_256),
            D::Sha3_384 => verify_with!(sha3::Sha3_384),
            D::Sha3_512 => verify_with!(sha3::Sha3_512),
            _ => return Err(Unsupported::Digest),
        })
    }
}

/// What stands before the digest in `DigestInfo ::= SEQUENCE { digestAlgorithm AlgorithmIdentifier, digest OCTET STRING }`. The crate makes it only for
/// digests known at compile time, and only with NULL.
fn digest_info_prefix(digest: DigestAlgorithm, with_null: bool) -> Option<Vec<u8>> {
    let oid = digest.oid();
    let oid = oid.as_bytes();
    let null: &[u8] = if with_null { &[NULL, 0] } else { &[] };
    let digest_length = u8::try_from(digest.len()).ok()?;
    let oid_length = u8::try_from(oid.len()).ok()?;
    let algorithm_length = oid_length
        .checked_add(2)?
        .checked_add(u8::try_from(null.len()).ok()?)?;
    let length = algorithm_length
        .checked_add(4)?
        .checked_add(digest_length)?;
    let short = |length: u8| (length < 0x80).then_some(length);
    Some(
        [
            &[SEQUENCE, short(length)?, SEQUENCE, algorithm_length][..],
            &[OBJECT_IDENTIFIER, oid_length],
            oid,
            null,
            &[OCTET_STRING, digest_length],
        ]
        .concat(),
    )
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
        let refused = |modulus: &[u8], exponent: &[u8]| {
            RsaKey::parse(&key(modulus, exponent))
                .map(drop)
                .unwrap_err()
        };
        let mut modulus = vec![0xff; 128];
        assert!(RsaKey::parse(&key(&modulus, &[1, 0, 1])).is_ok());
        assert_eq!(refused(&modulus, &[1]), Unsupported::Key);
        assert_eq!(refused(&modulus, &[4]), Unsupported::Key);
        assert_eq!(refused(&modulus, &[0xff; 33]), Unsupported::KeySize);
        let large = vec![0xff; 512];
        assert!(RsaKey::parse(&key(&large, &[0xff; 8])).is_ok());
        assert_eq!(refused(&large, &[0xff; 9]), Unsupported::KeySize);
        modulus[127] = 0xfe;
        assert_eq!(refused(&modulus, &[3]), Unsupported::Key);
        assert_eq!(refused(&[0x7f; 128], &[3]), Unsupported::KeySize);
        assert_eq!(refused(&[0xff; 2049], &[3]), Unsupported::KeySize);
    }

    #[test]
    fn malformed_keys_are_refused() {
        let good = key(&[0xff; 128], &[3]);
        let trailing = [&good[..], &[0]].concat();
        let mut negative = good.clone();
        let first = negative.iter().position(|octet| *octet == 0).unwrap();
        negative[first] = 0x80;
        for bad in [&[0x30, 0][..], &[], &trailing, &negative, &good[1..]] {
            assert_eq!(RsaKey::parse(bad).map(drop).unwrap_err(), Unsupported::Key);
        }
    }

    #[test]
    fn the_prefix_is_that_of_the_standard() {
        // RFC 8017 §9.2 note 1.
        assert_eq!(
            digest_info_prefix(DigestAlgorithm::Sha1, true).unwrap(),
            hex::decode("3021300906052b0e03021a05000414").unwrap()
        );
        assert_eq!(
            digest_info_prefix(DigestAlgorithm::Md5, true).unwrap(),
            hex::decode("3020300c06082a864886f70d020505000410").unwrap()
        );
        assert_eq!(
            digest_info_prefix(DigestAlgorithm::Sha512, true).unwrap(),
            hex::decode("3051300d060960864801650304020305000440").unwrap()
        );
        assert_eq!(
            digest_info_prefix(DigestAlgorithm::Sha1, false).unwrap(),
            hex::decode("301f300706052b0e03021a0414").unwrap()
        );
    }

    /// Not the length of the modulus, not below it, or a power that is no encoding of a digest; and salts up to and past what fits.
    #[test]
    fn signatures_out_of_range_are_refused() {
        let key = RsaKey::parse(&key(&[0xff; 128], &[3])).unwrap();
        let digest = DigestAlgorithm::Sha256.digest(b"x");
        let pss = PssParameters {
            digest: DigestAlgorithm::Sha256,
            mask_digest: DigestAlgorithm::Sha256,
            salt_length: 32,
        };
        for length in [0, 1, 127, 128, 129, 4096] {
            for octet in [0, 1, 0xff] {
                let signature = vec![octet; length];
                assert!(!key.verify_pkcs1(&digest, &signature));
                for salt_length in [0, 32, 94, 95, 1 << 20, u32::MAX] {
                    let pss = PssParameters { salt_length, ..pss };
                    assert_eq!(key.verify_pss(&digest, pss, &signature), Ok(false));
                }
            }
        }
        let other = PssParameters {
            mask_digest: DigestAlgorithm::Sha1,
            ..pss
        };
        assert_eq!(
            key.verify_pss(&digest, other, &[0; 128]),
            Err(Unsupported::MaskDigest)
        );
    }
}
