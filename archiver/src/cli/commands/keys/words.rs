//! What the inventory of keys says to people: its words in Japanese, and a line for each event.

use std::borrow::Cow;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::lang::Lang;
use crate::cli::output::moment;
use crate::cli::session::Session;
use crate::event::EventBody;
use crate::keys::copy_events::{KeyCopyBegun, KeyCopyFailed, KeyCopyGone, KeyCopyJoined};
use crate::keys::custody::{BackupKeyMade, CeremonyHeld, PassphraseSet};
use crate::keys::events::{KeyCopyMade, KeysAudited, KeysDestroyed, KeysRotated};
use crate::keys::intake_events::{IntakeAccepted, IntakeCreated, IntakeDestroyed};
use crate::keys::inventory::KeyEvent;

/// A word of the inventory in the language of the user. Paths and descriptions of providers stay as they are.
pub(super) fn word(text: &str, lang: Lang) -> Cow<'_, str> {
    if lang == Lang::En {
        return text.into();
    }
    if let Some(epoch) = text.strip_prefix("key-encryption key, epoch ") {
        return format!("鍵暗号鍵(世代 {epoch})").into();
    }
    if let Some(text) = protection(text) {
        return text.into();
    }
    let known = WORDS.iter().find(|(english, _)| *english == text);
    known.map_or(text, |(_, japanese)| japanese).into()
}

/// What a provider says of how its keys are protected, in Japanese.
fn protection(text: &str) -> Option<String> {
    if text.starts_with("AES-256 keys in a PKCS#11 token") {
        return Some(
            "PKCS#11 トークンの中の AES-256 鍵(取り出せない)。PIN で開き、トークンの中で AES-256-GCM を行う"
                .to_owned(),
        );
    }
    if let Some((cipher, ceremony)) = text.split_once(" under a key that custodians share: ") {
        return Some(format!(
            "保管者が分け持つ鍵による {cipher}: {}",
            shared(ceremony)
        ));
    }
    let (ciphers, numbers) = text.split_once(" of a passphrase (memory ")?;
    let (cipher, derivation) = ciphers.split_once(" under ")?;
    let numbers = numbers.trim_end_matches(')');
    let (memory, rest) = numbers.split_once(", ")?;
    let (passes, lanes) = rest.split_once(", ")?;
    let number = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    Some(format!(
        "パスフレーズから {derivation} で導いた鍵による {cipher}(記憶域 {memory}、反復 {}、並列 {})",
        number(passes),
        number(lanes)
    ))
}

/// Who shares a key, as a ceremony says it.
fn shared(ceremony: &str) -> String {
    let Some((threshold, rest)) = ceremony
        .strip_prefix("any ")
        .and_then(|rest| rest.split_once(" of "))
    else {
        return ceremony.to_owned();
    };
    match rest.split_once(' ') {
        Some((shares, names)) => format!("{shares} 人のうち {threshold} 人 {names}"),
        None => format!("{rest} 人のうち {threshold} 人"),
    }
}

/// Tells what happened to the keys: one line for each event.
pub(super) fn tell_event(session: &Session, event: &KeyEvent) {
    session.output.event(&json!({
        "event": "key-event", "kind": event.kind, "time": event.time, "by": event.by, "facts": event.facts,
    }));
    let time = OffsetDateTime::parse(&event.time, &Rfc3339);
    let time = time.map_or_else(|_| event.time.clone(), moment);
    let (what, by) = (what(event, session.output.lang), &event.by);
    session.output.say(&format!("{time}  {what}  [{by}]"));
}

