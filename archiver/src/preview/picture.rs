//! How many pixels an image says that it has, out of its first bytes.
//!
//! A few bytes can promise billions of pixels, and whoever shows them takes memory for each: that is looked at before a browser is handed the image.

use imagesize::ImageType;

/// Width and height in pixels; `None` where the bytes are no image of that media type, or do not say.
#[must_use]
pub fn pixels(media_type: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    let named = match media_type {
        "image/png" => ImageType::Png,
        "image/gif" => ImageType::Gif,
        "image/bmp" => ImageType::Bmp,
        "image/webp" => ImageType::Webp,
        "image/jpeg" => ImageType::Jpeg,
        _ => return None,
    };
    if imagesize::image_type(bytes).ok()? != named {
        return None;
    }
    let size = imagesize::blob_size(bytes).ok()?;
    let (width, height) = (size.width.try_into().ok()?, size.height.try_into().ok()?);
    if named == ImageType::Bmp {
        // A negative height says that the first line is the upper one.
        let height: u32 = height;
        return Some((width, height.cast_signed().unsigned_abs()));
    }
    Some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<(&'static str, Vec<u8>, (u32, u32))> {
        let riff = |kind: &[u8], rest: &[u8]| [b"RIFF\0\0\0\0WEBP".as_slice(), kind, rest].concat();
        vec![
            (
                "image/png",
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\x01\0\0\x08\x06\0\0\0".to_vec(),
                (256, 65_536),
            ),
            (
                "image/gif",
                b"GIF89a\xff\xff\x02\0\0\0\0".to_vec(),
                (65_535, 2),
            ),
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
                b"\xff\xd8\xff\xe0\0\x04ab\xff\xc2\0\x0b\x08\xff\xfe\xff\xfd\x01".to_vec(),
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
