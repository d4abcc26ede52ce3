//! Certificate revocation lists (RFC 5280 §5): the head is read at once, the entries only when a certificate is looked for.
//!
//! The list is split into its members here, and `x509-parser` reads those: names, times, extensions. Its own type for the whole list reads every entry
//! into memory before the first is asked for (a list may have millions), and takes the extensions of an entry that it cannot read for absent.

use formats::oid::{self, Oid};
use time::OffsetDateTime;

use crate::budget::{Budget, Exhausted, Resource};
use crate::certificate::{
    DistributionPointName, Extension, GeneralName, Name, Signed, authority_key_identifier,
    distribution_point_name, time,
};
use crate::der::{
    ENUMERATED, Element, GENERALIZED_TIME, INTEGER, Reader, Result, SEQUENCE, UTC_TIME, context,
    context_constructed,
};

/// id-ce-invalidityDate (§5.3.2).
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];
/// id-ce-holdInstructionCode (RFC 3280 §5.3.2): says what to do on hold, which changes nothing here.
const HOLD_INSTRUCTION: &[u8] = &[0x55, 0x1d, 0x17];
/// id-ce-expiredCertsOnCRL (X.509 §9.5.2.8).
const EXPIRED_CERTIFICATES: &[u8] = &[0x55, 0x1d, 0x3c];

/// Every reason but the unused bit 0 (ReasonFlags, §4.2.1.13).
pub(super) const ALL_REASONS: u16 = 0b1_1111_1110;

/// A CRL.
///
/// ```text
/// TBSCertList ::= SEQUENCE {
///      version Version OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
///      revokedCertificates SEQUENCE OF SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL } OPTIONAL,
///      crlExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Crl<'a> {
    /// All of it.
    pub(crate) raw: &'a [u8],
    pub(crate) signed: Signed<'a>,
    pub(crate) issuer: Name<'a>,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    /// The content of revokedCertificates.
    entries: &'a [u8],
    pub(crate) authority_key_identifier: Option<&'a [u8]>,
    pub(crate) number: Option<&'a [u8]>,
    /// BaseCRLNumber of a delta CRL.
    pub(crate) delta_base: Option<&'a [u8]>,
    pub(crate) scope: Scope<'a>,
    /// Certificates that ended at or after this time are kept on the CRL.
    pub(crate) expired_kept_since: Option<OffsetDateTime>,
    pub(crate) unknown_critical: Option<Oid>,
    /// The first extension that is critical where it must not be, or not where it must be (§5.2.3 to §5.2.5).
    pub(crate) wrong_criticality: Option<Oid>,
}

/// What a CRL covers (issuingDistributionPoint, §5.2.5). The default is a CRL without that extension.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope<'a> {
    /// The DER of the extension, to compare that of a delta CRL with that of its base.
    pub(crate) raw: Option<&'a [u8]>,
    pub(crate) name: Option<DistributionPointName<'a>>,
    pub(crate) only_user_certificates: bool,
    pub(crate) only_ca_certificates: bool,
    pub(crate) only_attribute_certificates: bool,
    pub(crate) only_some_reasons: Option<u16>,
    pub(crate) indirect: bool,
}

/// Why a certificate was revoked (§5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No reason is given.
    Absent,
    /// unspecified (0).
    Unspecified,
    /// keyCompromise (1).
    KeyCompromise,
    /// cACompromise (2).
    CaCompromise,
    /// affiliationChanged (3).
    AffiliationChanged,
    /// superseded (4).
    Superseded,
    /// cessationOfOperation (5).
    CessationOfOperation,
    /// certificateHold (6).
    CertificateHold,
    /// removeFromCRL (8), in a delta CRL.
    RemoveFromCrl,
    /// privilegeWithdrawn (9).
    PrivilegeWithdrawn,
    /// aACompromise (10).
    AaCompromise,
    /// A value that RFC 5280 does not define.
    Unknown,
}

impl Reason {
    pub(super) const fn of(code: u32) -> Self {
        match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => Self::Unknown,
        }
    }

    /// The name in RFC 5280.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "none given",
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
            Self::Unknown => "unknown",
        }
    }

    /// Can it not be taken back (§5.3.1: only a hold ends)?
    pub(super) const fn is_for_good(self) -> bool {
        !matches!(self, Self::CertificateHold | Self::RemoveFromCrl)
    }

    /// Could somebody else have used the key?
    #[must_use]
    pub const fn is_compromise(self) -> bool {
        matches!(
            self,
            Self::KeyCompromise | Self::CaCompromise | Self::AaCompromise | Self::Unknown
        )
    }
}

