//! DSA verification (FIPS 186-4 §4.7), for reading old evidence. The `dsa` crate computes; this module says which keys it may be asked about.

use ::dsa::pkcs8::der::asn1::{AnyRef, UintRef};
use ::dsa::pkcs8::der::{self, Decode as _, Reader as _};
use ::dsa::{BoxedUint, Components, Signature, VerifyingKey};
use formats::digest::DigestValue;
use signature::hazmat::PrehashVerifier as _;

use super::Unsupported;

/// Largest prime: OpenSSL verifies up to 10,000 bits (`OPENSSL_DSA_MAX_MODULUS_BITS`), FIPS 186-4 goes to 3,072.
const PRIME_BITS_MAX: u32 = 4096;

/// Smallest prime: FIPS 186-4 §4.2.
const PRIME_BITS_MIN: u32 = 1024;

/// Sizes of the order of the subgroup (FIPS 186-4 §4.2). OpenSSL pairs them with primes that the standard does not: 1024 with 224, 2048 with 160.
const ORDER_BITS: &[u32] = &[160, 224, 256];

/// A key with its parameters, each number in the width of the prime.
#[derive(Debug)]
pub(super) struct DsaKey {
    prime: BoxedUint,
    order: BoxedUint,
    generator: BoxedUint,
    public: BoxedUint,
}

impl DsaKey {
    pub(super) fn parse(parameters: &[u8], public: &[u8]) -> Result<Self, Unsupported> {
        let ([prime, order, generator], public) =
            numbers(parameters, public).map_err(|_| Unsupported::Key)?;
        let prime = BoxedUint::from_be_slice_vartime(prime.as_bytes());
        // A prime above 2 is odd; the crate takes that of the order for granted.
        let odd = order.as_bytes().last().is_some_and(|octet| octet & 1 == 1);
        let order = BoxedUint::from_be_slice_vartime(order.as_bytes());
        if !(PRIME_BITS_MIN..=PRIME_BITS_MAX).contains(&prime.bits_vartime())
            || !ORDER_BITS.contains(&order.bits_vartime())
        {
            return Err(Unsupported::KeySize);
        }
        // The crate needs numbers of the same width, below the prime.
        let below = |number: UintRef<'_>| {
            BoxedUint::from_be_slice(number.as_bytes(), prime.bits_precision())
                .ok()
                .filter(|number| odd && *number < prime)
                .ok_or(Unsupported::Key)
        };
        Ok(Self {
            generator: below(generator)?,
            public: below(public)?,
            order,
            prime,
        })
    }

    pub(super) fn bits(&self) -> u32 {
        self.prime.bits_vartime()
    }

    /// Parameters and key, after the check of both (SP 800-89 §5.3.1).
    fn verifying_key(&self) -> Option<VerifyingKey> {
        let (prime, order) = (self.prime.clone(), self.order.clone());
        // "Unchecked" leaves out the list of sizes, for which the bounds above stand, and nothing else.
        let components =
            Components::from_components_unchecked(prime, order, self.generator.clone()).ok()?;
        // The crate checks that a public key lies in the subgroup and is not 0 or 1, but not the generator, for which the same must hold.
        let _generator =
            VerifyingKey::from_components(components.clone(), self.generator.clone()).ok()?;
        VerifyingKey::from_components(components, self.public.clone()).ok()
    }

    /// Verifies a `Dss-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }`.
    ///
    /// # Errors
    ///
    /// [`Unsupported::Key`] if the parameters or the key are not what they must be.
    pub(super) fn verify(
        &self,
        digest: &DigestValue,
        signature: &[u8],
    ) -> Result<bool, Unsupported> {
        let key = self.verifying_key().ok_or(Unsupported::Key)?;
        Ok(Signature::try_from(signature)
            .is_ok_and(|signature| key.verify_prehash(digest.as_bytes(), &signature).is_ok()))
    }
}

