//! PDFs whose text is asked for before a deposit: a good one is read, and no bad one costs the service more than a process.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::write::SimpleFileOptions;

use super::place::{MULTIPART, Place, multipart};

/// A PDF of these objects, numbered from 1; the first is the catalog.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", number + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    file.extend(
        format!("trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes(),
    );
    file
}

/// A page with this stream.
fn page(dictionary: &str, stream: &[u8]) -> Vec<u8> {
    let mut content = format!("<< /Length {} {dictionary} >>\nstream\n", stream.len()).into_bytes();
    content.extend(stream);
    content.extend(b"\nendstream");
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>";
    pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.as_bytes().to_vec(),
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ])
}

/// So many mebibytes of zeros, deflated (RFC 1950, without its check sum).
fn zeros(mebibytes: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    writer.start_file("a", options).expect("a member");
    let block = vec![b' '; 1024 * 1024];
    for _ in 0..mebibytes {
        writer.write_all(&block).expect("zeros");
    }
    let container = writer.finish().expect("a container").into_inner();
    let mut archive = zip::ZipArchive::new(Cursor::new(&container)).expect("a container");
    let member = archive.by_index_raw(0).expect("a member");
    let start = usize::try_from(member.data_start().expect("its place")).expect("a place");
    let size = usize::try_from(member.compressed_size()).expect("a size");
    let mut stream = vec![0x78, 0x9c];
    stream.extend(&container[start..start + size]);
    stream
}

fn read(place: &Place, file: &[u8]) -> Value {
    let token = place.form_token("sato");
    let body = multipart(&[
        ("form_token", None, token.as_bytes()),
        ("class", None, b"received-invoice"),
        ("file", Some("a.pdf"), file),
    ]);
    let answer = place.ask(
        "POST",
        "/deposit/read",
        &[&place.cookie("sato"), MULTIPART],
        &body,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

const LINES: &[u8] = b"BT /F 12 Tf 60 700 Td (Invoice number: A-77) Tj 0 -20 Td (Invoice date: 2026-03-01) Tj 0 -20 Td (Acme Tools, Inc.) Tj 0 -20 Td (Amount due: USD 1,080.50) Tj ET";

#[test]
fn the_text_of_a_pdf_fills_the_fields_and_is_called_a_guess() {
    let place = Place::start("");
    let read = read(&place, &page("", LINES));
    let expected = serde_json::json!({
        "date": "2026-03-01", "amount": "1080.50", "currency": "USD",
        "counterparty": "Acme Tools, Inc.", "number": "A-77", "is_guess": true,
    });
    assert_eq!(read, expected);
}

#[test]
fn pdfs_that_break_a_reader_give_nothing_and_harm_nobody() {
    let place = Place::start("");
    let whole = page("", LINES);
    let mut deep = b"BT ".to_vec();
    deep.extend(b"[".repeat(1_000_000));
    let nothing = serde_json::json!({
        "date": null, "amount": null, "currency": null,
        "counterparty": null, "number": null, "is_guess": false,
    });
    for (what, file) in [
        ("no document", b"%PDF-1.7\n".to_vec()),
        ("an end in the middle", whole[..whole.len() / 3].to_vec()),
        ("nesting", page("", &deep)),
        (
            "more than the process may have",
            page("/Filter /FlateDecode", &zeros(600)),
        ),
        (
            "noise",
            [b"%PDF-1.7\n".to_vec(), vec![0xff; 2_000_000]].concat(),
        ),
        (
            "a page that is its own parent",
            pdf(&[
                b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
                b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>".to_vec(),
            ]),
        ),
    ] {
        assert_eq!(read(&place, &file), nothing, "{what}");
        place.serves();
    }
}
