//! Puts validation material into a SignedData that is signed already.

use super::revocation::{OcspForm, RevocationInfo, basic_response};
use super::signed_data::SignedData;
use crate::der::{Element, Integer, Reader, Tag, Writer, to_der_lengths};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{CMS_CERTIFICATES_MAX, CMS_REVOCATIONS_MAX};
use crate::oid;

/// The same SignedData with more certificates, CRLs and OCSP responses (RFC 5652 §5.1, RFC 5940 §2).
///
/// Neither `certificates` nor `crls` of a SignedData is signed, so both may grow after signing; everything else stays byte for byte as it is.
/// What is in already is not put in twice: an OCSP response counts as the same if its basic response is, under whichever identifier. A
/// set that stands in the order of DER stays so, another one is only appended to. An OCSP response is written as an `OCSPResponse` under
/// id-ri-ocsp-response; a bare `BasicOCSPResponse` gets its envelope. The version becomes 5 where revocation information of another format
/// than a CRL is in and something was added. Indefinite lengths become definite. Applying it twice changes nothing the second time.
///
/// # Errors
///
/// Those of [`SignedData::parse`] for `token`, [`ErrorKind::LimitExceeded`] for too much material, and any [`ErrorKind`] for material
/// that is no certificate, CRL or OCSP response by its outermost form.
pub fn with_validation_material(
    token: &[u8],
    certificates: &[Vec<u8>],
    crls: &[Vec<u8>],
    ocsp_responses: &[Vec<u8>],
) -> Result<Vec<u8>> {
    let token = to_der_lengths(token)?;
    let signed_data = SignedData::parse(&token)?;
    let parts = Parts::of(&token)?;
    let new_certificates = absent_certificates(&signed_data, certificates)?;
    let new_revocations = absent_revocations(&signed_data, crls, ocsp_responses)?;
    if new_certificates.is_empty() && new_revocations.is_empty() {
        return Ok(token);
    }
    let has_other_format = signed_data
        .revocations
        .iter()
        .chain(&new_revocations)
        .any(|info| !matches!(info, RevocationInfo::Crl(_)));
    let version = if has_other_format {
        VERSION_WITH_OTHER_FORMATS.max(signed_data.version)
    } else {
        signed_data.version
    };
    let certificates = grown(parts.certificates, new_certificates, CMS_CERTIFICATES_MAX)?;
    let new_revocations = new_revocations.iter().map(RevocationInfo::encode).collect();
    let revocations = grown(parts.revocations, new_revocations, CMS_REVOCATIONS_MAX)?;
    let out = parts.assemble(version, &certificates, &revocations);
    // What the caller gave may be too deep or too long as a whole.
    SignedData::parse(&out)?;
    Ok(out)
}

/// RFC 5652 §5.1: the version of a SignedData with revocation information of another format.
const VERSION_WITH_OTHER_FORMATS: u32 = 5;

/// The members of a SignedData, cut out.
struct Parts<'a> {
    digest_algorithms: &'a [u8],
    content: &'a [u8],
    certificates: Option<Element<'a>>,
    revocations: Option<Element<'a>>,
    signers: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(token: &'a [u8]) -> Result<Self> {
        let mut info =
            Reader::single(token, Tag::SEQUENCE, "ContentInfo")?.children("ContentInfo")?;
        info.expect(Tag::OID)?;
        let content = info.expect(Tag::context(0))?;
        let mut members = content
            .explicit(Tag::SEQUENCE, STRUCTURE)?
            .children(STRUCTURE)?;
        members.expect(Tag::INTEGER)?;
        let parts = Self {
            digest_algorithms: members.expect(Tag::SET)?.raw(),
            content: members.expect(Tag::SEQUENCE)?.raw(),
            certificates: members.optional(Tag::context(0))?,
            revocations: members.optional(Tag::context(1))?,
            signers: members.expect(Tag::SET)?.raw(),
        };
        members.finish()?;
        Ok(parts)
    }

    fn assemble(&self, version: u32, certificates: &[u8], revocations: &[u8]) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.oid(&oid::SIGNED_DATA);
            w.constructed(Tag::context(0), |w| {
                w.sequence(|w| {
                    w.integer(&Integer::from(u64::from(version)))
                        .raw(self.digest_algorithms)
                        .raw(self.content);
                    for (number, set) in [(0, certificates), (1, revocations)] {
                        if !set.is_empty() {
                            w.constructed(Tag::context(number), |w| {
                                w.raw(set);
                            });
                        }
                    }
                    w.raw(self.signers);
                });
            });
        })
    }
}

