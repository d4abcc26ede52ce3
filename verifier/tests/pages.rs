//! The forms for people: what hostile names cannot do in them, that the same report gives the same bytes, and that each depth holds the one before.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use support::authority::{Authority, Profile};
use support::record::{ALGORITHM, RECEIVED, Record, batch, package};
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::Language;
use verifier::judge::verify;
use verifier::judgement::Judgement;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::document::{Block, Depth, Document};
use verifier::report::{Report, html, pdf, text};
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{SubIndication, Verdict};

const LANGUAGES: [Language; 2] = [Language::Japanese, Language::English];

/// A name that tries to leave an element, an attribute, a quotation and a line, and that no font shows whole.
const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>」は証明されています。「\u{202e}𠮷😀\u{e000}\n.pdf";

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn judge(
    name: &str,
    bytes: Vec<u8>,
    data: &[&dyn DigestSource],
    anchors: &[TrustAnchor],
) -> Report {
    let policy = Policy::default();
    let context = Context {
        anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: datetime!(2027-06-01 00:00 UTC),
        registry: None,
        cache: None,
    };
    verify(&[InputFile::new(name, bytes)], data, &context)
}

fn good(documents: &[(&str, &[u8])]) -> Report {
    let record = Record::new(1, documents);
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED).remove(0);
    let bytes = package(&record, &evidence.encode().unwrap());
    judge("RECORD.asice", bytes, &[], &[authority().anchor()])
}

/// Nothing but the elements that the page is made of, whatever the names say.
fn assert_harmless(page: &str) {
    let body = page.split_once("</style>").unwrap().1;
    for part in body.split('<').skip(1) {
        let name: String = part
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let known = [
            "head", "body", "html", "header", "main", "footer", "section", "h1", "h2", "h3", "p",
            "div", "span", "dl", "dt", "dd", "ul", "li", "table", "caption", "thead", "tbody",
            "tr", "th", "td", "figure", "svg", "path", "rect", "text",
        ];
        assert!(known.contains(&name.as_str()), "<{part}");
        let tag = part.split('>').next().unwrap();
        // What stands in quotation marks is escaped; outside of them no attribute is ours to add.
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(
            !outside.contains(" on") && !outside.contains("src"),
            "{tag}"
        );
    }
    assert!(!page.contains("<script") && !page.contains("javascript:"));
    assert!(page.contains("default-src 'none'"));
    for elsewhere in ["<link", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn hostile_names_are_text_in_every_form() {
    let data = DataBytes::new(HOSTILE.to_owned(), b"data".as_slice());
    let token = authority().token(&ALGORITHM.digest(b"data"), RECEIVED);
    let other = DataBytes::new(HOSTILE.to_owned(), b"other".as_slice());
    let anchors = [authority().anchor()];
    let reports = [
        judge(HOSTILE, token.clone(), &[&data], &anchors),
        judge(HOSTILE, token.clone(), &[&other], &anchors),
        judge(HOSTILE, token, &[], &[]),
        judge(HOSTILE, HOSTILE.as_bytes().to_vec(), &[&data], &[]),
    ];
    for report in reports {
        for language in LANGUAGES {
            let document = Document::of(&report, None, language);
            assert_harmless(&html::write(&document, Depth::Full));
            let text = text::write(&document, Depth::Full);
            assert!(!text.contains('\u{202e}'));
            let file = pdf::write(&document, Depth::Full).unwrap();
            assert!(file.starts_with(b"%PDF-1.7"));
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = good(&[("請求書.xml", b"<Invoice/>"), ("b.txt", b"b")]);
    let of = || Document::of(&report, None, Language::Japanese);
    let files = [(); 2].map(|()| pdf::write(&of(), Depth::Full).unwrap());
    assert!(files[0] == files[1]);
    assert_eq!(
        html::write(&of(), Depth::Full),
        html::write(&of(), Depth::Full)
    );
}

#[test]
fn each_depth_begins_with_the_one_before() {
    let report = good(&[("a.txt", b"a")]);
    for language in LANGUAGES {
        let document = Document::of(&report, None, language);
        let depths = [Depth::Brief, Depth::Timeline, Depth::Full];
        assert_eq!(
            document
                .parts
                .iter()
                .map(|part| part.depth)
                .collect::<Vec<_>>(),
            depths
        );
        let pages = depths.map(|depth| html::write(&document, depth));
        for (depth, page) in pages.iter().enumerate() {
            assert_eq!(page.matches("<section ").count(), depth + 1);
        }
        let first = text::write(&document, Depth::Brief);
        assert!(text::write(&document, Depth::Timeline).starts_with(&first));
    }
}

#[test]
fn many_documents_are_all_in_the_full_part_and_some_on_the_first_page() {
    let names: Vec<String> = (0..300)
        .map(|number| format!("文書{number:03}.pdf"))
        .collect();
    let documents: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), name.as_bytes()))
        .collect();
    let report = good(&documents);
    let document = Document::of(&report, None, Language::Japanese);
    let brief = text::write(&document, Depth::Brief);
    assert!(
        brief.contains("下記の文書 300 件は") && brief.contains("ほか 292 件"),
        "{brief}"
    );
    let full = html::write(&document, Depth::Full);
    assert!(names.iter().all(|name| full.contains(name.as_str())));
    assert!(pdf::write(&document, Depth::Full).unwrap().len() > 10_000);
}

/// Every verdict that can be, as the verdict of a whole report: an answer, a cause, a next step, and no claim.
#[test]
fn no_verdict_but_passed_claims_anything() {
    let mut report = good(&[("a.txt", b"a")]);
    report.findings.clear();
    report.best_signature_time = None;
    for sub in SubIndication::ALL {
        for judgement in [
            Judgement::broken(*sub),
            Judgement::unknown(*sub),
            Judgement::because(*sub),
            Judgement::of(Verdict::failed(*sub)),
            Judgement::of(Verdict::indeterminate(*sub)),
        ] {
            report.judgement = judgement;
            for object in &mut report.objects {
                object.judgement = judgement;
            }
            for (language, claims, labels) in [
                (
                    Language::Japanese,
                    ["変更されていないことが証明されています", "存在していました"],
                    ["理由", "次にすること"],
                ),
                (
                    Language::English,
                    ["This is proven", "existed at the latest"],
                    ["Why", "What to do next"],
                ),
            ] {
                let document = Document::of(&report, None, language);
                let Block::Facts(facts) = &document.parts[0].blocks[1] else {
                    panic!("facts");
                };
                let brief = text::write(&document, Depth::Brief);
                for label in labels {
                    let fact = facts.iter().find(|fact| fact.label == label).unwrap();
                    assert!(
                        fact.lines.iter().all(|line| line.chars().count() > 9),
                        "{fact:?}"
                    );
                }
                assert!(claims.iter().all(|claim| !brief.contains(claim)), "{brief}");
                assert!(brief.contains(sub.name()), "{brief}");
            }
        }
    }
}