/// The entry of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time: OffsetDateTime,
    pub(crate) reason: Reason,
    pub(crate) invalid_since: Option<OffsetDateTime>,
}

impl Entry {
    /// The one of two that says more against the certificate: for good before on hold, and earlier before later.
    fn graver(self, other: Self) -> Self {
        let rank = |entry: &Self| {
            (
                entry.reason == Reason::RemoveFromCrl,
                !entry.reason.is_for_good(),
                entry.time,
            )
        };
        if rank(&other) < rank(&self) {
            other
        } else {
            self
        }
    }
}

/// The answer of a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    Absent,
    Listed(Entry),
    /// The list cannot be read to its end, or holds what this program must not ignore.
    Unusable,
    Exhausted(Exhausted),
}

const STRUCTURE: &str = "CertificateList";

impl<'a> Crl<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self> {
        let signed = Signed::parse(der, STRUCTURE)?;
        let mut fields = Reader::single(signed.message, SEQUENCE, STRUCTURE)?.reader("TBSCertList");
        let version_2 = match fields.optional(INTEGER)? {
            None => false,
            Some(version) if version.content == [1] => true,
            Some(_) => return Err(fields.error()),
        };
        if fields.expect(SEQUENCE)?.raw != signed.algorithm.raw {
            return Err(fields.error());
        }
        let issuer = Name::parse(fields.expect(SEQUENCE)?.raw)?;
        let this_update = time(fields.read()?.raw, "thisUpdate")?;
        let next_update = match fields.peek() {
            Some(UTC_TIME | GENERALIZED_TIME) => Some(time(fields.read()?.raw, "nextUpdate")?),
            _ => None,
        };
        let entries = fields
            .optional(SEQUENCE)?
            .map_or(&[][..], |element| element.content);
        let extensions = fields.optional(context_constructed(0))?;
        fields.finish()?;
        let mut crl = Self {
            raw: der,
            signed,
            issuer,
            this_update,
            next_update,
            entries,
            authority_key_identifier: None,
            number: None,
            delta_base: None,
            scope: Scope::default(),
            expired_kept_since: None,
            unknown_critical: None,
            wrong_criticality: None,
        };
        if let Some(element) = extensions {
            if !version_2 {
                return Err(fields.error());
            }
            for extension in Extension::list(element.content)? {
                crl.take(&extension)?;
            }
        }
        Ok(crl)
    }

    /// Reads one extension. One that is known and cannot be read makes the CRL unreadable.
    fn take(&mut self, extension: &Extension<'a>) -> Result<()> {
        let value = extension.value;
        for (oid, must) in [
            (oid::CE_CRL_NUMBER, false),
            (oid::CE_AUTHORITY_KEY_IDENTIFIER, false),
            (oid::CE_DELTA_CRL_INDICATOR, true),
            (oid::CE_ISSUING_DISTRIBUTION_POINT, true),
        ] {
            if extension.is(&oid) && extension.critical != must {
                self.wrong_criticality.get_or_insert(oid);
            }
        }
        if extension.is(&oid::CE_AUTHORITY_KEY_IDENTIFIER) {
            self.authority_key_identifier = authority_key_identifier(value)?;
        } else if extension.is(&oid::CE_CRL_NUMBER) {
            self.number = Some(number(value, "CRLNumber")?);
        } else if extension.is(&oid::CE_DELTA_CRL_INDICATOR) {
            self.delta_base = Some(number(value, "BaseCRLNumber")?);
        } else if extension.is(&oid::CE_ISSUING_DISTRIBUTION_POINT) {
            self.scope = Scope::parse(value)?;
        } else if extension.oid.as_bytes() == EXPIRED_CERTIFICATES {
            let element = Reader::single(value, GENERALIZED_TIME, "ExpiredCertsOnCRL")?;
            self.expired_kept_since = Some(time(element.raw, "ExpiredCertsOnCRL")?);
        } else if extension.critical {
            self.unknown_critical
                .get_or_insert_with(|| extension.oid.clone());
        }
        Ok(())
    }

    /// Looks for a certificate by issuer and serial number (§6.3.3 (i), (j)). The list is read to its end: what must not be ignored may stand anywhere.
    pub(crate) fn look_up(&self, issuer: &Name<'_>, serial: &[u8], budget: &mut Budget) -> Lookup {
        let mut reader = Reader::new(self.entries, "revokedCertificates");
        // The issuer that holds until another is named (§5.3.3).
        let mut current_is_asked = self.issuer == *issuer;
        let mut found = None;
        while !reader.is_empty() {
            if let Err(exhausted) = budget.spend(Resource::CrlEntries, 1) {
                return Lookup::Exhausted(exhausted);
            }
            let Ok(entry) = reader
                .expect(SEQUENCE)
                .and_then(|element| read_entry(&element))
            else {
                return Lookup::Unusable;
            };
            if entry.unknown_critical {
                return Lookup::Unusable;
            }
            if let Some(names) = &entry.certificate_issuer {
                current_is_asked = names
                    .iter()
                    .any(|name| matches!(name, GeneralName::Directory(name) if name == issuer));
            }
            if current_is_asked && entry.serial == serial {
                // Listed twice: the graver entry counts.
                let other = found.unwrap_or(entry.entry);
                found = Some(other.graver(entry.entry));
            }
        }
        found.map_or(Lookup::Absent, Lookup::Listed)
    }
}

