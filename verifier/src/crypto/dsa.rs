//! DSA verification (FIPS 186-4 §4.7), for reading old evidence.

use formats::digest::DigestValue;

use super::Unsupported;
use super::number::{Modulus, bits, trimmed};
use crate::der::{INTEGER, Reader, SEQUENCE};

/// Largest prime: OpenSSL verifies up to 10,000 bits (`OPENSSL_DSA_MAX_MODULUS_BITS`), FIPS 186-4 goes to 3,072.
const PRIME_BITS_MAX: u32 = 4096;

/// Smallest prime: FIPS 186-4 §4.2.
const PRIME_BITS_MIN: u32 = 1024;

/// `Dss-Parms ::= SEQUENCE { p INTEGER, q INTEGER, g INTEGER }` (RFC 3279 §2.3.2) and the key.
#[derive(Debug)]
pub(super) struct DsaKey<'a> {
    prime: &'a [u8],
    order: &'a [u8],
    generator: &'a [u8],
    public: &'a [u8],
}

impl<'a> DsaKey<'a> {
    pub(super) fn parse(parameters: &'a [u8], public: &'a [u8]) -> Result<Self, Unsupported> {
        let key = Self::read(parameters, public).map_err(|_| Unsupported::Key)?;
        if !(PRIME_BITS_MIN..=PRIME_BITS_MAX).contains(&bits(key.prime))
            || ![160, 224, 256].contains(&bits(key.order))
        {
            return Err(Unsupported::KeySize);
        }
        Ok(key)
    }

    fn read(parameters: &'a [u8], public: &'a [u8]) -> crate::der::Result<Self> {
        const STRUCTURE: &str = "Dss-Parms";
        let mut fields = Reader::single(parameters, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let mut number = || fields.expect(INTEGER)?.unsigned(STRUCTURE);
        let (prime, order, generator) = (number()?, number()?, number()?);
        fields.finish()?;
        let public = Reader::single(public, INTEGER, "DSAPublicKey")?.unsigned("DSAPublicKey")?;
        Ok(Self {
            prime,
            order,
            generator,
            public,
        })
    }

    pub(super) fn bits(&self) -> u32 {
        bits(self.prime)
    }

    /// `Dss-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }`
    pub(super) fn verify(&self, digest: &DigestValue, signature: &[u8]) -> bool {
        super::ecdsa::integers(signature)
            .and_then(|(r, s)| self.check(digest, r, s))
            .unwrap_or(false)
    }

    fn check(&self, digest: &DigestValue, r: &[u8], s: &[u8]) -> Option<bool> {
        let field = Modulus::new(self.prime)?;
        let scalars = Modulus::new(self.order)?;
        let generator = field.residue(self.generator)?;
        let public = field.residue(self.public)?;
        // SP 800-89 §5.3.1: generator and key lie in the subgroup, and are not its neutral element.
        for element in [&generator, &public] {
            if bits(&element.magnitude()) < 2 || element.power(self.order).magnitude() != [1] {
                return Some(false);
            }
        }
        if trimmed(r).is_empty() || trimmed(s).is_empty() {
            return Some(false);
        }
        let r_residue = scalars.residue(r)?;
        let w = scalars.residue(s)?.inverse()?;
        // The leftmost min(N, outlen) bits of the digest; N is a multiple of 8 here.
        let octets = digest.as_bytes();
        let z = octets.get(..octets.len().min(self.order.len()))?;
        let u1 = scalars.reduced(z)?.times(&w).magnitude();
        let u2 = r_residue.times(&w).magnitude();
        let v = generator.power(&u1).times(&public.power(&u2)).magnitude();
        Some(scalars.reduced(&v)?.magnitude() == trimmed(r))
    }
}
