//! The extensions of certificates that take part in path validation (RFC 5280 §4.2).

use formats::oid::{self, Oid};

use super::general_name::GeneralName;
use super::name::Name;
use crate::der::{
    BIT_STRING, BOOLEAN, Element, INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, Reader,
    Result, SEQUENCE, context, context_constructed,
};

/// Most extensions in one certificate or CRL. Real certificates have up to about 15.
pub(super) const EXTENSIONS_MAX: usize = 64;

/// Most entries in a list inside of an extension (policies, mappings, purposes, distribution points, subtrees).
pub(super) const EXTENSION_ENTRIES_MAX: usize = 1024;

/// One extension as it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extension<'a> {
    /// The content octets of the object identifier.
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

impl<'a> Extension<'a> {
    pub(crate) fn is(&self, oid: &Oid) -> bool {
        self.oid == oid.as_bytes()
    }

    /// The extensions of an `Extensions`, from its DER. None may stand twice (§4.2).
    ///
    /// ```text
    /// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
    /// ```
    pub(crate) fn list(der: &'a [u8]) -> Result<Vec<Self>> {
        const STRUCTURE: &str = "Extensions";
        let mut reader = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let mut list: Vec<Self> = Vec::new();
        while !reader.is_empty() {
            let mut fields = reader.expect(SEQUENCE)?.reader(STRUCTURE);
            let oid = fields.expect(OBJECT_IDENTIFIER)?.content;
            let critical = match fields.optional(BOOLEAN)? {
                Some(element) => element.boolean(STRUCTURE)?,
                None => false,
            };
            let value = fields.expect(OCTET_STRING)?.content;
            fields.finish()?;
            if list.iter().any(|other| other.oid == oid) || list.len() == EXTENSIONS_MAX {
                return Err(reader.error());
            }
            list.push(Self {
                oid,
                critical,
                value,
            });
        }
        Ok(list)
    }
}

/// Bits of the key usage (RFC 5280 §4.2.1.3).
pub mod key_usage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: u16 = 1;
    /// nonRepudiation, contentCommitment.
    pub const NON_REPUDIATION: u16 = 1 << 1;
    /// keyCertSign.
    pub const KEY_CERT_SIGN: u16 = 1 << 5;
    /// cRLSign.
    pub const CRL_SIGN: u16 = 1 << 6;
}

/// basicConstraints (RFC 5280 §4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Is it a certificate authority?
    pub ca: bool,
    /// How many certificate authorities that are not self-issued may follow.
    pub path_length: Option<u32>,
}

/// extKeyUsage (RFC 5280 §4.2.1.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// Is the extension critical?
    pub critical: bool,
    /// The purposes; at least one.
    pub purposes: Vec<Oid>,
}

/// nameConstraints (RFC 5280 §4.2.1.10).
#[derive(Debug, Clone, Default)]
pub struct NameConstraints<'a> {
    /// permittedSubtrees.
    pub permitted: Vec<GeneralName<'a>>,
    /// excludedSubtrees.
    pub excluded: Vec<GeneralName<'a>>,
}

/// policyConstraints (RFC 5280 §4.2.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// requireExplicitPolicy.
    pub require_explicit_policy: Option<u32>,
    /// inhibitPolicyMapping.
    pub inhibit_policy_mapping: Option<u32>,
}

/// A DistributionPoint (RFC 5280 §4.2.1.13), and the names of an issuing distribution point (§5.2.5).
#[derive(Debug, Clone, Default)]
pub struct DistributionPoint<'a> {
    /// The name of the distribution point.
    pub name: Option<DistributionPointName<'a>>,
    /// The reasons that its CRLs cover, as bits; `None` means all.
    pub reasons: Option<u16>,
    /// Who signs its CRLs, if not the issuer of the certificate; empty if absent.
    pub crl_issuer: Vec<GeneralName<'a>>,
}