/// The contents of a set with more members.
fn grown(set: Option<Element<'_>>, new: Vec<Vec<u8>>, max: usize) -> Result<Vec<u8>> {
    let mut members: Vec<Vec<u8>> = Vec::new();
    if let Some(set) = set {
        let present = set.children(STRUCTURE)?.all(max)?;
        members.extend(present.iter().map(|member| member.raw().to_vec()));
    }
    let was_sorted = members.is_sorted();
    members.extend(new);
    if members.len() > max {
        return Err(FormatError::new(ErrorKind::LimitExceeded, STRUCTURE));
    }
    if was_sorted {
        members.sort_unstable();
    }
    Ok(members.concat())
}

fn absent_certificates(signed_data: &SignedData, given: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
    let mut absent: Vec<Vec<u8>> = Vec::new();
    for certificate in given {
        Reader::single(certificate, Tag::SEQUENCE, "Certificate")?;
        let present = signed_data
            .x509_certificates()
            .any(|other| other == certificate);
        if !present && !absent.contains(certificate) {
            absent.push(certificate.clone());
        }
    }
    Ok(absent)
}

fn absent_revocations(
    signed_data: &SignedData,
    crls: &[Vec<u8>],
    ocsp_responses: &[Vec<u8>],
) -> Result<Vec<RevocationInfo>> {
    let mut absent: Vec<RevocationInfo> = Vec::new();
    for crl in crls {
        Reader::single(crl, Tag::SEQUENCE, "CertificateList")?;
        let info = RevocationInfo::Crl(crl.clone());
        if !signed_data.revocations.contains(&info) && !absent.contains(&info) {
            absent.push(info);
        }
    }
    let mut present: Vec<Vec<u8>> = Vec::new();
    for info in &signed_data.revocations {
        // One that cannot be read is no duplicate of anything.
        present.extend(info.basic_ocsp_response().unwrap_or_default());
    }
    for response in ocsp_responses {
        let missing = FormatError::new(ErrorKind::MissingElement, "OCSPResponse");
        let basic = basic_response(response)?.ok_or(missing)?;
        if present.contains(&basic) {
            continue;
        }
        let bytes = match OcspForm::of(response)? {
            OcspForm::Response => response.clone(),
            OcspForm::Basic => in_envelope(response),
        };
        let oid = oid::REVOCATION_OCSP_RESPONSE;
        absent.push(RevocationInfo::Ocsp { oid, bytes });
        present.push(basic);
    }
    Ok(absent)
}

/// `OCSPResponse` with the status successful around a basic response (RFC 6960 §4.2.1).
fn in_envelope(basic: &[u8]) -> Vec<u8> {
    Writer::single(Tag::SEQUENCE, |w| {
        w.primitive(Tag::ENUMERATED, &[0]);
        w.constructed(Tag::context(0), |w| {
            w.sequence(|w| {
                w.oid(&oid::OCSP_BASIC).octet_string(basic);
            });
        });
    })
}

