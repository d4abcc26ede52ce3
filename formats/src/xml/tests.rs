use proptest::prelude::*;

use super::*;
use crate::error::{ErrorKind, FormatError};
use crate::limits::{
    XML_CANONICAL_BYTES_MAX, XML_DOCUMENT_ATTRIBUTES_MAX, XML_DOCUMENT_BYTES_MAX,
    XML_DOCUMENT_DEPTH_MAX, XML_NAMESPACES_MAX,
};

use CanonicalizationKind::{Exclusive10, Inclusive10, Inclusive11};

fn parse(text: &str) -> Result<Document, FormatError> {
    Document::parse(text.as_bytes())
}

fn kind_of(text: &str) -> Option<ErrorKind> {
    parse(text).err().map(|error| error.kind())
}

fn canonical(text: &str, kind: CanonicalizationKind) -> String {
    let method = Canonicalization::new(kind, true);
    let mut out = Vec::new();
    let document = parse(text).unwrap();
    document
        .canonicalize(&method, &mut |part| out.extend_from_slice(part))
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// The canonical form of the first element with this name, without those of another one.
fn part(text: &str, name: &str, without: &str, method: &Canonicalization) -> String {
    let document = parse(text).unwrap();
    let all: Vec<Element<'_>> = (0..document.nodes.len())
        .filter_map(|id| document.element(NodeId(id)))
        .collect();
    let named = |name: &str| -> Vec<NodeId> {
        let found = all.iter().filter(|element| element.name() == name);
        found.map(Element::id).collect()
    };
    let mut out = Vec::new();
    document
        .canonicalize_element(named(name)[0], &named(without), method, &mut |part| {
            out.extend_from_slice(part);
        })
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "<a xmlns:='x:y'/>",
        "",
        "text",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "text<a/>",
        "<a/><![CDATA[x]]>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#x1;</a>",
        "<a>& b</a>",
        "<a b='&x;'/>",
        "<a b='<'/>",
        "<a b=c/>",
        "<a b/>",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a>]]></a>",
        "<a><!-- -- --></a>",
        "<a><!-- ---></a>",
        "<a><?xml x?></a>",
        "<a><?XmL x?></a>",
        " <?xml version='1.0'?><a/>",
        "<1/>",
        "<a:b/>",
        "<a:b:c xmlns:a='x:y'/>",
        "<a b:c='1'/>",
        "<a xmlns:b=''/>",
        "<a xmlns:xmlns='x:y'/>",
        "<a xmlns:xml='x:y'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='x:y' xmlns:q='x:y' p:b='1' q:b='2'/>",
        "<a xmlns:p='x:y' xmlns:p='x:z'/>",
        "<a>\u{1}</a>",
        "<a>\u{fffe}</a>",
        "<a",
        "<!-- ",
        "<a><![CDATA[</a>",
        "<??><a/>",
    ] {
        assert_eq!(kind_of(text), Some(ErrorKind::InvalidXml), "{text:?}");
    }
}

#[test]
fn what_may_be_well_formed_but_is_not_read_is_told_apart() {
    for text in [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
    ] {
        assert_eq!(kind_of(text), Some(ErrorKind::UnsupportedXml), "{text:?}");
    }
    let latin = Document::parse(b"<a>\xe9</a>").unwrap_err();
    assert_eq!(latin.kind(), ErrorKind::UnsupportedXml);
    for good in [
        "\u{feff}<a/>",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<a/>\n",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='ja'/>",
        "<証拠 記録='x'/>",
        "<a b = '1' />",
        "<a></a >",
    ] {
        assert_eq!(kind_of(good), None, "{good:?}");
    }
}

#[test]
fn entities_do_not_expand() {
    let bomb = "<!DOCTYPE a [<!ENTITY b '0123456789'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
    assert_eq!(kind_of(bomb), Some(ErrorKind::UnsupportedXml));
}

