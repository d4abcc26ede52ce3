//! Everything: files, objects with their facts, certificates, findings, what it was judged by, and the limits of it all.

use std::collections::BTreeSet;

use formats::digest::DigestAlgorithm;

use super::subject::{grouped, of_kind};
use super::timeline::{findings_table, lines, verdict_fact};
use super::{Block, Fact, Row, Table, Tone, said};
use crate::certificate::Certificate;
use crate::context::Context;
use crate::finding::{Finding, Language, Severity, printable};
use crate::path::TrustAnchor;
use crate::report::calendar::civil_time;
use crate::report::{FileRole, ObjectKind, ObjectReport, Report, UsedRole};

/// The third part.
pub(super) fn blocks(
    report: &Report,
    context: Option<&Context<'_>>,
    language: Language,
) -> Vec<Block> {
    let mut blocks = vec![Block::Table(files(report, language))];
    blocks.extend(objects(report, language));
    blocks.extend(used_certificates(report, language).map(Block::Table));
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    if !findings.is_empty() {
        let caption = said(language, "すべての所見", "All findings");
        blocks.push(Block::Table(findings_table(&findings, caption, language)));
    }
    blocks.push(Block::Heading(said(
        language,
        "検証の条件",
        "What it was judged by",
    )));
    blocks.push(Block::Facts(conditions(report, context, language)));
    if let Some(context) = context.filter(|context| !context.anchors.is_empty()) {
        blocks.push(Block::Table(anchors(context.anchors, language)));
    }
    blocks.push(Block::Heading(said(
        language,
        "この報告書が述べていないこと",
        "The limits of this report",
    )));
    blocks.push(Block::Facts(limits(report, language)));
    blocks
}

fn files(report: &Report, language: Language) -> Table {
    let say = |ja, en| said(language, ja, en);
    let rows = report
        .files
        .iter()
        .map(|file| {
            let role = match file.role {
                FileRole::Evidence => say("証拠", "evidence"),
                FileRole::Data => say("文書", "data"),
            };
            let kind = file.kind.map_or("—", |kind| kind.label(language));
            Row {
                tone: Tone::Plain,
                cells: vec![
                    printable(&file.name),
                    role,
                    kind.to_owned(),
                    file.size.map_or_else(|| "—".to_owned(), grouped),
                ],
            }
        })
        .collect();
    Table {
        caption: say("与えられたファイル", "The files that were given"),
        columns: vec![
            (say("名前", "Name"), 44),
            (say("扱い", "Given as"), 12),
            (say("種類", "Kind"), 28),
            (say("バイト数", "Bytes"), 16),
        ],
        rows,
    }
}

/// Every object with every fact about it.
fn objects(report: &Report, language: Language) -> Vec<Block> {
    let mut blocks = Vec::new();
    if report.objects.is_empty() {
        return blocks;
    }
    blocks.push(Block::Heading(said(
        language,
        "判定した対象",
        "Each object that was judged",
    )));
    for (number, object) in report.objects.iter().enumerate() {
        let number = number.saturating_add(1);
        let title = format!("{number}. {}", kind_name(object.kind, language));
        blocks.push(Block::Heading(title));
        blocks.push(Block::Facts(facts(object, language)));
    }
    blocks
}

pub(super) fn kind_name(kind: ObjectKind, language: Language) -> String {
    let (ja, en) = match kind {
        ObjectKind::Package => ("証拠コンテナ", "Evidence container"),
        ObjectKind::Manifest => ("記録の目録", "Manifest of the record"),
        ObjectKind::Document => ("文書", "Document"),
        ObjectKind::Lines => ("ログの行", "Lines of a log"),
        ObjectKind::EvidenceRecord => ("証拠記録", "Evidence record"),
        ObjectKind::Signature => ("署名", "Signature"),
        ObjectKind::Timestamp => ("タイムスタンプ", "Time-stamp"),
        ObjectKind::Request => ("タイムスタンプ要求", "Time-stamp request"),
        ObjectKind::Response => ("タイムスタンプ応答", "Answer of a time-stamping authority"),
        ObjectKind::NotJudged => ("判定しない証拠", "Evidence that is not judged"),
    };
    said(language, ja, en)
}

fn facts(object: &ObjectReport, language: Language) -> Vec<Fact> {
    let say = |ja, en| said(language, ja, en);
    let mut facts = vec![
        Fact::new(say("場所", "Place"), object.place.as_str()),
        verdict_fact(object.judgement, language),
    ];
    if let Some(time) = object.time {
        facts.push(Fact::new(say("時刻", "Time"), civil_time(time)));
    }
    if let Some(time) = object.judged_at {
        facts.push(Fact::new(
            say("判定の時点", "Judged as of"),
            civil_time(time),
        ));
    }
    if !object.covers.is_empty() {
        let covers = object.covers.iter().map(|name| printable(name)).collect();
        facts.push(Fact::list(say("対象", "Covers"), covers));
    }
    for (name, value) in object.details.iter().filter(|(_, value)| !value.is_empty()) {
        facts.push(Fact::list(
            detail_name(name, language),
            detail_lines(name, value),
        ));
    }
    if !object.used.is_empty() {
        let used = object.used.iter().map(|used| {
            let name = used_name(used.role, language);
            format!("{name}: {:?}", used.digest())
        });
        facts.push(Fact::list(say("使ったもの", "Rests on"), used.collect()));
    }
    facts
}

