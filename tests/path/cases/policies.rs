//! Certificate policies (§4.2.1.4, §4.2.1.5, §4.2.1.11, §4.2.1.14, §6.1.2 to §6.1.5).

use verifier::finding::path as code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;

const A: &str = "1.3.6.1.4.1.32473.1.1";
const B: &str = "1.3.6.1.4.1.32473.1.2";
const C: &str = "1.3.6.1.4.1.32473.1.3";

/// A chain whose authority and leaf have these policies.
fn both(name: &'static str, clause: &'static str, authority: &[&str], target: &[&str]) -> Case {
    three(
        name,
        clause,
        |c| c.with(policies(authority)),
        |c| c.with(policies(target)),
    )
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        both("one policy throughout", "§6.1.5 (g)", &[A], &[A]).explicit(),
        both("an acceptable policy throughout", "§6.1.5 (g)", &[A], &[A])
            .policies(&[A])
            .explicit(),
        both("another policy is acceptable", "§6.1.5 (g)", &[A], &[A])
            .policies(&[B])
            .explicit()
            .fails(code::POLICY_REQUIRED),
        both(
            "another policy is acceptable, none demanded",
            "§6.1.5 (g)",
            &[A],
            &[A],
        )
        .policies(&[B]),
        both("policies differ", "§6.1.3 (f)", &[A], &[B])
            .explicit()
            .fails(code::POLICY_REQUIRED),
        both("policies differ, none demanded", "§6.1.3 (f)", &[A], &[B]).policies(&[]),
        both("one of two throughout", "§6.1.5 (g)", &[A, B], &[B, C])
            .policies(&[B])
            .explicit(),
        three(
            "leaf without policies",
            "§6.1.3 (e)",
            |c| c.with(policies(&[A])),
            same,
        )
        .explicit()
        .fails(code::POLICY_REQUIRED),
        three("authority without policies", "§6.1.3 (e)", same, |c| {
            c.with(policies(&[A]))
        })
        .explicit()
        .fails(code::POLICY_REQUIRED),
        three(
            "no policies at all, none demanded",
            "§6.1.3 (e)",
            same,
            same,
        )
        .policies(&[A]),
        both("any policy above", "§6.1.3 (d)(1)(ii)", &[ANY_POLICY], &[A])
            .policies(&[A])
            .explicit(),
        both("any policy below", "§6.1.3 (d)(2)", &[A], &[ANY_POLICY])
            .policies(&[A])
            .explicit(),
        both(
            "any policy throughout",
            "§6.1.5 (g)",
            &[ANY_POLICY],
            &[ANY_POLICY],
        )
        .policies(&[A])
        .explicit(),
        both(
            "any policy, initially inhibited",
            "§6.1.2 (e)",
            &[ANY_POLICY],
            &[A],
        )
        .explicit()
        .change(|case| case.inhibit_any = true)
        .fails(code::POLICY_REQUIRED),
        both("a policy twice", "§4.2.1.4", &[A], &[A, A])
            .explicit()
            .fails_as(
                code::EXTENSION_MALFORMED,
                Sub::CertificateChainGeneralFailure,
            ),
        three(
            "policy with qualifiers",
            "§4.2.1.4",
            |c| c.with(policies(&[A])),
            |c| {
                let notice = seq(&[oid("1.3.6.1.5.5.7.2.1"), tlv(0x16, b"http://cps.example/")]);
                c.with(extension(
                    "2.5.29.32",
                    false,
                    seq(&[seq(&[oid(A), seq(&[notice])])]),
                ))
            },
        )
        .explicit(),
        three(
            "critical policies",
            "§4.2.1.4",
            |c| c.with(policies(&[A]).critical(true)),
            |c| c.with(policies(&[A]).critical(true)),
        )
        .explicit(),
    ];
    cases.extend(mapped());
    cases.extend(demanded());
    cases
}

