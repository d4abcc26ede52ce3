use super::*;

pub(super) fn map() -> CompactionMap {
    CompactionMap {
        segment: 6,
        generation: 2,
        original_length: 2000,
        original_index_offset: 1900,
        original_digest: [3; 32],
        runs: vec![run(66, 34), run(500, 100), run(1800, 100)],
    }
}

fn run(offset: u64, length: u64) -> KeptRun {
    KeptRun {
        offset,
        length,
        digest: [offset as u8; 32],
    }
}

#[test]
fn original_offsets_are_found_in_the_file() {
    let table = RunTable::new(&map(), 1000);
    assert_eq!((table.generation(), table.segment()), (2, 6));
    let kept = |place, left| Located::Kept { place, left };
    let dropped = |until| Located::Dropped { until };
    for (offset, expected) in [
        (0, kept(0, 66)),
        (65, kept(65, 1)),
        (66, kept(1066, 34)),
        (99, kept(1099, 1)),
        (100, dropped(500)),
        (499, dropped(500)),
        (500, kept(1100, 100)),
        (600, dropped(1800)),
        (1899, kept(1299, 1)),
        (1900, kept(1300, u64::MAX)),
        (1950, kept(1350, u64::MAX)),
    ] {
        assert_eq!(table.locate(offset), expected, "{offset}");
        if let Located::Kept { place, .. } = expected {
            assert_eq!(table.original(place), Some(FrameAddress::new(6, offset)));
        }
    }
    assert_eq!(table.original(66), None);
    assert_eq!(table.original(1065), None);
    assert_eq!(table.index_place(), 1300);
}

#[test]
fn nothing_may_be_kept() {
    let map = CompactionMap {
        runs: Vec::new(),
        ..map()
    };
    let table = RunTable::new(&map, 100);
    assert_eq!(table.locate(66), Located::Dropped { until: 1900 });
    assert_eq!(table.index_place(), 166);
}

#[test]
fn maps_that_contradict_themselves_are_refused() {
    let with = |change: &dyn Fn(&mut CompactionMap)| {
        let mut changed = map();
        change(&mut changed);
        Frame::CompactionMap(changed).encode().map(|_| ())
    };
    assert!(with(&|_| {}).is_ok());
    for (place, change) in [
        (&|map: &mut CompactionMap| map.generation = 0) as &dyn Fn(&mut CompactionMap),
        &|map| map.segment = 0,
        &|map| map.original_index_offset = 2000,
        &|map| map.original_index_offset = 1899,
        &|map| map.runs[0].offset = 65,
        &|map| map.runs[0].length = 0,
        &|map| map.runs[1].offset = 100,
        &|map| map.runs[1].offset = 99,
        &|map| map.runs[2].length = u64::MAX,
        &|map| map.runs.swap(0, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let kind = with(change).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::NotEncodable, "{place}");
    }
}

#[test]
fn a_map_with_a_run_that_wraps_around_is_refused() {
    let bytes = Frame::CompactionMap(map()).encode().unwrap().into_bytes();
    let body = &bytes[FRAME_HEADER_BYTES..];
    let mut writer = Writer::after(body[..56].to_vec());
    writer.varint(2);
    for (gap, length) in [(66, 10), (u64::MAX - 40, 60)] {
        writer.varint(gap);
        writer.varint(length);
        writer.raw(&[0; 32]);
    }
    let result = Frame::parse_body(FrameType::CompactionMap, &writer.finish());
    assert_eq!(kind(result), ErrorKind::InvalidValue);
    let mut writer = Writer::after(body[..56].to_vec());
    writer.varint(1 + KEPT_RUNS_MAX as u64);
    let result = Frame::parse_body(FrameType::CompactionMap, &writer.finish());
    assert_eq!(kind(result), ErrorKind::LimitExceeded);
}
