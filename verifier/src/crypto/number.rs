//! Modular arithmetic on public numbers. Nothing here is secret, so nothing needs constant time.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, NonZero, Odd};

/// Arithmetic modulo an odd number.
#[derive(Debug)]
pub(super) struct Modulus {
    parameters: BoxedMontyParams,
    magnitude: Vec<u8>,
}

/// A number below a modulus.
#[derive(Debug, Clone)]
pub(super) struct Residue(BoxedMontyForm);

/// Bits of a big-endian number without leading zero octets.
pub(super) fn bits(magnitude: &[u8]) -> u32 {
    let Some((first, rest)) = magnitude.split_first() else {
        return 0;
    };
    let rest = u32::try_from(rest.len()).unwrap_or(u32::MAX);
    rest.saturating_mul(8)
        .saturating_add(8_u32.saturating_sub(first.leading_zeros()))
}

/// Big-endian octets without leading zeros.
pub(super) fn trimmed(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

/// Is one big-endian number below another?
pub(super) fn is_below(number: &[u8], limit: &[u8]) -> bool {
    let (number, limit) = (trimmed(number), trimmed(limit));
    (number.len(), number) < (limit.len(), limit)
}

impl Modulus {
    /// `None` if the number is even or below 3.
    pub(super) fn new(magnitude: &[u8]) -> Option<Self> {
        let magnitude = trimmed(magnitude);
        if bits(magnitude) < 2 {
            return None;
        }
        let number = BoxedUint::from_be_slice_vartime(magnitude);
        let odd: Odd<BoxedUint> = Option::from(Odd::new(number))?;
        Some(Self {
            parameters: BoxedMontyParams::new_vartime(odd),
            magnitude: magnitude.to_vec(),
        })
    }

    /// `None` if the number is not below the modulus.
    pub(super) fn residue(&self, octets: &[u8]) -> Option<Residue> {
        if !is_below(octets, &self.magnitude) {
            return None;
        }
        let precision = self.parameters.bits_precision();
        let number = BoxedUint::from_be_slice(trimmed(octets), precision).ok()?;
        Some(Residue(BoxedMontyForm::new(number, &self.parameters)))
    }

    /// The remainder of any number.
    pub(super) fn reduced(&self, octets: &[u8]) -> Option<Residue> {
        let limit: NonZero<BoxedUint> = Option::from(NonZero::new(
            BoxedUint::from_be_slice_vartime(&self.magnitude),
        ))?;
        let number = BoxedUint::from_be_slice_vartime(octets);
        self.residue(&number.rem_vartime(&limit).to_be_bytes())
    }
}

impl Residue {
    pub(super) fn power(&self, exponent: &[u8]) -> Self {
        let exponent = trimmed(exponent);
        let number = BoxedUint::from_be_slice_vartime(exponent);
        Self(self.0.pow_bounded_exp(&number, bits(exponent)))
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self(self.0.mul(&other.0))
    }

    pub(super) fn inverse(&self) -> Option<Self> {
        Option::from(self.0.invert_vartime()).map(Self)
    }

    /// Big-endian octets without leading zeros.
    pub(super) fn magnitude(&self) -> Vec<u8> {
        trimmed(&self.0.retrieve().to_be_bytes()).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_are_counted() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[1]), 1);
        assert_eq!(bits(&[0x80, 0]), 16);
        assert_eq!(trimmed(&[0, 0, 1, 0]), [1, 0]);
        assert!(is_below(&[0, 5], &[6]));
        assert!(!is_below(&[6], &[0, 6]));
    }

    #[test]
    fn even_and_small_moduli_are_refused() {
        for bad in [&[][..], &[0], &[1], &[2], &[0x10, 0x00]] {
            assert!(Modulus::new(bad).is_none(), "{bad:x?}");
        }
        let seven = Modulus::new(&[7]).unwrap();
        assert!(seven.residue(&[7]).is_none());
        assert!(seven.residue(&[0]).unwrap().inverse().is_none());
        assert!(seven.residue(&[0]).unwrap().magnitude().is_empty());
    }

    proptest! {
        #[test]
        fn agrees_with_small_arithmetic(modulus in 1_u32..=0x7fff_ffff, base: u32, factor: u32, exponent: u16) {
            let modulus = u64::from(modulus) * 2 + 1;
            let field = Modulus::new(&modulus.to_be_bytes()).unwrap();
            let (base, factor) = (u64::from(base) % modulus, u64::from(factor) % modulus);
            let (a, b) = (field.residue(&base.to_be_bytes()).unwrap(), field.reduced(&(factor + modulus).to_be_bytes()).unwrap());
            let mut expected = 1_u128;
            for _ in 0..exponent {
                expected = expected * u128::from(base) % u128::from(modulus);
            }
            prop_assert_eq!(a.power(&exponent.to_be_bytes()).magnitude(), trimmed(&expected.to_be_bytes()).to_vec());
            let product = u128::from(base) * u128::from(factor) % u128::from(modulus);
            prop_assert_eq!(a.times(&b).magnitude(), trimmed(&product.to_be_bytes()).to_vec());
            if let Some(inverse) = a.inverse() {
                prop_assert_eq!(inverse.times(&a).magnitude(), vec![1]);
            }
        }
    }
}
