//! Names from issuer to subject, and their comparison: §6.1.3 (a)(4), §7.1; key identifiers: §4.2.1.1.

use verifier::finding::path as code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;

pub(super) fn cases() -> Vec<Case> {
    let none = Sub::NoCertificateChainFound;
    let text = |tag: u8, bytes: &[u8]| seq(&[set(&[seq(&[oid("2.5.4.3"), tlv(tag, bytes)])])]);
    let printable = move |bytes: &'static [u8]| text(0x13, bytes);
    let wide = text(0x1e, b"\0C\0A");
    let two = name(&[("2.5.4.10", "Archive"), ("2.5.4.3", "CA")]);
    let turned = name(&[("2.5.4.3", "CA"), ("2.5.4.10", "Archive")]);
    let pair = |first: &str, second: &str| {
        let attribute = |kind: &str, text: &str| seq(&[oid(kind), tlv(0x0c, text.as_bytes())]);
        let mut members = vec![attribute("2.5.4.3", first), attribute("2.5.4.10", second)];
        members.sort();
        seq(&[set(&members)])
    };
    let issuer = |name: Vec<u8>| move |c: Cert| c.change(|c| c.issuer = name);
    let subject = |name: Vec<u8>| move |c: Cert| c.change(|c| c.subject = name);
    let prepared = "OpenSSL compares bytes where the string type is not one that it folds";
    vec![
        three("issuer of another name", "§6.1.3 (a)(4)", same, issuer(cn("Other"))).stays_open(code::NO_PATH_FOUND, none),
        three("letter case of the issuer", "§7.1", same, issuer(cn("ca"))),
        three("string type of the issuer", "§7.1", same, issuer(printable(b"CA"))),
        three("spaces of the issuer", "§7.1", subject(cn("C  A")), issuer(cn(" c a "))),
        three("BMPString for the issuer", "§7.1", same, issuer(wide)),
        three("full width letters for the issuer", "§7.1", same, issuer(cn("ＣＡ"))).differs(prepared),
        three("order of the relative names", "§7.1", subject(two.clone()), issuer(turned)).stays_open(code::NO_PATH_FOUND, none),
        three("the same two relative names", "§7.1", subject(two.clone()), issuer(two)),
        three("two attributes in one relative name", "§7.1", subject(pair("CA", "Archive")), issuer(pair("ca", "archive"))),
        three("attribute of another type", "§7.1", subject(name(&[("2.5.4.10", "CA")])), same).stays_open(code::NO_PATH_FOUND, none),
        three("one relative name less", "§7.1", subject(name(&[("2.5.4.3", "CA"), ("2.5.4.3", "CA")])), same)
            .stays_open(code::NO_PATH_FOUND, none),
        three("subject key identifier of another key", "§4.2.1.1", |c| c.with(ski("Other")), same)
            .differs("OpenSSL takes a key identifier that does not fit for another issuer; RFC 5280 §6.1 does not look at it, and the signature holds"),
        three("authority key identifier of another key", "§4.2.1.1", same, |c| c.with(aki("Other")))
            .differs("OpenSSL takes a key identifier that does not fit for another issuer; RFC 5280 §6.1 does not look at it, and the signature holds"),
        three("authority key identifier with a wrong serial number", "§4.2.1.1", same, |c| {
            let fields = [tlv(0xa1, &directory(&cn("Root"))), tlv(0x82, &[0x63])];
            c.with(extension(AKI, false, seq(&fields)))
        })
        .differs("OpenSSL takes a serial number that does not fit for another issuer; RFC 5280 §6.1 does not look at it, and the signature holds"),
        three("no key identifiers at all", "§4.2.1.1", |c| c.without(SKI).without(AKI), |c| c.without(SKI).without(AKI))
            .notes(code::EXTENSION_MISSING),
        three("unique identifiers", "§4.1.2.8", same, |c| c.change(|c| c.key.extend(tlv(0x81, &[0, 1])))),
        three("empty subject with a critical alternative name", "§4.1.2.6", same, |c| {
            c.change(|c| c.subject = seq(&[])).with(alternative(&[dns("a.example")]).critical(true))
        }),
    ]
}
