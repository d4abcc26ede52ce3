//! Name constraints (RFC 5280 §4.2.1.10) over the names of a certificate (§6.1.3 (b), (c)).

use super::ProfileRule;
use crate::budget::{Budget, Exhausted, Resource};
use crate::certificate::{Certificate, GeneralName, NameConstraints};

/// Why a name is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A certificate authority permits names of this form, and not this one.
    NotPermitted(String),
    /// A certificate authority excludes it.
    Excluded(String),
    /// A constraint or the name has a form that cannot be evaluated.
    Unsupported(String),
    /// Too many comparisons.
    Exhausted(Exhausted),
}

/// The answer of one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Within,
    Outside,
    /// Cannot be told: counts against the certificate in either list.
    Unclear,
}

/// Checks every name of `certificate` against the constraints of the certificate authorities above it.
///
/// Every list of permitted subtrees counts on its own, which is the intersection that §6.1.4 (g) asks for.
pub(super) fn check(
    certificate: &Certificate<'_>,
    constraints: &[&NameConstraints<'_>],
    profile: ProfileRule,
    budget: &mut Budget,
) -> Result<(), Refusal> {
    if constraints.is_empty() {
        return Ok(());
    }
    let mut names: Vec<GeneralName<'_>> =
        certificate.extensions().subject_alternative_names.clone();
    if !certificate.subject().is_empty() {
        names.push(GeneralName::Directory(certificate.subject().clone()));
    }
    // Addresses in the subject count like those in subjectAltName (§4.2.1.10, legacy implementations).
    let addresses: Vec<_> = certificate.subject().email_addresses().collect();
    for address in &addresses {
        names.push(match address {
            Some(text) => GeneralName::Rfc822(text),
            // An address that is no text cannot be compared: no host matches it.
            None => GeneralName::Rfc822(""),
        });
    }
    for name in &names {
        for list in constraints {
            if profile != ProfileRule::Ignore && has_leading_period(name, list) {
                return Err(Refusal::Unsupported(name.to_string()));
            }
            check_name(name, list, budget)?;
        }
    }
    Ok(())
}

/// RFC 5280 knows a leading period in the constraints of addresses and URIs, not in those of host names. Programs do not agree about what it means there.
fn has_leading_period(name: &GeneralName<'_>, constraints: &NameConstraints<'_>) -> bool {
    let mut bases = constraints.permitted.iter().chain(&constraints.excluded);
    matches!(name, GeneralName::Dns(_))
        && bases.any(|base| matches!(base, GeneralName::Dns(base) if base.starts_with('.')))
}

fn check_name(
    name: &GeneralName<'_>,
    constraints: &NameConstraints<'_>,
    budget: &mut Budget,
) -> Result<(), Refusal> {
    let spend = |budget: &mut Budget| {
        budget
            .spend(Resource::NameComparisons, 1)
            .map_err(Refusal::Exhausted)
    };
    for base in &constraints.excluded {
        spend(budget)?;
        match compare(name, base, true) {
            None | Some(Match::Outside) => {}
            Some(Match::Within) => return Err(Refusal::Excluded(name.to_string())),
            Some(Match::Unclear) => return Err(Refusal::Unsupported(name.to_string())),
        }
    }
    let mut form_is_constrained = false;
    let mut within = false;
    for base in &constraints.permitted {
        spend(budget)?;
        match compare(name, base, false) {
            None => {}
            Some(Match::Within) => {
                form_is_constrained = true;
                within = true;
            }
            Some(Match::Outside) => form_is_constrained = true,
            Some(Match::Unclear) => return Err(Refusal::Unsupported(name.to_string())),
        }
    }
    if form_is_constrained && !within {
        return Err(Refusal::NotPermitted(name.to_string()));
    }
    Ok(())
}

/// Compares a name with the base of a subtree; `None` if they have different forms. `exclude` decides what a wildcard means.
fn compare(name: &GeneralName<'_>, base: &GeneralName<'_>, exclude: bool) -> Option<Match> {
    use GeneralName as G;
    let within = |yes| if yes { Match::Within } else { Match::Outside };
    match (name, base) {
        (G::Directory(name), G::Directory(base)) => Some(within(name.is_within(base))),
        (G::Dns(name), G::Dns(base)) => Some(compare_dns(name, base, exclude)),
        (G::Rfc822(name), G::Rfc822(base)) => Some(compare_rfc822(name, base)),
        (G::Uri(name), G::Uri(base)) => Some(compare_uri(name, base)),
        (G::Ip(name), G::Ip(base)) => Some(compare_ip(name, base)),
        // Forms for which RFC 5280 defines no comparison: a constraint on them can only be obeyed by refusing the name.
        (G::Other(..), G::Other(..))
        | (G::X400(_), G::X400(_))
        | (G::EdiParty(_), G::EdiParty(_))
        | (G::Registered(_), G::Registered(_)) => Some(Match::Unclear),
        _ => None,
    }
}

/// Is it a host name in labels of letters, digits, hyphens and underscores, with nothing empty?
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

/// Is `host` the domain, or below it?
fn is_host_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host == domain
        || host
            .strip_suffix(&domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name satisfies the constraint."
fn compare_dns(name: &str, base: &str, exclude: bool) -> Match {
    let name = name.strip_suffix('.').unwrap_or(name);
    if base.is_empty() {
        return Match::Within;
    }
    // A leading period is not in RFC 5280 but in the wild. It means the names below only; to exclude, the domain itself too.
    let (domain, below_only) = match base.strip_prefix('.') {
        Some(rest) => (rest, !exclude),
        None => (base, false),
    };
    let (host, wildcard) = match name.strip_prefix("*.") {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    if !is_host(domain) || !is_host(host) {
        return Match::Unclear;
    }
    if is_host_within(host, domain) {
        let itself = host.eq_ignore_ascii_case(domain) && !wildcard;
        return if below_only && itself {
            Match::Outside
        } else {
            Match::Within
        };
    }
    // `*.example.com` covers an excluded `host.example.com`.
    if exclude && wildcard && is_host_within(domain, host) {
        return Match::Within;
    }
    Match::Outside
}

/// A mailbox, a host, or with a leading period all hosts of a domain.
fn compare_rfc822(name: &str, base: &str) -> Match {
    let Some((local, host)) = name.rsplit_once('@') else {
        return Match::Unclear;
    };
    // A quoted local part may hold another "@"; two programs would not agree about it.
    if local.is_empty() || local.contains(['@', '"']) || !is_host(host) {
        return Match::Unclear;
    }
    let yes = if let Some((base_local, base_host)) = base.rsplit_once('@') {
        local == base_local && host.eq_ignore_ascii_case(base_host)
    } else if let Some(domain) = base.strip_prefix('.') {
        if !is_host(domain) {
            return Match::Unclear;
        }
        is_host_within(host, domain) && !host.eq_ignore_ascii_case(domain)
    } else if base.is_empty() {
        true
    } else {
        host.eq_ignore_ascii_case(base)
    };
    if yes { Match::Within } else { Match::Outside }
}

/// The host of the URI: that host, or with a leading period the hosts below. A URI without a fully qualified host cannot be told.
fn compare_uri(name: &str, base: &str) -> Match {
    let Some(host) = uri_host(name) else {
        return Match::Unclear;
    };
    let yes = match base.strip_prefix('.') {
        Some(domain) if is_host(domain) => {
            is_host_within(host, domain) && !host.eq_ignore_ascii_case(domain)
        }
        Some(_) => return Match::Unclear,
        None if base.is_empty() => true,
        None if is_host(base) => host.eq_ignore_ascii_case(base),
        None => return Match::Unclear,
    };
    if yes { Match::Within } else { Match::Outside }
}

/// The host of `scheme://user@host:port/…` (RFC 3986 §3.2), if it is a domain name.
fn uri_host(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    if scheme.is_empty() {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    let numeric = host
        .split('.')
        .next_back()?
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    (is_host(host) && !numeric).then_some(host)
}

/// An address and a mask of the same length; the mask is a prefix (RFC 4632).
fn compare_ip(name: &[u8], base: &[u8]) -> Match {
    if !matches!(name.len(), 4 | 16) {
        return Match::Unclear;
    }
    let Some((address, mask)) = (match base.len() {
        8 => base.split_at_checked(4),
        32 => base.split_at_checked(16),
        _ => None,
    }) else {
        return Match::Unclear;
    };
    let bits: Vec<bool> = mask
        .iter()
        .flat_map(|octet| (0..8_u32).map(move |bit| octet.wrapping_shl(bit) & 0x80 != 0))
        .collect();
    if bits.windows(2).any(|pair| matches!(pair, [false, true])) {
        return Match::Unclear;
    }
    let same = name.len() == address.len()
        && name
            .iter()
            .zip(address)
            .zip(mask)
            .all(|((a, b), mask)| a & mask == b & mask);
    if same { Match::Within } else { Match::Outside }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Match::{Outside, Unclear, Within};

    #[test]
    fn hosts_below_a_domain_are_within() {
        for (name, base, expected) in [
            ("host.example.com", "example.com", Within),
            ("EXAMPLE.com", "example.COM", Within),
            ("example.com.", "example.com", Within),
            ("anexample.com", "example.com", Outside),
            ("example.com", "host.example.com", Outside),
            ("a.example.com", ".example.com", Within),
            ("example.com", ".example.com", Outside),
            ("*.example.com", "example.com", Within),
            ("*.example.com", "a.example.com", Outside),
            ("anything.at.all", "", Within),
            ("bad..name", "name", Unclear),
            ("host.example.com", "exa mple.com", Unclear),
            ("host\u{7f}.example.com", "example.com", Unclear),
        ] {
            assert_eq!(compare_dns(name, base, false), expected, "{name} {base}");
        }
    }

    #[test]
    fn exclusion_reaches_what_a_wildcard_covers() {
        assert_eq!(compare_dns("*.example.com", "a.example.com", true), Within);
        assert_eq!(compare_dns("example.com", ".example.com", true), Within);
        assert_eq!(compare_dns("*.example.org", "a.example.com", true), Outside);
    }

    #[test]
    fn mailboxes_hosts_and_domains() {
        for (name, base, expected) in [
            ("a@example.com", "example.com", Within),
            ("a@Example.com", "example.COM", Within),
            ("a@host.example.com", "example.com", Outside),
            ("a@host.example.com", ".example.com", Within),
            ("a@example.com", ".example.com", Outside),
            ("a@example.com", "a@example.com", Within),
            ("A@example.com", "a@example.com", Outside),
            ("example.com", "example.com", Unclear),
            ("\"x@evil.com\"@example.com", "example.com", Unclear),
            ("@example.com", "example.com", Unclear),
            ("", "example.com", Unclear),
        ] {
            assert_eq!(compare_rfc822(name, base), expected, "{name} {base}");
        }
    }

    #[test]
    fn the_host_of_a_uri_counts() {
        for (name, base, expected) in [
            ("http://host.example.com/x", "host.example.com", Within),
            ("http://u@host.example.com:80?x", "host.example.com", Within),
            ("http://host.example.com", "example.com", Outside),
            ("http://host.example.com", ".example.com", Within),
            ("http://example.com", ".example.com", Outside),
            ("http://evil.com/@host.example.com", ".example.com", Outside),
            (
                "http://evil.com\\@host.example.com",
                ".example.com",
                Outside,
            ),
            ("http://192.0.2.1/", ".example.com", Unclear),
            ("http://[2001:db8::1]/", ".example.com", Unclear),
            ("urn:isbn:1", ".example.com", Unclear),
            ("http:///x", ".example.com", Unclear),
        ] {
            assert_eq!(compare_uri(name, base), expected, "{name} {base}");
        }
    }

    #[test]
    fn addresses_lie_in_their_prefix() {
        let net = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(compare_ip(&[192, 0, 2, 7], &net), Within);
        assert_eq!(compare_ip(&[192, 0, 3, 7], &net), Outside);
        assert_eq!(compare_ip(&[0; 16], &net), Outside);
        assert_eq!(compare_ip(&[0; 5], &net), Unclear);
        assert_eq!(compare_ip(&[192, 0, 2, 7], &net[..7]), Unclear);
        let holes = [192, 0, 2, 0, 255, 0, 255, 0];
        assert_eq!(compare_ip(&[192, 0, 2, 7], &holes), Unclear);
    }

    #[test]
    fn a_constraint_of_another_form_does_not_count() {
        let name = GeneralName::Dns("a.example");
        let constraints = NameConstraints {
            permitted: vec![GeneralName::Rfc822("b.example")],
            excluded: vec![GeneralName::Uri("a.example")],
        };
        assert_eq!(
            check_name(&name, &constraints, &mut Budget::default()),
            Ok(())
        );
    }

    #[test]
    fn a_form_that_nobody_can_compare_is_refused() {
        let other = GeneralName::Other(formats::oid::ANY_POLICY, &[0xa0, 0]);
        let constraints = NameConstraints {
            permitted: Vec::new(),
            excluded: vec![GeneralName::Other(formats::oid::ANY_POLICY, &[0xa0, 1])],
        };
        assert!(matches!(
            check_name(&other, &constraints, &mut Budget::default()),
            Err(Refusal::Unsupported(_))
        ));
    }

    #[test]
    fn comparisons_are_counted() {
        let mut budget = Budget::new(crate::budget::Limits {
            name_comparisons_max: 2,
            ..Default::default()
        });
        let name = GeneralName::Dns("a.example");
        let constraints = NameConstraints {
            permitted: vec![GeneralName::Dns("example"); 3],
            excluded: Vec::new(),
        };
        assert!(matches!(
            check_name(&name, &constraints, &mut budget),
            Err(Refusal::Exhausted(_))
        ));
    }
}
