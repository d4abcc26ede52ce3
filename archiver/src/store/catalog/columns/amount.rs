//! Amounts as numbers of one width that compare exactly as [`Amount::numeric_order`] does.
//!
//! An amount is kept as the largest whole number of ten-thousandths that is not above it. Nearly every amount is that number. One that is not
//! (more than four places, or 922 trillion and more) is *fine*: its text is kept besides, and looked at where the numbers are equal.

use std::cmp::Ordering;

use formats::manifest::Amount;

use crate::store::catalog::ValueMatch;

/// Stands for no amount: below every other.
pub(super) const NO_AMOUNT: i64 = i64::MIN;

/// An amount in one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fixed {
    /// Ten-thousandths, rounded down; [`TOO_LOW`] and [`TOO_HIGH`] for what has no number.
    pub(super) floor: i64,
    /// Whether the number is not the amount.
    pub(super) is_fine: bool,
}

/// The amounts that are wanted.
#[derive(Debug, Clone)]
pub(super) struct AmountRange {
    /// Lowest and highest number of amounts that are not fine.
    plain: (i64, i64),
    /// No fine amount fits.
    is_missing: bool,
    from: Option<(Fixed, Amount)>,
    to: Option<(Fixed, Amount)>,
}

impl Fixed {
    /// An amount.
    pub(super) fn of(amount: &Amount) -> Self {
        let text = amount.as_str();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_negative = digits.len() < text.len();
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (near, far) = fraction.split_at_checked(PLACES).unwrap_or((fraction, ""));
        let near = format!("{near:0<PLACES$}");
        let number = whole.parse::<i64>().ok().zip(near.parse::<i64>().ok());
        let number = number.and_then(|(whole, near)| whole.checked_mul(UNITS)?.checked_add(near));
        let is_fine = far.bytes().any(|digit| digit != b'0');
        match (number, is_negative) {
            (Some(number), false) if number < TOO_HIGH - 1 => Self {
                floor: number,
                is_fine,
            },
            (Some(number), true) if number < TOO_HIGH - 1 => Self {
                floor: -number - i64::from(is_fine),
                is_fine,
            },
            (Some(_) | None, is_negative) => Self {
                floor: if is_negative { TOO_LOW } else { TOO_HIGH },
                is_fine: true,
            },
        }
    }
}

impl AmountRange {
    /// `None`: any amount, or none.
    pub(super) fn of(wanted: &ValueMatch<Amount>) -> Option<Self> {
        let bound = |amount: &Option<Amount>| {
            let amount = amount.as_ref()?;
            Some((Fixed::of(amount), amount.clone()))
        };
        match wanted {
            ValueMatch::Any => None,
            ValueMatch::Missing => Some(Self {
                plain: (NO_AMOUNT, NO_AMOUNT),
                is_missing: true,
                from: None,
                to: None,
            }),
            ValueMatch::Between(from, to) => {
                let (from, to) = (bound(from), bound(to));
                let lowest = match &from {
                    None => TOO_LOW,
                    // What is fine lies above its number.
                    Some((bound, _)) => bound.floor.saturating_add(i64::from(bound.is_fine)),
                };
                let highest = to.as_ref().map_or(TOO_HIGH, |(bound, _)| bound.floor);
                Some(Self {
                    plain: (lowest, highest),
                    is_missing: false,
                    from,
                    to,
                })
            }
        }
    }

    /// Whether an amount that is not fine, or none, is wanted.
    pub(super) const fn has(&self, number: i64) -> bool {
        self.plain.0 <= number && number <= self.plain.1
    }

    /// Whether a fine amount with this number is wanted. `whole` is asked for it where the numbers do not tell.
    pub(super) fn has_fine<'a>(&self, number: i64, whole: impl Fn() -> Option<&'a Amount>) -> bool {
        let order = |(bound, wanted): &(Fixed, Amount)| {
            let by_text = || match bound.is_fine {
                true => whole().map_or(Ordering::Greater, |whole| whole.numeric_order(wanted)),
                false => Ordering::Greater,
            };
            number.cmp(&bound.floor).then_with(by_text)
        };
        !self.is_missing
            && self.from.as_ref().map(order) != Some(Ordering::Less)
            && self.to.as_ref().map(order) != Some(Ordering::Greater)
    }
}

