//! A journal as a text for people: in Japanese, with the English beside it. It is what is kept, so it holds no time of its own making.

use std::fmt::Write as _;

use super::{Journal, JournalLine, SessionSpan, WorkCount, day_text};
use crate::audit::Act;
use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment, shown_name};

/// The whole text, UTF-8, each line ended by LF.
#[must_use]
pub fn text(journal: &Journal) -> String {
    let mut out = String::new();
    let mut say = |line: &str| {
        // Writing to a string does not fail.
        let _never_fails = writeln!(out, "{line}");
    };
    say(&format!(
        "運用日誌 / Operation journal  {}",
        day_text(journal.day)
    ));
    say(&format!("保管庫 / archive: {}", journal.archive));
    say(&match journal.entries {
        Some((first, last)) => {
            format!("監査証跡 / audit trail: 第{first}行〜第{last}行 / entries {first} to {last}")
        }
        None => "監査証跡 / audit trail: この日の行はありません / no entry of this day".to_owned(),
    });
    say("");
    say("① ログイン・ログアウト / log-ins and log-outs");
    let sessions: Vec<String> = journal.sessions.iter().map(session).collect();
    list(&sessions, &mut say);
    for (title, lines) in [
        ("② 設定の変更 / changes of settings", &journal.settings),
        ("③ ログの保存 / storage of logs", &journal.logs),
        ("④ バックアップ / backups", &journal.backups),
        (
            "⑤ エラー・報告すべき事象と是正処置 / errors, events to report, and what was done",
            &journal.errors,
        ),
    ] {
        say("");
        say(title);
        list(&lines.iter().map(line).collect::<Vec<_>>(), &mut say);
    }
    say("");
    say("作業の件数 / work of the day (実行/権限なし/失敗, done / denied / failed)");
    list(
        &journal.work.iter().map(count).collect::<Vec<_>>(),
        &mut say,
    );
    say("");
    say("記入 / notes");
    list(
        &journal.notes.iter().map(note).collect::<Vec<_>>(),
        &mut say,
    );
    out
}

fn list(lines: &[String], say: &mut dyn FnMut(&str)) {
    if lines.is_empty() {
        say("  なし / none");
    }
    for line in lines {
        say(&format!("  {line}"));
    }
}

fn session(span: &SessionSpan) -> String {
    let at = |time: Option<_>, otherwise: &str| time.map_or_else(|| otherwise.to_owned(), moment);
    let begun = at(span.begun, "前日以前から / since a day before");
    let ended = at(span.ended, "ログアウトなし / no log-out");
    let (person, client) = (shown_name(&span.person), shown_name(&span.client));
    format!("{person} ({client}): {begun} — {ended}")
}

fn line(line: &JournalLine) -> String {
    let (time, by) = (moment(line.time), by(&line.by));
    if line.ja == line.en {
        format!("{time} {by}: {}", line.ja)
    } else {
        format!("{time} {by}: {} / {}", line.ja, line.en)
    }
}

fn note(line: &JournalLine) -> String {
    let text = shown_name(&line.ja);
    format!("{} {}: {text}", moment(line.time), by(&line.by))
}

fn by(name: &str) -> String {
    match name {
        "" => "文蔵 / Fumikura".to_owned(),
        name => shown_name(name),
    }
}

fn count(work: &WorkCount) -> String {
    let act = Act::from_code(&work.act);
    let title = act.map_or_else(
        || shown_name(&work.act),
        |act| format!("{} / {}", act.title(Lang::Ja), act.title(Lang::En)),
    );
    let (done, denied, failed) = (
        grouped(work.done),
        grouped(work.denied),
        grouped(work.failed),
    );
    format!("{title}: {done} / {denied} / {failed}")
}
