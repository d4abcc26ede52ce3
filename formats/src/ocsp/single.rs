//! The answer about one certificate.

use ::time::OffsetDateTime;

use super::certificate_id::CertificateId;
use crate::der::typed::FromElement as _;
use crate::der::{Element, Reader, Tag};
use crate::error::{ErrorKind, Result};
use crate::oid::{self, Oid};
use crate::x509::{Extension, Extensions};

/// The answer about one certificate (RFC 6960 §4.2.1).
///
/// ```text
/// SingleResponse ::= SEQUENCE {
///    certID                       CertID,
///    certStatus                   CertStatus,
///    thisUpdate                   GeneralizedTime,
///    nextUpdate         [0]       EXPLICIT GeneralizedTime OPTIONAL,
///    singleExtensions   [1]       EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleResponse {
    /// The certificate.
    pub certificate: CertificateId,
    /// Its status.
    pub status: CertificateStatus,
    /// The time at which the status is known to be right.
    pub this_update: OffsetDateTime,
    /// The time by which a newer answer is there.
    pub next_update: Option<OffsetDateTime>,
    /// The responder knows of revocations since this time, also of certificates that have ended (§4.4.4).
    pub archive_cutoff: Option<OffsetDateTime>,
    /// A critical extension that is not known here.
    pub unknown_critical: Option<Oid>,
}

/// The status of a certificate.
///
/// ```text
/// CertStatus ::= CHOICE {
///     good        [0]     IMPLICIT NULL,
///     revoked     [1]     IMPLICIT RevokedInfo,
///     unknown     [2]     IMPLICIT UnknownInfo }
/// RevokedInfo ::= SEQUENCE {
///     revocationTime              GeneralizedTime,
///     revocationReason    [0]     EXPLICIT CRLReason OPTIONAL }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateStatus {
    /// Not revoked.
    Good,
    /// Revoked, for good or on hold.
    Revoked {
        /// Since when.
        time: OffsetDateTime,
        /// CRLReason (RFC 5280 §5.3.1).
        reason: Option<u32>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

impl SingleResponse {
    pub(super) fn from_element(element: &Element<'_>) -> Result<Self> {
        let mut members = element.children(STRUCTURE)?;
        let certificate = CertificateId::from_element(&members.expect(Tag::SEQUENCE)?)?;
        let status = read_status(&members.read()?)?;
        let this_update = members.expect(Tag::GENERALIZED_TIME)?.generalized_time()?;
        let next_update = match members.optional(Tag::context(0))? {
            Some(wrapped) => Some(
                wrapped
                    .explicit(Tag::GENERALIZED_TIME, STRUCTURE)?
                    .generalized_time()?,
            ),
            None => None,
        };
        let extensions = read_extensions(members.optional(Tag::context(1))?)?;
        members.finish()?;
        let mut single = Self {
            certificate,
            status,
            this_update,
            next_update,
            archive_cutoff: None,
            unknown_critical: None,
        };
        for extension in &extensions {
            if extension.oid == oid::OCSP_ARCHIVE_CUTOFF {
                let time =
                    Reader::single(&extension.value, Tag::GENERALIZED_TIME, "ArchiveCutoff")?;
                single.archive_cutoff = Some(time.generalized_time()?);
            } else if extension.critical {
                single.unknown_critical = Some(extension.oid.clone());
            }
        }
        Ok(single)
    }
}

/// Extensions inside an EXPLICIT tag. RFC 5280 demands at least one; real responders write empty lists, and these are signed.
pub(super) fn read_extensions(wrapped: Option<Element<'_>>) -> Result<Vec<Extension>> {
    match wrapped {
        Some(wrapped) => {
            let list = wrapped.explicit(Tag::SEQUENCE, "Extensions")?;
            if list.children("Extensions")?.is_empty() {
                return Ok(Vec::new());
            }
            Extensions::from_element(&list).map(|list| list.0)
        }
        None => Ok(Vec::new()),
    }
}

fn read_status(element: &Element<'_>) -> Result<CertificateStatus> {
    let empty = || {
        if element.is_constructed() || !element.content().is_empty() {
            return Err(element.error(ErrorKind::InvalidEncoding));
        }
        Ok(())
    };
    match element.tag() {
        tag if tag == Tag::context(0) => empty().map(|()| CertificateStatus::Good),
        tag if tag == Tag::context(2) => empty().map(|()| CertificateStatus::Unknown),
        tag if tag == Tag::context(1) => {
            let mut members = element.children("RevokedInfo")?;
            let time = members.expect(Tag::GENERALIZED_TIME)?.generalized_time()?;
            let reason = match members.optional(Tag::context(0))? {
                Some(wrapped) => Some(enumerated(
                    &wrapped.explicit(Tag::ENUMERATED, "CRLReason")?,
                )?),
                None => None,
            };
            members.finish()?;
            Ok(CertificateStatus::Revoked { time, reason })
        }
        _ => Err(element.error(ErrorKind::UnexpectedTag)),
    }
}

/// The value of an ENUMERATED: its contents are those of an INTEGER (X.690 §8.4).
pub(super) fn enumerated(element: &Element<'_>) -> Result<u32> {
    element.small_integer()
}

const STRUCTURE: &str = "SingleResponse";