fn what(event: &KeyEvent, lang: Lang) -> String {
    let facts = &event.facts;
    match event.kind.as_str() {
        CeremonyHeld::KIND => ceremony(facts, lang),
        BackupKeyMade::KIND => backup_key(facts, lang),
        PassphraseSet::KIND if facts["changed"] == true => lang
            .pick("パスフレーズを変更", "passphrase changed")
            .to_owned(),
        PassphraseSet::KIND => lang
            .pick(
                "パスフレーズで開く(最初の記録)",
                "opens with a passphrase (first record)",
            )
            .to_owned(),
        IntakeCreated::KIND | IntakeAccepted::KIND | IntakeDestroyed::KIND => intake(event, lang),
        KeyCopyBegun::KIND => lang
            .pick("鍵媒体の写しの作成を開始", "copy of the key medium begun")
            .to_owned(),
        KeyCopyFailed::KIND => {
            let cause = facts["cause"].as_str().unwrap_or_default();
            lang.pick(
                format!("鍵媒体の写しの作成に失敗: {cause}"),
                format!("copy of the key medium failed: {cause}"),
            )
        }
        KeyCopyGone::KIND => {
            let how = facts["how"].as_str().unwrap_or_default();
            lang.pick(
                format!("鍵媒体の写しはもうない: {how}"),
                format!("copy of the key medium is gone: {how}"),
            )
        }
        KeyCopyJoined::KIND => lang
            .pick(
                "別の方法で作られた写しが加わる",
                "copy made with other means takes part",
            )
            .to_owned(),
        KeyCopyMade::KIND => lang
            .pick("鍵媒体の写しを作成", "copy of the key medium made")
            .to_owned(),
        KeysRotated::KIND => {
            let epoch = count(facts, "epoch");
            lang.pick(
                format!("世代 {epoch} へ交替"),
                format!("rotated to epoch {epoch}"),
            )
        }
        KeysAudited::KIND => {
            let (keys, failed) = (count(facts, "keys"), count(facts, "failed"));
            lang.pick(
                format!("点検: 鍵 {keys} 個、開かないもの {failed} 個"),
                format!("inspected: {keys} keys, {failed} did not open"),
            )
        }
        KeysDestroyed::KIND => {
            let versions = count(facts, "versions");
            lang.pick(
                format!("{versions} 版の鍵を廃棄"),
                format!("keys of {versions} record versions destroyed"),
            )
        }
        other => other.to_owned(),
    }
}

fn ceremony(facts: &Value, lang: Lang) -> String {
    let code = facts["ceremony"].as_str().unwrap_or_default();
    let (threshold, shares) = (count(facts, "threshold"), count(facts, "shares"));
    let names = facts["custodians"].as_array();
    let names: Vec<&str> = names.map_or_else(Vec::new, |names| {
        names.iter().filter_map(Value::as_str).collect()
    });
    lang.pick(
        format!(
            "儀式 {code}: {shares} 人({})のうち {threshold} 人で開く",
            names.join("、")
        ),
        format!(
            "ceremony {code}: any {threshold} of {shares} open ({})",
            names.join(", ")
        ),
    )
}

fn backup_key(facts: &Value, lang: Lang) -> String {
    let Ok(made) = serde_json::from_value::<BackupKeyMade>(facts.clone()) else {
        return BackupKeyMade::KIND.to_owned();
    };
    let (epoch, ceremony) = (made.key.epoch, &made.key.ceremony);
    let people = crate::cli::commands::backup::people(&made.key);
    lang.pick(
        format!("バックアップの鍵 {epoch} の儀式: {people}で開く"),
        format!("ceremony of backup key {epoch}: {ceremony} open backups"),
    )
}

fn intake(event: &KeyEvent, lang: Lang) -> String {
    let facts = &event.facts;
    let place = facts.pointer("/intake/place");
    let place = place.and_then(Value::as_str).unwrap_or_default();
    if event.kind == IntakeCreated::KIND {
        return lang.pick(
            format!("預入専用の鍵媒体を作成: {place}"),
            format!("intake medium made: {place}"),
        );
    }
    if event.kind == IntakeDestroyed::KIND {
        let how = facts["how"].as_str().unwrap_or_default();
        return lang.pick(
            format!("預入専用の鍵媒体を廃棄: {place}({how})"),
            format!("intake medium destroyed: {place} ({how})"),
        );
    }
    let (taken, runs) = (count(facts, "taken"), count(facts, "runs"));
    let damaged = count(facts, "damaged");
    lang.pick(
        format!("預入専用の鍵媒体 {place} から鍵 {taken} 件を引き取り(実行 {runs} 回、開かないもの {damaged} 件)"),
        format!("took over {taken} keys from the intake medium at {place} ({runs} runs; {damaged} keys did not open)"),
    )
}