#[test]
fn every_size_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(kind_of(&nested(XML_DOCUMENT_DEPTH_MAX)), None);
    let too_deep = nested(XML_DOCUMENT_DEPTH_MAX + 1);
    assert_eq!(kind_of(&too_deep), Some(ErrorKind::LimitExceeded));
    let attributes = |count: usize| -> String {
        let list: String = (0..count).map(|n| format!(" a{n}=''")).collect();
        format!("<a{list}/>")
    };
    assert_eq!(kind_of(&attributes(XML_DOCUMENT_ATTRIBUTES_MAX)), None);
    let too_many = attributes(XML_DOCUMENT_ATTRIBUTES_MAX + 1);
    assert_eq!(kind_of(&too_many), Some(ErrorKind::LimitExceeded));
    let namespaces = |count: usize| -> String {
        let list: String = (0..count).map(|n| format!(" xmlns:n{n}='x:{n}'")).collect();
        format!("<a{list}/>")
    };
    assert_eq!(kind_of(&namespaces(XML_NAMESPACES_MAX)), None);
    let too_many = namespaces(XML_NAMESPACES_MAX + 1);
    assert_eq!(kind_of(&too_many), Some(ErrorKind::LimitExceeded));
    let long = vec![b' '; XML_DOCUMENT_BYTES_MAX + 1];
    let error = Document::parse(&long).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

/// The examples of Canonical XML 1.0 §3.1 to §3.4 and §3.6, without the parts that need a document type.
#[test]
fn the_examples_of_the_standard_hold() {
    let outside = "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n\
        <doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n";
    assert_eq!(
        canonical(outside, Inclusive10),
        "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!<!-- Comment 1 --></doc>\n\
         <?pi-without-data?>\n<!-- Comment 2 -->"
    );
    let tags = "<doc><e1   /><e3   name = \"elem3\"   id=\"elem3\"   />\
        <e5 a:attr=\"out\" b:attr=\"sorted\" attr2=\"all\" attr=\"I'm\" xmlns:b=\"http://www.ietf.org\" \
        xmlns:a=\"http://www.w3.org\" xmlns=\"http://example.org\"/>\
        <e6 xmlns=\"\" xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\" xmlns:a=\"http://www.w3.org\">\
        <e9 xmlns=\"\" xmlns:a=\"http://www.ietf.org\"/></e8></e7></e6></doc>";
    assert_eq!(
        canonical(tags, Inclusive10),
        "<doc><e1></e1><e3 id=\"elem3\" name=\"elem3\"></e3>\
         <e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" \
         attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"></e5>\
         <e6 xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\">\
         <e9 xmlns:a=\"http://www.ietf.org\"></e9></e8></e7></e6></doc>"
    );
    let characters = "<doc><text>First line&#x0d;&#10;Second line</text><value>&#x32;</value>\
        <compute><![CDATA[value>\"0\" && value<\"10\" ?\"valid\":\"error\"]]></compute>\
        <compute expr='value>\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"'>valid</compute>\
        <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/></doc>";
    assert_eq!(
        canonical(characters, Inclusive10),
        "<doc><text>First line&#xD;\nSecond line</text><value>2</value>\
         <compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"</compute>\
         <compute expr=\"value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;\">valid</compute>\
         <norm attr=\" '    &#xD;&#xA;&#x9;   ' \"></norm></doc>"
    );
}

