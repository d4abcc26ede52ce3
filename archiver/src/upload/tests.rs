//! Uploads on a disk: what waits is noise, is found again, and is either whole or refused.

use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use firmware::clock::SimulatedClock;
use sha2::{Digest, Sha256};
use time::Duration;
use time::macros::datetime;

use super::facts::{UploadFacts, UploadReceipt, UploadRules};
use super::{Appended, Part, UploadError, Uploads};
use crate::archive::{Access, Archive};
use crate::cli::fixture::Bench;
use crate::store::durable::faults::{Call, Fault, Outcome};
use crate::store::durable::{replace_derived_file, system_disk};

const MARKER: &[u8] = b"a marker that stands in the content";

struct Place {
    uploads: Uploads,
    // Dropped before the folder that it stands in.
    archive: Archive,
    clock: Arc<SimulatedClock>,
    bench: Bench,
}

impl Place {
    fn new() -> Self {
        Self::with(UploadRules::of_hours(24))
    }

    fn with(rules: UploadRules) -> Self {
        let clock = Arc::new(SimulatedClock::new(datetime!(2030-04-01 09:00 UTC)));
        let bench = Bench::with(clock.clone(), "data = [\"data\"]", "");
        let archive = bench.open(Access::Write);
        let uploads = Uploads::open(&archive, rules).unwrap();
        Self {
            uploads,
            archive,
            clock,
            bench,
        }
    }

    /// As the next service finds them.
    fn restart(&mut self) {
        self.uploads = Uploads::open(&self.archive, UploadRules::of_hours(24)).unwrap();
    }

    fn begin(&self, content: &[u8]) -> String {
        let (standing, is_new) = self.uploads.begin(facts(content)).unwrap();
        assert!(is_new);
        standing.id.to_string()
    }

    fn file(&self, id: &str) -> PathBuf {
        let folder = self.bench.place.path().join("index.uploads");
        folder.join(format!("{id}.upload"))
    }

    fn send(&self, id: &str, offset: u64, bytes: &[u8]) -> Result<Appended, UploadError> {
        let part = Part {
            offset,
            length: Some(bytes.len() as u64),
            is_last: false,
        };
        self.uploads
            .append("homu", id, part, &mut Cursor::new(bytes))
    }

    fn offset(&self, id: &str) -> u64 {
        self.uploads.standing("homu", id).unwrap().offset
    }

    fn content(&self, id: &str) -> Result<Vec<u8>, UploadError> {
        let (_, mut content, finishing) = self.uploads.finish("homu", id)?.unwrap();
        let mut bytes = Vec::new();
        match content.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(_) => Err(finishing.fault().unwrap()),
        }
    }
}

fn facts(content: &[u8]) -> UploadFacts {
    UploadFacts {
        account: "homu".to_owned(),
        class: "general".to_owned(),
        name: "a secret name.bin".to_owned(),
        given: [("title".to_owned(), "a secret title".to_owned())].into(),
        length: content.len() as u64,
        sha256: Some(hex::encode(Sha256::digest(content))),
        key: None,
    }
}

fn content(bytes: usize) -> Vec<u8> {
    MARKER.iter().copied().cycle().take(bytes).collect()
}

/// Gives some bytes, and then breaks off.
struct Cut(Cursor<Vec<u8>>);

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::ConnectionAborted.into()),
            length => Ok(length),
        }
    }
}

#[test]
fn what_came_before_a_cut_is_found_by_the_next_service_and_the_whole_is_read_back() {
    let mut place = Place::new();
    let content = content(3_000_000);
    let id = place.begin(&content);
    assert!(matches!(
        place.send(&id, 0, &content[..1_200_000]),
        Ok(Appended::Waits(standing)) if standing.offset == 1_200_000
    ));
    let part = Part {
        offset: 1_200_000,
        length: None,
        is_last: true,
    };
    let mut cut = Cut(Cursor::new(content[1_200_000..2_500_001].to_vec()));
    let refused = place.uploads.append("homu", &id, part, &mut cut);
    assert!(matches!(refused, Err(UploadError::CutOff)));
    place.restart();
    assert_eq!(place.offset(&id), 2_500_001);
    assert_eq!(
        place.send(&id, 2_500_001, &content[2_500_001..]).unwrap(),
        Appended::Whole
    );
    place.restart();
    assert_eq!(place.content(&id).unwrap(), content);
    // The deposit did not come to its end: it can be taken again.
    assert_eq!(place.content(&id).unwrap(), content);
}

