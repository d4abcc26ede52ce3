//! What the service tells of media: out of service, not counted in time, not read again in time.

use std::path::Path;

use crate::archive::Archive;
use crate::cli::failure::Failure;
use crate::cli::media_words::cause_ja;
use crate::cli::output::grouped;
use crate::keys::CopyCondition;
use crate::media::{MediaLedger, MediumEntry, stock_take};
use crate::service::alarms::{AlarmKind, Condition};
use crate::store::{ReplicaCondition, ReplicaState, cause_text};

use super::status::proven;

/// What is to be told of the media of an open archive.
pub(super) fn conditions(archive: &Archive) -> Result<Vec<Condition>, Failure> {
    let ledger = MediaLedger::of(archive.catalog())?;
    let replicas = archive.store().replicas();
    let mut found: Vec<Condition> = replicas
        .iter()
        .filter_map(|replica| data_medium(&ledger, replica))
        .collect();
    for copy in archive.keys().ledger().copies() {
        found.extend(key_medium(&copy.root, &copy.condition));
    }
    let now = archive.environment().clock.now();
    let due = stock_take::due(&ledger, &archive.config().media, now);
    found.extend(due.into_iter().map(|(day, entry)| {
        let name = entry.short_name();
        Condition {
            kind: AlarmKind::StockTakeOverdue,
            en: format!("{name} was to be counted by {day}: run 'archiver media stock-take --list'"),
            ja: format!("{name} の棚卸しの期限 {day} を過ぎました。archiver media stock-take --list を実行してください"),
            subject: name,
        }
    }));
    found.extend(not_read_again(archive)?);
    Ok(found)
}

fn data_medium(ledger: &MediaLedger, replica: &ReplicaState) -> Option<Condition> {
    let ReplicaCondition::OutOfService(out) = replica.state else {
        return None;
    };
    let known = ledger.present().into_iter();
    let name = known
        .filter(|entry| entry.medium == replica.medium)
        .map(MediumEntry::short_name)
        .next()
        .unwrap_or_else(|| replica.medium.to_string());
    Some(Condition {
        kind: AlarmKind::MediumOutOfService,
        en: format!(
            "medium {name} is out of service ({}): new records have a copy less; see 'archiver media list'",
            cause_text(out.cause)
        ),
        ja: format!(
            "媒体 {name} は使用停止中です({})。新しい記録の複製が一つ足りません。archiver media list で確かめてください",
            cause_ja(out.cause)
        ),
        subject: name,
    })
}

fn key_medium(root: &Path, condition: &CopyCondition) -> Option<Condition> {
    let (en, ja) = match condition {
        CopyCondition::InService => return None,
        CopyCondition::Missing => ("not attached".to_owned(), "未接続".to_owned()),
        CopyCondition::OutOfService { cause } => (cause.clone(), cause.clone()),
    };
    let place = root.display();
    Some(Condition {
        kind: AlarmKind::MediumOutOfService,
        subject: format!("keys {place}"),
        en: format!(
            "the key medium at {place} gets no new keys ({en}): see 'archiver keys inventory'"
        ),
        ja: format!(
            "{place} の鍵媒体に新しい鍵が書かれていません({ja})。archiver keys inventory で確かめてください"
        ),
    })
}

fn not_read_again(archive: &Archive) -> Result<Option<Condition>, Failure> {
    let overdue = proven(archive)?.overdue.segments;
    let days = archive.config().scrub.overdue_days;
    Ok((overdue > 0).then(|| {
        let overdue = grouped(overdue);
        Condition {
            kind: AlarmKind::ScrubOverdue,
            subject: String::new(),
            en: format!(
                "{overdue} segments were not read again for {days} days: run 'archiver scrub'"
            ),
            ja: format!(
                "{days} 日以上確かめていない区画 {overdue}: archiver scrub を実行してください"
            ),
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use firmware::clock::SimulatedClock;
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::cli::commands::visits::Archivist;
    use crate::cli::fixture::{Bench, passphrase};
    use crate::keys::Unlock;
    use crate::service::schedule::Todo;
    use crate::service::work::Work;
    use crate::store::durable::Disk;

    /// What a visit tells of media, by kind and subject.
    fn told(archivist: &mut Archivist<'_>) -> Vec<(AlarmKind, String)> {
        let mut go_on = |_| ControlFlow::Continue(());
        let visit = archivist.visit(&mut go_on, &mut |_| Todo::default());
        let visit = visit.unwrap().unwrap();
        assert!(visit.failures.is_empty(), "{:?}", visit.failures);
        let media = visit.media.unwrap().into_iter();
        media.map(|one| (one.kind, one.subject)).collect()
    }

    #[test]
    fn media_that_get_nothing_new_and_old_checks_are_told() {
        let clock = Arc::new(SimulatedClock::new(datetime!(2026-11-22 03:48 UTC)));
        let data = "data = [\"data\", \"data-b\"]";
        let bench = Bench::with(clock.clone(), data, "[media]\ncopies_min = 1");
        let unlock = Unlock::Passphrase(passphrase());
        let mut archivist = Archivist::new(&bench.session, bench.config.clone(), &unlock);
        assert_eq!(told(&mut archivist), []);

        let [there, away] = ["data-b", "away"].map(|name| bench.place.path().join(name));
        bench.disk.rename(&there, &away).unwrap();
        let out = (AlarmKind::MediumOutOfService, "data-2".to_owned());
        assert_eq!(told(&mut archivist), std::slice::from_ref(&out));

        clock.advance(Duration::days(366));
        let overdue = |kind, subject: &str| (kind, subject.to_owned());
        let expected = [
            out,
            overdue(AlarmKind::StockTakeOverdue, "data-1"),
            overdue(AlarmKind::StockTakeOverdue, "data-2"),
            overdue(AlarmKind::StockTakeOverdue, "keys-1"),
            overdue(AlarmKind::ScrubOverdue, ""),
        ];
        let mut found = told(&mut archivist);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_key_medium_is_told_by_its_folder() {
        let root = Path::new("/media/keys-2");
        assert_eq!(key_medium(root, &CopyCondition::InService), None);
        let failed = CopyCondition::OutOfService {
            cause: "no space".to_owned(),
        };
        for (condition, word) in [
            (CopyCondition::Missing, "not attached"),
            (failed, "no space"),
        ] {
            let told = key_medium(root, &condition).unwrap();
            assert_eq!(told.subject, "keys /media/keys-2");
            assert!(told.en.contains(word), "{}", told.en);
        }
    }
}
