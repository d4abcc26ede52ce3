use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use time::Duration;
use time::macros::date;

use super::*;

fn any_line() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,20}"
}

fn any_name() -> impl Strategy<Value = ObjectName> {
    vec(vec(any::<u8>(), 1..8), 1..4).prop_filter_map("not a name", |parts| {
        ObjectName::from_bytes(&parts.join(&b'/')).ok()
    })
}

fn any_objects() -> impl Strategy<Value = Vec<ContentObject>> {
    vec(
        (
            any_name(),
            any::<bool>(),
            0..=CONTENT_BYTES_MAX,
            any::<[u8; 4]>(),
        ),
        1..4,
    )
    .prop_map(|parts| {
        let mut objects: Vec<_> = parts
            .into_iter()
            .map(|(name, original, size, content)| ContentObject {
                size,
                ..object(
                    name,
                    if original {
                        Role::Original
                    } else {
                        Role::Rendition
                    },
                    &content,
                )
            })
            .collect();
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        objects.dedup_by(|a, b| a.name == b.name);
        objects
    })
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    (
        proptest::option::of(0..3_652_059_i32),
        proptest::option::of("-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?"),
        proptest::option::of("[A-Z]{3}"),
        proptest::option::of(any_line()),
        proptest::option::of("T[0-9]{13}"),
        btree_map("[a-z][a-z0-9-]{0,8}", any_line(), 0..4),
    )
        .prop_map(
            |(day, amount, currency, text, number, additional)| Metadata {
                date: day.map(|day| date!(0000 - 01 - 01) + Duration::days(day.into())),
                amount: amount.map(|text| text.parse().unwrap()),
                currency: currency.map(|text| text.parse().unwrap()),
                counterparty: text.clone(),
                customer: text,
                registration_number: number.map(|text| text.parse().unwrap()),
                additional,
                ..Metadata::default()
            },
        )
}

/// What a canonicalizer makes of it.
fn canonicalized(bytes: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    serde_json_canonicalizer::to_vec(&value).unwrap()
}

#[test]
fn odd_values_and_the_largest_numbers_are_canonical() {
    let mut manifest = sample();
    let value = "\u{e9} \" \\ / \u{1f600} \u{ff21}";
    manifest.metadata.title = Some(value.to_owned());
    let fact = "\u{0} \u{8} \u{c} \n \r \t \u{1f} \u{7f} \u{2028}";
    manifest.facts.insert("odd".to_owned(), fact.to_owned());
    manifest.objects[0].size = CONTENT_BYTES_MAX;
    let bytes = manifest.encode().unwrap();
    assert_eq!(canonicalized(&bytes), bytes);
    assert_eq!(*Manifest::parse(&bytes).unwrap(), manifest);
}

proptest! {
    #[test]
    fn round_trip(
        metadata in any_metadata(),
        objects in any_objects(),
        facts in btree_map("[a-z][a-z0-9-]{0,8}", ".{0,20}", 0..4),
        depositor in any_line(),
        salt in any::<[u8; 16]>(),
        microseconds in 0..253_402_300_799_999_999_i64,
        version in 1_u32..,
    ) {
        let manifest = Manifest {
            version,
            supersedes: (version > 1).then(|| Superseded { version: version - 1, digests: Digests::of(&salt) }),
            metadata,
            objects,
            facts,
            depositor,
            salt,
            received_at: OffsetDateTime::UNIX_EPOCH + Duration::microseconds(microseconds),
            ..sample()
        };
        let bytes = manifest.encode().unwrap();
        let parsed = Manifest::parse(&bytes).unwrap();
        prop_assert_eq!(&*parsed, &manifest);
        prop_assert_eq!(parsed.raw(), &bytes);
        prop_assert_eq!(canonicalized(&bytes), bytes);
    }

    /// No accepted bytes differ from the canonical form: a flipped bit is refused, or makes another valid manifest with its own bytes.
    #[test]
    fn a_flipped_bit_is_refused_or_another_manifest(position in any::<proptest::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = sample().encode().unwrap();
        let at = position.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        if let Ok(parsed) = Manifest::parse(&bytes) {
            prop_assert_ne!(&*parsed, &sample());
            prop_assert_eq!(parsed.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Manifest::parse(&bytes).is_err());
    }
}