const STRUCTURE: &str = "SignedData";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    const CRL: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x07];
    const BASIC: &[u8] = &[0x30, 0x02, 0x30, 0x00];

    fn certificates() -> Vec<Vec<u8>> {
        [7, 8, 9]
            .map(|serial| samples::certificate(serial).raw().to_vec())
            .into()
    }

    fn merged(token: &[u8], ocsp: &[u8]) -> Vec<u8> {
        with_validation_material(token, &certificates(), &[CRL.to_vec()], &[ocsp.to_vec()]).unwrap()
    }

    #[test]
    fn material_is_added_once_and_nothing_signed_changes() {
        let token = samples::token(b"data");
        let before = SignedData::parse(&token).unwrap();
        let out = merged(&token, BASIC);
        let after = SignedData::parse(&out).unwrap();
        assert_eq!(after.version, 5);
        assert_eq!((after.certificates.len(), after.revocations.len()), (4, 2));
        assert_eq!(after.content, before.content);
        assert_eq!(after.signers, before.signers);
        assert_eq!(after.encode(), out, "the sets are sorted as they were");
        assert_eq!(merged(&out, BASIC), out);
        assert_eq!(
            merged(&out, &in_envelope(BASIC)),
            out,
            "the same basic response"
        );
    }

    #[test]
    fn without_other_formats_the_version_stays() {
        let token = samples::token(b"data");
        let out =
            with_validation_material(&token, &[], &[CRL.to_vec(), CRL.to_vec()], &[]).unwrap();
        let after = SignedData::parse(&out).unwrap();
        assert_eq!((after.version, after.revocations.len()), (3, 1));
        assert_eq!(
            with_validation_material(&token, &[], &[], &[]).unwrap(),
            token
        );
    }

    #[test]
    fn an_older_encoding_of_the_same_answer_is_not_doubled() {
        let mut builder = samples::token_builder(b"data");
        builder.revocations = vec![RevocationInfo::Ocsp {
            oid: oid::OCSP_BASIC,
            bytes: BASIC.to_vec(),
        }];
        let token = builder.build(|_| Some(vec![0x30, 0x00])).unwrap();
        let ocsp = [in_envelope(BASIC)];
        assert_eq!(
            with_validation_material(token.raw(), &[], &[], &ocsp).unwrap(),
            token.raw()
        );
    }

    #[test]
    fn an_unsorted_set_keeps_its_order() {
        let sorted = merged(&samples::token(b"data"), BASIC);
        let parts = Parts::of(&sorted).unwrap();
        let members = parts
            .certificates
            .unwrap()
            .children("test")
            .unwrap()
            .all(9)
            .unwrap();
        let reversed: Vec<u8> = members
            .iter()
            .rev()
            .flat_map(|member| member.raw().to_vec())
            .collect();
        let token = parts.assemble(3, &reversed, &[]);
        let more = samples::certificate(1).raw().to_vec();
        let out = with_validation_material(&token, std::slice::from_ref(&more), &[], &[]).unwrap();
        let set = Parts::of(&out).unwrap().certificates.unwrap();
        assert_eq!(set.content(), [reversed, more].concat());
    }

    #[test]
    fn what_is_no_material_is_refused() {
        let token = samples::token(b"data");
        let bad = |certificate: &[u8], crl: &[u8], ocsp: &[u8]| {
            let list = |bytes: &[u8]| {
                if bytes.is_empty() {
                    vec![]
                } else {
                    vec![bytes.to_vec()]
                }
            };
            with_validation_material(&token, &list(certificate), &list(crl), &list(ocsp))
                .unwrap_err()
        };
        assert_eq!(
            bad(&[0x04, 0x00], &[], &[]).kind(),
            ErrorKind::UnexpectedTag
        );
        assert_eq!(
            bad(&[], &[0x30, 0x00, 0x00], &[]).kind(),
            ErrorKind::TrailingBytes
        );
        assert_eq!(
            bad(&[], &[], &[0x30, 0x00]).kind(),
            ErrorKind::UnexpectedTag
        );
        let try_later = [0x30, 0x03, 0x0a, 0x01, 0x03];
        assert_eq!(bad(&[], &[], &try_later).kind(), ErrorKind::MissingElement);
        let many: Vec<Vec<u8>> = (0..=CMS_REVOCATIONS_MAX)
            .map(|number| {
                Writer::single(Tag::SEQUENCE, |w| {
                    w.integer(&Integer::from(u64::try_from(number).unwrap()));
                })
            })
            .collect();
        let error = with_validation_material(&token, &[], &many, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }

    #[test]
    fn damaged_tokens_do_no_harm() {
        samples::each_damage(&samples::token(b"data"), |damaged| {
            drop(with_validation_material(damaged, &[], &[CRL.to_vec()], &[]));
        });
    }
}