#[test]
fn no_file_shows_content_name_or_metadata() {
    let place = Place::new();
    let content = content(200_000);
    let id = place.begin(&content);
    place.send(&id, 0, &content).unwrap();
    let (_, _, finishing) = place.uploads.finish("homu", &id).unwrap().unwrap();
    let bytes = std::fs::read(place.file(&id)).unwrap();
    assert!(bytes.len() > content.len());
    finishing.deposited(&receipt()).unwrap();
    let done = std::fs::read(place.file(&id).with_extension("done")).unwrap();
    for bytes in [bytes, done] {
        for wanted in [MARKER, b"a secret", b"general", b"homu", b"\"account\""] {
            assert!(!bytes.windows(wanted.len()).any(|some| some == wanted));
        }
    }
}

fn receipt() -> UploadReceipt {
    UploadReceipt {
        record: "01935e7a-1111-7222-8333-444455556666".to_owned(),
        version: 1,
        was_there: false,
        size: 200_000,
        warnings: vec!["a warning".to_owned()],
        threat: None,
    }
}

#[test]
fn the_answer_of_a_deposit_outlives_its_bytes_and_a_restart() {
    let mut place = Place::new();
    let content = content(1_000);
    let id = place.begin(&content);
    place.send(&id, 0, &content).unwrap();
    let (_, _, finishing) = place.uploads.finish("homu", &id).unwrap().unwrap();
    assert!(matches!(
        place.uploads.finish("homu", &id),
        Err(UploadError::Busy)
    ));
    assert!(matches!(
        place.uploads.abandon("homu", &id),
        Err(UploadError::Busy)
    ));
    finishing.deposited(&receipt()).unwrap();
    assert!(!place.file(&id).exists());
    for _ in 0..2 {
        let standing = place.uploads.standing("homu", &id).unwrap();
        assert_eq!(standing.receipt, Some(receipt()));
        assert_eq!(
            place.send(&id, 0, b"anything").unwrap(),
            Appended::Deposited(receipt())
        );
        place.restart();
    }
    place.clock.advance(Duration::hours(24));
    assert!(matches!(
        place.uploads.standing("homu", &id),
        Err(UploadError::NotFound)
    ));
    assert_eq!(place.uploads.expire().unwrap(), []);
    assert!(!place.file(&id).with_extension("done").exists());
}

#[test]
fn parts_that_do_not_fit_are_refused_and_what_came_stays() {
    let place = Place::new();
    let content = content(10);
    let id = place.begin(&content);
    place.send(&id, 0, &content[..4]).unwrap();
    for offset in [0, 3, 5, 10, u64::MAX] {
        assert!(matches!(
            place.send(&id, offset, b"x"),
            Err(UploadError::Offset { expected: 4 })
        ));
    }
    // Told before, and found out.
    for length in [Some(7), None] {
        let part = Part {
            offset: 4,
            length,
            is_last: true,
        };
        let more = place
            .uploads
            .append("homu", &id, part, &mut Cursor::new(b"4567890"));
        assert!(matches!(more, Err(UploadError::TooMuch { length: 10 })));
        assert_eq!(place.offset(&id), 4);
    }
    let part = Part {
        offset: 4,
        length: Some(2),
        is_last: true,
    };
    let fewer = place
        .uploads
        .append("homu", &id, part, &mut Cursor::new(b"45"));
    assert!(matches!(
        fewer,
        Err(UploadError::TooFew {
            offset: 6,
            length: 10
        })
    ));
    assert_eq!(place.offset(&id), 6);
    assert!(place.uploads.finish("homu", &id).unwrap().is_none());
}

