//! Canonical forms beside those of libxml2 (`xmllint`), byte for byte. Where that program is not installed, the test says so and passes.
#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use formats::xml::{Canonicalization, CanonicalizationKind, Document};

const METHODS: [(CanonicalizationKind, &str); 3] = [
    (CanonicalizationKind::Inclusive10, "--c14n"),
    (CanonicalizationKind::Inclusive11, "--c14n11"),
    (CanonicalizationKind::Exclusive10, "--exc-c14n"),
];

const CASES: &[&str] = &[
    "<a/>",
    "<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- before --><?p  q ?>\r\n<a>\r\n</a>\r\n<?after?><!--\r\nend-->",
    "<a  z='1' a='2' xmlns:z='u:z' xmlns:b='u:a' b:z='3' z:a='4' xml:lang='en' xmlns='u:d'/>",
    "<a xmlns='u:1'><b xmlns=''><c xmlns=''/><d xmlns='u:1'/></b></a>",
    "<a xmlns='u:1' xmlns:p='u:2'><p:b><c xmlns:p='u:3'><p:d xmlns:p='u:3'/></c></p:b></a>",
    "<p:a xmlns:p='u:1' xmlns:q='u:2'><b q:x='1'><q:c/></b><p:d xmlns:q='u:3' q:y=''/></p:a>",
    "<a b='&#13;&#10;&#9; &lt;&amp;&gt;&quot;&apos;\"'/>",
    "<a b=\"x\r\ny\rz\nt\tu  v\"> &#13;\r\n&#xD;\n\r</a>",
    "<a>x<![CDATA[ <b>&amp;</b> ]]>y&#x20AC;&#128512;]]&gt;</a>",
    "<a><!-- c --><b/><!----><?q r s?><?t?></a>",
    "<a b='' c=' '><d></d><e>  </e></a>",
    "<文書 件名='議事録'><署名 日付=\"2026年\"/>本文</文書>",
    "<a xml:base='http://a.example/' xml:id='i' xml:space='preserve'><b xml:lang='ja'/></a>",
    "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='x'/>",
    "<x:a xmlns:x='u:1'><y:a xmlns:y='u:1' x:b='1'/></x:a>",
    "<a aa='1' a-='2' a='3' A='4' _='5' \u{e9}='6'/>",
];

fn xmllint(option: &str, text: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("xmllint")
        .args([option, "--nonet", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text).ok()?;
    let output = child.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
}

fn own(kind: CanonicalizationKind, text: &[u8]) -> Vec<u8> {
    let document = Document::parse(text).unwrap();
    let mut out = Vec::new();
    document
        .canonicalize(&Canonicalization::new(kind, true), &mut |part| {
            out.extend_from_slice(part);
        })
        .unwrap();
    out
}

/// The next of a sequence that is the same in every run.
fn next(state: &mut u64, below: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below
}

/// An element with whatever may stand in one.
fn element(state: &mut u64, depth: usize, out: &mut String) {
    let prefixes = ["", "p:", "q:", "r:"];
    let name = format!("{}e{}", prefixes[next(state, 4)], next(state, 3));
    out.push_str(&format!("<{name}"));
    for (prefix, most) in [("", 4), (":p", 4), (":q", 4), (":r", 4)] {
        if next(state, 4) == 0 {
            let number = next(state, most);
            let value = match (prefix, number) {
                ("", 0) => String::new(),
                _ => format!("urn:{number}"),
            };
            out.push_str(&format!(" xmlns{prefix}=\"{value}\""));
        }
    }
    for attribute in ["a", "q:a", "b", "r:c", "xml:lang"] {
        if next(state, 4) == 0 {
            let values = ["", "x", " \r\n\t", "&#9;&#10;&#13;", "&lt;&quot;>'", "文"];
            out.push_str(&format!(" {attribute}=\"{}\"", values[next(state, 6)]));
        }
    }
    out.push('>');
    for _ in 0..next(state, 5) {
        let texts = [
            "text",
            "\r\n ",
            "&amp;&gt;\"",
            "<![CDATA[<&]]>",
            "<!-- c -->",
            "<?i  data ?>",
            "&#13;",
        ];
        match next(state, 9) {
            7 | 8 if depth > 0 => element(state, depth - 1, out),
            other => out.push_str(texts.get(other).copied().unwrap_or("")),
        }
    }
    out.push_str(&format!("</{name}>"));
}

#[test]
fn canonical_forms_are_those_of_libxml2() {
    if xmllint("--c14n", b"<a/>").is_none() {
        println!("left out: xmllint is not installed");
        return;
    }
    let mut texts: Vec<String> = CASES.iter().map(|text| (*text).to_owned()).collect();
    let mut state = 6283;
    for _ in 0..120 {
        let mut text =
            String::from("<!-- first --><r xmlns:p='urn:0' xmlns:q='urn:1' xmlns:r='urn:2'>");
        element(&mut state, 6, &mut text);
        element(&mut state, 6, &mut text);
        text.push_str("</r>\n<?last?>");
        // Two prefixes for one name can give an attribute twice: then both refuse it.
        if Document::parse(text.as_bytes()).is_ok() {
            texts.push(text);
        }
    }
    assert!(texts.len() > 60, "{}", texts.len());
    for text in &texts {
        for (kind, option) in METHODS {
            let theirs = xmllint(option, text.as_bytes());
            let theirs = theirs.unwrap_or_else(|| panic!("{option} refuses {text:?}"));
            let ours = own(kind, text.as_bytes());
            assert_eq!(
                String::from_utf8(ours).unwrap(),
                String::from_utf8(theirs).unwrap(),
                "{option} of {text:?}"
            );
        }
    }
    println!("{} documents, three forms each", texts.len());
}

#[test]
fn what_libxml2_refuses_is_refused() {
    if xmllint("--noout", b"<a/>").is_none() {
        println!("left out: xmllint is not installed");
        return;
    }
    let broken = [
        "<a><b></a></b>",
        "<a b='1' b='2'/>",
        "<a>&undefined;</a>",
        "<a>]]></a>",
        "<a b='<'/>",
        "<a b=\"1\"c=\"2\"/>",
        "<a>&#0;</a>",
        "<a>&#xFFFF;</a>",
        "<a>\u{b}</a>",
        "<a><!-- -- --></a>",
        "<a/><b/>",
        "<a/>x",
        "<a b/>",
        "<a 1='x'/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
        "<a><?xml?></a>",
        "<a>&amp</a>",
        "<a>&#;</a>",
        "<a>&#xG;</a>",
        "<a b='&'/>",
        "<a / >",
        "< a/>",
    ];
    for text in broken {
        assert!(Document::parse(text.as_bytes()).is_err(), "{text}");
        assert!(xmllint("--noout", text.as_bytes()).is_none(), "{text}");
    }
}
