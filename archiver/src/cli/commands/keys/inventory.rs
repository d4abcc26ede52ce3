//! `archiver keys inventory` and `audit`.

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::archive::{Access, ArchiveError};
use crate::cli::arguments::AuditKeys;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment};
use crate::cli::session::Session;
use crate::keys::inventory::{AuditPart, KeyItem, KeyRole, KeyState};
use crate::keys::provider::ProviderKind;

use super::words::{tell_event, word};

/// `archiver keys inventory`
pub(super) fn inventory(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let inventory = archive.key_inventory()?;
    let lang = session.output.lang;
    let responsible = inventory.responsible.clone().unwrap_or_else(|| {
        lang.pick("未定(key_responsible)", "nobody named (key_responsible)")
            .to_owned()
    });
    let say = |text: &str| session.output.say(text);
    say(&lang.pick(
        format!("管理責任者: {responsible}"),
        format!("responsible: {responsible}"),
    ));
    for item in &inventory.items {
        let by_token = archive.keys().provider().describe().kind == ProviderKind::Token;
        tell(session, item, inventory.responsible.as_deref(), by_token);
    }
    for place in &inventory.places {
        session
            .output
            .event(&json!({ "event": "key-place", "place": place }));
        let medium = place
            .medium
            .medium
            .map(|id| id.to_string())
            .unwrap_or_default();
        say(&format!(
            "\n{} {} {medium}: {}, {}",
            word(place.kind, lang),
            place.medium.number.unwrap_or_default(),
            place.medium.place,
            word(place.condition, lang)
        ));
        if place.damaged + place.unwritten > 0 {
            let (damaged, unwritten) = (grouped(place.damaged), grouped(place.unwritten));
            say(&lang.pick(
                format!("  鍵台帳の傷: 壊れた項目 {damaged} 件、ゼロの並ぶ項目 {unwritten} 件"),
                format!(
                    "  its ledger: {damaged} damaged entries, {unwritten} of zeros or cut by them"
                ),
            ));
        }
    }
    for event in &inventory.events {
        tell_event(session, event);
    }
    let due = &inventory.inspection_due;
    session.output.event(
        &json!({ "event": "key-inspection", "inspected_at": inventory.inspected_at, "due": due }),
    );
    say(&lang.pick(
        format!("\n次の点検: {due} まで(archiver keys audit)"),
        format!("\nnext inspection: by {due} (archiver keys audit)"),
    ));
    archive.close()?;
    Ok(Exit::Done)
}

/// Tells one line of the inventory.
fn tell(session: &Session, item: &KeyItem, responsible: Option<&str>, by_token: bool) {
    let lang = session.output.lang;
    let say = |text: &str| session.output.say(text);
    let leaked = |lang| match item.role {
        KeyRole::Unlock if by_token => if_pin_leaked(lang),
        KeyRole::KeyEncryption if by_token => if_token_lost(lang),
        KeyRole::Unlock
        | KeyRole::KeyEncryption
        | KeyRole::Catalog
        | KeyRole::Data
        | KeyRole::Signing => if_leaked(item.role, lang),
    };
    let (effect, procedure) = leaked(lang);
    session.output.event(&json!({
        "event": "key", "name": item.name, "role": item.role, "count": item.count, "purpose": item.purpose,
        "state": item.state, "epoch": item.epoch, "since": item.since, "occasion": item.occasion,
        "responsible": responsible, "if_leaked": leaked(Lang::En).0,
        "procedure": leaked(Lang::En).1,
    }));
    let state = match item.state {
        KeyState::Active => lang.pick("使用中", "active"),
        KeyState::Retired => lang.pick("交替済み", "retired"),
        KeyState::Destroyed => lang.pick("廃棄済み", "destroyed"),
    };
    say(&format!(
        "\n{} ({}) — {state}",
        word(&item.name, lang),
        item.count
    ));
    say(&lang.pick(
        format!("  用途: {}", word(&item.purpose, lang)),
        format!("  for: {}", item.purpose),
    ));
    if let Some(since) = &item.since {
        let since = shown_time(since);
        say(&lang.pick(
            format!("  {since} から({})", word(item.occasion, lang)),
            format!("  since {since} ({})", item.occasion),
        ));
    }
    if item.state != KeyState::Destroyed {
        say(&lang.pick(
            format!("  漏れたとき: {effect}"),
            format!("  if it leaks: {effect}"),
        ));
        say(&lang.pick(
            format!("  そのときの手順: {procedure}"),
            format!("  then: {procedure}"),
        ));
    }
}

/// A recorded time as times are told elsewhere.
fn shown_time(text: &str) -> String {
    OffsetDateTime::parse(text, &Rfc3339).map_or_else(|_| text.to_owned(), moment)
}

/// What the leak of a token's PIN means, and what is to be done then: its keys never leave it.
const fn if_pin_leaked(lang: Lang) -> (&'static str, &'static str) {
    match lang {
        Lang::En => (
            "with the token itself, a copy of the key medium and a data medium, everything can be read; without the token, nothing",
            "change the PIN with the token's own tool; if the token was in other hands, 'archiver keys rotate' and account for every copy of the key medium",
        ),
        Lang::Ja => (
            "トークンそのものと、鍵媒体の写しとデータ媒体があれば、すべてを読める。トークンがなければ何も読めない",
            "トークン付属の道具で PIN を変える。トークンが他人の手に渡ったなら archiver keys rotate を実行し、鍵媒体の写しをすべて確かめる",
        ),
    }
}

