use super::*;
use formats::oid::{
    ANY_POLICY, CE_AUTHORITY_INFO_ACCESS, CE_AUTHORITY_KEY_IDENTIFIER, CE_BASIC_CONSTRAINTS,
    CE_CERTIFICATE_POLICIES, CE_CRL_DISTRIBUTION_POINTS, CE_EXTENDED_KEY_USAGE,
    CE_INHIBIT_ANY_POLICY, CE_KEY_USAGE, CE_NAME_CONSTRAINTS, CE_POLICY_CONSTRAINTS,
    CE_POLICY_MAPPINGS, CE_SUBJECT_ALT_NAME, CE_SUBJECT_KEY_IDENTIFIER,
};

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80);
    [&[tag, length][..], content].concat()
}

fn extension(oid: &Oid, flag: &[u8], value: &[u8]) -> Vec<u8> {
    let content = [&tlv(0x06, oid.as_bytes())[..], flag, &tlv(0x04, value)];
    tlv(0x30, &content.concat())
}

/// The DER of Extensions with one member.
fn one(oid: &Oid, value: &[u8]) -> Vec<u8> {
    tlv(0x30, &extension(oid, &[], value))
}

fn read(der: &[u8]) -> Extensions<'_> {
    Extensions::interpret(&Extension::list(der).unwrap())
}

fn is_refused(oid: &Oid, value: &[u8]) -> bool {
    read(&one(oid, value)).malformed.as_ref() == Some(oid)
}

#[test]
fn basic_constraints_are_strict() {
    let constraints = |bytes: &[u8]| read(&one(&CE_BASIC_CONSTRAINTS, bytes)).basic_constraints;
    for (bytes, ca, path_length) in [
        (
            &[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x03][..],
            true,
            Some(3),
        ),
        (&[0x30, 0x03, 0x01, 0x01, 0x00], false, None),
        (&[0x30, 0x03, 0x02, 0x01, 0x7f], false, Some(127)),
        (&[0x30, 0x00], false, None),
    ] {
        let expected = BasicConstraints { ca, path_length };
        assert_eq!(constraints(bytes), Some(expected));
    }
    for bad in [
        &[][..],
        &[0x30, 0x03, 0x01, 0x01, 0x01],
        &[0x30, 0x03, 0x02, 0x01, 0xff],
        &[0x30, 0x04, 0x02, 0x02, 0x00, 0x01],
        &[0x30, 0x06, 0x02, 0x01, 0x00, 0x01, 0x01, 0xff],
        &[0x30, 0x08, 0x01, 0x01, 0xff, 0x02, 0x01, 0x03, 0x05, 0x00],
        &[0x30, 0x80, 0x01, 0x01, 0xff, 0x00, 0x00],
        &[0x30, 0x00, 0x00],
        &[0x31, 0x00],
    ] {
        assert!(is_refused(&CE_BASIC_CONSTRAINTS, bad), "{bad:x?}");
    }
}

#[test]
fn empty_and_garbled_contents_are_refused() {
    for oid in [
        CE_EXTENDED_KEY_USAGE,
        CE_NAME_CONSTRAINTS,
        CE_SUBJECT_ALT_NAME,
        CE_AUTHORITY_INFO_ACCESS,
        CE_CERTIFICATE_POLICIES,
        CE_POLICY_MAPPINGS,
        CE_POLICY_CONSTRAINTS,
        CE_CRL_DISTRIBUTION_POINTS,
        CE_KEY_USAGE,
        CE_INHIBIT_ANY_POLICY,
        CE_SUBJECT_KEY_IDENTIFIER,
    ] {
        for bad in [&[0x30, 0x00][..], &[], &[0x05, 0x00], &[0x30, 0x02, 0x05]] {
            assert!(is_refused(&oid, bad), "{oid} {bad:x?}");
        }
    }
    assert!(is_refused(&CE_AUTHORITY_KEY_IDENTIFIER, &[0x05, 0x00]));
    let unknown_tag = tlv(0x30, &[0x84, 0x01, 0x00]);
    assert!(is_refused(&CE_AUTHORITY_KEY_IDENTIFIER, &unknown_tag));
}

#[test]
fn purposes_keep_their_order_and_number() {
    let (stamping, other) = (
        tlv(0x06, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08]),
        tlv(0x06, &[0x2a]),
    );
    let der = tlv(0x30, &[&other[..], &stamping, &stamping].concat());
    let der = one(&CE_EXTENDED_KEY_USAGE, &der);
    let purposes = read(&der).extended_key_usage.unwrap().purposes;
    let texts: Vec<_> = purposes.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["1.2", "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.8"]);
    let padded = tlv(0x30, &tlv(0x06, &[0x80, 0x2a]));
    assert!(is_refused(&CE_EXTENDED_KEY_USAGE, &padded));
}