/// Exclusive XML Canonicalization §2.2: the same element in two contexts, and what of the context shows.
#[test]
fn an_element_brings_of_its_context_what_its_method_says() {
    let inner = "<n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\"><n3:stuff xmlns:n3=\"ftp://example.org\"/></n1:elem2>";
    let first = format!("<n0:pdu xmlns:n0=\"http://a.example\">{inner}</n0:pdu>");
    let second = format!(
        "<n2:pdu xmlns:n1=\"http://example.com\" xmlns:n2=\"http://foo.example\" xml:lang=\"fr\" xml:space=\"retain\">{inner}</n2:pdu>"
    );
    let inclusive = Canonicalization::new(Inclusive10, false);
    assert_eq!(
        part(&first, "elem2", "-", &inclusive),
        "<n1:elem2 xmlns:n0=\"http://a.example\" xmlns:n1=\"http://example.net\" xml:lang=\"en\">\
         <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>"
    );
    assert_eq!(
        part(&second, "elem2", "-", &inclusive),
        "<n1:elem2 xmlns:n1=\"http://example.net\" xmlns:n2=\"http://foo.example\" xml:lang=\"en\" xml:space=\"retain\">\
         <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>"
    );
    let exclusive = Canonicalization::new(Exclusive10, false);
    let alone = "<n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\">\
        <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>";
    assert_eq!(part(&first, "elem2", "-", &exclusive), alone);
    assert_eq!(part(&second, "elem2", "-", &exclusive), alone);
    let listed = Canonicalization {
        inclusive_prefixes: vec!["n2".to_owned(), String::new()],
        ..exclusive
    };
    assert_eq!(
        part(&second, "elem2", "-", &listed),
        "<n1:elem2 xmlns:n1=\"http://example.net\" xmlns:n2=\"http://foo.example\" xml:lang=\"en\">\
         <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>"
    );
}

#[test]
fn identity_and_base_are_inherited_in_one_version_and_not_in_the_other() {
    let text = "<a xml:id='i' xml:lang='ja'><b><c xml:space='preserve'/></b></a>";
    let old = Canonicalization::new(Inclusive10, false);
    let new = Canonicalization::new(Inclusive11, false);
    assert_eq!(
        part(text, "c", "-", &old),
        "<c xml:id=\"i\" xml:lang=\"ja\" xml:space=\"preserve\"></c>"
    );
    assert_eq!(
        part(text, "c", "-", &new),
        "<c xml:lang=\"ja\" xml:space=\"preserve\"></c>"
    );
    let based = parse("<a xml:base='http://a.example/'><b/></a>").unwrap();
    let b = based.root().unwrap().elements().next().unwrap().id();
    let refused = based
        .canonicalize_element(b, &[], &new, &mut |_| {})
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnsupportedXml);
    assert!(
        based
            .canonicalize_element(b, &[], &old, &mut |_| {})
            .is_ok()
    );
    assert!(based.canonicalize(&new, &mut |_| {}).is_ok());
}

#[test]
fn parts_are_left_out_and_the_white_space_around_them_is_not() {
    let text = "<a xmlns='x:y'>\n <b/>\n <c><d/></c>\n <c/></a>";
    let method = Canonicalization::new(Inclusive10, false);
    assert_eq!(
        part(text, "a", "c", &method),
        "<a xmlns=\"x:y\">\n <b></b>\n \n </a>"
    );
}

#[test]
fn relative_namespace_names_have_no_canonical_form() {
    for name in ["a", "../b", "1x:y", ":x"] {
        let document = parse(&format!("<a xmlns='{name}'/>")).unwrap();
        let method = Canonicalization::new(Inclusive10, false);
        let refused = document.canonicalize(&method, &mut |_| {}).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidXml, "{name}");
    }
}

/// libxml2 writes such a name without escapes, which is no XML any more; the standard treats it as the value of an attribute.
#[test]
fn namespace_names_are_escaped_like_values() {
    let text = "<a xmlns:b=\"u:&amp;x\"></a>";
    assert_eq!(canonical(text, Inclusive10), text);
}

#[test]
fn identifiers_and_methods_are_one_to_one() {
    for kind in [Inclusive10, Inclusive11, Exclusive10] {
        for with_comments in [false, true] {
            let method = Canonicalization::new(kind, with_comments);
            assert_eq!(Canonicalization::from_uri(method.uri()), Some(method));
        }
    }
    assert_eq!(
        Canonicalization::from_uri("http://www.w3.org/2001/10/xml-exc-c14n"),
        None
    );
    assert_eq!(Canonicalization::from_uri(""), None);
}

