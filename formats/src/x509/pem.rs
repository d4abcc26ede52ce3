//! Certificates and revocation lists in PEM text (RFC 7468 §5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Certificate;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{PEM_BYTES_MAX, PEM_CERTIFICATES_MAX};

/// Reads all certificates of a PEM bundle, or one certificate in DER.
///
/// Text between the blocks is explanatory (RFC 7468 §2) and is skipped, blocks of other types too.
///
/// # Errors
///
/// [`ErrorKind::MissingElement`] if there is none, [`ErrorKind::InvalidText`] if a block is not closed or not base64, and those of
/// [`Certificate::parse`].
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<Certificate>> {
    read(bytes, STRUCTURE, BEGIN, END, Certificate::parse)
}

/// Reads all certificate revocation lists of a PEM bundle (label `X509 CRL`), or one in DER. They are not looked into.
///
/// # Errors
///
/// [`ErrorKind::MissingElement`] if there is none, [`ErrorKind::InvalidText`] if a block is not closed or not base64.
pub fn read_crls(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    read(
        bytes,
        "PEM CRLs",
        BEGIN_CRL,
        END_CRL,
        |der| Ok(der.to_vec()),
    )
}

/// All blocks between two lines, or the whole if it is DER.
fn read<T>(
    bytes: &[u8],
    structure: &'static str,
    begin: &[u8],
    end: &[u8],
    parse: impl Fn(&[u8]) -> Result<T>,
) -> Result<Vec<T>> {
    if bytes.len() > PEM_BYTES_MAX {
        return Err(FormatError::new(ErrorKind::LimitExceeded, structure));
    }
    if bytes.first() == Some(&0x30) {
        return Ok(vec![parse(bytes)?]);
    }
    let mut all = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    let mut offset = 0_usize;
    for line in bytes.split(|byte| *byte == b'\n') {
        let place = FormatError::new(ErrorKind::InvalidText, structure).at(offset);
        offset = offset.saturating_add(line.len()).saturating_add(1);
        let line = line.trim_ascii();
        match &mut open {
            None if line == begin => open = Some(Vec::new()),
            None => {}
            Some(block) if line == end => {
                if all.len() >= PEM_CERTIFICATES_MAX {
                    return Err(FormatError::new(ErrorKind::LimitExceeded, structure));
                }
                let der = STANDARD.decode(&*block).map_err(|_| place)?;
                all.push(parse(&der)?);
                open = None;
            }
            Some(_) if line.starts_with(b"-----") => return Err(place),
            Some(block) => block.extend_from_slice(line),
        }
    }
    if open.is_some() {
        return Err(FormatError::new(ErrorKind::Truncated, structure));
    }
    if all.is_empty() {
        return Err(FormatError::new(ErrorKind::MissingElement, structure));
    }
    Ok(all)
}

/// One PEM block with lines of 64 characters (RFC 7468 §2), for example of the label `CERTIFICATE`.
#[must_use]
pub fn encode_pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    // 48 octets make 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

const STRUCTURE: &str = "PEM certificates";
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
const BEGIN_CRL: &[u8] = b"-----BEGIN X509 CRL-----";
const END_CRL: &[u8] = b"-----END X509 CRL-----";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn bundle() -> (String, Vec<Certificate>) {
        let certificates = vec![samples::certificate(1), samples::certificate(2)];
        let mut text = "Two certificates\r\n".to_owned();
        for certificate in &certificates {
            text.push_str(&encode_pem("PRIVATE THING", b"skipped"));
            text.push_str(&encode_pem("CERTIFICATE", certificate.raw()));
        }
        (text, certificates)
    }

    #[test]
    fn reads_all_certificates_and_skips_the_rest() {
        let (text, certificates) = bundle();
        assert_eq!(read_certificates(text.as_bytes()), Ok(certificates.clone()));
        let windows = text.replace('\n', "\r\n");
        assert_eq!(
            read_certificates(windows.as_bytes()),
            Ok(certificates.clone())
        );
        assert_eq!(
            read_certificates(certificates[0].raw()),
            Ok(vec![certificates[0].clone()])
        );
        assert!(text.lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn bad_bundles_are_refused() {
        let (text, _) = bundle();
        let kind = |text: &str| read_certificates(text.as_bytes()).unwrap_err().kind();
        assert_eq!(kind(""), ErrorKind::MissingElement);
        assert_eq!(kind("no certificate"), ErrorKind::MissingElement);
        let open = text.rsplit_once("-----END").unwrap().0;
        assert_eq!(kind(open), ErrorKind::Truncated);
        let unclosed = text.replacen("-----END CERTIFICATE-----\n", "", 1);
        assert_eq!(kind(&unclosed), ErrorKind::InvalidText);
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let garbled = text.replacen(begin, &format!("{begin}*"), 1);
        assert_eq!(kind(&garbled), ErrorKind::InvalidText);
        let empty = format!("{begin}-----END CERTIFICATE-----\n");
        assert!(read_certificates(empty.as_bytes()).is_err());
    }

    #[test]
    fn revocation_lists_are_read_from_pem_and_der() {
        let der = [0x30, 0x01, 0x00];
        let text = encode_pem("X509 CRL", &der);
        let both = encode_pem("CERTIFICATE", &[1]) + &text + &text;
        assert_eq!(read_crls(both.as_bytes()).unwrap(), [der, der]);
        assert_eq!(read_crls(&der).unwrap(), [der]);
        for bad in ["", "-----BEGIN X509 CRL-----\n", &text.replace("MA", "*")] {
            assert!(read_crls(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn too_many_certificates_or_bytes_are_refused() {
        let block = encode_pem("CERTIFICATE", samples::certificate(1).raw());
        let count = |count| read_certificates(block.repeat(count).as_bytes()).map(|all| all.len());
        assert_eq!(count(PEM_CERTIFICATES_MAX), Ok(PEM_CERTIFICATES_MAX));
        let too_many = count(PEM_CERTIFICATES_MAX + 1).unwrap_err();
        assert_eq!(too_many.kind(), ErrorKind::LimitExceeded);
        let too_long = read_certificates(&vec![0; PEM_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(too_long.kind(), ErrorKind::LimitExceeded);
    }
}