#[test]
fn distances_in_name_constraints_are_refused() {
    let subtree = |tag: u8, extra: &[u8]| {
        let fields = [b"\x82\x01a", extra].concat();
        tlv(0x30, &tlv(tag, &tlv(0x30, &fields)))
    };
    let der = one(&CE_NAME_CONSTRAINTS, &subtree(0xa0, &[]));
    let constraints = read(&der).name_constraints.unwrap();
    assert_eq!(constraints.permitted, [GeneralName::Dns("a")]);
    assert!(constraints.excluded.is_empty());
    let der = one(&CE_NAME_CONSTRAINTS, &subtree(0xa1, &[0x80, 0x01, 0x00]));
    let constraints = read(&der).name_constraints.unwrap();
    assert_eq!(constraints.excluded, [GeneralName::Dns("a")]);
    for bad in [
        subtree(0xa0, &[0x80, 0x01, 0x01]),
        subtree(0xa0, &[0x81, 0x01, 0x05]),
        subtree(0xa0, &[0x05, 0x00]),
        subtree(0xa2, &[]),
        subtree(0x80, &[]),
        tlv(0x30, &tlv(0xa0, &[])),
    ] {
        assert!(is_refused(&CE_NAME_CONSTRAINTS, &bad), "{bad:x?}");
    }
}

#[test]
fn a_constraint_that_cannot_be_counted_is_not_absent() {
    let huge = tlv(0x30, &tlv(0x80, &[0x01, 0, 0, 0, 0]));
    assert!(is_refused(&CE_POLICY_CONSTRAINTS, &huge));
    let negative = tlv(0x30, &tlv(0x81, &[0xff]));
    assert!(is_refused(&CE_POLICY_CONSTRAINTS, &negative));
    let both = tlv(0x30, &[0x80, 1, 0, 0x81, 1, 7]);
    let der = one(&CE_POLICY_CONSTRAINTS, &both);
    let expected = PolicyConstraints {
        require_explicit_policy: Some(0),
        inhibit_policy_mapping: Some(7),
    };
    assert_eq!(read(&der).policy_constraints, Some(expected));
    let swapped = tlv(0x30, &[0x81, 1, 0, 0x80, 1, 7]);
    assert!(is_refused(&CE_POLICY_CONSTRAINTS, &swapped));
}

#[test]
fn a_policy_may_not_stand_twice() {
    let policy = tlv(0x30, &tlv(0x06, &[0x2a]));
    let once = one(&CE_CERTIFICATE_POLICIES, &tlv(0x30, &policy));
    assert_eq!(read(&once).policies.unwrap().len(), 1);
    let twice = tlv(0x30, &[&policy[..], &policy].concat());
    assert!(is_refused(&CE_CERTIFICATE_POLICIES, &twice));
}

#[test]
fn relative_names_of_distribution_points_are_read() {
    let attribute = tlv(0x30, &[6, 3, 0x55, 4, 3, 0x13, 1, b'x']);
    let point = |tag: u8, content: &[u8]| tlv(0x30, &tlv(0x30, &tlv(0xa0, &tlv(tag, content))));
    let relative = one(&CE_CRL_DISTRIBUTION_POINTS, &point(0xa1, &attribute));
    let points = read(&relative).crl_distribution_points;
    assert!(matches!(
        &points[..],
        [DistributionPoint { name: Some(DistributionPointName::Relative(name)), .. }] if name.to_string() == "CN=x"
    ));
    for bad in [
        point(0xa1, &tlv(0x31, &attribute)),
        point(0xa1, &[]),
        point(0xa2, &attribute),
        tlv(0x30, &tlv(0x30, &tlv(0x81, &[0x06, 0x40]))),
    ] {
        assert!(is_refused(&CE_CRL_DISTRIBUTION_POINTS, &bad), "{bad:x?}");
    }
}

#[test]
fn lists_of_extensions_are_strict() {
    let good = extension(&CE_KEY_USAGE, &[], &[3, 2, 1, 6]);
    let other = extension(&ANY_POLICY, &[1, 1, 0xff], &[]);
    let list = |members: &[&[u8]]| tlv(0x30, &members.concat());
    let der = list(&[&good, &other]);
    let extensions = read(&der);
    assert_eq!(extensions.key_usage, Some(0x60));
    assert_eq!(extensions.unknown_critical, Some(ANY_POLICY));
    let longer = tlv(0x30, &[&good[2..], &[5, 0]].concat());
    for bad in [
        list(&[&good, &good]),
        list(&[&longer]),
        list(&[&extension(&ANY_POLICY, &[1, 1, 1], &[])]),
        list(&[&good, &[5, 0]]),
        list(&[&good[..good.len() - 1]]),
        [&list(&[&good])[..], &[0]].concat(),
    ] {
        assert!(Extension::list(&bad).is_err(), "{bad:x?}");
    }
    let many: Vec<_> = (0..=64_u8)
        .map(|arc| {
            let oid = tlv(0x06, &[0x2a, arc]);
            tlv(0x30, &[&oid[..], &[4, 0]].concat())
        })
        .collect();
    let content = many.concat();
    let header = [0x30, 0x82, (content.len() >> 8) as u8, content.len() as u8];
    assert!(Extension::list(&[&header[..], &content].concat()).is_err());
}
