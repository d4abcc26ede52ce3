use super::*;

#[test]
fn basic_constraints_are_strict() {
    let read = |bytes: &'static [u8]| basic_constraints(bytes).ok();
    assert_eq!(
        read(&[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x03]),
        Some(BasicConstraints {
            ca: true,
            path_length: Some(3)
        })
    );
    assert_eq!(
        read(&[0x30, 0x00]),
        Some(BasicConstraints {
            ca: false,
            path_length: None
        })
    );
    for bad in [
        &[][..],
        &[0x30, 0x03, 0x01, 0x01, 0x01],
        &[0x30, 0x03, 0x02, 0x01, 0xff],
        &[0x30, 0x06, 0x02, 0x01, 0x00, 0x01, 0x01, 0xff],
        &[0x30, 0x00, 0x00],
    ] {
        assert_eq!(read(bad), None, "{bad:x?}");
    }
}

#[test]
fn empty_lists_are_refused() {
    let empty: &[u8] = &[0x30, 0x00];
    assert!(policies(empty).is_err());
    assert!(policy_mappings(empty).is_err());
    assert!(policy_constraints(empty).is_err());
    assert!(name_constraints(empty).is_err());
    assert!(distribution_points(empty).is_err());
    assert!(oids(empty, "x").is_err());
    assert!(GeneralName::list_from_der(empty).is_err());
}

#[test]
fn distances_in_name_constraints_are_refused() {
    let subtree = |extra: &[u8]| {
        let mut fields = b"\x82\x01a".to_vec();
        fields.extend_from_slice(extra);
        let mut out = vec![
            0x30,
            (fields.len() + 4) as u8,
            0xa0,
            (fields.len() + 2) as u8,
            0x30,
            fields.len() as u8,
        ];
        out.extend(fields);
        out
    };
    assert!(name_constraints(&subtree(&[])).is_ok());
    assert!(name_constraints(&subtree(&[0x80, 0x01, 0x00])).is_ok());
    assert!(name_constraints(&subtree(&[0x80, 0x01, 0x01])).is_err());
    assert!(name_constraints(&subtree(&[0x81, 0x01, 0x05])).is_err());
}

#[test]
fn a_policy_may_not_stand_twice() {
    let policy: &[u8] = &[0x30, 0x03, 0x06, 0x01, 0x2a];
    let once = [&[0x30, 0x05][..], policy].concat();
    let twice = [&[0x30, 0x0a][..], policy, policy].concat();
    assert!(policies(&once).is_ok());
    assert!(policies(&twice).is_err());
}