/// DistributionPointName (RFC 5280 §4.2.1.13).
#[derive(Debug, Clone)]
pub enum DistributionPointName<'a> {
    /// fullName.
    Full(Vec<GeneralName<'a>>),
    /// nameRelativeToCRLIssuer.
    Relative(Name<'a>),
}

/// What the known extensions of a certificate say.
#[derive(Debug, Clone, Default)]
pub struct Extensions<'a> {
    /// basicConstraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// keyUsage, as bits of [`key_usage`].
    pub key_usage: Option<u16>,
    /// extKeyUsage.
    pub extended_key_usage: Option<ExtendedKeyUsage>,
    /// nameConstraints.
    pub name_constraints: Option<NameConstraints<'a>>,
    /// certificatePolicies, without qualifiers.
    pub policies: Option<Vec<Oid>>,
    /// policyMappings: issuer's policy, subject's policy.
    pub policy_mappings: Vec<(Oid, Oid)>,
    /// policyConstraints.
    pub policy_constraints: Option<PolicyConstraints>,
    /// inhibitAnyPolicy.
    pub inhibit_any_policy: Option<u32>,
    /// subjectAltName.
    pub subject_alternative_names: Vec<GeneralName<'a>>,
    /// keyIdentifier of authorityKeyIdentifier.
    pub authority_key_identifier: Option<&'a [u8]>,
    /// subjectKeyIdentifier.
    pub subject_key_identifier: Option<&'a [u8]>,
    /// cRLDistributionPoints.
    pub crl_distribution_points: Vec<DistributionPoint<'a>>,
    /// authorityInfoAccess names an OCSP service.
    pub names_ocsp: bool,
    /// id-pkix-ocsp-nocheck is there (RFC 6960 §4.2.2.2.1).
    pub ocsp_no_check: bool,
    /// The first critical extension that is not known here.
    pub unknown_critical: Option<Oid>,
    /// The first known extension that could not be read.
    pub malformed: Option<Oid>,
}

