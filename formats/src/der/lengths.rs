//! Indefinite lengths to definite ones, without touching anything else.

use super::header::{Header, length_octets};
use super::reader::Reader;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{DER_DEPTH_MAX, DER_ELEMENTS_MAX};

/// Whether any element of `input`, at any depth, has an indefinite length.
///
/// # Errors
///
/// Those of [`to_der_lengths`].
pub fn has_indefinite_length(input: &[u8]) -> Result<bool> {
    let mut budget = DER_ELEMENTS_MAX;
    Ok(definite(input, 0, &mut budget)?.is_some())
}

/// The same elements with definite lengths.
///
/// An evidence record is DER, so a token in BER must lose its indefinite lengths before it is put in (and before its digest is taken for
/// a renewal). Only the length octets of elements that are, or contain, an indefinite one change; order, constructed strings and all
/// other contents stay, so that the signature and every signed certificate stay valid.
///
/// # Errors
///
/// [`ErrorKind::Truncated`], [`ErrorKind::InvalidEncoding`], or [`ErrorKind::LimitExceeded`] (depth, number of elements).
pub fn to_der_lengths(input: &[u8]) -> Result<Vec<u8>> {
    let mut budget = DER_ELEMENTS_MAX;
    Ok(definite(input, 0, &mut budget)?.unwrap_or_else(|| input.to_vec()))
}

/// The elements of one level; `None` if they need no change.
fn definite(level: &[u8], depth: usize, budget: &mut usize) -> Result<Option<Vec<u8>>> {
    const LIMIT: FormatError = FormatError::new(ErrorKind::LimitExceeded, STRUCTURE);
    if depth > DER_DEPTH_MAX {
        return Err(LIMIT);
    }
    let mut reader = Reader::new(level, STRUCTURE)?;
    let mut changed: Option<Vec<u8>> = None;
    while !reader.is_empty() {
        *budget = budget.checked_sub(1).ok_or(LIMIT)?;
        let element = reader.read()?;
        let mut inner = None;
        if element.is_constructed() {
            inner = definite(element.content(), depth.saturating_add(1), budget)?;
        }
        if inner.is_none() && !element.is_indefinite() {
            if let Some(out) = &mut changed {
                out.extend_from_slice(element.raw());
            }
            continue;
        }
        let before = level.get(..element.offset()).unwrap_or_default();
        let out = changed.get_or_insert_with(|| before.to_vec());
        let content = inner.as_deref().unwrap_or(element.content());
        let header = Header::read(element.raw(), element.error(ErrorKind::Truncated))?;
        out.extend(header.tag.identifier_octets(header.constructed));
        out.extend(length_octets(content.len()));
        out.extend_from_slice(content);
    }
    Ok(changed)
}

const STRUCTURE: &str = "BER element";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_lengths_change() {
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 0xaa, 0x00, 0x00, 0x02, 0x81, 0x01, 0x07, 0x00,
            0x00,
        ];
        let der = [
            0x30, 0x09, 0x24, 0x03, 0x04, 0x01, 0xaa, 0x02, 0x81, 0x01, 0x07,
        ];
        assert_eq!(to_der_lengths(&ber).unwrap(), der);
        assert!(has_indefinite_length(&ber).unwrap());
        assert!(!has_indefinite_length(&der).unwrap());
    }

    #[test]
    fn a_definite_parent_gets_a_new_length() {
        let ber = [0x30, 0x08, 0x05, 0x00, 0x30, 0x80, 0x05, 0x00, 0x00, 0x00];
        assert_eq!(
            to_der_lengths(&ber).unwrap(),
            [0x30, 0x06, 0x05, 0x00, 0x30, 0x02, 0x05, 0x00]
        );
    }

    #[test]
    fn malformed_and_too_deep_input_is_refused() {
        assert!(to_der_lengths(&[0x30, 0x80]).is_err());
        assert!(to_der_lengths(&[0x30, 0x02, 0x02, 0x05]).is_err());
        let deep = [0x30, 0x80].repeat(DER_DEPTH_MAX + 1);
        assert!(to_der_lengths(&deep).is_err());
    }

    #[test]
    fn one_element_too_many_is_refused() {
        let input = [0x05, 0x00].repeat(9);
        assert_eq!(definite(&input, 0, &mut 9), Ok(None));
        assert_eq!(
            definite(&input, 0, &mut 8).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }

    fn tree() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let leaf = proptest::collection::vec(any::<u8>(), 0..200).prop_map(|content| {
            let mut der = vec![0x04];
            der.extend(length_octets(content.len()));
            der.extend(content);
            (der.clone(), der)
        });
        leaf.prop_recursive(5, 40, 6, |inner| {
            (proptest::collection::vec(inner, 0..6), any::<bool>()).prop_map(
                |(children, indefinite)| {
                    let ber_content: Vec<u8> =
                        children.iter().flat_map(|(ber, _)| ber.clone()).collect();
                    let der_content: Vec<u8> =
                        children.iter().flat_map(|(_, der)| der.clone()).collect();
                    let mut der = vec![0x30];
                    der.extend(length_octets(der_content.len()));
                    der.extend(der_content);
                    let mut ber = vec![0x30];
                    if indefinite {
                        ber.push(0x80);
                        ber.extend(ber_content);
                        ber.extend([0, 0]);
                    } else {
                        ber.extend(length_octets(ber_content.len()));
                        ber.extend(ber_content);
                    }
                    (ber, der)
                },
            )
        })
    }

    proptest! {
        #[test]
        fn trees_become_der((ber, der) in tree()) {
            prop_assert_eq!(to_der_lengths(&ber).unwrap(), der.clone());
            prop_assert_eq!(to_der_lengths(&der).unwrap(), der);
        }

        #[test]
        fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(der) = to_der_lengths(&bytes) {
                prop_assert!(!has_indefinite_length(&der).unwrap());
            }
        }
    }
}
