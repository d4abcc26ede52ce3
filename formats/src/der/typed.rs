//! Decodes leaf structures with `rasn`.
//!
//! The walker cuts out the exact bytes of a structure and checks the headers of its members. `rasn` decodes the members by a derived
//! type, which states their order, tags, OPTIONAL and DEFAULT as the ASN.1 module does. A member stands there with a type of `rasn`
//! where that keeps all octets and accepts no more than this crate does (OCTET STRING, ANY), else with one of [`rasn_type`].

use rasn::ber::de::{Decoder, DecoderOptions};
use rasn::de::Error as _;
use rasn::error::{BerDecodeErrorKind, CodecDecodeError, DecodeError, DecodeErrorKind};
use rasn::types::Tag as RasnTag;

use super::element::Element;
use super::header::{Class, Tag};
use super::integer::Integer;
use super::reader::Reader;
use crate::error::{ErrorKind, FormatError, Result};
use crate::oid::Oid;

/// A value that one element holds.
pub(crate) trait FromElement: Sized {
    /// Its tag, where no IMPLICIT tag stands in its place.
    const TAG: Tag;

    /// Reads it. The tag has been checked: it is [`TAG`](Self::TAG) or an IMPLICIT one.
    fn from_element(element: &Element<'_>) -> Result<Self>;

    /// Reads it if the element has its own tag.
    fn from_tagged(element: &Element<'_>) -> Result<Self> {
        if element.tag() == Self::TAG {
            return Self::from_element(element);
        }
        Err(element.error(ErrorKind::UnexpectedTag))
    }
}

/// A non-negative INTEGER of 32 bits in its shortest form. `rasn` reads longer forms too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) u32);

/// A BOOLEAN of 0x00 or 0xFF. `rasn` reads other octets too where it reads BER.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flag(pub(crate) bool);

/// The exact bytes of a SEQUENCE that is not looked into.
#[derive(Debug)]
pub(crate) struct RawSequence(pub(crate) Vec<u8>);

/// The members of a SEQUENCE OF in the order received, at most `MAX`. `rasn` reads a list to its end before it looks at its bound.
#[derive(Debug)]
pub(crate) struct List<T, const MAX: usize>(pub(crate) Vec<T>);

/// Makes types that are [`FromElement`] types of `rasn`, so that they can stand in derived ones.
macro_rules! rasn_type {
    ($($name:ty),+ $(,)?) => { $(
        impl rasn::AsnType for $name {
            const TAG: rasn::types::Tag =
                $crate::der::typed::rasn_tag(<Self as $crate::der::typed::FromElement>::TAG);
        }
        impl rasn::Decode for $name {
            fn decode_with_tag_and_constraints<D: rasn::Decoder>(
                decoder: &mut D,
                tag: rasn::types::Tag,
                _: &rasn::types::Constraints,
            ) -> std::result::Result<Self, D::Error> {
                $crate::der::typed::decode_member(decoder, tag)
            }
        }
    )+ };
}
pub(crate) use rasn_type;

rasn_type!(Integer, Number, Flag, Oid, RawSequence);

/// Decodes the members of a constructed element, whose own tag the caller has checked. `structure` is named in errors.
pub(crate) fn decode<M: rasn::Decode>(element: &Element<'_>, structure: &'static str) -> Result<M> {
    let mut decoder = Decoder::new(element.raw(), DecoderOptions::ber());
    let members = M::decode_with_tag(&mut decoder, rasn_tag(element.tag()));
    let error = |kind| FormatError::new(kind, structure).at(element.offset());
    match members.map_err(|error| kind_of(&error)) {
        // `rasn` accepts a low tag number in the form of a high one.
        Ok(members) => check_headers(element, structure).map(|()| members),
        Err(ErrorKind::MissingElement) => {
            check_headers(element, structure)?;
            Err(error(ErrorKind::MissingElement))
        }
        Err(kind) => Err(error(kind)),
    }
}

fn check_headers(element: &Element<'_>, structure: &'static str) -> Result<()> {
    let mut members = element.children(structure)?;
    while !members.is_empty() {
        members.read()?;
    }
    Ok(())
}

/// Reads the members of a SEQUENCE OF, SET OF or an IMPLICIT tag for one, in the order received.
pub(crate) fn read_list<T: FromElement>(
    element: &Element<'_>,
    structure: &'static str,
    max: usize,
) -> Result<Vec<T>> {
    let members = element.children(structure)?.all(max)?;
    members.iter().map(T::from_tagged).collect()
}

/// The next member of a structure that `rasn` decodes. The walker gets its exact bytes.
pub(crate) fn decode_member<T: FromElement, D: rasn::Decoder>(
    decoder: &mut D,
    tag: RasnTag,
) -> std::result::Result<T, D::Error> {
    let bytes = decoder.decode_any(RasnTag::EOC)?.into_bytes();
    let value = Reader::new(&bytes, "").and_then(|mut reader| {
        let element = reader.read()?;
        if rasn_tag(element.tag()) == tag {
            return T::from_element(&element);
        }
        Err(element.error(ErrorKind::UnexpectedTag))
    });
    value.map_err(|error| D::Error::custom(error.kind(), decoder.codec()))
}

pub(crate) const fn rasn_tag(tag: Tag) -> RasnTag {
    let class = match tag.class {
        Class::Universal => rasn::types::Class::Universal,
        Class::Application => rasn::types::Class::Application,
        Class::Context => rasn::types::Class::Context,
        Class::Private => rasn::types::Class::Private,
    };
    RasnTag::new(class, tag.number)
}

/// What an error of `rasn` is here. Errors of [`decode_member`] travel through `rasn` as the text of their kind.
fn kind_of(error: &DecodeError) -> ErrorKind {
    if let DecodeErrorKind::FieldError { nested, .. } = &*error.kind {
        return kind_of(nested);
    }
    if let DecodeErrorKind::Custom { msg } = &*error.kind {
        let kind = MEMBER_ERRORS.iter().find(|kind| kind.to_string() == *msg);
        return kind.copied().unwrap_or(ErrorKind::InvalidEncoding);
    }
    if let DecodeErrorKind::CodecSpecific {
        inner: CodecDecodeError::Ber(BerDecodeErrorKind::MismatchedTag { .. }),
    } = &*error.kind
    {
        return ErrorKind::UnexpectedTag;
    }
    if matches!(&*error.kind, DecodeErrorKind::Incomplete { .. }) {
        return ErrorKind::MissingElement;
    }
    if matches!(&*error.kind, DecodeErrorKind::UnexpectedExtraData { .. }) {
        return ErrorKind::TrailingBytes;
    }
    if matches!(&*error.kind, DecodeErrorKind::StringConversionFailed { .. }) {
        return ErrorKind::InvalidText;
    }
    ErrorKind::InvalidEncoding
}

impl FromElement for Integer {
    const TAG: Tag = Tag::INTEGER;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        element.integer()
    }
}

