//! The shape of a structure: which elements it must consist of, byte for byte.
//!
//! `x509-parser` reads the values. It reads more than DER, on purpose: it passes over elements that stand too many, takes an optional field that it
//! cannot read for absent, and knows BER booleans. A verifier must not see less than the signer wrote, so the bytes are held against these tables first.
//! Nothing is read from here: a shape fits or it does not.

use std::ops::RangeInclusive;

use crate::der::{Element, Malformed, Reader, Result};

/// What an element must look like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// This tag, and a content that passes the check.
    One(u8, fn(&Element<'_>) -> bool),
    /// This tag, and these members in this order, and nothing else.
    Members(u8, &'static [Member]),
    /// This tag, and so many elements of one shape.
    List(u8, RangeInclusive<usize>, &'static Self),
    /// One of several shapes.
    Choice(&'static [&'static Self]),
    /// Any element, unread.
    Any,
}

/// A member of a sequence.
#[derive(Debug)]
pub(crate) enum Member {
    /// Must be there.
    Must(&'static Shape),
    /// May be absent: then the next element has none of its tags.
    May(&'static Shape),
}

impl Shape {
    /// Is `der` one element of this shape, with nothing after it?
    pub(crate) fn check(&self, der: &[u8], structure: &'static str) -> Result<()> {
        let mut reader = Reader::new(der, structure);
        let element = reader.read()?;
        reader.finish()?;
        if self.fits(&element) {
            Ok(())
        } else {
            Err(Malformed { structure })
        }
    }

    /// Does an element with `tag` belong to this shape?
    fn starts_with(&self, tag: u8) -> bool {
        match self {
            Self::One(own, _) | Self::Members(own, _) | Self::List(own, _, _) => *own == tag,
            Self::Choice(shapes) => shapes.iter().any(|shape| shape.starts_with(tag)),
            Self::Any => true,
        }
    }

    fn fits(&self, element: &Element<'_>) -> bool {
        let mut reader = element.reader("");
        self.starts_with(element.tag)
            && match self {
                Self::One(_, check) => check(element),
                Self::Members(_, members) => {
                    members.iter().all(|member| member.fits(&mut reader)) && reader.is_empty()
                }
                Self::List(_, count, shape) => {
                    let mut found: usize = 0;
                    while !reader.is_empty() && found <= *count.end() {
                        match reader.read() {
                            Ok(element) if shape.fits(&element) => {
                                found = found.saturating_add(1);
                            }
                            _ => return false,
                        }
                    }
                    count.contains(&found)
                }
                Self::Choice(shapes) => shapes.iter().any(|shape| shape.fits(element)),
                Self::Any => true,
            }
    }
}

impl Member {
    fn fits(&self, reader: &mut Reader<'_>) -> bool {
        let shape = match self {
            Self::Must(shape) => shape,
            Self::May(shape) if reader.peek().is_some_and(|tag| shape.starts_with(tag)) => shape,
            Self::May(_) => return true,
        };
        reader.read().is_ok_and(|element| shape.fits(&element))
    }
}

#[cfg(test)]
mod tests {
    use super::Member::{May, Must};
    use super::Shape::{Any, Choice, List, Members, One};
    use super::*;
    use crate::der::{BOOLEAN, INTEGER, SEQUENCE};

    const FLAG: Shape = One(BOOLEAN, |element| element.boolean("").is_ok());
    const NUMBER: Shape = One(INTEGER, |element| element.integer("").is_ok());

    fn fits(shape: &Shape, der: &[u8]) -> bool {
        shape.check(der, "x").is_ok()
    }

    #[test]
    fn members_stand_in_order_and_alone() {
        let shape = Members(SEQUENCE, &[May(&FLAG), Must(&NUMBER), May(&Any)]);
        assert!(fits(&shape, &[0x30, 3, 2, 1, 5]));
        assert!(fits(&shape, &[0x30, 6, 1, 1, 0xff, 2, 1, 5]));
        assert!(fits(&shape, &[0x30, 5, 2, 1, 5, 5, 0]));
        for bad in [
            &[][..],
            &[0x30, 0],
            &[0x31, 3, 2, 1, 5],
            &[0x30, 3, 1, 1, 0xff],
            &[0x30, 6, 1, 1, 0x01, 2, 1, 5],
            &[0x30, 6, 1, 1, 0xff, 1, 1, 0xff],
            &[0x30, 7, 2, 1, 5, 5, 0, 5, 0],
            &[0x30, 4, 2, 1, 5, 5],
            &[0x30, 3, 2, 1, 5, 0],
        ] {
            assert!(!fits(&shape, bad), "{bad:x?}");
        }
    }

    #[test]
    fn lists_are_as_long_as_allowed() {
        let shape = List(SEQUENCE, 1..=2, &Choice(&[&FLAG, &NUMBER]));
        assert!(fits(&shape, &[0x30, 3, 2, 1, 5]));
        assert!(fits(&shape, &[0x30, 6, 2, 1, 5, 1, 1, 0]));
        for bad in [
            &[0x30, 0][..],
            &[0x30, 2, 5, 0],
            &[0x30, 9, 2, 1, 5, 2, 1, 5, 2, 1, 5],
            &[0x30, 4, 2, 1, 5, 2],
        ] {
            assert!(!fits(&shape, bad), "{bad:x?}");
        }
    }
}
