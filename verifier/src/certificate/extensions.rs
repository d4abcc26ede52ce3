//! The extensions of certificates that take part in path validation (RFC 5280 §4.2).

use formats::oid::{self, Oid};
use x509_parser::asn1_rs::{self, FromDer as _};
use x509_parser::extensions::{self as read, ParsedExtension, X509Extension};

use super::general_name::GeneralName;
use super::name::Name;
use super::schema::{self, EXTENSION_ENTRIES_MAX};
use super::whole;
use crate::der::{Malformed, Reader, Result, SEQUENCE, context, context_constructed};

/// One extension as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Extension<'a> {
    pub(crate) oid: Oid,
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
    read: ParsedExtension<'a>,
}

impl<'a> Extension<'a> {
    pub(crate) fn is(&self, oid: &Oid) -> bool {
        self.oid == *oid
    }

    /// The extensions that were read, in a structure whose shape was checked. None may stand twice (§4.2).
    pub(super) fn all(read: &[X509Extension<'a>]) -> Result<Vec<Self>> {
        let error = Malformed {
            structure: "Extensions",
        };
        let mut list: Vec<Self> = Vec::with_capacity(read.len());
        for extension in read {
            let oid = Oid::from_content(extension.oid.as_bytes()).map_err(|_| error)?;
            if list.iter().any(|other| other.oid == oid) {
                return Err(error);
            }
            list.push(Self {
                oid,
                critical: extension.critical,
                value: extension.value,
                read: extension.parsed_extension().clone(),
            });
        }
        Ok(list)
    }

    /// The extensions of an `Extensions`, from its DER.
    pub(crate) fn list(der: &'a [u8]) -> Result<Vec<Self>> {
        const STRUCTURE: &str = "Extensions";
        schema::EXTENSIONS.check(der, STRUCTURE)?;
        let mut reader = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let mut list = Vec::new();
        while !reader.is_empty() {
            list.push(whole(
                X509Extension::from_der(reader.read()?.raw),
                STRUCTURE,
            )?);
        }
        Self::all(&list)
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
    /// The addresses of its status (authorityInfoAccess, id-ad-ocsp), as they stand.
    pub ocsp_addresses: Vec<&'a str>,
    /// The addresses of its issuer's certificates (authorityInfoAccess, id-ad-caIssuers), as they stand.
    pub issuer_addresses: Vec<&'a str>,
    /// Every extension that it has, and whether it is critical.
    pub present: Vec<(Oid, bool)>,
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
            extensions
                .present
                .push((extension.oid.clone(), extension.critical));
            match extensions.take(extension) {
                Ok(true) => {}
                Ok(false) if extension.critical => {
                    extensions
                        .unknown_critical
                        .get_or_insert_with(|| extension.oid.clone());
                }
                Ok(false) => {}
                Err(_) => {
                    extensions
                        .malformed
                        .get_or_insert_with(|| extension.oid.clone());
                }
            }
        }
        extensions
    }

    /// Is this extension critical? `None` if it is not there.
    #[must_use]
    pub fn is_critical(&self, oid: &Oid) -> Option<bool> {
        let mut present = self.present.iter();
        present
            .find(|(other, _)| other == oid)
            .map(|(_, critical)| *critical)
    }

    /// Takes one extension; `false` if it is not known.
    fn take(&mut self, extension: &Extension<'a>) -> Result<bool> {
        if extension.is(&oid::CE_CRL_DISTRIBUTION_POINTS) {
            self.crl_distribution_points = distribution_points(extension.value)?;
            return Ok(true);
        }
        if extension.is(&oid::OCSP_NO_CHECK) {
            self.ocsp_no_check = true;
            return Ok(true);
        }
        let Some(shape) = schema::of_extension(&extension.oid) else {
            return Ok(false);
        };
        shape.check(extension.value, STRUCTURE)?;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the rest is for the next function"
        )]
        match &extension.read {
            ParsedExtension::BasicConstraints(read) => {
                self.basic_constraints = Some(BasicConstraints {
                    ca: read.ca,
                    path_length: read.path_len_constraint,
                });
            }
            ParsedExtension::KeyUsage(read) => self.key_usage = Some(read.flags),
            ParsedExtension::ExtendedKeyUsage(_) => {
                self.extended_key_usage = Some(ExtendedKeyUsage {
                    critical: extension.critical,
                    purposes: purposes(extension.value)?,
                });
            }
            ParsedExtension::SubjectAlternativeName(read) => {
                self.subject_alternative_names = names(&read.general_names)?;
            }
            ParsedExtension::AuthorityKeyIdentifier(read) => {
                self.authority_key_identifier = read.key_identifier.as_ref().map(|key| key.0);
            }
            ParsedExtension::SubjectKeyIdentifier(read) => {
                self.subject_key_identifier = Some(read.0);
            }
            ParsedExtension::AuthorityInfoAccess(read) => {
                for access in read.iter() {
                    let method = access.access_method.as_bytes();
                    let addresses = if method == oid::ACCESS_OCSP.as_bytes() {
                        self.names_ocsp = true;
                        &mut self.ocsp_addresses
                    } else if method == oid::ACCESS_CA_ISSUERS.as_bytes() {
                        &mut self.issuer_addresses
                    } else {
                        continue;
                    };
                    if let read::GeneralName::URI(address) = &access.access_location {
                        addresses.push(address);
                    }
                }
                // Nothing here decides what it must mean if it is critical (§4.2.2.1 forbids that).
                return Ok(!extension.critical);
            }
            _ => self.take_constraint(extension)?,
        }
        Ok(true)
    }

    /// Takes an extension that constrains names or policies.
    fn take_constraint(&mut self, extension: &Extension<'a>) -> Result<()> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the library could not read it, or took it for something else"
        )]
        match &extension.read {
            ParsedExtension::NameConstraints(read) => {
                self.name_constraints = Some(name_constraints(read, extension.value)?);
            }
            ParsedExtension::CertificatePolicies(read) => self.policies = Some(policies(read)?),
            ParsedExtension::PolicyMappings(read) => {
                self.policy_mappings = read
                    .mappings
                    .iter()
                    .map(|pair| {
                        let issuer = owned(&pair.issuer_domain_policy)?;
                        Ok((issuer, owned(&pair.subject_domain_policy)?))
                    })
                    .collect::<Result<_>>()?;
            }
            ParsedExtension::PolicyConstraints(read) => {
                self.policy_constraints = Some(policy_constraints(read, extension.value)?);
            }
            ParsedExtension::InhibitAnyPolicy(read) => {
                self.inhibit_any_policy = Some(read.skip_certs);
            }
            _ => return Err(MALFORMED),
        }
        Ok(())
    }
}

