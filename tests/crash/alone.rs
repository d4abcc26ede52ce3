//! A data medium alone, and the index alone: nothing that was deposited is found in any byte of them.
//!
//! Names, metadata, texts, blocks of content and log lines go in; then all is stamped, renewed, signed and verified. What is looked for is looked for
//! as it is, in UTF-16 of both orders, in hexadecimal, in Base64 at each of its three places, and compressed.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formats::segment::{FRAME_HEADER_BYTES, FrameHeader, FrameType};
use tests::random::Random;
use tests::world::World;

const SEED: u64 = 0x0061_6c6f_6e65;
/// Bytes of a block of content that is looked for.
const BLOCK: usize = 24;
/// Bits per byte below which 64 KiB of sealed content would not look like noise. Random bytes have more than 7.995.
const ENTROPY_MIN: f64 = 7.99;

/// What is told of a document when it is deposited.
const GIVEN: [(&str, &str); 3] = [
    ("counterparty", "株式会社文庫商店"),
    ("amount", "1234567"),
    ("date", "2026-11-20"),
];

struct Secret {
    what: String,
    bytes: Vec<u8>,
}

#[test]
fn a_data_medium_alone_shows_nothing_that_was_deposited() {
    let world = World::new();
    let secrets = deposit(&world);
    // The search finds what is there: the sources themselves hold every secret.
    let mut sources = Vec::new();
    for path in files(&world.at("in")) {
        sources.extend(path.to_string_lossy().as_bytes());
        sources.extend(fs::read(&path).expect("a source"));
    }
    let found = search(&secrets, &sources);
    // The counterparty stands in no source: it was told on the command line.
    assert_eq!(found.len(), secrets.len() - 1, "the search is blind");

    let mut searched = 0;
    for place in ["data-a", "data-b", "index"] {
        for path in files(&world.at(place)) {
            let bytes = fs::read(&path).expect("a file of a medium");
            searched += bytes.len();
            let mut all = path
                .file_name()
                .expect("a name")
                .as_encoded_bytes()
                .to_vec();
            all.extend(&bytes);
            let found = search(&secrets, &all);
            assert!(found.is_empty(), "{}: {found:?}", path.display());
        }
    }
    let windows = entropy_of_contents(&world);
    println!(
        "{} secrets looked for in {searched} bytes; {windows} windows of sealed content are noise",
        secrets.len()
    );
}

/// Puts documents in whose words are all known, and lets the archive do everything that writes.
fn deposit(world: &World) -> Vec<Secret> {
    let mut random = Random::new(SEED);
    let mut secrets = Vec::new();
    let mut secret = |what: &str, bytes: &[u8]| {
        secrets.push(Secret {
            what: what.to_owned(),
            bytes: bytes.to_vec(),
        });
    };
    let noise = random.bytes(300_000);
    let text = "秘密保持契約書 第一条 甲及び乙は本契約の内容を第三者に開示しない。\n".repeat(400);
    let log: String = (0..4000)
        .map(|line| format!("2026-11-20T10:00:00Z host-{line} sshd[{line}]: Accepted publickey for tanaka-hanako port {line}\n"))
        .collect();
    let contents: [(&str, Vec<u8>); 4] = [
        ("請求書-文庫商店-十一月分.txt", text.clone().into_bytes()),
        ("quarterly-forecast-confidential.bin", noise.clone()),
        ("auth-gateway-production.log", log.clone().into_bytes()),
        ("empty-but-telling-name.txt", Vec::new()),
    ];
    for (name, bytes) in &contents {
        world.file(&format!("in/{name}"), bytes);
        secret(name, name.as_bytes());
    }
    for (key, value) in GIVEN {
        // Seven digits stand in enough places by chance to be no proof; with their name they are one.
        if value.len() > 10 {
            secret(key, value.as_bytes());
        }
    }
    for start in (0..noise.len() - BLOCK).step_by(20_011) {
        secret("a block of random bytes", &noise[start..start + BLOCK]);
    }
    secret("words of a contract", "本契約の内容を第三者に".as_bytes());
    secret("words of a log", b"Accepted publickey for tanaka-hanako");
    secret(
        "a log line",
        log.lines().nth(777).expect("a line").as_bytes(),
    );

    let mut invoice = vec![
        "deposit".to_owned(),
        format!("in/{}", contents[0].0),
        "--class".to_owned(),
        "received-invoice".to_owned(),
    ];
    for (key, value) in GIVEN {
        invoice.extend(["--meta".to_owned(), format!("{key}={value}")]);
    }
    world.archiver(&invoice).expect_code(0);
    for (class, name) in [
        ("contract", contents[1].0),
        ("system-log", contents[2].0),
        ("general", contents[3].0),
    ] {
        let path = format!("in/{name}");
        world
            .archiver(["deposit", &path, "--class", class])
            .expect_code(0);
    }
    world.archiver(["stamp"]).expect_code(0);
    let configuration = fs::read_to_string(world.at("fumikura.toml")).expect("readable");
    world.file(
        "fumikura.toml",
        format!("{configuration}\n[renewal]\nage_max_days = 300\n").as_bytes(),
    );
    let later = world.archiver_at("2028-02-01T00:00:00Z", ["renew"]);
    assert!(later.code <= 1, "{}{}", later.stdout, later.stderr);
    world.archiver_at("2028-02-01T00:00:00Z", ["verify"]);
    secrets
}

