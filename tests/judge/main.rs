//! What a judge reads: the first page of the report on packages of a real archive, good ones and tampered ones, in both languages.
//!
//! With `FUMIKURA_JUDGE_PAGES` naming a folder, the packages and the reports are left there, to be looked at.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and reads files that are not the archive's"
)]

mod packages;

use std::path::PathBuf;
use std::process::Command;

use packages::{NOW, Package};
use tests::world::{World, put};

/// What the first page says of each package: the exit code, the word of the answer, and parts of it, in Japanese and in English.
const EXPECTED: [(&str, i32, [&[&str]; 2]); 11] = [
    (
        "plain",
        0,
        [
            &[
                "証明されています",
                "文書「契約書.txt」は、2026年11月22日 10:15:",
                "（日本時間）には存在し、それ以後変更されていないことが証明されています。",
                "内容が真実であること、誰が作ったか",
            ],
            &[
                "Proven",
                "The document “契約書.txt” existed on 22 November 2026, 10:15:",
                "has not been changed since. This is proven.",
            ],
        ],
    ),
    (
        "renewed",
        0,
        [
            &[
                "証明されています",
                "文書「契約書.txt」は、2026年11月22日 10:15:",
                "それ以後変更されていないことが証明されています。",
            ],
            &[
                "Proven",
                "existed on 22 November 2026, 10:15:",
                "has not been changed since.",
            ],
        ],
    ),
    (
        "two-authorities",
        0,
        [
            &[
                "証明されています",
                "文書「契約書.txt」は、20",
                "それ以後変更されていないことが証明されています。",
            ],
            &[
                "Proven",
                "The document “契約書.txt” existed on",
                "has not been changed since.",
            ],
        ],
    ),
    (
        "signed",
        0,
        [
            &[
                "証明されています",
                "文書「契約書.txt」は、2026年11月22日 10:15:",
                "の鍵で署名されていること。",
                "誰が作ったか（署名した者とは限りません）",
            ],
            &[
                "Proven",
                "existed on 22 November 2026, 10:15:",
                "That it was signed with the key of the holder of the certificate of",
                "who made it (not always whoever signed it)",
            ],
        ],
    ),
    (
        "lines",
        0,
        [
            &[
                "証明されています",
                "示されたログの 3 行は、2026年11月22日 10:15:",
                "系統.log の 12 行目から 14 行目",
                "示されていない行の内容。",
            ],
            &[
                "Proven",
                "The 3 lines of the log that are shown existed on 22 November 2026, 10:15:",
                "lines 12 to 14",
                "What the lines say that are not shown.",
            ],
        ],
    ),
    (
        "document-changed",
        1,
        [
            &[
                "証明できません（不合格）",
                "文書「契約書.txt」は、証拠が作られた時のものと異なります（その後に変更されたか、別の文書です）。",
                "ありません。この証拠から証明されることはありません。",
                "この証拠に頼らないでください。",
            ],
            &[
                "Not proven: failed",
                "The document “契約書.txt” is not what it was when the evidence was made",
                "Do not rely on this evidence.",
            ],
        ],
    ),
    (
        "manifest-changed",
        1,
        [
            &[
                "証明できません（不合格）",
                "記録の目録（文書の名前、日付、預けた人などの記載）が、証拠が作られた時のものと異なります。",
            ],
            &[
                "Not proven: failed",
                "The description of the record (names, dates, who deposited it) is not what it was",
            ],
        ],
    ),
    (
        "token-changed",
        1,
        [
            &[
                "証明できません（不合格）",
                "時刻又は署名の証明そのものが、作られた時のものと異なるか、壊れています。",
            ],
            &[
                "Not proven: failed",
                "The proof of time or signature itself is not what it was when it was made, or is damaged.",
            ],
        ],
    ),
    (
        "evidence-of-another",
        1,
        [
            &[
                "証明できません（不合格）",
                "同封された時刻の証明は、ここにある文書のものではありません（別の記録のものです）。",
            ],
            &[
                "Not proven: failed",
                "The proof of time does not belong to what it came with: it is the proof of another record.",
            ],
        ],
    ),
    (
        "document-added",
        1,
        [
            &[
                "証明できません（不合格）",
                "証拠が作られた時にはなかったファイル「覚書.txt」が入っています。",
                "渡されたもの全体がいつの時点で存在していたか、その後変更されていないか。",
            ],
            &[
                "Not proven: failed",
                "The file “覚書.txt” was not there when the evidence was made.",
                "At what time all that was handed over existed, and whether it was changed since.",
            ],
        ],
    ),
    (
        "nobody-trusted",
        2,
        [
            &[
                "判断できません",
                "証拠を作った機関（タイムスタンプ局など）の証明書が、信頼するもの（信頼の起点）として示されていません。",
                "変更された跡は見つかっていませんが、それだけでは証明になりません。",
                "--trust",
            ],
            &[
                "Undecided",
                "No certificate was given as trusted, so nobody vouches for whoever made the evidence",
                "No sign of a change was found, but that alone is no proof.",
                "--trust",
            ],
        ],
    ),
];

