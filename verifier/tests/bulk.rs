//! `verifier verify DIR` by the real program: rows, exit codes, going on after an interruption, memory, the signed summary.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too, tells its case from beginning to end, and writes files that are not the archive's"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use formats::digest::DigestAlgorithm;
use formats::limits::EVIDENCE_BYTES_MAX;
use serde_json::Value;
use support::authority::{Authority, Profile};
use support::record::batch;
use time::OffsetDateTime;
use time::macros::datetime;

const AT: &str = "2027-06-01";
const STAMPED: OffsetDateTime = datetime!(2026-11-22 00:00 UTC);

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

/// A place for a test: `in/` is what is verified.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("in")).unwrap();
        place.write("anchor.der", authority().root());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
        command
            .current_dir(self.0.path())
            .args(["verify", "in", "--trust", "anchor.der", "--at", AT])
            .args(["--lang", "en"])
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn token_over(content: &[u8]) -> Vec<u8> {
    authority().token(&DigestAlgorithm::Sha256.digest(content), STAMPED)
}

/// The columns of the row of an item.
fn row(table: &str, item: &str) -> Vec<String> {
    let start = format!("\"{item}\",");
    let line = table.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("no row of {item} in {table}"));
    let line = line.trim_end().strip_prefix('"').unwrap();
    let line = line.strip_suffix('"').unwrap();
    line.split("\",\"").map(str::to_owned).collect()
}

