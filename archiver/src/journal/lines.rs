//! What entries of the trail and events of the archive say in a journal, and under which of its items.

use formats::audit::{AuditEntry, Outcome};
use serde_json::Value;

use super::JournalLine;
use crate::audit::{Act, Notice};
use crate::backup::ledger::BackupTaken;
use crate::cli::lang::Lang;
use crate::event::{EventBody, RecordedEvent, Topic};

/// The items of the journal that lines stand under; ① is made of log-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// ②
    Settings,
    /// ③
    Logs,
    /// ④
    Backups,
    /// ⑤
    Errors,
}

/// What an entry of the trail says, if it is of an item.
pub(super) fn of_entry(entry: &AuditEntry) -> Option<(Item, JournalLine)> {
    if entry.outcome != Outcome::Done {
        return None;
    }
    let act = Act::from_code(&entry.act)?;
    let item = item_of(act)?;
    let mut facts: Vec<String> = Vec::new();
    facts.extend(entry.record.clone());
    let details = entry.details.iter().filter(|(key, _)| *key != "text-ja");
    facts.extend(details.map(|(key, value)| format!("{key}={value}")));
    let facts = facts.join(", ");
    let words = |lang| joined(act.title(lang), &facts, lang);
    let line = JournalLine {
        time: entry.time,
        by: entry.person.clone(),
        ja: words(Lang::Ja),
        en: words(Lang::En),
    };
    Some((item, line))
}

/// Of which item an act is, if of one.
const fn item_of(act: Act) -> Option<Item> {
    match act {
        Act::AuditClose => Some(Item::Logs),
        Act::EventAnswer | Act::AlarmSolve => Some(Item::Errors),
        Act::PeopleRequest
        | Act::PeopleApprove
        | Act::PeopleRefuse
        | Act::PeopleSuspend
        | Act::PeopleResume
        | Act::PeopleClose
        | Act::PeopleReview
        | Act::PeopleReset
        | Act::QuarantineRelease
        | Act::QuarantineRefuse
        | Act::MediaChange
        | Act::KeysChange
        | Act::SystemChange
        | Act::ServiceStart
        | Act::ServiceStop => Some(Item::Settings),
        Act::SessionBegin
        | Act::SessionRefuse
        | Act::SessionEnd
        | Act::PasswordChange
        | Act::AuthenticatorSet
        | Act::RecordDeposit
        | Act::UploadBegin
        | Act::UploadAbandon
        | Act::RecordSearch
        | Act::RecordRead
        | Act::RecordRetrieve
        | Act::RecordVerify
        | Act::EvidenceExport
        | Act::ReceiptRetrieve
        | Act::SearchRetrieve
        | Act::PackageJudge
        | Act::QuarantineRead
        | Act::QuarantineRequest
        | Act::SearchExport
        | Act::SearchKeep
        | Act::SearchDrop
        | Act::JobStamp
        | Act::JobRenew
        | Act::PeopleRead
        | Act::PeopleExport
        | Act::ApprovalsRead
        | Act::MediaRead
        | Act::KeysRead
        | Act::SystemRead
        | Act::AuditRead
        | Act::AuditExport
        | Act::AlarmRaise
        | Act::EventRead
        | Act::JournalRead
        | Act::JournalNote
        | Act::JournalClose
        | Act::JournalConfirm
        | Act::JournalInspect
        | Act::ReportMake
        | Act::ApiDenied => None,
    }
}

/// What an event that is to be reported says.
pub(super) fn of_notice(notice: &Notice) -> Option<JournalLine> {
    let words = |lang: Lang| {
        let title = notice.kind.title(lang);
        let rule = notice.kind.rule().map(|rule| format!("{rule} "));
        let title = format!("{}{title}", rule.unwrap_or_default());
        let entry = notice.sequence;
        let about = [notice.client.as_str(), &notice.act, &notice.about];
        let about: Vec<&str> = about.into_iter().filter(|one| !one.is_empty()).collect();
        let entry = lang.pick(format!("第{entry}行"), format!("entry {entry}"));
        joined(&title, &format!("{entry}, {}", about.join(", ")), lang)
    };
    Some(JournalLine {
        time: notice.time?,
        by: notice.person.clone(),
        ja: words(Lang::Ja),
        en: words(Lang::En),
    })
}

