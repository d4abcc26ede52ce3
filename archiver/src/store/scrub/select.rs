//! Which segments a run reads.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

use super::StoredSegment;

/// Which segments a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// Every `of`-th: segment n belongs to part (n - 1) mod `of` + 1. Segments that are added do not move others to another part, so the
    /// parts 1 to `of` read each segment exactly once, however long they take.
    Part {
        /// From 1 to `of`.
        number: u32,
        /// How many parts there are.
        of: u32,
    },
    /// Those that were proven longest ago, or never; the oldest first.
    Oldest(Quantity),
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// So many segments.
    Segments(u64),
    /// As many segments as have so many bytes on all media together, and at least one.
    Bytes(u64),
}

impl Selection {
    /// The chosen segments in the order in which they are read. `proven` says since when a segment is known to be whole.
    #[must_use]
    pub fn choose(
        self,
        segments: &[StoredSegment],
        proven: &dyn Fn(u32) -> Option<OffsetDateTime>,
    ) -> Vec<u32> {
        match self {
            Self::All => segments.iter().map(|one| one.segment).collect(),
            Self::Part { number, of } => segments
                .iter()
                .map(|one| one.segment)
                .filter(|segment| part_of(*segment, of) == number)
                .collect(),
            Self::Oldest(quantity) => {
                let mut oldest = segments.to_vec();
                oldest.sort_by_key(|one| (proven(one.segment), one.segment));
                quantity.take(&oldest)
            }
        }
    }
}

/// The part that a segment belongs to, from 1.
#[must_use]
pub const fn part_of(segment: u32, of: u32) -> u32 {
    match segment.saturating_sub(1).checked_rem(of) {
        Some(rest) => rest + 1,
        None => 1,
    }
}

impl Quantity {
    /// Reads a number of segments (`20`), or bytes (`500GiB`, `10 MB`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(segments) = text.parse() {
            return (segments > 0).then_some(Self::Segments(segments));
        }
        bytes(text).map(Self::Bytes)
    }

    fn take(self, segments: &[StoredSegment]) -> Vec<u32> {
        let mut taken = Vec::new();
        let mut bytes = 0_u64;
        for one in segments {
            bytes = bytes.saturating_add(one.bytes);
            let is_enough = match self {
                Self::Segments(count) => taken.len() as u64 >= count,
                Self::Bytes(most) => bytes > most && !taken.is_empty(),
            };
            if is_enough {
                break;
            }
            taken.push(one.segment);
        }
        taken
    }
}

/// Reads a number of bytes with a unit: `MiB`, `GB`, `k` and the like; none is bytes.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let (scale, rest) = match unit.chars().next() {
        None => (1, ""),
        Some(letter) => {
            let power = match letter {
                'k' => 1,
                'm' => 2,
                'g' => 3,
                't' => 4,
                'b' if unit == "b" => 0,
                _ => return None,
            };
            let rest = unit.strip_prefix(letter).unwrap_or_default();
            let base: u64 = if rest == "ib" { 1024 } else { 1000 };
            (base.pow(power), rest)
        }
    };
    if !matches!(rest, "" | "b" | "ib") {
        return None;
    }
    let bytes = number.parse::<u64>().ok()?.checked_mul(scale)?;
    (bytes > 0).then_some(bytes)
}

impl FromStr for Selection {
    type Err = ();

    /// Reads `N/M`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, of) = text.split_once('/').ok_or(())?;
        let number: u32 = number.trim().parse().map_err(|_| ())?;
        let of: u32 = of.trim().parse().map_err(|_| ())?;
        if number == 0 || number > of || of > PARTS_MAX {
            return Err(());
        }
        Ok(Self::Part { number, of })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Part { number, of } => write!(f, "{number}/{of}"),
            Self::Oldest(Quantity::Segments(count)) => write!(f, "oldest {count}"),
            Self::Oldest(Quantity::Bytes(bytes)) => write!(f, "oldest {bytes}B"),
        }
    }
}

/// Most parts.
pub const PARTS_MAX: u32 = 3650;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn stored(count: u32) -> Vec<StoredSegment> {
        let bytes = 100;
        (1..=count)
            .map(|segment| StoredSegment { segment, bytes })
            .collect()
    }

    #[test]
    fn thirty_runs_read_each_segment_once_while_segments_are_added() {
        for of in [1, 2, 7, 30] {
            let mut read = std::collections::BTreeMap::new();
            for number in 1..=of {
                // Ten more each day.
                let segments = stored(95 + 10 * number);
                let chosen = Selection::Part { number, of }.choose(&segments, &|_| None);
                for segment in chosen {
                    *read.entry(segment).or_insert(0) += 1;
                }
            }
            for segment in 1..=105 {
                assert_eq!(read.get(&segment), Some(&1), "{segment} of {of}");
            }
            assert!(read.values().all(|&times| times == 1));
        }
    }

    #[test]
    fn the_oldest_come_first_and_those_never_read_before_them() {
        let segments = stored(5);
        let proven = |segment| match segment {
            1 => Some(datetime!(2026-03-01 0:00 UTC)),
            2 => Some(datetime!(2026-01-01 0:00 UTC)),
            3 => None,
            _ => Some(datetime!(2026-02-01 0:00 UTC)),
        };
        let choose = |quantity| Selection::Oldest(quantity).choose(&segments, &proven);
        assert_eq!(choose(Quantity::Segments(3)), [3, 2, 4]);
        assert_eq!(choose(Quantity::Bytes(250)), [3, 2]);
        assert_eq!(choose(Quantity::Bytes(1)), [3]);
        assert_eq!(choose(Quantity::Segments(99)), [3, 2, 4, 5, 1]);
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!("1/30".parse(), Ok(Selection::Part { number: 1, of: 30 }));
        for bad in ["", "0/30", "31/30", "1", "1/0", "a/b", "1/30/2", "1/9999"] {
            assert!(bad.parse::<Selection>().is_err(), "{bad}");
        }
        assert_eq!(Quantity::parse("20"), Some(Quantity::Segments(20)));
        assert_eq!(Quantity::parse("2GiB"), Some(Quantity::Bytes(2 << 30)));
        assert_eq!(Quantity::parse("10 MB"), Some(Quantity::Bytes(10_000_000)));
        for bad in [
            "",
            "0",
            "GiB",
            "-1",
            "1XB",
            "1.5GiB",
            "99999999999TiB",
            "1kk",
        ] {
            assert!(Quantity::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(bytes("512"), Some(512));
    }
}
