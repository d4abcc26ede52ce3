#![expect(
    clippy::disallowed_methods,
    reason = "a test puts files into the folder"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::sync::Mutex;

use formats::id::RecordId;
use time::macros::datetime;

use super::*;
use crate::archive::taking_fixture;
use crate::cli::lang::Lang;
use crate::store::durable::system_disk;

const START: OffsetDateTime = datetime!(2026-11-23 03:00 UTC);
const SETTLE: Duration = Duration::from_secs(10);

/// Name, metadata and content.
type Identity = (Vec<u8>, String, Vec<u8>);

/// Takes everything in, as the archive does: the same again is there already.
#[derive(Default)]
struct Taker {
    taken: Mutex<BTreeMap<Identity, VersionId>>,
    /// What the next calls answer instead.
    answers: Mutex<Vec<TakeError>>,
}

impl Taker {
    fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    fn answer(&self, error: TakeError) {
        self.answers.lock().unwrap().push(error);
    }
}

impl TakesIn for Taker {
    fn take(&self, source: Source, under: &TakeUnder<'_>) -> Result<Taken, TakeError> {
        if let Some(error) = self.answers.lock().unwrap().pop() {
            return Err(error);
        }
        let Source::File(mut file) = source else {
            panic!("a folder holds files");
        };
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        let given = format!("{:?}", under.given);
        let identity = (file.name().as_bytes().to_vec(), given, content.clone());
        let mut taken = self.taken.lock().unwrap();
        let next = u8::try_from(taken.len()).unwrap();
        let was_there = taken.contains_key(&identity);
        let version = VersionId::first(RecordId::from_bytes([next; 16]));
        let version = *taken.entry(identity).or_insert(version);
        let threat = content.starts_with(b"BAD").then(|| "Fake.Bad".to_owned());
        Ok(Taken {
            version,
            was_there,
            threat,
        })
    }
}

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        Self { root }
    }

    fn folder(&self) -> HotFolder {
        HotFolder {
            path: self.root.path().join("in"),
            done: self.root.path().join("in-done"),
            failed: self.root.path().join("in-failed"),
            class: "general".to_owned(),
            given: Metadata::default(),
            depositor: "folder".to_owned(),
            settle: SETTLE,
        }
    }

    fn watch(&self) -> Watch {
        Watch::open(self.folder(), system_disk()).unwrap()
    }

    fn put(&self, name: &str, content: &str) {
        fs::write(self.root.path().join(name), content).unwrap();
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.path().join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root.path().join(name)).unwrap()
    }
}

/// Two looks, far enough apart.
fn looks(watch: &mut Watch, taker: &dyn TakesIn) -> Look {
    watch.look(START, taker, &|| false).unwrap();
    watch.look(START + SETTLE, taker, &|| false).unwrap()
}

fn later() -> TakeError {
    TakeError::later(|_| "the archive is full".to_owned())
}

#[test]
fn a_settled_file_is_deposited_and_moved() {
    let (place, taker) = (Place::new(), Taker::default());
    let mut watch = place.watch();
    place.put("in/a.pdf", "one");
    place.put("in/b.pdf.part", "unfinished");
    place.put("in/.hidden", "hidden");
    place.put("in/c.tmp", "unfinished");
    let first = watch.look(START, &taker, &|| false).unwrap();
    assert_eq!((first.done.len(), first.unsettled), (0, 1));
    let early = START + SETTLE - Duration::from_secs(1);
    assert_eq!(watch.look(early, &taker, &|| false).unwrap().done.len(), 0);
    let look = watch.look(START + SETTLE, &taker, &|| false).unwrap();
    assert_eq!(look.done[0].0, "a.pdf");
    assert_eq!(place.names("in"), [".hidden", "b.pdf.part", "c.tmp"]);
    assert_eq!(place.names("in-done"), ["a.pdf"]);
    // Another one of the same name does not replace it.
    place.put("in/a.pdf", "two");
    assert_eq!(looks(&mut watch, &taker).done.len(), 1);
    assert_eq!(place.names("in-done"), ["a.2.pdf", "a.pdf"]);
    assert_eq!(place.read("in-done/a.pdf"), "one");
    assert_eq!(taker.count(), 2);
}

