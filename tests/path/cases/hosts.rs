//! Name constraints over host names (§4.2.1.10).

use verifier::finding::path as code;
use verifier::path::ProfileRule;
use verifier::verdict::SubIndication as Sub;

use super::constraints::under;
use super::*;
use crate::der::*;

pub(super) fn cases() -> Vec<Case> {
    let good = [dns("example.com")];
    vec![
        under("host itself", &good, &[], &[dns("example.com")]),
        under("host below", &good, &[], &[dns("foo.bar.example.com")]),
        under("host in capitals", &good, &[], &[dns("WWW.Example.COM")]),
        under("host beside", &good, &[], &[dns("example.org")]).fails(code::NAME_NOT_PERMITTED),
        under("host with the same end", &good, &[], &[dns("not-example.com")]).fails(code::NAME_NOT_PERMITTED),
        under("host above", &[dns("www.example.com")], &[], &[dns("example.com")]).fails(code::NAME_NOT_PERMITTED),
        under("one host of two beside", &good, &[], &[dns("example.com"), dns("example.org")]).fails(code::NAME_NOT_PERMITTED),
        under("one of two permitted", &[dns("example.org"), dns("example.com")], &[], &[dns("a.example.com")]),
        under("host excluded", &[], &good, &[dns("a.example.com")]).fails(code::NAME_EXCLUDED),
        under("host not excluded", &[], &good, &[dns("a.example.org")]),
        under("host permitted and excluded", &good, &good, &[dns("example.com")]).fails(code::NAME_EXCLUDED),
        under("wildcard below", &good, &[], &[dns("*.example.com")]),
        under("wildcard over an excluded host", &[], &[dns("a.example.com")], &[dns("*.example.com")])
            .fails(code::NAME_EXCLUDED)
            .differs("OpenSSL takes the asterisk for a letter; the certificate would be good for the excluded host"),
        under("wildcard as a constraint", &[dns("*.example.com")], &[], &[dns("a.example.com")])
            .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under("leading period in a constraint", &[dns(".example.com")], &[], &[dns("a.example.com")])
            .fails(code::NAME_CONSTRAINT_UNSUPPORTED)
            .differs("OpenSSL reads a leading period as in constraints of URIs; RFC 5280 has none for host names"),
        under("leading period in a constraint, for evidence", &[dns(".example.com")], &[], &[dns("a.example.com")])
            .profile(ProfileRule::Ignore),
        under("host with an empty label", &good, &[], &[dns(".example.com")])
            .fails(code::NAME_CONSTRAINT_UNSUPPORTED)
            .differs("OpenSSL compares the end of the text; \".example.com\" is no host name"),
        under("host that ends with a period", &good, &[], &[dns("a.example.com.")])
            .differs("OpenSSL compares the end of the text; the absolute form names the same host (RFC 1034 §3.1)"),
        under("every host permitted", &[dns("")], &[], &[dns("anything.example")]),
        under("every host excluded", &[], &[dns("")], &[dns("anything.example")]).fails(code::NAME_EXCLUDED),
        under("control character in a host", &good, &[], &[dns("a\u{1}.example.com")])
            .fails_as(code::EXTENSION_MALFORMED, Sub::CertificateChainGeneralFailure)
            .differs("OpenSSL compares the end of the text; a control character only makes programs read different names"),
        three("common name that looks like a host", "§4.2.1.10", |c| c.with(constraints(&[dns("example.com")], &[])), |c| {
            c.change(|c| c.subject = cn("www.example.org"))
        })
        .differs("OpenSSL compares a common name that looks like a host where there is no subjectAltName; RFC 5280 §4.2.1.10 does not"),
    ]
}