#[test]
fn every_item_is_judged_and_the_worst_decides() {
    let place = Place::new();
    place.write("in/a.pdf", "a");
    place.write("in/a.pdf.tst", token_over(b"a"));
    let out = place.run(&["--csv", "good.csv"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let table = place.read("good.csv");
    assert!(table.starts_with('\u{feff}'));
    let columns = row(&table, "a.pdf.tst");
    assert_eq!(
        columns[1..6],
        ["a.pdf", "passed", "TOTAL-PASSED", "", "INTACT"]
    );
    assert_eq!(columns[6], "2027-06-01 09:00:00");
    assert_eq!(columns[10], "2026-11-22 09:00:00");
    assert_eq!(columns[11], "2026-11-22T00:00:00.000000Z");
    let digest = hex::encode(DigestAlgorithm::Sha256.digest(b"a").as_bytes());
    assert_eq!(columns[13], format!("SHA-256:{digest}"));
    assert_eq!(columns[14], "unknown");
    assert!(columns[8].contains("Test TSA"), "{columns:?}");

    place.write("in/b.pdf", "b");
    let out = place.run(&["--csv", "open.csv"]);
    assert_eq!(out.status.code(), Some(3), "a document without evidence");
    place.write("in/sub/c", "c");
    place.write("in/sub/c.ers", "no evidence");
    place.write("in/z.tst", token_over(b"z"));
    std::os::unix::fs::symlink("/etc/passwd", place.path("in/link.tst")).unwrap();
    place.write("in/=cmd.pdf", "x");
    place.write("in/=cmd.pdf.tst", token_over(b"another"));
    let record = batch(
        &[vec![DigestAlgorithm::Sha256.digest(b"r")]],
        &authority(),
        STAMPED,
    );
    place.write("in/r.xml", "r");
    place.write("in/r.xml.ers", record[0].encode().unwrap());
    place.write("in/roots.der", authority().root());
    let out = place.run(&["--csv", "all.csv", "--summary", "all.json"]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let table = place.read("all.csv");
    let status = |item: &str| row(&table, item)[3].clone();
    for (item, expected) in [
        ("a.pdf.tst", "TOTAL-PASSED"),
        ("r.xml.ers", "TOTAL-PASSED"),
        ("b.pdf", "NOT-JUDGED"),
        ("sub/c.ers", "NOT-JUDGED"),
        ("link.tst", "NOT-JUDGED"),
        ("z.tst", "INDETERMINATE"),
        ("'=cmd.pdf.tst", "TOTAL-FAILED"),
    ] {
        assert_eq!(status(item), expected, "{item}");
    }
    assert_eq!(table.lines().count(), 8, "{table}");
    let summary: Value = serde_json::from_str(&place.read("all.json")).unwrap();
    assert_eq!(summary["conclusions"]["TOTAL-PASSED"], 2);
    assert_eq!(summary["conclusions"]["TOTAL-FAILED"], 1);
    let digest = DigestAlgorithm::Sha256.digest(table.as_bytes());
    assert_eq!(summary["table"]["sha256"], hex::encode(digest.as_bytes()));
    assert!(place.read("all.html").contains("一括検証の結果"));
    let again = place.run(&["--csv", "all.csv"]);
    assert_eq!(again.status.code(), Some(3), "nothing is overwritten");
}

#[test]
fn evidence_as_text_is_judged_and_what_is_too_large_is_told() {
    let place = Place::new();
    place.write("in/a.pdf", "a");
    let text = formats::x509::encode_pem("PKCS7", &token_over(b"a"));
    place.write("in/a.pdf.tst", text);
    let out = place.run(&["--csv", "text.csv"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(row(&place.read("text.csv"), "a.pdf.tst")[3], "TOTAL-PASSED");

    let large = fs::File::create(place.path("in/large.tst")).unwrap();
    large.set_len(EVIDENCE_BYTES_MAX + 1).unwrap();
    let out = place.run(&["--csv", "large.csv"]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    let table = place.read("large.csv");
    assert_eq!(row(&table, "large.tst")[3], "NOT-JUDGED");
    assert!(table.contains("larger than evidence can be"), "{table}");
}

/// Whatever stands where evidence should be, its document is never left out.
#[test]
fn no_document_is_lost_behind_what_is_no_evidence() {
    let place = Place::new();
    place.write("in/good.pdf", "a");
    place.write("in/good.pdf.tst", token_over(b"a"));
    place.write("in/lost.pdf", "b");
    place.write("in/lost.pdf.tsr", authority().root());
    let out = place.run(&["--csv", "lost.csv"]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    assert_eq!(
        row(&place.read("lost.csv"), "lost.pdf.tsr")[3],
        "NOT-JUDGED"
    );

    // A pair takes the evidence away from the document beside it.
    place.write("in/lost.pdf.tsr", token_over(b"a"));
    place.write("pairs.csv", "lost.pdf.tsr,good.pdf\n");
    let out = place.run(&["--csv", "pairs-lost.csv", "--pairs", "pairs.csv"]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    let table = place.read("pairs-lost.csv");
    assert_eq!(row(&table, "lost.pdf")[3], "NOT-JUDGED");
    assert_eq!(row(&table, "lost.pdf.tsr")[3], "TOTAL-PASSED");
}

#[test]
fn a_run_goes_on_until_everything_is_written() {
    let place = Place::new();
    place.write("in/a.pdf", "a");
    place.write("in/a.pdf.tst", token_over(b"a"));
    let out = place.run(&["--csv", "year.html", "--summary", "year.json"]);
    assert_eq!(
        out.status.code(),
        Some(3),
        "the page and the table are one file"
    );
    assert!(!place.path("year.html").exists());
    let out = place.run(&["--csv", "year.csv", "--summary", "no/such/place.json"]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    assert!(place.path("year.csv.run").exists());
    let out = place.run(&["--csv", "year.csv", "--summary", "year.json", "--resume"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert!(!place.path("year.csv.run").exists());
    let summary: Value = serde_json::from_str(&place.read("year.json")).unwrap();
    assert_eq!(summary["resumed_rows"], 1);
    assert!(
        place
            .read("year.html")
            .contains("中断前の表から引き継いだ行")
    );
}

#[test]
fn pairs_and_the_registry_say_what_names_do_not() {
    let place = Place::new();
    place.write("in/one/evidence.tst", token_over(b"a"));
    place.write("in/two/data.pdf", "a");
    place.write("pairs.csv", "one/evidence.tst,two/data.pdf\n");
    let certificate = DigestAlgorithm::Sha256.digest(authority().certificate());
    let registry = format!(
        "version = 1\n[[scheme]]\nid = \"s\"\nname = \"scheme\"\nstatutory_from = 2022-04-01\nsource = \"test\"\n\
         [[service]]\nname = \"n\"\noperator = \"o\"\nscheme = \"s\"\naccredited_from = 2026-01-01\n\
         certificates = [\"{}\"]\nsource = \"test\"\n",
        hex::encode(certificate.as_bytes())
    );
    place.write("registry.toml", &registry);
    let arguments = ["--pairs", "pairs.csv", "--tsa-registry", "registry.toml"];
    let out = place
        .command(&arguments)
        .args(["--csv", "a.csv", "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let columns = row(&place.read("a.csv"), "one/evidence.tst");
    assert_eq!(
        (columns[1].as_str(), columns[14].as_str()),
        ("two/data.pdf", "yes")
    );
    let summary: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(summary["statutory"]["yes"], 1);

    place.write(
        "registry.toml",
        registry.replace("2026-01-01", "2027-01-01"),
    );
    let out = place.command(&arguments).args(["--json"]).output().unwrap();
    let line = String::from_utf8(out.stdout).unwrap();
    let line: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    assert_eq!(line["statutory"], false);
    assert_eq!(
        line["conclusion"], "TOTAL-PASSED",
        "the verdict is another question"
    );

    for pairs in [
        "one/evidence.tst\n",
        "one/missing.tst,two/data.pdf\n",
        "../anchor.der,two/data.pdf\n",
    ] {
        place.write("pairs.csv", pairs);
        assert_eq!(place.run(&arguments).status.code(), Some(3), "{pairs}");
    }
    fs::remove_file(place.path("pairs.csv")).unwrap();
    place.write("registry.toml", "version = 2");
    let out = place.run(&["--tsa-registry", "registry.toml"]);
    assert_eq!(out.status.code(), Some(3));
}

/// The kernel ends the program in the middle of a row, at a size of the file: what was written stays.
#[test]
fn a_run_that_was_interrupted_goes_on() {
    let place = Place::new();
    for number in 0..600 {
        let content = format!("document {number}");
        place.write(&format!("in/{number:04}.txt"), &content);
        let over = if number % 97 == 0 { "other" } else { &content };
        place.write(
            &format!("in/{number:04}.txt.tst"),
            token_over(over.as_bytes()),
        );
    }
    assert_eq!(place.run(&["--csv", "whole.csv"]).status.code(), Some(1));
    let whole = place.read("whole.csv");
    let program = env!("CARGO_BIN_EXE_verifier");
    let script = format!(
        "ulimit -f 100; exec {program} verify in --trust anchor.der --at {AT} --lang en --csv part.csv"
    );
    let killed = Command::new("bash")
        .current_dir(place.0.path())
        .args(["-c", &script])
        .output()
        .unwrap();
    assert_ne!(
        killed.status.code(),
        Some(1),
        "it was interrupted: {killed:?}"
    );
    let part = place.read("part.csv");
    assert!(part.len() < whole.len() && !part.ends_with('\n') && whole.starts_with(&part));

    let mut other = place.command(&["--csv", "part.csv", "--resume", "--evidence-only"]);
    assert_eq!(
        other.output().unwrap().status.code(),
        Some(3),
        "other arguments"
    );
    assert_eq!(
        place.run(&["--csv", "part.csv"]).status.code(),
        Some(3),
        "no --resume"
    );
    assert_eq!(place.read("part.csv"), part);

    let changed = part.replace("0001.txt.tst", "0001.txt.tsx");
    place.write("part.csv", &changed);
    let out = place.run(&["--csv", "part.csv", "--resume"]);
    assert_eq!(out.status.code(), Some(3), "a row of another file");
    place.write("part.csv", &part);
    let out = place.run(&["--csv", "part.csv", "--resume", "--summary", "s.json"]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert_eq!(place.read("part.csv"), whole);
    let summary: Value = serde_json::from_str(&place.read("s.json")).unwrap();
    assert_eq!(summary["items"], 600);
    assert!(summary["resumed_rows"].as_u64().unwrap() > 100);
    assert!(!place.path("part.csv.run").exists());
    let out = place.run(&["--csv", "part.csv", "--resume"]);
    assert_eq!(out.status.code(), Some(3), "nothing to go on with");
}

/// The peak of the resident memory in KiB while the last items are told.
fn peak_memory(items: usize) -> u64 {
    let place = Place::new();
    let token = token_over(b"the same");
    fs::create_dir(place.path("in/d")).unwrap();
    for number in 0..items {
        fs::write(place.path(&format!("in/d/{number:06}.txt")), "the same").unwrap();
        fs::write(place.path(&format!("in/d/{number:06}.txt.tst")), &token).unwrap();
    }
    let mut child = place
        .command(&["--json", "--csv", "t.csv"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut peak = 0;
    let mut told = 0;
    for line in lines {
        told += usize::from(line.unwrap().contains("TOTAL-PASSED"));
        if told % 50 == 0 {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let value = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            peak = peak.max(value.unwrap_or(0));
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(told >= items, "{told}");
    peak
}

#[test]
fn memory_does_not_grow_with_the_number_of_items() {
    if !Path::new("/proc/self/status").exists() {
        println!("left out: no /proc");
        return;
    }
    let (few, many) = (peak_memory(100), peak_memory(20_000));
    println!("peak of resident memory: {few} KiB for 100 items, {many} KiB for 20000");
    assert!(few > 0 && many < few + 16 * 1024, "{few} {many}");
}

/// A key of the user with a certificate that it issued to itself, by OpenSSL.
fn user_key(place: &Place, curve: &str, passphrase: Option<&str>) -> bool {
    let mut request = Command::new("openssl");
    request
        .current_dir(place.0.path())
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .arg(format!("ec_paramgen_curve:{curve}"))
        .args(["-keyout", "user.key", "-out", "user.pem", "-days", "3650"])
        .args([
            "-subj",
            "/CN=Verifying clerk",
            "-addext",
            "keyUsage=critical,digitalSignature,nonRepudiation",
        ]);
    let made = |command: &mut Command| command.output().is_ok_and(|out| out.status.success());
    let Some(passphrase) = passphrase else {
        return made(request.arg("-nodes"));
    };
    made(request.arg("-nodes"))
        && fs::rename(place.path("user.key"), place.path("plain.key")).is_ok()
        && made(
            Command::new("openssl")
                .current_dir(place.0.path())
                .args(["pkcs8", "-topk8", "-v2", "aes256", "-in", "plain.key"])
                .args(["-out", "user.key", "-passout"])
                .arg(format!("pass:{passphrase}")),
        )
}

#[test]
fn a_signed_summary_is_verified_by_this_program_and_by_openssl() {
    for (curve, passphrase) in [("P-256", None), ("P-384", Some("correct horse"))] {
        let place = Place::new();
        if !user_key(&place, curve, passphrase) {
            println!("left out: no openssl");
            return;
        }
        place.write("in/a", "a");
        place.write("in/a.tst", token_over(b"a"));
        let mut arguments = vec!["--summary", "s.json", "--sign-key", "user.key"];
        arguments.extend(["--sign-certificate", "user.pem"]);
        if let Some(passphrase) = passphrase {
            place.write("wrong.txt", "wrong\n");
            place.write("right.txt", format!("{passphrase}\n"));
            arguments.push("--sign-passphrase-file");
            arguments.push("wrong.txt");
            assert_eq!(place.run(&arguments).status.code(), Some(3));
            arguments.pop();
            arguments.push("right.txt");
        }
        let out = place.run(&arguments);
        assert_eq!(out.status.code(), Some(0), "{out:?}");

        let verify = |data: &str| {
            let out = Command::new(env!("CARGO_BIN_EXE_verifier"))
                .current_dir(place.0.path())
                .args(["verify", "s.json.p7s", "--data", data])
                .args(["--trust", "user.pem", "--format", "json"])
                .output()
                .unwrap();
            serde_json::from_slice::<Value>(&out.stdout).unwrap()
        };
        let report = verify("s.json");
        assert_eq!(report["conclusion"], "TOTAL-PASSED", "{report:#}");
        let openssl = Command::new("openssl")
            .current_dir(place.0.path())
            .args([
                "cms",
                "-verify",
                "-cades",
                "-binary",
                "-inform",
                "DER",
                "-in",
                "s.json.p7s",
            ])
            .args([
                "-content",
                "s.json",
                "-CAfile",
                "user.pem",
                "-purpose",
                "any",
                "-out",
                "/dev/null",
            ])
            .output()
            .unwrap();
        assert!(openssl.status.success(), "{openssl:?}");
        place.write(
            "t.json",
            place
                .read("s.json")
                .replace("TOTAL-PASSED\": 1", "TOTAL-PASSED\": 2"),
        );
        assert_eq!(verify("t.json")["integrity"], "BROKEN");
        place.write("other.key", "no key");
        let out = place.run(&[
            "--summary",
            "u.json",
            "--sign-key",
            "other.key",
            "--sign-certificate",
            "user.pem",
        ]);
        assert_eq!(out.status.code(), Some(3));
    }
}