#[test]
fn an_upload_is_its_accounts_alone_and_no_id_is_a_way() {
    let place = Place::new();
    let id = place.begin(b"content");
    for (account, id) in [
        ("other", id.as_str()),
        ("homu", "00112233445566778899aabbccddeeff"),
        ("homu", "../../keys/kek"),
        ("homu", ""),
        ("homu", &id.to_uppercase()),
        ("homu", &format!("{id}.upload")),
    ] {
        for refused in [
            place.uploads.standing(account, id).map(drop),
            place.uploads.abandon(account, id).map(drop),
            place.uploads.finish(account, id).map(drop),
        ] {
            assert!(matches!(refused, Err(UploadError::NotFound)), "{id}");
        }
    }
    assert_eq!(place.offset(&id), 0);
    place.uploads.abandon("homu", &id).unwrap();
    assert!(!place.file(&id).exists());
    assert!(matches!(
        place.uploads.standing("homu", &id),
        Err(UploadError::NotFound)
    ));
}

#[test]
fn a_torn_tail_is_cut_and_damage_in_what_was_acknowledged_is_told() {
    let mut place = Place::new();
    let content = content(50_000);
    let id = place.begin(&content);
    place.send(&id, 0, &content[..20_000]).unwrap();
    let acknowledged = std::fs::read(place.file(&id)).unwrap();
    let put = |place: &Place, bytes: &[u8]| {
        replace_derived_file(system_disk().as_ref(), &place.file(&id), bytes).unwrap();
    };
    // A killed service wrote a whole frame that it did not acknowledge, and half of another one.
    place.send(&id, 20_000, &content[20_000..30_000]).unwrap();
    let further = std::fs::read(place.file(&id)).unwrap();
    let with_tail = |tail: &[u8]| [&acknowledged[..], tail].concat();
    let frame = &further[acknowledged.len()..];
    for (tail, offset) in [
        (frame, 30_000),
        (&frame[..9_000], 20_000),
        (&[0; 5_000], 20_000),
        (&[0xff; 3], 20_000),
        (&frame[..0], 20_000),
    ] {
        put(&place, &with_tail(tail));
        place.restart();
        assert_eq!(place.offset(&id), offset);
        let rest = usize::try_from(offset).unwrap();
        assert_eq!(
            place.send(&id, offset, &content[rest..]).unwrap(),
            Appended::Whole
        );
        assert_eq!(place.content(&id).unwrap(), content);
    }
    // Of what was acknowledged not one byte may be another one.
    let begin = acknowledged.len() - 20_000;
    put(&place, &acknowledged);
    place.restart();
    place.send(&id, 20_000, &content[20_000..]).unwrap();
    let whole = std::fs::read(place.file(&id)).unwrap();
    for at in [begin - 30, begin, begin + 7, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        put(&place, &flipped);
        place.restart();
        let read = place.content(&id);
        assert!(matches!(read, Err(UploadError::Damaged)), "{at}");
    }
    put(&place, &whole[..whole.len() - 1]);
    place.restart();
    assert!(matches!(
        place.uploads.standing("homu", &id),
        Err(UploadError::Damaged)
    ));
    // Whoever asks for it again under its key begins anew.
    let again = UploadFacts {
        key: Some("k".to_owned()),
        ..facts(&content)
    };
    let (keyed, _) = place.uploads.begin(again.clone()).unwrap();
    place.send(&keyed.id.to_string(), 0, &content[..9]).unwrap();
    let path = place.file(&keyed.id.to_string());
    let front = std::fs::read(&path).unwrap();
    let cut = &front[..front.len() - 1];
    replace_derived_file(system_disk().as_ref(), &path, cut).unwrap();
    place.restart();
    let (anew, is_new) = place.uploads.begin(again).unwrap();
    assert!(is_new && anew.id != keyed.id && !path.exists());
    // A head that does not open is nobody's upload.
    let mut flipped = whole.clone();
    flipped[160] ^= 1;
    put(&place, &flipped);
    place.restart();
    assert!(matches!(
        place.uploads.standing("homu", &id),
        Err(UploadError::NotFound)
    ));
}

#[test]
fn another_content_than_announced_is_never_whole() {
    let place = Place::new();
    let (told, sent) = (content(1_000), vec![b'x'; 1_000]);
    let id = place.begin(&told);
    place.send(&id, 0, &sent).unwrap();
    assert!(matches!(place.content(&id), Err(UploadError::Digest)));
}

