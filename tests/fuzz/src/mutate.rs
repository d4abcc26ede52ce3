//! Deterministic damage: the same input always gives the same broken ones.

/// The nesting that no parser may follow down its stack.
pub const DEEP: usize = 100_000;

/// `count` damaged forms of `bytes`: cut off, with a bit turned, with a length that is too large, indefinite or zero, with a part doubled or left out.
pub fn mutations(bytes: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut next = move |below: usize| {
        // xorshift64* (Marsaglia, Vigna).
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let value = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap_or_default() % below.max(1)
    };
    // Headers and tables stand at both ends, so half of the damage goes there.
    let length = bytes.len();
    (0..count).map(move |number| {
        let place = match number % 4 {
            0 => next(length.min(64)),
            1 => length.saturating_sub(1 + next(length.min(64))),
            _ => next(length),
        };
        damaged(bytes, place, number / 4 + number, next(256))
    })
}

fn damaged(bytes: &[u8], place: usize, kind: usize, value: usize) -> Vec<u8> {
    let (before, after) = bytes.split_at(place.min(bytes.len()));
    let after_one = after.get(1..).unwrap_or_default();
    let byte = after.first().copied().unwrap_or_default();
    match kind % 7 {
        0 => before.to_vec(),
        1 => [before, &[byte ^ (1 << (value % 8))], after_one].concat(),
        2 => [before, &[0x84, 0xff, 0xff, 0xff, 0xff], after_one].concat(),
        3 => [before, &[0x80], after_one].concat(),
        4 => [before, &[0x00], after_one].concat(),
        5 => [before, after.get(..value).unwrap_or(after), after].concat(),
        _ => [before, after.get(value..).unwrap_or_default()].concat(),
    }
}

/// Inputs that are small and ask for much: deep nesting, long chains of brackets, lengths without content.
pub fn bombs() -> Vec<Vec<u8>> {
    let nested = |open: &[u8], close: &[u8]| [open.repeat(DEEP), close.repeat(DEEP)].concat();
    let mut definite = vec![0x05, 0x00];
    // From inside outwards would be quadratic; a length that covers the rest of the file at each level is not.
    let total = 6 * DEEP + definite.len();
    let mut levels = Vec::with_capacity(total);
    for level in 0..DEEP {
        let rest = u32::try_from(total - 6 * (level + 1)).unwrap_or_default();
        levels.push(0x30);
        levels.push(0x84);
        levels.extend(rest.to_be_bytes());
    }
    levels.append(&mut definite);
    vec![
        Vec::new(),
        vec![0; DEEP],
        vec![0x30; DEEP],
        levels,
        nested(&[0x30, 0x80], &[0, 0]),
        nested(&[0x24, 0x80], &[0, 0]),
        nested(b"<a>", b"</a>"),
        nested(b"[", b"]"),
        nested(b"{\"a\":", b"}"),
        [b"<a ".to_vec(), b"b='c' ".repeat(DEEP), b"/>".to_vec()].concat(),
        [
            b"<a xmlns:b='c'".to_vec(),
            b" xmlns:b='c'".repeat(DEEP),
            b"/>".to_vec(),
        ]
        .concat(),
        b"-----BEGIN CERTIFICATE-----\n".repeat(DEEP / 10),
        [b"PK\x03\x04".to_vec(), b"PK\x05\x06".repeat(DEEP)].concat(),
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        vec![0x30, 0x80],
    ]
}

/// Whether a file is small enough to be damaged many times in a test.
pub fn is_small(bytes: &[u8]) -> bool {
    bytes.len() <= 256 * 1024
}