/// Places behind the point that a number holds.
const PLACES: usize = 4;
/// Ten to the power of [`PLACES`].
const UNITS: i64 = 10_000;
/// The number of all amounts below every number.
const TOO_LOW: i64 = i64::MIN + 1;
/// The number of all amounts above every number.
const TOO_HIGH: i64 = i64::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros, signs, places within and beyond the width, and both sides of what has a number.
    const AMOUNTS: [&str; 34] = [
        "-1000000000000000000000000000000",
        "-999999999999999999999999999999.5",
        "-922337203685477.5808",
        "-922337203685477.5807",
        "-922337203685477.5806",
        "-922337203685477.5805",
        "-922337203685477.58049",
        "-10.5",
        "-10",
        "-1.00011",
        "-1.0001",
        "-0.00011",
        "-0.0001",
        "-0.00001",
        "-0",
        "0",
        "0.0000",
        "0.0000000001",
        "0.00001",
        "0.000010",
        "0.0001",
        "0.5",
        "0.50",
        "1.00009",
        "1.0001",
        "1.00010000000",
        "1.00011",
        "10",
        "922337203685477.5805",
        "922337203685477.58055",
        "922337203685477.5806",
        "922337203685477.5807",
        "922337203685477.58071",
        "1000000000000000000000000000000.00000000001",
    ];

    #[test]
    fn ranges_hold_what_the_order_of_amounts_says() {
        let amounts: Vec<Amount> = AMOUNTS.iter().map(|text| text.parse().unwrap()).collect();
        let mut bounds: Vec<Option<Amount>> = amounts.iter().cloned().map(Some).collect();
        bounds.push(None);
        let mut fine = 0;
        for (from, to) in bounds
            .iter()
            .flat_map(|from| bounds.iter().map(move |to| (from, to)))
        {
            let wanted = ValueMatch::Between(from.clone(), to.clone());
            let range = AmountRange::of(&wanted).unwrap();
            assert!(!range.has(NO_AMOUNT), "{from:?} {to:?}");
            for amount in &amounts {
                let is_wanted = from
                    .as_ref()
                    .is_none_or(|from| from.numeric_order(amount) != Ordering::Greater)
                    && to
                        .as_ref()
                        .is_none_or(|to| amount.numeric_order(to) != Ordering::Greater);
                let fixed = Fixed::of(amount);
                fine += u32::from(fixed.is_fine);
                let found = match fixed.is_fine {
                    false => range.has(fixed.floor),
                    true => range.has_fine(fixed.floor, || Some(amount)),
                };
                assert_eq!(found, is_wanted, "{amount} in {from:?} to {to:?}");
            }
        }
        assert!(fine > 0);
    }

    #[test]
    fn ordinary_amounts_are_plain_numbers_and_missing_ones_are_wanted_by_themselves() {
        for (text, floor, is_fine) in [
            ("0", 0, false),
            ("-0.0", 0, false),
            ("110000", 1_100_000_000, false),
            ("-1.5", -15_000, false),
            ("0.12345000", 1_234, true),
            ("-0.12345", -1_235, true),
            ("99999999999999999999", i64::MAX, true),
        ] {
            let fixed = Fixed::of(&text.parse().unwrap());
            assert_eq!(fixed, Fixed { floor, is_fine }, "{text}");
        }
        assert!(AmountRange::of(&ValueMatch::Any).is_none());
        let missing = AmountRange::of(&ValueMatch::Missing).unwrap();
        assert!(missing.has(NO_AMOUNT));
        assert!(!missing.has(0));
        assert!(!missing.has_fine(TOO_LOW, || None));
    }
}
