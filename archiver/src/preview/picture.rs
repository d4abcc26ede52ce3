//! How many pixels an image says that it has, out of its first bytes.
//!
//! A few bytes can promise billions of pixels, and whoever shows them takes memory for each: that is looked at before a browser is handed the image.

/// Width and height in pixels; `None` where the bytes are no image of that media type, or do not say.
#[must_use]
pub fn pixels(media_type: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    match media_type {
        // PNG §11.2.1: the signature, then the chunk IHDR.
        "image/png" => {
            let head = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?;
            Some((big(head, 0, 4)?, big(head, 4, 4)?))
        }
        // GIF89a §18: the logical screen.
        "image/gif" => {
            let is_gif = bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a");
            let sides = (little(bytes, 6, 2)?, little(bytes, 8, 2)?);
            is_gif.then_some(sides)
        }
        // BITMAPINFOHEADER; a negative height says that the first line is the upper one. The older header has 16 bits.
        "image/bmp" => {
            bytes.strip_prefix(b"BM")?;
            if little(bytes, 14, 4)? == 12 {
                return Some((little(bytes, 18, 2)?, little(bytes, 20, 2)?));
            }
            let signed = |at| little(bytes, at, 4).map(|side| side.cast_signed().unsigned_abs());
            Some((signed(18)?, signed(22)?))
        }
        "image/webp" => webp(bytes),
        "image/jpeg" => jpeg(bytes),
        _ => None,
    }
}

/// RFC 9649 §2.5 to §2.7: lossy, lossless, extended.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP";
    let sides = match bytes.get(12..16)? {
        b"VP8 " => (
            little(bytes, 26, 2)? & SIDE_14_BITS,
            little(bytes, 28, 2)? & SIDE_14_BITS,
        ),
        b"VP8L" => {
            let packed = little(bytes, 21, 4)?;
            (
                (packed & SIDE_14_BITS) + 1,
                ((packed >> 14) & SIDE_14_BITS) + 1,
            )
        }
        b"VP8X" => (little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1),
        _ => return None,
    };
    is_webp.then_some(sides)
}

/// ITU-T T.81 §B.2.2: the segments up to the first frame header (SOF).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, marker, ..] = rest else {
            return None;
        };
        if *marker == 0xff {
            // Fill bytes may stand before a marker (§B.1.1.2).
            rest = rest.get(1..)?;
            continue;
        }
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            return Some((big(rest, 7, 2)?, big(rest, 5, 2)?));
        }
        // Each segment takes two bytes at least, so this ends.
        let length = usize::try_from(big(rest, 2, 2)?).ok()?;
        rest = rest.get(2 + length.max(2)..)?;
    }
}

fn big(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(count)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u32::from(*byte)),
    )
}

fn little(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(count)?)?;
    let reversed = bytes.iter().rev();
    Some(reversed.fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
}

const SIDE_14_BITS: u32 = 0x3fff;

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<(&'static str, Vec<u8>, (u32, u32))> {
        let riff = |kind: &[u8], rest: &[u8]| [b"RIFF\0\0\0\0WEBP".as_slice(), kind, rest].concat();
        vec![
            (
                "image/png",
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\x01\0\0".to_vec(),
                (256, 65_536),
            ),
            ("image/gif", b"GIF89a\xff\xff\x02\0".to_vec(), (65_535, 2)),
            (
                "image/bmp",
                [
                    b"BM".as_slice(),
                    &[0; 12],
                    &40_u32.to_le_bytes(),
                    &70_000_i32.to_le_bytes(),
                    &(-80_000_i32).to_le_bytes(),
                ]
                .concat(),
                (70_000, 80_000),
            ),
            (
                "image/webp",
                riff(b"VP8X", b"\x0a\0\0\0\0\0\0\0\xff\xff\xff\x0f\0\0"),
                (1 << 24, 16),
            ),
            (
                "image/webp",
                riff(b"VP8L", b"\0\0\0\0\x2f\xff\xff\xff\x0f"),
                (16_384, 16_384),
            ),
            (
                "image/jpeg",
                b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc2\0\x0b\x08\xff\xfe\xff\xfd\x01".to_vec(),
                (65_533, 65_534),
            ),
        ]
    }

    #[test]
    fn each_kind_says_how_large_it_is() {
        for (kind, bytes, sides) in samples() {
            assert_eq!(pixels(kind, &bytes), Some(sides), "{kind}");
        }
    }

    #[test]
    fn half_a_head_and_another_kind_say_nothing() {
        for (kind, bytes, _) in samples() {
            for length in 0..9 {
                assert_eq!(pixels(kind, &bytes[..length]), None, "{kind} {length}");
            }
            let other = if kind == "image/png" {
                "image/gif"
            } else {
                "image/png"
            };
            assert_eq!(pixels(other, &bytes), None, "{kind} as {other}");
        }
        assert_eq!(pixels("image/jpeg", &[0xff; 1_000]), None);
    }
}