/// `Dss-Parms ::= SEQUENCE { p INTEGER, q INTEGER, g INTEGER }` and `DSAPublicKey ::= INTEGER` (RFC 3279 §2.3.2).
fn numbers<'a>(
    parameters: &'a [u8],
    public: &'a [u8],
) -> der::Result<([UintRef<'a>; 3], UintRef<'a>)> {
    let parameters = AnyRef::from_der(parameters)?.sequence(|fields| {
        Ok::<_, der::Error>([fields.decode()?, fields.decode()?, fields.decode()?])
    })?;
    Ok((parameters, UintRef::from_der(public)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::digest::DigestAlgorithm;

    // RFC 6979 §A.2.1: key and, for the message "sample" with SHA-1, signature.
    const P: &str = "86f5ca03dcfeb225063ff830a0c769b9dd9d6153ad91d7ce27f787c43278b447\
        e6533b86b18bed6e8a48b784a14c252c5be0dbf60b86d6385bd2f12fb763ed88\
        73abfd3f5ba2e0a8c0a59082eac056935e529daf7c610467899c77adedfc846c\
        881870b7b19b2b58f9be0521a17002e3bdd6b86685ee90b3d9a1b02b782b1779";
    const Q: &str = "996f967f6c8e388d9e28d01e205fba957a5698b1";
    const G: &str = "07b0f92546150b62514bb771e2a0c0ce387f03bda6c56b505209ff25fd3c133d\
        89bbcd97e904e09114d9a7defdeadfc9078ea544d2e401aeecc40bb9fbbf78fd\
        87995a10a1c27cb7789b594ba7efb5c4326a9fe59a070e136db77175464adca4\
        17be5dce2f40d10a46a3a3943f26ab7fd9c0398ff8c76ee0a56826a8a88f1dbd";
    const Y: &str = "5df5e01ded31d0297e274e1691c192fe5868fef9e19a84776454b100cf16f653\
        92195a38b90523e2542ee61871c0440cb87c322fc4b4d2ec5e1e7ec766e1be8d\
        4ce935437dc11c3c8fd426338933ebfe739cb3465f4d3668c5e473508253b1e6\
        82f65cbdc4fae93c2ea212390e54905a86e2223170b44eaa7da5dd9ffcfb7f3b";
    const R: &str = "2e1a0c2562b2912caaf89186fb0f42001585da55";
    const S: &str = "29efb6b0aff2d7a68eb70ca313022253b9a88df5";

    fn integer(hexadecimal: &str) -> Vec<u8> {
        let number = hex::decode(hexadecimal).unwrap();
        UintRef::new(&number).unwrap().to_der().unwrap()
    }

    fn sequence(numbers: &[&str]) -> Vec<u8> {
        let content: Vec<u8> = numbers.iter().flat_map(|number| integer(number)).collect();
        AnyRef::new(der::Tag::Sequence, &content)
            .unwrap()
            .to_der()
            .unwrap()
    }

    use der::Encode as _;

    fn verify(p: &str, q: &str, g: &str, y: &str, signature: &[u8]) -> Result<bool, Unsupported> {
        let key = DsaKey::parse(&sequence(&[p, q, g]), &integer(y))?;
        key.verify(&DigestAlgorithm::Sha1.digest(b"sample"), signature)
    }

    #[test]
    fn the_known_answer_holds_and_others_do_not() {
        assert_eq!(verify(P, Q, G, Y, &sequence(&[R, S])), Ok(true));
        let trailing = [&sequence(&[R, S])[..], &[0]].concat();
        for bad in [
            &sequence(&[S, R])[..],
            &sequence(&[R, "00"]),
            &sequence(&["00", S]),
            &sequence(&[Q, S]),
            &sequence(&[R, P]),
            &sequence(&[R]),
            &sequence(&[R, S, S]),
            &trailing,
            &[],
        ] {
            assert_eq!(verify(P, Q, G, Y, bad), Ok(false), "{bad:x?}");
        }
    }

    /// With such parameters anybody can make a signature, or the crate would have nothing to compute.
    #[test]
    fn parameters_that_are_none_are_not_computed_with() {
        let even = format!("{}{}", &Q[..38], "b0");
        let other = format!("{}{}", &Q[..38], "b3");
        let above = format!("ff{}", &P[2..]);
        for (q, g, y) in [
            (Q, "01", Y),
            (Q, "00", Y),
            (Q, "02", Y),
            (Q, P, Y),
            (Q, G, "00"),
            (Q, G, "01"),
            (Q, G, "03"),
            (Q, G, P),
            (Q, G, above.as_str()),
            (even.as_str(), G, Y),
            (other.as_str(), G, Y),
        ] {
            let verdict = verify(P, q, g, y, &sequence(&[R, S]));
            assert_eq!(verdict, Err(Unsupported::Key), "{q} {g} {y}");
        }
        for (p, q) in [(P, &Q[..38]), (&P[..254], Q), (P, G), ("05", "03")] {
            let verdict = verify(p, q, "02", "02", &sequence(&[R, S]));
            assert_eq!(verdict, Err(Unsupported::KeySize), "{p} {q}");
        }
        let malformed = DsaKey::parse(&sequence(&[P, Q]), &integer(Y)).map(drop);
        assert_eq!(malformed.unwrap_err(), Unsupported::Key);
        let malformed = DsaKey::parse(&sequence(&[P, Q, G, G]), &integer(Y)).map(drop);
        assert_eq!(malformed.unwrap_err(), Unsupported::Key);
    }
}