/// What an event of the archive says, if it is of an item: media, keys, settings, backups, damage.
pub(super) fn of_event(event: &RecordedEvent) -> Option<(Item, JournalLine)> {
    let item = match event.topic {
        Topic::Media | Topic::Keys => Item::Settings,
        Topic::Fixity if event.kind == "damage-found" => Item::Errors,
        Topic::Configuration if is_of_backup(&event.kind) => Item::Backups,
        Topic::Configuration => Item::Settings,
        Topic::Fixity | Topic::Records | Topic::People | Topic::Audit => return None,
    };
    let facts = facts(event);
    let (ja, en) = title(&event.kind);
    let line = JournalLine {
        time: event.time,
        by: event.by.clone(),
        ja: joined(ja, &facts, Lang::Ja),
        en: joined(en, &facts, Lang::En),
    };
    Some((item, line))
}

fn is_of_backup(kind: &str) -> bool {
    kind.starts_with("backup-") || kind == "restore-drilled"
}

/// The facts in one line; whole texts of classes and settings are named by their digests, and files of a backup are not listed.
fn facts(event: &RecordedEvent) -> String {
    if let Some(taken) = event.as_::<BackupTaken>() {
        let (number, file, bytes) = (taken.generation, taken.file.display(), taken.bytes);
        return format!("#{number} {file}, {bytes} B, sha256={}", taken.sha256);
    }
    let Value::Object(facts) = &event.facts else {
        return String::new();
    };
    let told = facts.iter().filter_map(|(key, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(is) => is.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (value.len() <= FACT_BYTES_MAX && !value.contains('\n')).then(|| format!("{key}={value}"))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The names of events for people; of one that is not among them, its kind.
fn title(kind: &str) -> (&str, &str) {
    let known = TITLES.iter().find(|(one, _, _)| *one == kind);
    known.map_or((kind, kind), |(_, ja, en)| (ja, en))
}

fn joined(title: &str, facts: &str, lang: Lang) -> String {
    let text = match facts {
        "" => title.to_owned(),
        facts => lang.pick(format!("{title}: {facts}"), format!("{title}: {facts}")),
    };
    // Others wrote parts of it: what moves the cursor or turns the line around is taken out.
    crate::cli::output::shown_name(&text)
}

/// A fact that is longer is a text of its own.
const FACT_BYTES_MAX: usize = 200;

/// Kinds of events, in Japanese and English.
const TITLES: &[(&str, &str, &str)] = &[
    (
        "class-recorded",
        "保管要件の登録・変更",
        "class registered or changed",
    ),
    (
        "configuration-recorded",
        "設定ファイルの変更",
        "configuration changed",
    ),
    (BackupTaken::KIND, "バックアップの実施", "backup taken"),
    ("backup-begun", "バックアップの開始", "backup begun"),
    ("backup-destroyed", "バックアップの廃棄", "backup destroyed"),
    ("restore-drilled", "復元訓練", "restore drill"),
    ("keys-rotated", "鍵の更新", "keys rotated"),
    (
        "key-copy-made",
        "鍵媒体の写しの作成",
        "copy of the key medium made",
    ),
    ("keys-destroyed", "鍵の破棄", "keys destroyed"),
    ("keys-audited", "鍵の点検", "keys inspected"),
    ("ceremony-held", "鍵の分割(儀式)", "key ceremony held"),
    ("passphrase-set", "パスフレーズの変更", "passphrase set"),
    ("damage-found", "破損の検出", "damage found"),
    ("medium-registered", "媒体の登録", "medium registered"),
    ("medium-moved", "媒体の移動", "medium moved"),
    ("medium-joined", "媒体の組み込み", "medium joined"),
    ("medium-left", "媒体の取り外し", "medium left"),
    (
        "medium-out-of-service",
        "媒体の停止",
        "medium out of service",
    ),
    ("medium-returned", "媒体の復帰", "medium returned"),
    ("media-counted", "媒体の棚卸し", "media counted"),
    (
        "intake-created",
        "預け入れ専用の鍵媒体の作成",
        "key medium of an intake host made",
    ),
    (
        "intake-accepted",
        "預け入れ専用の鍵媒体の受け入れ",
        "key medium of an intake host accepted",
    ),
    (
        "intake-destroyed",
        "預け入れ専用の鍵媒体の破棄",
        "key medium of an intake host destroyed",
    ),
    (
        "backup-key-made",
        "バックアップの鍵の作成",
        "key of the backups made",
    ),
];