fn used_name(role: UsedRole, language: Language) -> String {
    let (ja, en) = match role {
        UsedRole::SigningCertificate => ("署名者の証明書", "Certificate of the signer"),
        UsedRole::Certificate => ("証明書", "Certificate"),
        UsedRole::TrustAnchor => ("信頼の起点", "Trust anchor"),
        UsedRole::Crl => ("失効リスト", "Revocation list"),
        UsedRole::OcspResponse => ("失効応答", "Revocation answer"),
        UsedRole::TimestampToken => ("タイムスタンプ", "Time-stamp"),
        UsedRole::EvidenceRecord => ("証拠記録", "Evidence record"),
        UsedRole::Signature => ("署名の値", "Signature value"),
        UsedRole::ToBeSigned => ("署名の対象", "What was signed"),
        UsedRole::SignedData => ("証明の対象のデータ", "Data that is proven"),
    };
    said(language, ja, en)
}

/// Every certificate that a verdict rests on, each once, in the order in which they were used.
fn used_certificates(report: &Report, language: Language) -> Option<Table> {
    let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
    let mut rows = Vec::new();
    for used in report.objects.iter().flat_map(|object| &object.used) {
        let is_certificate = matches!(
            used.role,
            UsedRole::SigningCertificate | UsedRole::Certificate | UsedRole::TrustAnchor
        );
        let Some(der) = used.bytes().filter(|_| is_certificate) else {
            continue;
        };
        if seen.insert(der) {
            let role = used_name(used.role, language);
            rows.push(certificate_row(der, Some(&role), language));
        }
    }
    (!rows.is_empty()).then(|| {
        let caption = said(language, "使った証明書", "Certificates that were used");
        certificate_table(caption, rows, language)
    })
}

/// The value of a fact, as lines that fit on paper.
fn detail_lines(name: &str, value: &str) -> Vec<String> {
    match name {
        "digests" => value.split(' ').map(printable).collect(),
        "size" | "count" | "first" | "last" => {
            let number = value.parse().map(grouped);
            vec![number.unwrap_or_else(|_| printable(value))]
        }
        _ => vec![printable(value)],
    }
}

/// What people call a fact; one that is not listed keeps the name that it has in the JSON report.
fn detail_name(name: &str, language: Language) -> String {
    let found = DETAIL_NAMES.iter().find(|(known, _, _)| *known == name);
    found.map_or_else(|| name.to_owned(), |(_, ja, en)| said(language, ja, en))
}

const DETAIL_NAMES: &[(&str, &str, &str)] = &[
    ("name", "名前", "Name"),
    ("media-type", "形式", "Media type"),
    ("size", "バイト数", "Bytes"),
    ("digests", "ダイジェスト", "Digests"),
    ("archive", "アーカイブ", "Archive"),
    ("record", "記録", "Record"),
    ("version", "版", "Version"),
    ("class", "保管要件", "Class"),
    ("depositor", "預入者", "Depositor"),
    ("channel", "受入れ経路", "Channel"),
    ("received-at", "受入れ時刻", "Received at"),
    ("first", "最初の行", "First line"),
    ("last", "最後の行", "Last line"),
    ("count", "行数", "Lines"),
    ("chains", "連鎖の数", "Chains"),
    ("time-stamps", "タイムスタンプの数", "Time-stamps"),
    ("role", "役割", "Role"),
    ("kind", "種類", "Kind"),
    ("serial", "通番", "Serial number"),
    ("policy", "発行方針", "Policy"),
    ("digest-algorithm", "ダイジェストの方式", "Digest algorithm"),
    ("imprint", "対象のダイジェスト", "Digest of what it is over"),
    (
        "canonicalization",
        "照合した正規形",
        "Canonical form that was compared",
    ),
    ("accuracy-seconds", "精度（秒）", "Accuracy in seconds"),
    ("signature-algorithm", "署名の方式", "Signature algorithm"),
    ("signer", "署名者の証明書", "Certificate of the signer"),
    ("signer-name", "署名者の名義", "Name of the signer"),
    ("issuer", "その発行者", "Its issuer"),
    ("holds-until", "更新の期限", "Holds until"),
    ("holds-until-because-of", "期限の理由", "Because of"),
    ("level", "署名の水準", "Level"),
    (
        "baseline-level",
        "署名の水準 (EN 319 122-1)",
        "Level (EN 319 122-1)",
    ),
    (
        "claimed-signing-time",
        "自称の署名時刻",
        "Claimed time of signing",
    ),
    ("statutory", "認定", "Accredited by law"),
    ("statutory-because", "認定の根拠", "Accredited because"),
];