#[test]
fn what_nothing_came_to_any_more_is_over() {
    let mut place = Place::new();
    let content = content(100);
    let (old, fed) = (place.begin(&content), place.begin(&content));
    place.clock.advance(Duration::hours(20));
    place.send(&fed, 0, &content[..50]).unwrap();
    place.clock.advance(Duration::hours(4));
    assert!(matches!(
        place.send(&old, 0, &content),
        Err(UploadError::NotFound)
    ));
    place.restart();
    assert!(!place.file(&old).exists());
    assert_eq!(place.offset(&fed), 50);
    place.clock.advance(Duration::hours(20));
    let over = place.uploads.expire().unwrap();
    assert_eq!(over.len(), 1);
    assert_eq!((over[0].0.as_str(), over[0].1.to_string()), ("homu", fed));
}

#[test]
fn uploads_are_counted_and_one_key_is_one_upload() {
    let rules = UploadRules {
        open_max: 3,
        open_of_account_max: 2,
        ..UploadRules::of_hours(24)
    };
    let mut place = Place::with(rules);
    let keyed = |account: &str, key: &str, length| UploadFacts {
        account: account.to_owned(),
        key: Some(key.to_owned()),
        length,
        ..facts(b"content")
    };
    let (first, _) = place.uploads.begin(keyed("homu", "k", 7)).unwrap();
    let (same, is_new) = place.uploads.begin(keyed("homu", "k", 7)).unwrap();
    assert_eq!((same.id, is_new), (first.id, false));
    assert!(matches!(
        place.uploads.begin(keyed("homu", "k", 8)),
        Err(UploadError::KeyReused)
    ));
    let (other, is_new) = place.uploads.begin(keyed("other", "k", 8)).unwrap();
    assert!(is_new && other.id != first.id);
    place.uploads.begin(keyed("homu", "l", 7)).unwrap();
    assert!(matches!(
        place.uploads.begin(keyed("homu", "m", 7)),
        Err(UploadError::TooMany { most: 2 })
    ));
    assert!(matches!(
        place.uploads.begin(keyed("third", "m", 7)),
        Err(UploadError::TooMany { most: 3 })
    ));
    place.restart();
    let (same, is_new) = place.uploads.begin(keyed("homu", "k", 7)).unwrap();
    assert_eq!((same.id, is_new), (first.id, false));
}

#[test]
fn a_disk_that_is_full_or_fails_loses_nothing_that_was_acknowledged() {
    for (call, error, status) in [
        (Call::Write, io::ErrorKind::StorageFull, 507),
        (Call::Sync, io::ErrorKind::Other, 503),
    ] {
        let mut place = Place::new();
        let content = content(5_000);
        let id = place.begin(&content);
        place.send(&id, 0, &content[..1_000]).unwrap();
        place.bench.disk.arm(Fault {
            call: Some(call),
            path: ".upload".to_owned(),
            after: 0,
            sticky: true,
            error,
            outcome: Outcome::Lost,
        });
        let refused = place.send(&id, 1_000, &content[1_000..]).unwrap_err();
        assert_eq!(refused.status(), status, "{refused:?}");
        assert!(place.uploads.begin(facts(&content)).is_err() || call == Call::Sync);
        place.bench.disk.heal();
        assert_eq!(place.offset(&id), 1_000);
        place.send(&id, 1_000, &content[1_000..]).unwrap();
        place.restart();
        assert_eq!(place.content(&id).unwrap(), content);
    }
}

#[test]
fn a_later_request_takes_the_place_of_one_that_still_writes() {
    /// Asks for the rest on another connection in the middle of the first one.
    struct Overtaken<'a>(&'a Place, &'a str, u32);
    impl Read for Overtaken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.2 += 1;
            if self.2 == 1 {
                assert!(matches!(
                    self.0.send(self.1, 0, b"second"),
                    Ok(Appended::Waits(_))
                ));
            }
            buffer.fill(b'1');
            Ok(buffer.len().min(10))
        }
    }
    let place = Place::new();
    let content = content(3_000_000);
    let id = place.begin(&content);
    let part = Part {
        offset: 0,
        length: None,
        is_last: false,
    };
    let overtaken = place
        .uploads
        .append("homu", &id, part, &mut Overtaken(&place, &id, 0));
    assert!(matches!(overtaken, Err(UploadError::CutOff)));
    assert_eq!(place.offset(&id), 6);
}