impl<'a> Extensions<'a> {
    /// Reads what is known. A known extension that cannot be read is remembered in `malformed`, so that the certificate can still be named in a finding.
    pub(crate) fn interpret(list: &[Extension<'a>]) -> Self {
        let mut extensions = Self::default();
        for extension in list {
            match extensions.take(extension) {
                Ok(true) => {}
                Ok(false) if extension.critical => {
                    extensions
                        .unknown_critical
                        .get_or_insert_with(|| oid_of(extension));
                }
                Ok(false) => {}
                Err(_) => {
                    extensions
                        .malformed
                        .get_or_insert_with(|| oid_of(extension));
                }
            }
        }
        extensions
    }

    /// Reads one extension; `false` if it is not known.
    fn take(&mut self, extension: &Extension<'a>) -> Result<bool> {
        let value = extension.value;
        if extension.is(&oid::CE_BASIC_CONSTRAINTS) {
            self.basic_constraints = Some(basic_constraints(value)?);
        } else if extension.is(&oid::CE_KEY_USAGE) {
            let bits = Reader::single(value, BIT_STRING, "KeyUsage")?;
            self.key_usage = Some(bits.named_bits("KeyUsage")?);
        } else if extension.is(&oid::CE_EXTENDED_KEY_USAGE) {
            self.extended_key_usage = Some(ExtendedKeyUsage {
                critical: extension.critical,
                purposes: oids(value, "ExtKeyUsageSyntax")?,
            });
        } else if extension.is(&oid::CE_NAME_CONSTRAINTS) {
            self.name_constraints = Some(name_constraints(value)?);
        } else if extension.is(&oid::CE_SUBJECT_ALT_NAME) {
            self.subject_alternative_names = GeneralName::list_from_der(value)?;
        } else if extension.is(&oid::CE_AUTHORITY_KEY_IDENTIFIER) {
            self.authority_key_identifier = authority_key_identifier(value)?;
        } else if extension.is(&oid::CE_SUBJECT_KEY_IDENTIFIER) {
            let element = Reader::single(value, OCTET_STRING, "SubjectKeyIdentifier")?;
            self.subject_key_identifier = Some(element.content);
        } else if extension.is(&oid::CE_CRL_DISTRIBUTION_POINTS) {
            self.crl_distribution_points = distribution_points(value)?;
        } else if extension.is(&oid::CE_AUTHORITY_INFO_ACCESS) {
            self.names_ocsp = names_ocsp(value)?;
            // Nothing here decides what it must mean if it is critical (§4.2.2.1 forbids that).
            return Ok(!extension.critical);
        } else if extension.is(&oid::OCSP_NO_CHECK) {
            self.ocsp_no_check = true;
        } else {
            return self.take_policy(extension);
        }
        Ok(true)
    }

    /// The extensions about policies.
    fn take_policy(&mut self, extension: &Extension<'a>) -> Result<bool> {
        let value = extension.value;
        if extension.is(&oid::CE_CERTIFICATE_POLICIES) {
            self.policies = Some(policies(value)?);
        } else if extension.is(&oid::CE_POLICY_MAPPINGS) {
            self.policy_mappings = policy_mappings(value)?;
        } else if extension.is(&oid::CE_POLICY_CONSTRAINTS) {
            self.policy_constraints = Some(policy_constraints(value)?);
        } else if extension.is(&oid::CE_INHIBIT_ANY_POLICY) {
            let element = Reader::single(value, INTEGER, "InhibitAnyPolicy")?;
            self.inhibit_any_policy = Some(element.small_unsigned("InhibitAnyPolicy")?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// An identifier that cannot even be read is shown as the unassigned arc 2.999 (ITU-T X.660: examples).
fn oid_of(extension: &Extension<'_>) -> Oid {
    Oid::from_content(extension.oid)
        .or_else(|_| Oid::from_content(&[0x88, 0x37]))
        .unwrap_or(oid::ANY_POLICY)
}

fn oid_content(element: Element<'_>, structure: &'static str) -> Result<Oid> {
    Oid::from_content(element.content).map_err(|_| Malformed { structure })
}

/// A non-empty `SEQUENCE OF`, each member read by `read`.
fn sequence_of<'a, T>(
    der: &'a [u8],
    structure: &'static str,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut reader = Reader::single(der, SEQUENCE, structure)?.reader(structure);
    let mut list = Vec::new();
    while !reader.is_empty() {
        if list.len() == EXTENSION_ENTRIES_MAX {
            return Err(reader.error());
        }
        list.push(read(&mut reader)?);
    }
    if list.is_empty() {
        return Err(reader.error());
    }
    Ok(list)
}

fn oids(der: &[u8], structure: &'static str) -> Result<Vec<Oid>> {
    sequence_of(der, structure, |reader| {
        oid_content(reader.expect(OBJECT_IDENTIFIER)?, structure)
    })
}

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }`
fn basic_constraints(der: &[u8]) -> Result<BasicConstraints> {
    const STRUCTURE: &str = "BasicConstraints";
    let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
    let ca = match fields.optional(BOOLEAN)? {
        Some(element) => element.boolean(STRUCTURE)?,
        None => false,
    };
    let path_length = fields
        .optional(INTEGER)?
        .map(|element| element.small_unsigned(STRUCTURE))
        .transpose()?;
    fields.finish()?;
    Ok(BasicConstraints { ca, path_length })
}

/// ```text
/// NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] GeneralSubtrees OPTIONAL }
/// GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] BaseDistance DEFAULT 0, maximum [1] BaseDistance OPTIONAL }
/// ```
///
/// A minimum other than 0 and any maximum are refused: RFC 5280 forbids them.
fn name_constraints(der: &[u8]) -> Result<NameConstraints<'_>> {
    const STRUCTURE: &str = "NameConstraints";
    fn subtrees<'a>(element: Option<Element<'a>>) -> Result<Vec<GeneralName<'a>>> {
        let Some(element) = element else {
            return Ok(Vec::new());
        };
        let mut reader = element.reader(STRUCTURE);
        let mut list = Vec::new();
        while !reader.is_empty() {
            if list.len() == EXTENSION_ENTRIES_MAX {
                return Err(reader.error());
            }
            let mut fields = reader.expect(SEQUENCE)?.reader(STRUCTURE);
            list.push(GeneralName::read(&mut fields)?);
            if let Some(minimum) = fields.optional(context(0))?
                && minimum.content != [0]
            {
                return Err(fields.error());
            }
            fields.finish()?;
        }
        if list.is_empty() {
            return Err(reader.error());
        }
        Ok(list)
    }
    let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
    let permitted = fields.optional(context_constructed(0))?;
    let excluded = fields.optional(context_constructed(1))?;
    fields.finish()?;
    if permitted.is_none() && excluded.is_none() {
        return Err(fields.error());
    }
    Ok(NameConstraints {
        permitted: subtrees(permitted)?,
        excluded: subtrees(excluded)?,
    })
}

/// `AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OPTIONAL, authorityCertIssuer [1] OPTIONAL, authorityCertSerialNumber [2] OPTIONAL }`
pub(crate) fn authority_key_identifier(der: &[u8]) -> Result<Option<&[u8]>> {
    const STRUCTURE: &str = "AuthorityKeyIdentifier";
    let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
    let key = fields.optional(context(0))?;
    fields.optional(context_constructed(1))?;
    fields.optional(context(2))?;
    fields.finish()?;
    Ok(key.map(|element| element.content))
}

