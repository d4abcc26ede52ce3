//! ECDSA verification (FIPS 186-5 §6.4.2) on the curves for which a crate exists.

use formats::digest::DigestValue;
use formats::oid::{self, Oid};
use signature::hazmat::PrehashVerifier as _;

use super::Unsupported;
use crate::der::{OBJECT_IDENTIFIER, Reader};

/// A named curve (RFC 5480 §2.1.1.1, RFC 5639).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
    BrainpoolP256r1,
    BrainpoolP384r1,
    BrainpoolP256t1,
    BrainpoolP384t1,
}

/// The twisted curves have no name in `formats::oid`: 1.3.36.3.3.2.8.1.1.8 and .12 (RFC 5639 §4.1).
const TWISTED: &[(&[u8], Curve)] = &[
    (
        &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x08],
        Curve::BrainpoolP256t1,
    ),
    (
        &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0c],
        Curve::BrainpoolP384t1,
    ),
];

const CURVES: &[(Oid, Curve)] = &[
    (oid::SECP256R1, Curve::P256),
    (oid::SECP384R1, Curve::P384),
    (oid::SECP521R1, Curve::P521),
    (oid::BRAINPOOL_P256R1, Curve::BrainpoolP256r1),
    (oid::BRAINPOOL_P384R1, Curve::BrainpoolP384r1),
];

/// A point on a named curve.
#[derive(Debug)]
pub(super) struct EcKey<'a> {
    curve: Curve,
    /// SEC 1 §2.3.3, compressed or not. The library checks that it is on the curve.
    point: &'a [u8],
}

/// How `r` and `s` are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }`, DER.
    Der,
    /// One after the other, each as long as the order.
    Plain,
}

macro_rules! verify_with {
    ($curve:ty, $key:expr, $digest:expr, $encoding:expr, $signature:expr) => {{
        let key =
            ::ecdsa::VerifyingKey::<$curve>::from_sec1_bytes($key).map_err(|_| Unsupported::Key)?;
        let signature = match $encoding {
            Encoding::Der => ::ecdsa::Signature::<$curve>::from_der($signature),
            Encoding::Plain => ::ecdsa::Signature::<$curve>::from_slice($signature),
        };
        signature.is_ok_and(|signature| key.verify_prehash($digest, &signature).is_ok())
    }};
}

impl Curve {
    /// Octets of a field element and of a scalar.
    const fn len(self) -> usize {
        match self {
            Self::P256 | Self::BrainpoolP256r1 | Self::BrainpoolP256t1 => 32,
            Self::P384 | Self::BrainpoolP384r1 | Self::BrainpoolP384t1 => 48,
            Self::P521 => 66,
        }
    }

    pub(super) const fn bits(self) -> u32 {
        match self {
            Self::P256 | Self::BrainpoolP256r1 | Self::BrainpoolP256t1 => 256,
            Self::P384 | Self::BrainpoolP384r1 | Self::BrainpoolP384t1 => 384,
            Self::P521 => 521,
        }
    }
}

impl<'a> EcKey<'a> {
    /// `parameters` is the DER of ECParameters: only a named curve is accepted (RFC 5480 §2.1.1).
    pub(super) fn parse(parameters: Option<&[u8]>, point: &'a [u8]) -> Result<Self, Unsupported> {
        let parameters = parameters.ok_or(Unsupported::Curve)?;
        let named = Reader::single(parameters, OBJECT_IDENTIFIER, "ECParameters")
            .map_err(|_| Unsupported::Curve)?;
        let curves = CURVES.iter().map(|(oid, curve)| (oid.as_bytes(), *curve));
        let curve = curves
            .chain(TWISTED.iter().copied())
            .find(|(oid, _)| *oid == named.content)
            .map(|(_, curve)| curve)
            .ok_or(Unsupported::Curve)?;
        Ok(Self { curve, point })
    }

    pub(super) const fn bits(&self) -> u32 {
        self.curve.bits()
    }

    pub(super) fn verify(
        &self,
        digest: &DigestValue,
        encoding: Encoding,
        signature: &[u8],
    ) -> Result<bool, Unsupported> {
        let length = self.curve.len();
        // The digest as an integer: shorter ones are padded on the left, which the crates leave to the caller.
        let octets = digest.as_bytes();
        let prehash = padded(octets, length).unwrap_or_else(|| octets.to_vec());
        let point = self.point;
        Ok(match self.curve {
            Curve::P256 => verify_with!(p256::NistP256, point, &prehash, encoding, signature),
            Curve::P384 => verify_with!(p384::NistP384, point, &prehash, encoding, signature),
            Curve::P521 => verify_with!(p521::NistP521, point, &prehash, encoding, signature),
            Curve::BrainpoolP256r1 => {
                verify_with!(bp256::BrainpoolP256r1, point, &prehash, encoding, signature)
            }
            Curve::BrainpoolP384r1 => {
                verify_with!(bp384::BrainpoolP384r1, point, &prehash, encoding, signature)
            }
            Curve::BrainpoolP256t1 => {
                verify_with!(bp256::BrainpoolP256t1, point, &prehash, encoding, signature)
            }
            Curve::BrainpoolP384t1 => {
                verify_with!(bp384::BrainpoolP384t1, point, &prehash, encoding, signature)
            }
        })
    }
}

/// `octets` with zeros before them up to `length`; `None` if they are longer.
fn padded(octets: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length.checked_sub(octets.len())?];
    out.extend_from_slice(octets);
    Some(out)
}