/// The same of the keys in it: only whoever has the token has them.
const fn if_token_lost(lang: Lang) -> (&'static str, &'static str) {
    match lang {
        Lang::En => (
            "it does not leave the token: with the token, its PIN, a copy of the ledger and a data medium, everything can be read",
            "if the token was in other hands, 'archiver keys rotate' and account for every copy of the key medium; if it is lost, use its backup",
        ),
        Lang::Ja => (
            "トークンの外には出ない。トークンとその PIN、鍵台帳の写し、データ媒体があれば、すべてを読める",
            "トークンが他人の手に渡ったなら archiver keys rotate を実行し、鍵媒体の写しをすべて確かめる。失ったならその控えを使う",
        ),
    }
}

/// What the leak of a key means, and what is to be done then.
const fn if_leaked(role: KeyRole, lang: Lang) -> (&'static str, &'static str) {
    match (role, lang) {
        (KeyRole::Unlock, Lang::En) => (
            "with a copy of the key medium and a data medium, everything can be read",
            "'archiver keys passphrase' or a new ceremony, then 'archiver keys rotate'; account for every copy of the key medium",
        ),
        (KeyRole::Unlock, Lang::Ja) => (
            "鍵媒体の写しとデータ媒体があれば、すべてを読める",
            "archiver keys passphrase か新しい儀式のあと archiver keys rotate。鍵媒体の写しをすべて確かめる",
        ),
        (KeyRole::KeyEncryption, Lang::En) => (
            "with a copy of the ledger and a data medium, everything can be read",
            "'archiver keys rotate'; account for every copy of the key medium",
        ),
        (KeyRole::KeyEncryption, Lang::Ja) => (
            "鍵台帳の写しとデータ媒体があれば、すべてを読める",
            "archiver keys rotate。鍵媒体の写しをすべて確かめる",
        ),
        (KeyRole::Catalog, Lang::En) => (
            "with a data medium or the index, metadata, events and receipts can be read; no contents",
            "list who could have had it; the key stays for the archive's life: move the records to a new archive where that is not acceptable",
        ),
        (KeyRole::Catalog, Lang::Ja) => (
            "データ媒体か索引があれば、属性・事象・受領書を読める(内容は読めない)",
            "知り得た者を洗い出す。この鍵は保管庫の存続中は変わらないので、許容できなければ記録を新しい保管庫へ移す",
        ),
        (KeyRole::Data, Lang::En) => (
            "with a data medium, that one record version can be read",
            "list the records concerned; deposit them anew and destroy the old ones ('archiver keys destroy')",
        ),
        (KeyRole::Data, Lang::Ja) => (
            "データ媒体があれば、その版だけを読める",
            "該当する記録を洗い出し、改めて預け入れて古い方を廃棄する(archiver keys destroy)",
        ),
        (KeyRole::Signing, Lang::En) => (
            "somebody else can sign as the archive; what is under a timestamp already stays proven",
            "revoke its certificate; 'archiver keys signing request' for a new key, or another timestamping authority",
        ),
        (KeyRole::Signing, Lang::Ja) => (
            "他人が保管庫を名乗って署名できる。すでにタイムスタンプの付いたものの証明は変わらない",
            "証明書を失効させ、archiver keys signing request で新しい鍵にするか、別の時刻認証局に替える",
        ),
    }
}

/// `archiver keys audit`
pub(super) fn audit(session: &Session, arguments: &AuditKeys) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let lang = session.output.lang;
    let part = match arguments.part.as_deref() {
        None => AuditPart { part: 1, parts: 1 },
        Some(text) => part_of(text).ok_or_else(|| {
            Failure::said(
                Exit::Usage,
                lang,
                "--part は 3/30 のように書きます".to_owned(),
                "--part is written like 3/30".to_owned(),
            )
        })?,
    };
    let bar = session.output.spinner(lang.pick("鍵の点検", "keys"));
    let audit = archive.audit_keys(&session.user, part, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let audit = audit.map_err(|error: ArchiveError| error)?;
    session.output.event(&json!({
        "event": "keys-audited", "part": part.part, "parts": part.parts, "keys": audit.keys, "records": audit.records,
        "orphans": audit.orphans, "secrets": audit.secrets, "failed": audit.failed,
    }));
    session.output.say(&lang.pick(
        format!(
            "鍵 {} 個が開き、記録 {} 版を復号できました。ほかの秘密 {} 個、記録のない鍵 {} 個",
            audit.keys, audit.records, audit.secrets, audit.orphans
        ),
        format!(
            "{} keys open, {} record versions can be decrypted; {} other secrets, {} keys without a record",
            audit.keys, audit.records, audit.secrets, audit.orphans
        ),
    ));
    for failed in &audit.failed {
        session.output.note(&lang.pick(
            format!("開けません: {failed}"),
            format!("does not open: {failed}"),
        ));
    }
    archive.close()?;
    Ok(if audit.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

fn part_of(text: &str) -> Option<AuditPart> {
    let (part, parts) = text.split_once('/')?;
    let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
    (part >= 1 && part <= parts).then_some(AuditPart { part, parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_advice_are_those_of_elsewhere() {
        let shown = shown_time("2026-11-22T22:21:20.76220763Z");
        assert_eq!(shown, "2026-11-23 07:21:20 JST (2026-11-22 22:21:20 UTC)");
        assert_eq!(shown_time("?"), "?");
        for lang in [Lang::Ja, Lang::En] {
            let (effect, procedure) = if_pin_leaked(lang);
            assert_ne!(effect, if_leaked(KeyRole::Unlock, lang).0);
            assert!(!procedure.contains("passphrase"), "{procedure}");
            let (effect, _) = if_token_lost(lang);
            assert_ne!(effect, if_leaked(KeyRole::KeyEncryption, lang).0);
        }
    }
}
