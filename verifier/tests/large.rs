//! Large files, through the program itself: memory does not grow with a package, and nothing hostile costs time or memory.
//!
//! The memory of the program is limited by the system (`ulimit -v`): to what it has mapped when it waits for its input, and 64 MiB more. The
//! hostile files are sparse: 1 GiB each, and a few blocks on the disk.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use formats::asic::{AsicWriter, MIMETYPE_ASIC_E, MIMETYPE_ASIC_S};
use formats::digest::DigestAlgorithm;
use support::authority::{Authority, Profile};
use support::record::{ALGORITHM, RECEIVED, Record, batch, package};
use time::macros::datetime;

/// What may be resident beside the program itself.
const MEMORY_KIB: u64 = 64 * 1024;
/// The documents of the good packages: three times as large, or as large as `FUMIKURA_LARGE_BYTES` says.
fn document_bytes() -> usize {
    let stated = std::env::var("FUMIKURA_LARGE_BYTES").ok();
    stated.map_or(192 << 20, |text| text.parse().unwrap())
}

/// How large the hostile files are.
const HOSTILE_BYTES: u64 = 1 << 30;
/// A second where nothing else runs; the machines of the tests are busy.
const TIME_MAX: Duration = Duration::from_secs(20);

const PASSED: i32 = 0;
const FAILED: i32 = 1;
const INDETERMINATE: i32 = 2;
const NOT_JUDGED: i32 = 3;

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

/// What the program has mapped while it waits for its input, in KiB.
fn mapped() -> u64 {
    static MAPPED: OnceLock<u64> = OnceLock::new();
    *MAPPED.get_or_init(|| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_verifier"))
            .args(["verify", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // It sleeps when it waits; before, it may be loading.
        let mut asleep = 0;
        while asleep < 10 {
            std::thread::sleep(Duration::from_millis(20));
            let waits = status(child.id(), "State").is_some_and(|state| state.starts_with('S'));
            asleep = if waits { asleep + 1 } else { 0 };
        }
        let peak = status(child.id(), "VmPeak").unwrap();
        let peak = peak.strip_suffix("kB").unwrap().trim().parse().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        peak
    })
}

fn status(process: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Some(line?.trim().to_owned())
}

/// Runs `verifier verify` with little memory.
fn verify(file: &Path, arguments: &[&str], input: Option<&Path>) -> (Output, Duration) {
    let limit = mapped() + MEMORY_KIB;
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {limit}; exec \"$@\""), "sh"])
        .args([env!("CARGO_BIN_EXE_verifier"), "verify"])
        .arg(file)
        .args(arguments)
        .args(["--at", "2027-01-01", "--lang", "en"])
        .stdin(match input {
            Some(path) => File::open(path).unwrap().into(),
            None => Stdio::null(),
        });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let child = command.spawn().unwrap();
    let process = child.id();
    let watch = std::thread::spawn(move || {
        let mut peak = String::new();
        while let Some(resident) = status(process, "VmHWM") {
            peak = resident;
            std::thread::sleep(Duration::from_millis(5));
        }
        peak
    });
    let output = child.wait_with_output().unwrap();
    let took = start.elapsed();
    println!("resident: {}", watch.join().unwrap());
    (output, took)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn trust(folder: &Path) -> PathBuf {
    let path = folder.join("trust.pem");
    let text = formats::x509::encode_pem("CERTIFICATE", authority().root());
    fs::write(&path, text).unwrap();
    path
}

fn assert_code(output: &Output, code: i32, what: &str) {
    let told = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{what}:\n{told}{error}");
}

/// Zeros with a little at the beginning and at the end.
fn sparse(path: &Path, head: &[u8], tail: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.set_len(HOSTILE_BYTES).unwrap();
    file.write_all(head).unwrap();
    file.seek(SeekFrom::End(-(tail.len() as i64))).unwrap();
    file.write_all(tail).unwrap();
}

#[test]
fn an_own_package_larger_than_memory_passes() {
    let folder = folder();
    let content = vec![b'x'; 192 << 20];
    let record = Record::new(1, &[("large.bin", &content)]);
    drop(content);
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED);
    let path = folder.path().join("RECORD.asice");
    fs::write(&path, package(&record, &evidence[0].encode().unwrap())).unwrap();
    let document = folder.path().join("large.bin");
    fs::write(&document, &record.documents[0]).unwrap();
    drop(record);
    let trust = trust(folder.path());
    let trust = ["--trust", trust.to_str().unwrap()];
    let (output, took) = verify(&path, &trust, None);
    assert_code(&output, PASSED, "a file");
    println!("a package: {took:?}");
    let (output, _) = verify(Path::new("-"), &trust, Some(&path));
    assert_code(&output, PASSED, "a pipe");
    let data = [trust[0], trust[1], "--data", "-"];
    let (output, _) = verify(&path, &data, Some(&document));
    assert_code(&output, PASSED, "the document from a pipe");
    // One bit of the document.
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(100 << 20)).unwrap();
    file.write_all(b"y").unwrap();
    let (output, _) = verify(&path, &trust, None);
    assert_code(&output, FAILED, "altered");
}

