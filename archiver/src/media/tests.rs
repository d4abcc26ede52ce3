use std::path::{Path, PathBuf};

use formats::id::{ArchiveId, EventId, MediumId};
use formats::medium::{MediumLabel, MediumRole};
use formats::roster::OutCause;
use time::OffsetDateTime;
use time::macros::datetime;

use super::facts::*;
use super::*;
use crate::cli::lang::Lang;
use crate::config::{Config, MediaConfig};
use crate::event::{EventBody, RecordedEvent};
use crate::store::durable::system_disk;
use crate::store::write_label;

const START: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);

fn medium(number: u8) -> MediumId {
    MediumId::from_bytes([number; 16])
}

fn event<T: EventBody>(day: i64, facts: &T) -> RecordedEvent {
    let time = START + time::Duration::days(day);
    RecordedEvent {
        id: EventId::from_bytes([day as u8; 16]),
        time,
        topic: T::TOPIC,
        kind: T::KIND.to_owned(),
        by: "佐藤".to_owned(),
        facts: serde_json::to_value(facts).unwrap(),
    }
}

fn registered(id: u8, role: Role, number: u32) -> MediumRegistered {
    MediumRegistered {
        medium: Some(medium(id)),
        role: Some(role),
        number: Some(number),
        directory: Some(PathBuf::from(format!("/mnt/{id}"))),
        ..MediumRegistered::default()
    }
}

fn ledger() -> MediaLedger {
    let mut ledger = MediaLedger::default();
    for (id, role, number) in [(1, Role::Data, 1), (2, Role::Data, 2), (3, Role::Keys, 1)] {
        ledger.fold(&event(0, &registered(id, role, number)));
    }
    ledger
}

fn place(name: &str) -> Place {
    Place {
        name: name.to_owned(),
        class: PlaceClass::FireSafe,
    }
}

#[test]
fn events_make_the_ledger() {
    let mut ledger = ledger();
    ledger.fold(&event(
        1,
        &MediumMoved {
            medium: medium(2),
            from: None,
            to: place("金庫"),
            carrier: "佐藤".to_owned(),
            witness: "鈴木".to_owned(),
            seal: Some("0042".to_owned()),
            moved_on: None,
            custodian: Some("鈴木".to_owned()),
        },
    ));
    let entry = ledger.named("data-2").unwrap();
    assert_eq!(entry.place, Some(place("金庫")));
    assert_eq!(entry.custodian, "鈴木");
    assert_eq!(entry.moves.len(), 1);
    // A correction leaves the rest as it was.
    ledger.fold(&event(
        2,
        &MediumRegistered {
            medium: Some(medium(2)),
            serial: Some("S1".to_owned()),
            ..MediumRegistered::default()
        },
    ));
    let entry = ledger.medium(medium(2)).unwrap();
    assert_eq!((entry.serial.as_str(), entry.number), ("S1", 2));
    assert_eq!(entry.registered.0, START);
    let out = MediumOutOfService {
        medium: medium(2),
        since: "2026-11-23T00:00:00Z".to_owned(),
        cause: OutCause::Full,
        from_segment: 4,
    };
    ledger.fold(&event(3, &out));
    assert_eq!(
        ledger.medium(medium(2)).unwrap().standing,
        Standing::OutOfService(out)
    );
    let why = Leaving::Replaced;
    ledger.fold(&event(
        4,
        &MediumLeft {
            medium: medium(2),
            why,
        },
    ));
    assert_eq!(ledger.present().len(), 2);
    assert_eq!(ledger.all().len(), 3);
    // Numbers are never used again.
    assert_eq!(ledger.next_number(Role::Data), 3);
}

#[test]
fn strange_events_change_nothing() {
    let mut ledger = ledger();
    let before = ledger.clone();
    ledger.fold(&event(1, &MediumReturned { medium: medium(9) }));
    ledger.fold(&event(1, &MediumRegistered::default()));
    let mut strange = event(1, &MediumReturned { medium: medium(1) });
    strange.kind = "medium-burnt".to_owned();
    ledger.fold(&strange);
    strange.kind = MediumLeft::KIND.to_owned();
    strange.facts = serde_json::json!({ "medium": 7 });
    ledger.fold(&strange);
    assert_eq!(ledger, before);
}

