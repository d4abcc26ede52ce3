//! The embedded font: which glyph shows a character, and how wide it is.

use std::io::Read as _;

use flate2::read::GzDecoder;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, GlyphId, MetadataProvider as _, charmap::Charmap};

/// BIZ UDPGothic Regular; where it comes from and under which licence stands beside it.
const FONT: &[u8] = include_bytes!("../../../assets/fonts/BIZUDPGothic-Regular.ttf.gz");

/// Bytes of the font when it is unpacked.
const FONT_BYTES_MAX: u64 = 8 << 20;

/// The font, unpacked.
pub(super) fn font_bytes() -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(FONT)
        .take(FONT_BYTES_MAX)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

/// The font, read.
pub(super) struct Face<'a> {
    charmap: Charmap<'a>,
    /// Per em: a width of 1 is as wide as the letters are high.
    metrics: GlyphMetrics<'a>,
}

impl<'a> Face<'a> {
    pub(super) fn new(data: &'a [u8]) -> Option<Self> {
        let font = FontRef::new(data).ok()?;
        Some(Self {
            charmap: font.charmap(),
            metrics: font.glyph_metrics(Size::new(1.0), LocationRef::default()),
        })
    }

    /// The glyph of a character, if the font has one that a reader of the PDF can turn back into the character.
    pub(super) fn glyph(&self, character: char) -> Option<GlyphId> {
        let is_private = matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
        let is_special = matches!(character, '\u{feff}' | '\u{fff0}'..='\u{ffff}');
        if character.is_control() || is_private || is_special {
            return None;
        }
        self.charmap
            .map(character)
            .filter(|glyph| *glyph != GlyphId::NOTDEF)
    }

    /// How wide a glyph is, per em.
    pub(super) fn advance(&self, glyph: GlyphId) -> f32 {
        self.metrics.advance_width(glyph).unwrap_or(1.0)
    }

    /// How wide a character is, per em; nothing if it cannot be shown.
    pub(super) fn width(&self, character: char) -> f32 {
        self.glyph(character)
            .map_or(0.0, |glyph| self.advance(glyph))
    }

    /// How wide a text is, per em.
    pub(super) fn width_of(&self, text: &str) -> f32 {
        text.chars().map(|character| self.width(character)).sum()
    }

    /// The text with every character that the font does not have as `U+XXXX`.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            if self.glyph(character).is_some() {
                out.push(character);
            } else {
                out.push_str(&format!("U+{:04X}", u32::from(character)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_characters_of_the_language_and_names_the_others() {
        let data = font_bytes().unwrap();
        let face = Face::new(&data).unwrap();
        for character in "文蔵、。「」（）ア亜腕弌熙㈱①髙﨑–—…·→✓×±".chars()
        {
            assert!(face.glyph(character).is_some(), "{character}");
        }
        assert_eq!(face.shown("吉𠮷😀\u{e000}野"), "吉U+20BB7U+1F600U+E000野");
        // The widths of the table `hmtx`, in units of which an em has 2048.
        for (text, units) in [("あ", 2007.0), ("i", 655.0), ("ああil", 5345.0)] {
            let width = face.width_of(text) * 2048.0;
            assert!((width - units).abs() < 0.01, "{text}: {width}");
        }
    }
}