fn number<'a>(der: &'a [u8], structure: &'static str) -> Result<&'a [u8]> {
    Reader::single(der, INTEGER, structure)?.unsigned(structure)
}

struct ReadEntry<'a> {
    serial: &'a [u8],
    entry: Entry,
    certificate_issuer: Option<Vec<GeneralName<'a>>>,
    unknown_critical: bool,
}

fn read_entry<'a>(element: &Element<'a>) -> Result<ReadEntry<'a>> {
    const STRUCTURE: &str = "revokedCertificates";
    let mut fields = element.reader(STRUCTURE);
    let serial = fields.expect(INTEGER)?.integer(STRUCTURE)?;
    let revoked = time(fields.read()?.raw, "revocationDate")?;
    let mut read = ReadEntry {
        serial,
        entry: Entry {
            time: revoked,
            reason: Reason::Absent,
            invalid_since: None,
        },
        certificate_issuer: None,
        unknown_critical: false,
    };
    if let Some(extensions) = fields.optional(SEQUENCE)? {
        for extension in Extension::list(extensions.raw)? {
            if extension.is(&oid::CE_REASON_CODE) {
                let code = Reader::single(extension.value, ENUMERATED, "CRLReason")?;
                read.entry.reason = Reason::of(code.small_unsigned("CRLReason")?);
            } else if extension.is(&oid::CE_CERTIFICATE_ISSUER) {
                read.certificate_issuer = Some(GeneralName::list_from_der(extension.value)?);
            } else if extension.oid.as_bytes() == INVALIDITY_DATE {
                let date = Reader::single(extension.value, GENERALIZED_TIME, "InvalidityDate")?;
                read.entry.invalid_since = Some(time(date.raw, "InvalidityDate")?);
            } else if extension.critical && extension.oid.as_bytes() != HOLD_INSTRUCTION {
                read.unknown_critical = true;
            }
        }
    }
    fields.finish()?;
    Ok(read)
}

impl<'a> Scope<'a> {
    /// ```text
    /// IssuingDistributionPoint ::= SEQUENCE {
    ///      distributionPoint [0] DistributionPointName OPTIONAL, onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE,
    ///      onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3] ReasonFlags OPTIONAL,
    ///      indirectCRL [4] BOOLEAN DEFAULT FALSE, onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
    /// ```
    fn parse(der: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "IssuingDistributionPoint";
        let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let name = fields
            .optional(context_constructed(0))?
            .map(|element| distribution_point_name(element.content))
            .transpose()?;
        let only_user_certificates = flag(&mut fields, 1)?;
        let only_ca_certificates = flag(&mut fields, 2)?;
        let only_some_reasons = fields
            .optional(context(3))?
            .map(|element| element.named_bits(STRUCTURE))
            .transpose()?;
        let indirect = flag(&mut fields, 4)?;
        let only_attribute_certificates = flag(&mut fields, 5)?;
        fields.finish()?;
        Ok(Self {
            raw: Some(der),
            name,
            only_user_certificates,
            only_ca_certificates,
            only_attribute_certificates,
            only_some_reasons,
            indirect,
        })
    }
}

/// `[number] IMPLICIT BOOLEAN DEFAULT FALSE`
fn flag(fields: &mut Reader<'_>, number: u8) -> Result<bool> {
    match fields.optional(context(number))? {
        Some(element) => element.boolean("IssuingDistributionPoint"),
        None => Ok(false),
    }
}