#[test]
fn the_first_page_says_what_is_proven_and_what_is_not() {
    let mut handed_over = packages::good();
    handed_over.extend(packages::tampered(&handed_over[0]));
    let names: Vec<&str> = handed_over.iter().map(|package| package.name).collect();
    assert_eq!(names, EXPECTED.map(|(name, _, _)| name));
    let has_poppler = Command::new("pdftotext").arg("-v").output().is_ok();
    if !has_poppler {
        println!("left out: the text of the PDF reports (pdftotext is not installed)");
    }
    let court = Court::new();
    for (package, (name, code, expected)) in handed_over.iter().zip(EXPECTED) {
        for (lang, expected) in ["ja", "en"].into_iter().zip(expected) {
            let html = court.report(package, "html", lang, code);
            let html = String::from_utf8(html).expect("UTF-8");
            says(name, &first_page_of_html(&html), expected);
            assert!(html.contains(&format!("<html lang=\"{lang}\">")));
            let text = court.report(package, "text", lang, code);
            says(name, &String::from_utf8(text).expect("UTF-8"), expected);
            let pdf = court.report(package, "pdf", lang, code);
            assert!(pdf.starts_with(b"%PDF-1.7"));
            if has_poppler {
                says(name, &court.first_page_of_pdf(&pdf), expected);
            }
        }
    }
}

/// Line ends and spaces are those of a form: they do not count.
fn says(name: &str, page: &str, expected: &[&str]) {
    let without_spaces = |text: &str| -> String { text.split_whitespace().collect() };
    let page = without_spaces(page);
    for part in expected {
        assert!(
            page.contains(&without_spaces(part)),
            "{name}: {part}\n{page}"
        );
    }
    let is_answer = |word: &str| page.contains(&without_spaces(word));
    let proven = "それ以後変更されていないことが証明されています。";
    if expected[0] != "証明されています" && expected[0] != "Proven" {
        assert!(
            !is_answer(proven) && !is_answer("This is proven."),
            "{name}"
        );
    }
}

fn first_page_of_html(html: &str) -> String {
    let (_, brief) = html
        .split_once("<section class=\"brief\"")
        .expect("a first page");
    let (brief, _) = brief.split_once("</section>").expect("its end");
    let mut text = String::new();
    for piece in brief.split('<') {
        text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
        text.push(' ');
    }
    text.replace("&#39;", "'").replace("&quot;", "\"")
}

/// Where the packages are judged.
struct Court {
    world: World,
    kept: Option<PathBuf>,
}

impl Court {
    fn new() -> Self {
        Self {
            world: World::empty(),
            kept: std::env::var_os("FUMIKURA_JUDGE_PAGES").map(PathBuf::from),
        }
    }

    fn report(&self, package: &Package, format: &str, lang: &str, code: i32) -> Vec<u8> {
        let name = format!("{}.asice", package.name);
        self.world.file(&name, &package.bytes);
        let report = format!("{}.{lang}.{format}", package.name);
        let arguments = [
            "verify", &name, "--at", NOW, "--format", format, "--lang", lang, "-o", &report,
        ];
        let mut arguments = arguments.to_vec();
        if !package.anchors.is_empty() {
            self.world.file("anchors.pem", &package.anchors);
            arguments.extend(["--trust", "anchors.pem"]);
        }
        let run = self.world.verifier(arguments);
        assert_eq!(run.code, code, "{report}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.is_empty());
        let bytes = std::fs::read(self.world.at(&report)).expect("a report");
        if let Some(kept) = &self.kept {
            put(&kept.join(&report), &bytes);
            put(&kept.join(&name), &package.bytes);
        }
        bytes
    }

    fn first_page_of_pdf(&self, pdf: &[u8]) -> String {
        let path = self.world.file("page.pdf", pdf);
        let mut command = Command::new("pdftotext");
        let command = command.args(["-f", "1", "-l", "1", "-layout"]);
        let output = command.arg(path).arg("-").output().expect("pdftotext runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}