#[test]
fn a_file_that_grows_or_is_replaced_waits() {
    let (place, taker) = (Place::new(), Taker::default());
    let mut watch = place.watch();
    place.put("in/a", "one");
    watch.look(START, &taker, &|| false).unwrap();
    place.put("in/a", "one and two");
    let look = watch.look(START + SETTLE, &taker, &|| false).unwrap();
    assert_eq!((look.done.len(), look.unsettled), (0, 1));
    place.put("new", "one and two");
    fs::rename(
        place.root.path().join("new"),
        place.root.path().join("in/a"),
    )
    .unwrap();
    let look = watch.look(START + 2 * SETTLE, &taker, &|| false).unwrap();
    assert_eq!(look.done.len(), 0);
    // A clock that was set back makes it wait, and loses nothing.
    let look = watch.look(START, &taker, &|| false).unwrap();
    assert_eq!(look.done.len(), 0);
    let look = watch.look(START + SETTLE, &taker, &|| false).unwrap();
    assert_eq!(look.done.len(), 1);
}

#[test]
fn what_is_no_file_is_refused_with_a_reason() {
    let (place, taker) = (Place::new(), Taker::default());
    let mut watch = place.watch();
    place.put("secret", "not for the archive");
    let inside = |name: &str| place.root.path().join("in").join(name);
    std::os::unix::fs::symlink("../secret", inside("link")).unwrap();
    fs::create_dir(inside("folder")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        inside("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let look = looks(&mut watch, &taker);
    assert_eq!(look.failed.len(), 3);
    assert_eq!(taker.count(), 0);
    assert_eq!(place.names("in"), Vec::<String>::new());
    let reason = place.read("in-failed/link.reason.txt");
    assert!(reason.contains("シンボリックリンク") && reason.contains("symbolic link"));
    assert_eq!(place.names("in-failed").len(), 6);
    assert_eq!(place.read("secret"), "not for the archive");
}

#[test]
fn refused_and_infected_files_go_to_failed_and_passing_troubles_wait() {
    let (place, taker) = (Place::new(), Taker::default());
    let mut watch = place.watch();
    taker.answer(TakeError::Source {
        ja: "長すぎます".to_owned(),
        en: "too long".to_owned(),
    });
    place.put("in/a", "one");
    let look = looks(&mut watch, &taker);
    assert_eq!(look.failed[0].1.text(Lang::En), "too long");
    assert_eq!(
        place.read("in-failed/a.reason.txt"),
        "長すぎます\ntoo long\n"
    );
    place.put("in/b", "BAD");
    let look = looks(&mut watch, &taker);
    assert!(look.failed[0].1.text(Lang::En).contains("Fake.Bad"));
    // Nothing is moved while the archive does not take it, and a newcomer of the same name waits, too.
    place.put("in/c", "three");
    taker.answer(later());
    let look = looks(&mut watch, &taker);
    assert_eq!((look.waiting.len(), look.done.len()), (1, 0));
    place.put("in/c", "four");
    taker.answer(later());
    assert_eq!(looks(&mut watch, &taker).waiting.len(), 1);
    assert_eq!(place.names("in"), [".taking.c", "c"]);
    assert_eq!(looks(&mut watch, &taker).done.len(), 2);
    assert_eq!(place.read("in-done/c"), "three");
    assert_eq!(place.read("in-done/c.2"), "four");
}

#[test]
fn an_archive_that_takes_nothing_is_not_asked_for_every_file() {
    let (place, taker) = (Place::new(), Taker::default());
    let mut watch = place.watch();
    for number in 0..9 {
        place.put(&format!("in/{number}"), "x");
        taker.answer(later());
    }
    let look = looks(&mut watch, &taker);
    assert_eq!((look.waiting.len(), look.unsettled), (3, 6));
    assert_eq!(watch.look(START, &taker, &|| true).unwrap().unsettled, 9);
}

#[test]
fn a_sidecar_gives_metadata_and_goes_with_its_file() {
    let (place, taker) = (Place::new(), Taker::default());
    let mut watch = place.watch();
    place.put("in/a.pdf.meta", "# 摘要\n日付=2026-01-31\n\namount=11000\n");
    place.put("in/a.pdf", "one");
    place.put("in/b.pdf.meta", "no equals sign");
    place.put("in/b.pdf", "two");
    place.put("in/lonely.meta", "date=2026-01-31");
    let look = looks(&mut watch, &taker);
    assert_eq!((look.done.len(), look.failed.len()), (1, 1));
    assert_eq!(place.names("in"), ["lonely.meta"]);
    assert_eq!(place.names("in-done"), ["a.pdf", "a.pdf.meta"]);
    let failed = ["b.pdf", "b.pdf.meta", "b.pdf.reason.txt"];
    assert_eq!(place.names("in-failed"), failed);
    let taken = taker.taken.lock().unwrap();
    assert!(taken.keys().next().unwrap().1.contains("11000"));
}

#[test]
fn after_a_crash_between_any_two_steps_nothing_is_lost_or_taken_twice() {
    // Where a process was killed: what stands in the folder, and whether the archive has acknowledged it.
    for (standing, acknowledged) in [
        (vec!["a", "a.meta"], false),
        (vec![".taking.a", "a.meta"], false),
        (vec![".taking.a", ".taking.a.meta"], false),
        (vec![".taking.a", ".taking.a.meta"], true),
        (vec![".taking.a.meta"], true),
    ] {
        let (place, taker) = (Place::new(), Taker::default());
        drop(place.watch());
        if acknowledged {
            let mut watch = place.watch();
            place.put("in/a.meta", "k=v");
            place.put("in/a", "one");
            assert_eq!(looks(&mut watch, &taker).done.len(), 1);
            drop(watch);
            for name in ["a", "a.meta"] {
                let from = place.root.path().join("in-done").join(name);
                let to = format!("in/.taking.{name}");
                if standing.contains(&&to[3..]) {
                    fs::rename(from, place.root.path().join(to)).unwrap();
                }
            }
        } else {
            for name in &standing {
                let content = if name.ends_with("meta") { "k=v" } else { "one" };
                place.put(&format!("in/{name}"), content);
            }
        }
        let mut watch = place.watch();
        looks(&mut watch, &taker);
        assert_eq!(place.names("in"), Vec::<String>::new(), "{standing:?}");
        assert_eq!(place.names("in-done"), ["a", "a.meta"], "{standing:?}");
        assert_eq!(taker.count(), 1, "{standing:?}");
        assert!(
            taker
                .taken
                .lock()
                .unwrap()
                .keys()
                .all(|one| one.1.contains("\"k\""))
        );
    }
}

#[test]
fn one_process_watches_a_folder() {
    let place = Place::new();
    let _watch = place.watch();
    let second = Watch::open(place.folder(), system_disk());
    assert_eq!(second.unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_real_archive_recognises_what_it_acknowledged_before_a_crash() {
    let place = Place::new();
    let home = tempfile::tempdir().unwrap();
    let archive = taking_fixture::archive(&home, None);
    let mut watch = place.watch();
    place.put("in/請求書.pdf", "an invoice");
    let version = looks(&mut watch, &archive).done[0].1;
    drop(watch);
    // The process died after the acknowledgement and before the move.
    let done = place.root.path().join("in-done/請求書.pdf");
    fs::rename(done, place.root.path().join("in/.taking.請求書.pdf")).unwrap();
    archive.close().unwrap();
    let archive = taking_fixture::archive(&home, None);
    let look = looks(&mut place.watch(), &archive);
    assert_eq!(look.done[0].1, version);
    assert_eq!(place.names("in-done"), ["請求書.pdf"]);
}