impl FromElement for Number {
    const TAG: Tag = Tag::INTEGER;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        element.small_integer().map(Self)
    }
}

impl FromElement for Flag {
    const TAG: Tag = Tag::BOOLEAN;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        element.boolean().map(Self)
    }
}

impl FromElement for Oid {
    const TAG: Tag = Tag::OID;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        element.oid()
    }
}

impl FromElement for RawSequence {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        Ok(Self(element.raw().to_vec()))
    }
}

impl<T: FromElement, const MAX: usize> FromElement for List<T, MAX> {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        read_list(element, "SEQUENCE OF", MAX).map(Self)
    }
}

impl<T: FromElement, const MAX: usize> rasn::AsnType for List<T, MAX> {
    const TAG: RasnTag = RasnTag::SEQUENCE;
}

impl<T: FromElement, const MAX: usize> rasn::Decode for List<T, MAX> {
    fn decode_with_tag_and_constraints<D: rasn::Decoder>(
        decoder: &mut D,
        tag: RasnTag,
        _: &rasn::types::Constraints,
    ) -> std::result::Result<Self, D::Error> {
        decode_member(decoder, tag)
    }
}

/// Every kind that reading a member answers.
const MEMBER_ERRORS: &[ErrorKind] = &[
    ErrorKind::Truncated,
    ErrorKind::TrailingBytes,
    ErrorKind::LimitExceeded,
    ErrorKind::UnexpectedTag,
    ErrorKind::InvalidEncoding,
    ErrorKind::MissingElement,
    ErrorKind::DuplicateElement,
    ErrorKind::InvalidValue,
    ErrorKind::InvalidTime,
    ErrorKind::InvalidOid,
    ErrorKind::InvalidText,
];