/// The secrets that stand in the bytes, in whatever form.
fn search<'a>(secrets: &'a [Secret], bytes: &[u8]) -> Vec<&'a str> {
    let found = secrets.iter().filter(|secret| {
        let forms = forms(&secret.bytes);
        forms.iter().any(|form| contains(bytes, form))
    });
    found.map(|secret| secret.what.as_str()).collect()
}

fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        hex::encode_upper(bytes).into_bytes(),
    ];
    if let Ok(text) = std::str::from_utf8(bytes) {
        forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    // In Base64 a word looks different at each of three places; its first and last characters depend on the neighbours.
    for shift in 0..3 {
        let mut padded = vec![0; shift];
        padded.extend(bytes);
        let encoded = STANDARD.encode(&padded);
        let inner = encoded.as_bytes();
        forms.push(inner[4..inner.len() - 4].to_vec());
    }
    forms.retain(|form| form.len() >= 8);
    forms
}

fn contains(bytes: &[u8], form: &[u8]) -> bool {
    let first = form[0];
    let last = bytes.len().saturating_sub(form.len());
    let mut at = 0;
    while at <= last && !bytes.is_empty() {
        match bytes[at..=last.min(bytes.len() - 1)]
            .iter()
            .position(|byte| *byte == first)
        {
            None => return false,
            Some(step) => at += step,
        }
        if bytes[at..].starts_with(form) {
            return true;
        }
        at += 1;
    }
    false
}

/// Every 64 KiB of the bodies of content frames are as random as random bytes; tells how many were measured. A compressed text in the open, or a
/// header of a known format, would be seen.
fn entropy_of_contents(world: &World) -> usize {
    let mut sealed = Vec::new();
    for path in world.segments("data-a") {
        let bytes = fs::read(&path).expect("a segment");
        let mut at = 0;
        while let Ok(header) = FrameHeader::parse(&bytes[at..]) {
            let end = at + header.frame_bytes();
            if header.frame_type == FrameType::ContentChunk {
                // An empty content is a tag and little more.
                let start = (at + FRAME_HEADER_BYTES + 64).min(end);
                let body = &bytes[start..end];
                for magic in [&[0x28, 0xb5, 0x2f, 0xfd][..], b"%PDF-", b"PK\x03\x04"] {
                    assert!(!body.starts_with(magic), "content in the open");
                }
                sealed.extend(body);
            }
            at = end;
            if at >= bytes.len() {
                break;
            }
        }
    }
    let windows = sealed.chunks_exact(65_536);
    let mut count = 0;
    for window in windows {
        let entropy = entropy(window);
        assert!(entropy > ENTROPY_MIN, "{entropy} bits per byte");
        count += 1;
    }
    assert!(count >= 4, "too little content was measured");
    count
}

#[allow(clippy::cast_precision_loss, reason = "counts below 2^16")]
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let all = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / all)
        .map(|share| -share * share.log2())
        .sum()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            found.push(path);
        }
    }
    found
}