#[test]
fn markup_at_the_start_looks_like_xml() {
    for yes in [
        &b"<a/>"[..],
        b"\xef\xbb\xbf <a/>",
        b"\xff\xfe<\0a\0",
        b"\xfe\xff\0<",
    ] {
        assert!(looks_like_xml(yes));
    }
    for no in [&b""[..], b"%PDF-1.7", b"text <a/>", b"PK\x03\x04"] {
        assert!(!looks_like_xml(no));
    }
}

/// A well-formed document of a few levels: names, namespaces, attributes, references, comments, instructions.
fn documents() -> impl Strategy<Value = String> {
    let text = "[a-z<&\"\r\n\t 文]{0,8}";
    let leaf = prop_oneof![
        text.prop_map(|text| text.replace('&', "&amp;").replace('<', "&lt;")),
        text.prop_map(|text| format!("<![CDATA[{text}]]>")),
        "[a-z ]{0,5}".prop_map(|text| format!("<!--{text}-->")),
        "[a-z ]{0,5}".prop_map(|text| format!("<?p {text}?>")),
        Just("&#13;&#x9;".to_owned()),
    ];
    let element = leaf.prop_recursive(4, 24, 4, |inner| {
        let attributes = "( a=\"[a-z\r\n\t']{0,4}\")?( xml:lang='ja')?( xmlns=\"(x:[12])?\")?( xmlns:p='x:[34]')?( xmlns:q='x:3')?";
        let attributes = attributes.prop_filter("a pattern", |_| true);
        (attributes, prop::collection::vec(inner, 0..4), prop::bool::ANY).prop_map(
            |(attributes, children, prefixed)| {
                let name = if prefixed && attributes.contains("xmlns:p=") {
                    "p:e"
                } else {
                    "e"
                };
                format!("<{name}{attributes}>{}</{name}>", children.concat())
            },
        )
    });
    prop::collection::vec(element, 0..4).prop_map(|children| {
        format!(
            "<?i?><r xmlns:p='x:0'>{}</r><!-- end -->",
            children.concat()
        )
    })
}

proptest! {
    #[test]
    fn a_canonical_form_is_its_own(text in documents()) {
        for kind in [Inclusive10, Inclusive11, Exclusive10] {
            let once = canonical(&text, kind);
            prop_assert_eq!(canonical(&once, kind), once);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _answer = Document::parse(&bytes);
    }

    #[test]
    fn any_markup_is_read_or_refused(text in "[<>/!?a=' \"&;#x0-9:\\[\\]DCATOYPE-]{0,40}") {
        if let Ok(document) = Document::parse(text.as_bytes()) {
            let method = Canonicalization::new(Inclusive10, true);
            let _answer = document.canonicalize(&method, &mut |_| {});
        }
    }
}

/// Exclusive canonicalisation writes a namespace anew at each sibling that uses it.
#[test]
fn a_canonical_form_is_bounded() {
    let name = format!("urn:{}", "x".repeat(1 << 20));
    let siblings = |count: usize| {
        let inner = "<p:a/>".repeat(count);
        let document = parse(&format!("<r xmlns:p='{name}'>{inner}</r>")).unwrap();
        let mut bytes = 0;
        let method = Canonicalization::new(Exclusive10, false);
        let result = document.canonicalize(&method, &mut |part| bytes += part.len());
        (result.err().map(|error| error.kind()), bytes)
    };
    assert_eq!(siblings(200).0, None);
    let (error, bytes) = siblings(100_000);
    assert_eq!(error, Some(ErrorKind::LimitExceeded));
    assert!(bytes < XML_CANONICAL_BYTES_MAX + (2 << 20), "{bytes}");
}
