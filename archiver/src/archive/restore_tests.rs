//! A recorded configuration that the program cannot use: the archive comes back with a plain one, and the text is kept.

use std::path::Path;
use std::sync::Arc;

use firmware::clock::SystemClock;
use firmware::entropy::SystemEntropy;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::{Access, Archive, Environment, NewArchive, Restored, create, left_media, restore};
use crate::config::Config;
use crate::event::configuration::{ConfigurationRecorded, RecordedFile};
use crate::keys::Passphrase;
use crate::store::durable::system_disk;

fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"known to everybody".to_vec())).unwrap()
}

fn environment() -> Environment {
    Environment {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        boot_id: [5; 16],
        disk: system_disk(),
    }
}

/// The media of an archive that recorded this text, with these files; its configuration is gone.
fn media(text: impl FnOnce(&Config) -> String, files: Vec<RecordedFile>) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("fumikura.toml");
    let config = "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"data\"]\nkeys = \"keys\"\nevaluation = true\n";
    let config = Config::parse(&path, config).unwrap();
    let new = NewArchive {
        config,
        token: None,
    };
    let (config, _) = create(new, &passphrase(), &environment()).unwrap();
    let (archive, _) = Archive::open(
        config.clone(),
        &passphrase(),
        Access::Write,
        environment(),
        &mut |_| (),
    )
    .unwrap();
    archive.record_configuration("tester").unwrap();
    let recorded = ConfigurationRecorded {
        sha256: "another".to_owned(),
        text: text(&config),
        files,
    };
    archive.record_event("tester", &recorded).unwrap();
    archive.close().unwrap();
    std::fs::remove_file(path).unwrap();
    place
}

fn restored(place: &Path) -> Restored {
    let path = place.join("new/fumikura.toml");
    let plain = left_media(&path, &[place.join("data")], &place.join("keys")).unwrap();
    let secret = passphrase();
    let restored = restore(&plain, (&secret).into(), &environment(), &mut |_| ()).unwrap();
    let written = Config::read(&path).unwrap();
    assert_eq!(&written, restored.archive.config());
    restored
}

#[test]
fn a_text_that_cannot_be_read_is_set_aside() {
    for text in ["version = 2\n", "no text of a configuration"] {
        let place = media(|_| text.to_owned(), Vec::new());
        let restored = restored(place.path());
        assert!(!restored.from_record);
        let (_, aside) = restored.unusable.unwrap();
        assert_eq!(aside, place.path().join("new/restored/fumikura.toml"));
        assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
    }
}

#[test]
fn a_file_that_cannot_be_used_costs_the_configuration_and_not_the_archive() {
    let policy = RecordedFile {
        path: "policy.json".into(),
        base64: "bm8gcG9saWN5".to_owned(),
    };
    let place = media(
        |config| {
            let mut config = config.clone();
            config.policy = Some(config.path.with_file_name("policy.json"));
            config.to_text()
        },
        vec![policy],
    );
    let restored = restored(place.path());
    let (reason, aside) = restored.unusable.unwrap();
    assert!(reason.contains("policy.json"), "{reason}");
    assert!(aside.is_file());
    assert_eq!(restored.archive.config().policy, None);
}

#[test]
fn a_usable_text_is_used_with_what_is_at_hand() {
    let place = media(
        |config| {
            let mut config = config.clone();
            config.segment_bytes_max = 5 << 20;
            config.data.push("/elsewhere/data".into());
            config.media.copies_min = Some(2);
            config.to_text()
        },
        Vec::new(),
    );
    let restored = restored(place.path());
    assert!(restored.from_record && restored.unusable.is_none());
    assert_eq!(restored.media_recorded, 2);
    let config = restored.archive.config();
    assert_eq!(config.segment_bytes_max, 5 << 20);
    assert_eq!(config.media.copies_min, Some(1));
    let keys: Vec<_> = restored.departures.iter().map(|one| one.key).collect();
    assert_eq!(keys, ["media.copies_min"]);
}