#[cfg(test)]
mod tests {
    use super::*;
    use rasn::{AsnType, Decode, Decoder as _};

    #[derive(Debug, AsnType, Decode)]
    struct Sample {
        number: Number,
        #[rasn(default)]
        flag: Flag,
        name: Option<Oid>,
        #[rasn(tag(0))]
        serial: Option<Integer>,
        #[rasn(tag(1))]
        list: Option<List<Number, 2>>,
    }

    fn read(content: &[u8]) -> Result<Sample, ErrorKind> {
        let mut bytes = vec![0x30, u8::try_from(content.len()).unwrap()];
        bytes.extend_from_slice(content);
        let element = Reader::single(&bytes, Tag::SEQUENCE, "test").unwrap();
        let sample = decode(&element, "test");
        sample.map_err(|error: FormatError| {
            assert_eq!(error.place().structure, "test");
            error.kind()
        })
    }

    #[test]
    fn members_are_read_by_their_types() {
        let all = [
            2, 1, 7, 1, 1, 0xff, 6, 1, 0x2a, 0x80, 2, 0, 1, 0xa1, 6, 2, 1, 2, 2, 1, 1,
        ];
        let sample = read(&all).unwrap();
        assert_eq!((sample.number.0, sample.flag.0), (7, true));
        assert_eq!(sample.name.unwrap().as_bytes(), [0x2a]);
        assert_eq!(sample.serial.unwrap().as_bytes(), [0, 1]);
        let list = sample.list.unwrap().0;
        assert_eq!(list.iter().map(|n| n.0).collect::<Vec<_>>(), [2, 1]);
        let sample = read(&[2, 1, 0]).unwrap();
        assert!(!sample.flag.0 && sample.name.is_none());
    }

    #[test]
    fn what_rasn_would_accept_is_refused() {
        for (content, kind) in [
            (&[2, 2, 0, 7][..], ErrorKind::InvalidEncoding),
            (&[2, 1, 7, 1, 1, 1], ErrorKind::InvalidEncoding),
            (&[0x1f, 2, 1, 7], ErrorKind::InvalidEncoding),
            (&[0x22, 3, 2, 1, 7], ErrorKind::InvalidEncoding),
            (&[2, 1, 7, 6, 2, 0x80, 1], ErrorKind::InvalidOid),
        ] {
            assert_eq!(read(content).unwrap_err(), kind, "{content:x?}");
        }
    }

    #[test]
    fn an_error_keeps_its_kind() {
        for (content, kind) in [
            (&[][..], ErrorKind::MissingElement),
            (&[2, 1], ErrorKind::Truncated),
            (&[1, 1, 0], ErrorKind::UnexpectedTag),
            (&[2, 1, 0x80], ErrorKind::InvalidValue),
            (&[2, 1, 7, 5, 0], ErrorKind::TrailingBytes),
            (&[2, 1, 7, 6, 1, 0x2a, 1, 1, 0], ErrorKind::TrailingBytes),
            (&[2, 1, 7, 0x81, 3, 2, 1, 1], ErrorKind::InvalidEncoding),
            (&[2, 1, 7, 0xa1, 2, 5, 0], ErrorKind::UnexpectedTag),
            (
                &[2, 1, 7, 0xa1, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1],
                ErrorKind::LimitExceeded,
            ),
        ] {
            assert_eq!(read(content).unwrap_err(), kind, "{content:x?}");
        }
    }
}