/// A number, or how many a list has.
fn count(facts: &Value, name: &str) -> u64 {
    let Some(value) = facts.get(name) else {
        return 0;
    };
    let length = value.as_array().map(|list| list.len() as u64);
    length.or_else(|| value.as_u64()).unwrap_or_default()
}

/// The words of the inventory, English and Japanese.
const WORDS: [(&str, &str); 26] = [
    (
        "stands in the token, and no file that is here names it: its file may stand on a key medium that is away",
        "トークンにあるが、ここにあるどのファイルにも書かれていない。外されている鍵媒体に書かれているかもしれない",
    ),
    ("an interrupted rotation", "中断した鍵の交替"),
    ("unlocking secret", "鍵媒体を開く秘密"),
    ("catalog key", "索引の鍵"),
    ("data keys", "データ鍵"),
    (
        "set when the archive was made, or by a ceremony",
        "保管庫を作ったとき、または儀式で設定",
    ),
    (
        "seals index, events and receipts",
        "索引・事象・受領書を封じる",
    ),
    ("the archive was made", "保管庫の作成"),
    ("one for each deposit", "預入ごとに一つ"),
    ("records were destroyed", "記録の廃棄"),
    ("rotation", "交替"),
    (
        "each seals the contents and the manifest of one record version",
        "記録の一版の内容と目録を封じる",
    ),
    (
        "wraps the data keys, the catalog key and the signing keys",
        "データ鍵・索引の鍵・署名鍵を包む",
    ),
    ("not known to this program", "このプログラムの知らないもの"),
    (
        "made by 'archiver init' or 'archiver keys signing'",
        "archiver init か archiver keys signing で作成",
    ),
    (
        "signs the tokens of the embedded timestamp authority",
        "内蔵の時刻認証局のトークンに署名する",
    ),
    (
        "issues the certificates of the archive's signing keys",
        "保管庫の署名鍵の証明書を発行する",
    ),
    ("signs records and receipts", "記録と受領書に署名する"),
    ("key medium", "鍵媒体"),
    ("copy in step", "揃えてある写し"),
    ("copy made", "以前に作った写し"),
    ("intake medium", "預入専用の鍵媒体"),
    ("in-service", "使用中"),
    ("missing", "ない"),
    ("out-of-service", "使用停止"),
    ("outside", "管理外"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_is_told_in_japanese() {
        for (english, japanese) in [
            (
                "AES-256-GCM under Argon2id of a passphrase (memory 65536 KiB, 3 passes, 4 lanes)",
                "パスフレーズから Argon2id で導いた鍵による AES-256-GCM(記憶域 65536 KiB、反復 3、並列 4)",
            ),
            (
                "AES-256-GCM under a key that custodians share: any 2 of 3 (佐藤, 鈴木, 高橋)",
                "保管者が分け持つ鍵による AES-256-GCM: 3 人のうち 2 人 (佐藤, 鈴木, 高橋)",
            ),
        ] {
            assert_eq!(word(english, Lang::Ja), japanese);
            assert_eq!(word(english, Lang::En), english);
        }
        let token = "AES-256 keys in a PKCS#11 token, sensitive and not extractable; AES-256-GCM in the token, under its PIN";
        assert!(word(token, Lang::Ja).starts_with("PKCS#11 トークン"));
        assert_eq!(
            word("AES-256-GCM of something else", Lang::Ja),
            "AES-256-GCM of something else"
        );
    }
}