/// `CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint`
fn distribution_points(der: &[u8]) -> Result<Vec<DistributionPoint<'_>>> {
    const STRUCTURE: &str = "CRLDistributionPoints";
    sequence_of(der, STRUCTURE, |reader| {
        let mut fields = reader.expect(SEQUENCE)?.reader(STRUCTURE);
        let name = fields
            .optional(context_constructed(0))?
            .map(|element| distribution_point_name(element.content))
            .transpose()?;
        let reasons = fields
            .optional(context(1))?
            .map(|element| element.named_bits(STRUCTURE))
            .transpose()?;
        let crl_issuer = match fields.optional(context_constructed(2))? {
            Some(element) => GeneralName::list(element.content)?,
            None => Vec::new(),
        };
        fields.finish()?;
        if name.is_none() && crl_issuer.is_empty() {
            return Err(fields.error());
        }
        Ok(DistributionPoint {
            name,
            reasons,
            crl_issuer,
        })
    })
}

/// `DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }`
pub(crate) fn distribution_point_name(der: &[u8]) -> Result<DistributionPointName<'_>> {
    let mut reader = Reader::new(der, "DistributionPointName");
    let element = reader.read()?;
    reader.finish()?;
    if element.tag == context_constructed(0) {
        GeneralName::list(element.content).map(DistributionPointName::Full)
    } else if element.tag == context_constructed(1) {
        Name::from_relative(element.content).map(DistributionPointName::Relative)
    } else {
        Err(reader.error())
    }
}

/// `AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }`
fn names_ocsp(der: &[u8]) -> Result<bool> {
    const STRUCTURE: &str = "AuthorityInfoAccess";
    let methods = sequence_of(der, STRUCTURE, |reader| {
        let mut fields = reader.expect(SEQUENCE)?.reader(STRUCTURE);
        let method = fields.expect(OBJECT_IDENTIFIER)?.content;
        fields.read()?;
        fields.finish()?;
        Ok(method)
    })?;
    Ok(methods.contains(&oid::ACCESS_OCSP.as_bytes()))
}

/// `CertificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation`. A policy may not stand twice (§4.2.1.4).
fn policies(der: &[u8]) -> Result<Vec<Oid>> {
    const STRUCTURE: &str = "CertificatePolicies";
    let list = sequence_of(der, STRUCTURE, |reader| {
        let mut fields = reader.expect(SEQUENCE)?.reader(STRUCTURE);
        let policy = oid_content(fields.expect(OBJECT_IDENTIFIER)?, STRUCTURE)?;
        fields.optional(SEQUENCE)?;
        fields.finish()?;
        Ok(policy)
    })?;
    let unique: std::collections::BTreeSet<_> = list.iter().collect();
    if unique.len() == list.len() {
        Ok(list)
    } else {
        Err(Malformed {
            structure: STRUCTURE,
        })
    }
}

/// `PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { issuerDomainPolicy CertPolicyId, subjectDomainPolicy CertPolicyId }`
fn policy_mappings(der: &[u8]) -> Result<Vec<(Oid, Oid)>> {
    const STRUCTURE: &str = "PolicyMappings";
    sequence_of(der, STRUCTURE, |reader| {
        let mut fields = reader.expect(SEQUENCE)?.reader(STRUCTURE);
        let issuer = oid_content(fields.expect(OBJECT_IDENTIFIER)?, STRUCTURE)?;
        let subject = oid_content(fields.expect(OBJECT_IDENTIFIER)?, STRUCTURE)?;
        fields.finish()?;
        Ok((issuer, subject))
    })
}

/// `PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] SkipCerts OPTIONAL, inhibitPolicyMapping [1] SkipCerts OPTIONAL }`, not empty (§4.2.1.11).
fn policy_constraints(der: &[u8]) -> Result<PolicyConstraints> {
    const STRUCTURE: &str = "PolicyConstraints";
    let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
    let mut skip = |number| {
        fields
            .optional(context(number))?
            .map(|element| element.small_unsigned(STRUCTURE))
            .transpose()
    };
    let require_explicit_policy = skip(0)?;
    let inhibit_policy_mapping = skip(1)?;
    fields.finish()?;
    if require_explicit_policy.is_none() && inhibit_policy_mapping.is_none() {
        return Err(fields.error());
    }
    Ok(PolicyConstraints {
        require_explicit_policy,
        inhibit_policy_mapping,
    })
}

#[cfg(test)]
mod tests;
