//! Events in the index, and after it was lost.

use formats::id::EventId;
use formats::segment::Event;
use serde_json::json;

use super::*;
use crate::event::Topic;

/// Appends an event that [`TestOpener`] opens, without telling the index.
fn append(archive: &Archive, number: u8, topic: Topic) -> (FrameAddress, RecordedEvent) {
    let event = RecordedEvent {
        id: EventId::from_bytes([number; 16]),
        time: datetime!(2026-11-22 14:00 UTC),
        topic,
        kind: "counted".to_owned(),
        by: "yamada".to_owned(),
        facts: json!({ "number": number }),
    };
    let frame = Event {
        id: event.id,
        time: event.time,
        nonce: [0; 12],
        sealed: event.text(),
    };
    let appender = archive.appender();
    let address = appender.append(Frame::Event(frame)).unwrap();
    appender.commit(address).unwrap();
    (address, event)
}

fn events(archive: &Archive, topic: Topic) -> Vec<RecordedEvent> {
    let mut found = Vec::new();
    archive
        .catalog()
        .events(topic, &mut |event| {
            found.push(event);
            true
        })
        .unwrap();
    found
}

#[test]
fn events_are_found_by_topic_in_their_order() {
    let mut archive = Archive::new();
    archive.open_catalog();
    let mut media = Vec::new();
    for number in [1, 3, 2] {
        let (address, event) = append(&archive, number, Topic::Media);
        archive.catalog().apply_event(address, &event).unwrap();
        archive.catalog().apply_event(address, &event).unwrap();
        media.push(event);
    }
    let (address, key) = append(&archive, 4, Topic::Keys);
    archive.catalog().apply_event(address, &key).unwrap();
    media.sort_by_key(|event| event.id);
    assert_eq!(events(&archive, Topic::Media), media);
    assert_eq!(events(&archive, Topic::Keys), [key]);
    assert_eq!(events(&archive, Topic::Fixity), []);
}

#[test]
fn events_come_back_from_the_segments() {
    let mut archive = Archive::new();
    archive.open_catalog();
    let (_, told) = append(&archive, 1, Topic::Fixity);
    // Not told to the index: a killed process leaves it so.
    archive.catalog.take().unwrap().close().unwrap();
    archive.open_catalog();
    assert_eq!(events(&archive, Topic::Fixity), std::slice::from_ref(&told));
    archive.catalog.take().unwrap().close().unwrap();
    std::fs::remove_dir_all(archive.index()).unwrap();
    archive.open_catalog();
    assert_eq!(events(&archive, Topic::Fixity), [told]);
}

#[test]
fn an_event_that_does_not_open_is_reported() {
    let mut archive = Archive::new();
    archive.open_catalog();
    let appender = archive.appender();
    let frame = Event {
        id: EventId::from_bytes([1; 16]),
        time: datetime!(2026-11-22 14:00 UTC),
        nonce: [0; 12],
        sealed: b"not what anybody wrote".to_vec(),
    };
    let address = appender.append(Frame::Event(frame)).unwrap();
    appender.commit(address).unwrap();
    let (_, kept) = append(&archive, 2, Topic::Media);
    archive.catalog.take().unwrap().close().unwrap();
    let report = archive.open_catalog();
    let places: Vec<FrameAddress> = report.damaged.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [address]);
    assert_eq!(events(&archive, Topic::Media), [kept]);
}