#[test]
fn a_foreign_container_larger_than_memory_passes() {
    let folder = folder();
    let size = document_bytes();
    let content = std::io::repeat(b'x').take(size as u64);
    let mut hasher = DigestAlgorithm::Sha512.hasher();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..size >> 20 {
        hasher.update(&block);
    }
    let token = authority().token(&hasher.finish(), RECEIVED);
    let path = folder.path().join("large.asics");
    let mut writer = AsicWriter::new(File::create(&path).unwrap(), MIMETYPE_ASIC_S).unwrap();
    writer.add("large.bin", size as u64, content).unwrap();
    writer.add_bytes("META-INF/timestamp.tst", &token).unwrap();
    drop(writer.finish().unwrap());
    let trust = trust(folder.path());
    let (output, took) = verify(&path, &["--trust", trust.to_str().unwrap()], None);
    assert_code(&output, PASSED, "a file");
    println!("{size} bytes in a container: {took:?}");
    let (output, _) = verify(folder.path(), &["--trust", trust.to_str().unwrap()], None);
    assert_code(&output, PASSED, "its directory");
}

/// The record that ends a ZIP file.
fn end(members: u16, size: u32, start: u32) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
    for count in [members, members] {
        bytes.extend(count.to_le_bytes());
    }
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn hostile_files_of_a_gibibyte_are_refused_at_once() {
    let folder = folder();
    let path = folder.path().join("hostile");
    let directory = u32::try_from(HOSTILE_BYTES).unwrap() - 22 - 30;
    let xml = b"<?xml version='1.0'?><EvidenceRecord xmlns='urn:ietf:params:xml:ns:ers'>";
    let der = b"\x30\x84\x3f\xff\xff\xfa\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    let none: &[u8] = b"";
    let cases: [(&str, &[u8], Vec<u8>, i32); 10] = [
        ("zeros", none, Vec::new(), NOT_JUDGED),
        ("a DER length", der, Vec::new(), NOT_JUDGED),
        ("XML", xml, Vec::new(), INDETERMINATE),
        ("a PDF", b"%PDF-1.7\n", Vec::new(), INDETERMINATE),
        ("PEM", b"-----BEGIN CMS-----\n", Vec::new(), INDETERMINATE),
        ("base64", b"MIIB", Vec::new(), NOT_JUDGED),
        (
            "a directory",
            b"PK\x03\x04",
            end(u16::MAX - 1, directory, 30),
            FAILED,
        ),
        ("no directory", b"PK\x03\x04", Vec::new(), FAILED),
        ("a prefix", b"MZ", end(0, 0, 0), FAILED),
        (
            "a short directory",
            b"PK\x03\x04",
            end(1, 46, u32::try_from(HOSTILE_BYTES).unwrap() - 22 - 46),
            FAILED,
        ),
    ];
    for (what, head, tail, code) in cases {
        sparse(&path, head, &tail);
        let (output, took) = verify(&path, &[], None);
        assert_code(&output, code, what);
        assert!(took < TIME_MAX, "{what}: {took:?}");
        println!("{what}: {took:?}");
    }
}

#[test]
fn a_container_of_hostile_members_is_answered_at_once() {
    let folder = folder();
    let path = folder.path().join("hostile.asice");
    // Evidence twice as large as the limit that begins like a signature.
    let der = b"\x30\x84\x07\xff\xff\xfa\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    let size = 0x0800_0000_u64;
    let content = der.chain(std::io::repeat(0)).take(size);
    let mut writer = AsicWriter::new(File::create(&path).unwrap(), MIMETYPE_ASIC_E).unwrap();
    writer.add_bytes("document.txt", b"text").unwrap();
    writer
        .add("META-INF/signature001.p7s", size, content)
        .unwrap();
    drop(writer.finish().unwrap());
    let (output, took) = verify(&path, &[], None);
    assert_code(&output, INDETERMINATE, "a large signature");
    assert!(took < TIME_MAX, "{took:?}");
    println!("a large signature: {took:?}");
}

#[test]
fn a_bomb_is_refused_before_it_is_inflated() {
    let folder = folder();
    let path = folder.path().join("bomb.asice");
    // One compressed member of 1 KiB that states 1 GiB: the headers alone are enough.
    let fields = |signature: &[u8], versions: &[u8]| {
        let mut bytes = [signature, versions].concat();
        bytes.extend([0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(1024_u32.to_le_bytes());
        bytes.extend(0x4000_0000_u32.to_le_bytes());
        bytes.extend([4, 0, 0, 0]);
        bytes
    };
    let mut file = [
        fields(b"PK\x03\x04", &[20, 0]),
        b"bomb".to_vec(),
        vec![0; 1024],
    ]
    .concat();
    let start = u32::try_from(file.len()).unwrap();
    file.extend(fields(b"PK\x01\x02", &[20, 0, 20, 0]));
    file.extend([0; 14]);
    file.extend(b"bomb");
    let size = u32::try_from(file.len()).unwrap() - start;
    file.extend(end(1, size, start));
    fs::write(&path, file).unwrap();
    let (output, took) = verify(&path, &[], None);
    assert_code(&output, FAILED, "a bomb");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("limit"), "{told}");
    assert!(took < TIME_MAX);
}

#[test]
fn standard_input_can_be_given_once() {
    let (output, _) = verify(Path::new("-"), &["--data", "-"], None);
    assert_code(&output, NOT_JUDGED, "twice");
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard input"));
    let (output, _) = verify(Path::new("-"), &[], None);
    assert_code(&output, NOT_JUDGED, "an empty pipe");
    let (output, took) = verify(Path::new("-"), &[], Some(Path::new("/dev/zero")));
    assert_code(&output, NOT_JUDGED, "a pipe without end");
    assert!(took < TIME_MAX, "{took:?}");
}