fn conditions(report: &Report, context: Option<&Context<'_>>, language: Language) -> Vec<Fact> {
    let say = |ja, en| said(language, ja, en);
    let tool = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let mut facts = vec![
        Fact::new(say("プログラム", "Program"), format!("Fumikura {tool}")),
        Fact::new(
            say("規格", "Standard"),
            "ETSI EN 319 102-1, RFC 5280, RFC 3161, RFC 4998, EN 319 122-1, EN 319 162-1",
        ),
        Fact::new(
            say("検証の基準時刻", "Judged as of"),
            civil_time(report.verified_at),
        ),
    ];
    let Some(context) = context else {
        return facts;
    };
    facts.push(Fact::new(
        say("検証の方針", "Policy"),
        printable(context.policy.name()),
    ));
    if context.anchors.is_empty() {
        facts.push(Fact::new(
            say("信頼の起点", "Trust anchors"),
            say("示されていません", "none was given"),
        ));
    }
    let given = [
        (
            context.certificates.len(),
            say("追加の証明書", "More certificates"),
        ),
        (
            context.crls.len(),
            say("追加の失効リスト", "More revocation lists"),
        ),
        (
            context.ocsp_responses.len(),
            say("追加の失効応答", "More revocation answers"),
        ),
    ];
    for (count, label) in given {
        if count > 0 {
            facts.push(Fact::new(label, count.to_string()));
        }
    }
    facts
}

/// The trust anchors that were given.
fn anchors(anchors: &[TrustAnchor], language: Language) -> Table {
    let rows = anchors
        .iter()
        .map(|anchor| certificate_row(anchor.certificate(), None, language))
        .collect();
    certificate_table(
        said(
            language,
            "与えられた信頼の起点",
            "The trust anchors that were given",
        ),
        rows,
        language,
    )
}

fn certificate_table(caption: String, rows: Vec<Row>, language: Language) -> Table {
    let say = |ja, en| said(language, ja, en);
    Table {
        caption,
        columns: vec![
            (say("主体者・発行者", "Subject, issuer"), 42),
            (say("有効期間", "Valid"), 24),
            (say("通番・SHA-256", "Serial number, SHA-256"), 34),
        ],
        rows,
    }
}

/// A certificate: whose, by whom, from when to when, and how to recognise it.
fn certificate_row(der: &[u8], role: Option<&str>, language: Language) -> Row {
    let digest = hex::encode(DigestAlgorithm::Sha256.digest(der).as_bytes());
    let role = role.unwrap_or_default();
    let Ok(certificate) = Certificate::parse(der) else {
        let unreadable = said(language, "読み取れません", "cannot be read");
        return Row {
            tone: Tone::Plain,
            cells: vec![lines(&[role, &unreadable]), String::new(), digest],
        };
    };
    let subject = printable(&certificate.subject().to_string());
    let issuer = printable(&certificate.issuer().to_string());
    let issuer = match language {
        Language::Japanese => format!("発行者: {issuer}"),
        Language::English => format!("issued by {issuer}"),
    };
    let (from, to) = (
        civil_time(certificate.not_before()),
        civil_time(certificate.not_after()),
    );
    let serial = hex::encode(certificate.serial());
    Row {
        tone: Tone::Plain,
        cells: vec![
            lines(&[role, &subject, &issuer]),
            format!("{from}\n– {to}"),
            lines(&[&serial, &digest]),
        ],
    }
}

/// What the report does not say.
fn limits(report: &Report, language: Language) -> Vec<Fact> {
    let say = |ja, en| said(language, ja, en);
    let mut lines = vec![
        say(
            "文書の内容が真実かどうか、誰がいつ作ったかは、検証の対象ではありません。署名があるときも、署名した者が内容を理解していたかどうかは分かりません。",
            "Whether what the documents say is true, and who made them when, is not judged. Where there is a signature, whether its maker understood what was signed is not known.",
        ),
        say(
            "信頼の起点が信頼に値するかどうかは、それを指定した人の判断です。",
            "Whether the trust anchors deserve trust is the decision of who gave them.",
        ),
        say(
            "与えられたファイルだけを、ネットワークに接続せずに検証しています。失効情報は証拠に含まれるものと与えられたものだけを使っています。",
            "Only the given files were judged, without a network. Revocation information is that in the evidence and what was given.",
        ),
        say(
            "証明されるのは遅くともその時刻に存在したことであり、その時刻に作られたことではありません。",
            "What is proven is existence at the latest at a time, not that something was made then.",
        ),
    ];
    let stamps = of_kind(report, ObjectKind::Timestamp);
    let mut unknown = stamps.filter(|stamp| stamp.detail("statutory").is_none());
    if unknown.next().is_some() {
        lines.push(say(
            "タイムスタンプ局が法令に基づく認定を受けているかどうかは、名簿が与えられた場合にだけ判定します。",
            "Whether a time-stamping authority is accredited by law is judged only where a register of them is given.",
        ));
    }
    let warnings = report
        .findings
        .iter()
        .filter(|finding| finding.severity() == Severity::Warning)
        .count();
    if warnings > 0 {
        lines.push(match language {
            Language::Japanese => format!("注意が {warnings} 件あります。所見を参照してください。"),
            Language::English => format!("Warnings: {warnings}; see the findings."),
        });
    }
    vec![Fact::list(say("範囲", "Scope"), lines)]
}
