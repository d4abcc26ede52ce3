use proptest::prelude::*;

use super::*;

fn name(head: &[u8]) -> String {
    MediaType::detect(head).name
}

#[test]
fn documents_are_recognised_by_content() {
    let pdf = MediaType::detect(b"%PDF-1.7\n%\xe2\xe3");
    assert_eq!(
        (pdf.name.as_str(), pdf.facts["pdf-version"].as_str()),
        ("application/pdf", "1.7")
    );
    assert_eq!(name(b"\x1f\x8b\x08\x00abcdefgh"), "application/gzip");
    assert_eq!(name(b"{\"a\": [1, 2]}\n"), "application/json");
    assert_eq!(
        name(b"<!DOCTYPE html >\n<p>"),
        "text/html; charset=us-ascii"
    );
    assert_eq!(
        name(b"Received: from a\n by b\nFrom: x@example.jp\nSubject: =?iso\n\nhello"),
        "message/rfc822"
    );
    assert_eq!(name(b""), "application/x-empty");
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x09\x24\0\0\x06\x76";
    assert_eq!(MediaType::detect(png).facts["pixels"], "2340x1654");
    let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02\x01\x00\xc8\x00\xc8";
    assert_eq!(MediaType::detect(jpeg).facts["resolution-dpi"], "200x200");
}

#[test]
fn xml_is_marked_for_its_metadata() {
    for xml in [
        &b"<?xml version=\"1.0\"?><a/>"[..],
        b"\xef\xbb\xbf<Invoice xmlns=\"u\"/>",
    ] {
        let found = MediaType::detect(xml);
        assert!(found.is_xml && found.name == "application/xml");
    }
    let page = b"<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"><p/></html>";
    assert_eq!(name(page), "application/xhtml+xml");
    assert!(!MediaType::detect(page).is_xml);
    assert!(!MediaType::detect(b"<3 xmlns=").is_xml);
    assert!(!MediaType::detect(b"<note to self>").is_xml);
}

#[test]
fn a_container_says_what_it_is() {
    let mut zip =
        b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x1f\0\0\0\x1f\0\0\0\x08\0\0\0mimetype".to_vec();
    zip.extend_from_slice(b"application/vnd.etsi.asic-e+zip");
    assert_eq!(name(&zip), "application/vnd.etsi.asic-e+zip");
    zip[18] = 0xff;
    assert_eq!(name(&zip), "application/zip");
}

#[test]
fn japanese_texts_are_told_apart() {
    assert_eq!(name("請求書".as_bytes()), "text/plain; charset=utf-8");
    assert_eq!(name(&"請求書".as_bytes()[..8]), "text/plain; charset=utf-8");
    assert_eq!(
        name(b"\x90\xbf\x8b\x81\x8f\x91\r\n"),
        "text/plain; charset=shift_jis"
    );
    assert_eq!(
        name(b"\xc0\xc1\xb5\xe1\xbd\xf1\n"),
        "text/plain; charset=euc-jp"
    );
    assert_eq!(
        name(b"\x1b$B@A5a=q\x1b(B\n"),
        "text/plain; charset=iso-2022-jp"
    );
    assert_eq!(name(b"\xff\xfea\0b\0"), "text/plain; charset=utf-16");
    assert_eq!(
        name(b"Jos\xe9 Garc\xeda\n"),
        "text/plain; charset=iso-8859-1"
    );
}

#[test]
fn logs_are_texts_with_times() {
    let log =
        b"Jun 14 15:16:01 combo sshd[1]: x\nJun 14 15:16:02 combo sshd[1]: y\nJun 14 15:16:03 z\n";
    let found = MediaType::detect(log);
    assert_eq!(found.name, "text/plain; charset=us-ascii");
    assert_eq!(found.facts["form"], "log");
    assert!(
        MediaType::detect(b"one\ntwo\nthree\nfour\n")
            .facts
            .is_empty()
    );
}

#[test]
fn noise_is_octets() {
    assert_eq!(name(&[0, 1, 2, 3, 200, 0, 7]), "application/octet-stream");
    assert_eq!(name(b"\x80\x80\x80\xff\xff"), "application/octet-stream");
}

proptest! {
    #[test]
    fn any_bytes_give_a_media_type_that_a_manifest_takes(head in proptest::collection::vec(any::<u8>(), 0..600)) {
        let found = MediaType::detect(&head);
        prop_assert!(found.name.contains('/') && found.name.len() < 200);
        prop_assert!(found.name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
    }
}