fn mapped() -> Vec<Case> {
    let map = |from: &'static [&'static str], pairs: &'static [(&'static str, &'static str)]| {
        move |c: Cert| c.with(policies(from)).with(mappings(pairs))
    };
    let has = |policy: &'static str| move |c: Cert| c.with(policies(&[policy]));
    let inhibits = ca()
        .with(policies(&[A]))
        .with(policy_constraints(None, Some(0)));
    let second = Cert::ca("Two", "CA")
        .with(policies(&[A]))
        .with(mappings(&[(A, B)]));
    let below = |policy: &'static str| Cert::leaf("Leaf", "Two").with(policies(&[policy]));
    vec![
        three(
            "policy mapped",
            "§6.1.4 (b)(1)",
            map(&[A], &[(A, B)]),
            has(B),
        )
        .policies(&[A])
        .explicit(),
        three(
            "policy mapped, the old one below",
            "§6.1.4 (b)(1)",
            map(&[A], &[(A, B)]),
            has(A),
        )
        .explicit()
        .fails(code::POLICY_REQUIRED),
        three(
            "acceptable only by its new name",
            "§6.1.5 (g)",
            map(&[A], &[(A, B)]),
            has(B),
        )
        .policies(&[B])
        .explicit()
        .fails(code::POLICY_REQUIRED),
        three(
            "policy mapped to two",
            "§6.1.4 (b)(1)",
            map(&[A], &[(A, B), (A, C)]),
            has(C),
        )
        .policies(&[A])
        .explicit(),
        three(
            "two policies mapped to one",
            "§6.1.4 (b)(1)",
            map(&[A, B], &[(A, C), (B, C)]),
            has(C),
        )
        .policies(&[B])
        .explicit(),
        three(
            "mapped from under any policy",
            "§6.1.4 (b)(1)",
            map(&[ANY_POLICY], &[(A, B)]),
            has(B),
        )
        .policies(&[A])
        .explicit(),
        three(
            "mapped to any policy",
            "§6.1.4 (a)",
            map(&[A], &[(A, ANY_POLICY)]),
            has(A),
        )
        .explicit()
        .fails(code::POLICY_MAPPING_ANY),
        three(
            "mapped from any policy",
            "§6.1.4 (a)",
            map(&[ANY_POLICY], &[(ANY_POLICY, A)]),
            has(A),
        )
        .explicit()
        .fails(code::POLICY_MAPPING_ANY),
        three(
            "mapping, initially inhibited",
            "§6.1.2 (f)",
            map(&[A], &[(A, B)]),
            has(B),
        )
        .explicit()
        .change(|case| case.inhibit_mapping = true)
        .fails(code::POLICY_REQUIRED),
        three(
            "mapping without the policy",
            "§6.1.4 (b)(1)",
            map(&[C], &[(A, B)]),
            has(B),
        )
        .explicit()
        .fails(code::POLICY_REQUIRED),
        Case::new(
            "mapping inhibited above",
            "§6.1.4 (i)(2)",
            &below(B),
            &[&second, &inhibits],
        )
        .explicit()
        .fails(code::POLICY_REQUIRED),
        Case::new(
            "mapping inhibited above, not needed",
            "§6.1.4 (i)(2)",
            &below(A),
            &[&Cert::ca("Two", "CA").with(policies(&[A])), &inhibits],
        )
        .explicit(),
        three(
            "empty list of mappings",
            "§4.2.1.5",
            |c| c.with(policies(&[A])).with(mappings(&[])),
            has(A),
        )
        .policies(&[])
        .fails_as(
            code::EXTENSION_MALFORMED,
            Sub::CertificateChainGeneralFailure,
        ),
    ]
}

fn demanded() -> Vec<Case> {
    let demand = |skip: u64| {
        move |c: Cert| {
            c.with(policies(&[A]))
                .with(policy_constraints(Some(skip), None))
        }
    };
    let general = Sub::CertificateChainGeneralFailure;
    let stop = |skip: u64| move |c: Cert| c.with(policies(&[ANY_POLICY])).with(inhibit_any(skip));
    let any = |c: Cert| c.with(policies(&[ANY_POLICY]));
    let two = Cert::ca("Two", "CA").with(policies(&[ANY_POLICY]));
    let low = Cert::leaf("Leaf", "Two").with(policies(&[A]));
    let again = Cert::ca("CA", "CA")
        .keyed("CA new")
        .with(policies(&[ANY_POLICY]));
    let of_new = leaf()
        .signed_by("CA new")
        .with(aki("CA new"))
        .with(policies(&[A]));
    vec![
        three(
            "policy demanded at once, there",
            "§6.1.4 (i)(1)",
            demand(0),
            |c| c.with(policies(&[A])),
        )
        .policies(&[]),
        three(
            "policy demanded at once, missing",
            "§6.1.4 (i)(1)",
            demand(0),
            same,
        )
        .policies(&[])
        .fails(code::POLICY_REQUIRED),
        three(
            "policy demanded one below, missing",
            "§6.1.5 (a)",
            demand(1),
            same,
        )
        .policies(&[])
        .fails(code::POLICY_REQUIRED),
        three(
            "policy demanded far below, missing",
            "§6.1.4 (i)(1)",
            demand(5),
            same,
        )
        .policies(&[]),
        three(
            "policy demanded by the leaf itself, missing",
            "§6.1.5 (b)",
            same,
            |c| c.with(policy_constraints(Some(0), None)),
        )
        .policies(&[])
        .fails(code::POLICY_REQUIRED),
        three(
            "empty policy constraints",
            "§4.2.1.11",
            |c| c.with(policy_constraints(None, None)),
            same,
        )
        .policies(&[])
        .fails_as(code::EXTENSION_MALFORMED, general),
        three("any policy inhibited below", "§6.1.4 (j)", stop(0), any)
            .explicit()
            .fails(code::POLICY_REQUIRED),
        three(
            "any policy inhibited, a named one below",
            "§6.1.4 (j)",
            stop(0),
            |c| c.with(policies(&[A])),
        )
        .explicit(),
        three("any policy inhibited later", "§6.1.4 (j)", stop(1), any).explicit(),
        Case::new(
            "any policy inhibited for the next authority",
            "§6.1.4 (j)",
            &low,
            &[&two, &stop(0)(ca())],
        )
        .explicit()
        .fails(code::POLICY_REQUIRED),
        Case::new(
            "any policy inhibited, but self-issued",
            "§6.1.3 (d)(2)",
            &of_new,
            &[&again, &stop(0)(ca())],
        )
        .explicit(),
    ]
}