#[test]
fn events_behind_one_are_found_without_it_and_those_before_it() {
    for engine in IndexEngine::ALL {
        let mut archive = Archive::with(EngineChoice::Use(engine));
        let mut keys = Vec::new();
        for (number, topic) in [
            (1, Topic::Keys),
            (2, Topic::Media),
            (4, Topic::Keys),
            (6, Topic::Keys),
            (7, Topic::Media),
        ] {
            let (address, event) = append(&archive, number, topic);
            archive.catalog().apply_event(address, &event).unwrap();
            if topic == Topic::Keys {
                keys.push(event);
            }
        }
        let behind = |archive: &Archive, after: Option<u8>| {
            let mut found = Vec::new();
            let after = after.map(|number| EventId::from_bytes([number; 16]));
            let each = &mut |event| {
                found.push(event);
                true
            };
            let catalog = archive.catalog();
            catalog.events_after(Topic::Keys, after, each).unwrap();
            found
        };
        assert_eq!(behind(&archive, None), keys);
        assert_eq!(behind(&archive, Some(0)), keys);
        assert_eq!(behind(&archive, Some(1)), keys[1..]);
        assert_eq!(behind(&archive, Some(3)), keys[1..], "between two of them");
        assert_eq!(behind(&archive, Some(4)), keys[2..]);
        assert_eq!(behind(&archive, Some(6)), []);
        assert_eq!(behind(&archive, Some(255)), []);
        archive.open_catalog();
        assert_eq!(behind(&archive, Some(1)), keys[1..]);
        let mut seen = 0;
        let each = &mut |_| {
            seen += 1;
            false
        };
        let catalog = archive.catalog();
        catalog.events_after(Topic::Keys, None, each).unwrap();
        assert_eq!(seen, 1, "who asks may stop");
    }
}

#[test]
fn the_last_event_of_a_topic_is_found_whole() {
    for engine in IndexEngine::ALL {
        let mut archive = Archive::with(EngineChoice::Use(engine));
        let last = |archive: &Archive, topic| archive.catalog().last_event_of(topic).unwrap();
        assert_eq!(last(&archive, Topic::Keys), None);
        let (address, first) = append(&archive, 3, Topic::Keys);
        archive.catalog().apply_event(address, &first).unwrap();
        let (address, media) = append(&archive, 9, Topic::Media);
        archive.catalog().apply_event(address, &media).unwrap();
        assert_eq!(last(&archive, Topic::Keys), Some(first));
        let (address, second) = append(&archive, 5, Topic::Keys);
        archive.catalog().apply_event(address, &second).unwrap();
        assert_eq!(last(&archive, Topic::Keys), Some(second.clone()));
        archive.open_catalog();
        assert_eq!(last(&archive, Topic::Keys), Some(second));
        assert_eq!(last(&archive, Topic::Media), Some(media));
        assert_eq!(last(&archive, Topic::People), None);
    }
}

#[test]
fn events_before_one_are_found_backwards_without_it_and_those_behind_it() {
    for engine in IndexEngine::ALL {
        let mut archive = Archive::with(EngineChoice::Use(engine));
        let mut people = Vec::new();
        // Records, people and keys stand beside each other in the index.
        for (number, topic) in [
            (1, Topic::People),
            (2, Topic::Records),
            (4, Topic::People),
            (255, Topic::Keys),
            (254, Topic::People),
            (7, Topic::Media),
        ] {
            let (address, event) = append(&archive, number, topic);
            archive.catalog().apply_event(address, &event).unwrap();
            if topic == Topic::People {
                people.insert(0, event);
            }
        }
        let before = |archive: &Archive, before: Option<u8>, most: usize| {
            let mut found = Vec::new();
            let before = before.map(|number| EventId::from_bytes([number; 16]));
            let each = &mut |event| {
                found.push(event);
                found.len() < most
            };
            let catalog = archive.catalog();
            catalog.events_before(Topic::People, before, each).unwrap();
            found
        };
        assert_eq!(before(&archive, None, 9), people);
        assert_eq!(before(&archive, Some(255), 9), people);
        assert_eq!(before(&archive, Some(254), 9), people[1..]);
        assert_eq!(before(&archive, Some(3), 9), people[2..], "between two");
        assert_eq!(before(&archive, Some(1), 9), []);
        assert_eq!(before(&archive, None, 2), people[..2], "who asks may stop");
        archive.open_catalog();
        assert_eq!(before(&archive, Some(254), 9), people[1..]);
    }
}