const STRUCTURE: &str = "Extension";

const MALFORMED: Malformed = Malformed {
    structure: STRUCTURE,
};

fn owned(oid: &asn1_rs::Oid<'_>) -> Result<Oid> {
    Oid::from_content(oid.as_bytes()).map_err(|_| MALFORMED)
}

fn names<'a>(read: &[read::GeneralName<'a>]) -> Result<Vec<GeneralName<'a>>> {
    read.iter().map(GeneralName::of).collect()
}

/// Does a SEQUENCE have a member with `tag`?
///
/// For `x509-parser`, an optional member that it cannot read is absent. What takes a constraint away must not be passed over like that.
fn has_member(der: &[u8], tag: u8) -> Result<bool> {
    let mut members = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
    let mut found = false;
    while !members.is_empty() {
        found |= members.read()?.tag == tag;
    }
    Ok(found)
}

/// The purposes in their order. `x509-parser` sorts the known from the unknown and leaves out the second of two equal ones, so its list type reads them.
fn purposes(der: &[u8]) -> Result<Vec<Oid>> {
    let read = <Vec<asn1_rs::Oid<'_>>>::from_der(der);
    let (_, purposes) = read.map_err(|_| MALFORMED)?;
    purposes.iter().map(owned).collect()
}

/// nameConstraints, not empty (§4.2.1.10).
fn name_constraints<'a>(
    read: &read::NameConstraints<'a>,
    der: &[u8],
) -> Result<NameConstraints<'a>> {
    let subtrees = |read: &Option<Vec<read::GeneralSubtree<'a>>>, number| {
        if read.is_some() != has_member(der, context_constructed(number))? {
            return Err(MALFORMED);
        }
        let read = read.iter().flatten();
        read.map(|subtree| GeneralName::of(&subtree.base)).collect()
    };
    if read.permitted_subtrees.is_none() && read.excluded_subtrees.is_none() {
        return Err(MALFORMED);
    }
    Ok(NameConstraints {
        permitted: subtrees(&read.permitted_subtrees, 0)?,
        excluded: subtrees(&read.excluded_subtrees, 1)?,
    })
}

/// certificatePolicies. A policy may not stand twice (§4.2.1.4).
fn policies(read: &[read::PolicyInformation<'_>]) -> Result<Vec<Oid>> {
    let list: Vec<Oid> = read
        .iter()
        .map(|policy| owned(&policy.policy_id))
        .collect::<Result<_>>()?;
    let unique: std::collections::BTreeSet<_> = list.iter().collect();
    if unique.len() == list.len() {
        Ok(list)
    } else {
        Err(MALFORMED)
    }
}

/// policyConstraints, not empty (§4.2.1.11).
fn policy_constraints(read: &read::PolicyConstraints, der: &[u8]) -> Result<PolicyConstraints> {
    let (explicit, mapping) = (read.require_explicit_policy, read.inhibit_policy_mapping);
    let complete = explicit.is_some() == has_member(der, context(0))?
        && mapping.is_some() == has_member(der, context(1))?;
    if !complete || (explicit.is_none() && mapping.is_none()) {
        return Err(MALFORMED);
    }
    Ok(PolicyConstraints {
        require_explicit_policy: explicit,
        inhibit_policy_mapping: mapping,
    })
}

/// authorityKeyIdentifier (§4.2.1.1): the keyIdentifier.
pub(crate) fn authority_key_identifier(der: &[u8]) -> Result<Option<&[u8]>> {
    let oid = oid::CE_AUTHORITY_KEY_IDENTIFIER;
    schema::of_extension(&oid)
        .ok_or(MALFORMED)?
        .check(der, STRUCTURE)?;
    let read = whole(read::AuthorityKeyIdentifier::from_der(der), STRUCTURE)?;
    Ok(read.key_identifier.map(|key| key.0))
}

// Distribution points are split here, and only their names read by x509-parser: it takes the implicit tag of nameRelativeToCRLIssuer for an explicit
// one, finds no SET below it, and then takes the whole name for absent, which makes a partial CRL look like a full one.

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

#[cfg(test)]
mod tests;