#[test]
fn a_medium_has_several_names() {
    let ledger = ledger();
    for name in ["data-1", "DATA-1", "01010101-0101", &medium(1).to_string()] {
        assert_eq!(ledger.named(name).unwrap().medium, medium(1), "{name}");
    }
    for name in ["", "0101", "data-9", "keys", "02020202-0101"] {
        assert!(ledger.named(name).is_none(), "{name}");
    }
}

#[test]
fn a_list_that_was_printed_can_be_ticked_and_entered() {
    let ledger = ledger();
    let config = MediaConfig::default();
    let today = START.date();
    for lang in [Lang::Ja, Lang::En] {
        let list = stock_take::list_text(&ledger, &config, lang, today, true);
        assert!(list.starts_with("# EVALUATION"), "{list}");
        let real = stock_take::list_text(&ledger, &config, lang, today, false);
        assert!(!real.contains("EVALUATION"), "{real}");
        let nothing = stock_take::read(&list).unwrap();
        assert_eq!(nothing.found.len(), 0);
        assert_eq!(nothing.not_found.len(), 3);
        let mut ticked = list.replacen("\n[ ]", "\n[x]", 2);
        ticked.push_str("[+] ラベルのない USB メモリ\n");
        let ticked = stock_take::read(&ticked).unwrap();
        let result = stock_take::result(&ledger, ticked, vec!["佐藤".to_owned()]);
        assert_eq!(result.found, [medium(1), medium(2)]);
        assert_eq!(result.missing, [medium(3)]);
        assert_eq!(result.extra, ["ラベルのない USB メモリ"]);
        let page = stock_take::list_html(&ledger, &config, lang, today, true);
        assert!(page.contains("<strong>EVALUATION"), "{page}");
        assert!(page.contains("data-2") && page.contains(&medium(3).to_string()));
    }
}

#[test]
fn days_are_days_in_japan() {
    // Registered on 2026-11-22 at 12:48 JST; at 00:30 JST of the day after 92 days it is due, while it is the day before in UTC.
    let ledger = ledger();
    let config = MediaConfig::default();
    let due = ledger.medium(medium(3)).unwrap().count_due(&config);
    assert_eq!(due.to_string(), "2027-02-22");
    let night = datetime!(2027-02-21 15:30 UTC);
    assert_eq!(stock_take::due(&ledger, &config, night).len(), 1);
    let evening = datetime!(2027-02-21 14:59 UTC);
    assert!(stock_take::due(&ledger, &config, evening).is_empty());
}

#[test]
fn lists_that_cannot_be_understood_are_refused() {
    let id = medium(1);
    for text in [
        "data-1 is there".to_owned(),
        "[x] data-1".to_owned(),
        format!("[y] {id}"),
        format!("[x {id}"),
        format!("[x] {id}\n[ ] {id}"),
        "[+]".to_owned(),
    ] {
        let line = text.lines().count();
        assert_eq!(stock_take::read(&text).unwrap_err().0, line, "{text}");
    }
    // What is not on the list was not found; what is strange is extra.
    let ticked = stock_take::read(&format!("[x] {}\n", medium(9))).unwrap();
    let result = stock_take::result(&ledger(), ticked, Vec::new());
    assert_eq!(result.missing.len(), 3);
    assert_eq!(result.extra, [medium(9).to_string()]);
}

#[test]
fn keys_and_removable_media_are_counted_every_quarter() {
    let mut ledger = ledger();
    let config = MediaConfig::default();
    let later = |days| START + time::Duration::days(days);
    assert!(stock_take::due(&ledger, &config, later(91)).is_empty());
    let due = stock_take::due(&ledger, &config, later(92));
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].1.medium, medium(3));
    assert_eq!(stock_take::due(&ledger, &config, later(365)).len(), 3);
    ledger.fold(&event(
        90,
        &MediaCounted {
            counted_by: Vec::new(),
            found: vec![medium(3)],
            missing: vec![medium(1), medium(2)],
            extra: Vec::new(),
        },
    ));
    assert!(stock_take::due(&ledger, &config, later(181)).is_empty());
    assert_eq!(stock_take::due(&ledger, &config, later(182)).len(), 1);
    ledger.fold(&event(
        91,
        &MediumRegistered {
            medium: Some(medium(1)),
            removable: Some(true),
            ..MediumRegistered::default()
        },
    ));
    let due = stock_take::due(&ledger, &config, later(93));
    assert_eq!(due[0].1.medium, medium(1));
}

fn label(id: u8, role: MediumRole, number: u32, archive: ArchiveId) -> MediumLabel {
    MediumLabel {
        medium: medium(id),
        archive,
        role,
        number,
        created_at: START,
        classification: String::new(),
        capacity_bytes: 1,
        evaluation: true,
        format_version: 1,
    }
}

/// An archive of two data media and a key medium, and the directories of the three.
fn three_media(root: &Path) -> (Config, [PathBuf; 3]) {
    let path = root.join("fumikura.toml");
    let text = format!(
        "version = 1\narchive = \"{}\"\ndata = [\"a\", \"b\"]\nkeys = \"k\"\n",
        medium(7)
    );
    let config = Config::parse(&path, &text).unwrap();
    let directories = ["a", "b", "k"].map(|name| {
        let directory = root.join(name);
        std::fs::create_dir(&directory).unwrap();
        directory
    });
    (config, directories)
}

#[test]
fn swapped_and_strange_media_are_named() {
    let root = tempfile::tempdir().unwrap();
    let (config, [a, b, keys]) = three_media(root.path());
    let put = |directory: &PathBuf, label: &MediumLabel| {
        write_label(system_disk().as_ref(), directory, label).unwrap();
    };
    let archive = config.archive;
    put(&a, &label(1, MediumRole::Data, 1, archive));
    put(&b, &label(2, MediumRole::Data, 2, archive));
    put(&keys, &label(3, MediumRole::Keys, 1, archive));
    let mut ledger = MediaLedger::default();
    assert!(check(&ledger, &config).is_empty(), "nothing is known yet");
    for (id, role, number, directory) in [
        (1, Role::Data, 1, &a),
        (2, Role::Data, 2, &b),
        (3, Role::Keys, 1, &keys),
    ] {
        let directory = Some(directory.clone());
        ledger.fold(&event(
            0,
            &MediumRegistered {
                directory,
                ..registered(id, role, number)
            },
        ));
    }
    assert!(check(&ledger, &config).is_empty());
    assert!(key_medium(&keys, archive).is_ok());

    put(&a, &label(2, MediumRole::Data, 2, archive));
    put(&b, &label(1, MediumRole::Data, 1, archive));
    let found = check(&ledger, &config);
    assert_eq!(found.len(), 2);
    assert!(found[0].to_string().contains("swapped"), "{}", found[0]);
    assert!(found[0].text_ja().contains("入れ替わって"));
    put(&a, &label(9, MediumRole::Data, 3, archive));
    put(
        &b,
        &MediumLabel {
            classification: "極秘".to_owned(),
            ..label(2, MediumRole::Data, 5, archive)
        },
    );
    let kinds: Vec<String> = check(&ledger, &config)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(kinds[0].contains("not in the ledger"), "{kinds:?}");
    assert!(
        kinds[1].contains("number") && kinds[2].contains("極秘"),
        "{kinds:?}"
    );

    let other = ArchiveId::from_bytes([8; 16]);
    put(&keys, &label(3, MediumRole::Keys, 1, other));
    assert!(
        key_medium(&keys, archive)
            .unwrap_err()
            .to_string()
            .contains("another archive")
    );
    put(&keys, &label(3, MediumRole::Data, 1, archive));
    assert!(
        key_medium(&keys, archive)
            .unwrap_err()
            .to_string()
            .contains("no key medium")
    );
    assert!(key_medium(&root.path().join("none"), archive).is_ok());
}
