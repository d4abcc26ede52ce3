//! What a content looks like to people: invoices as invoices, text as text, images and PDF as the browser shows them.
//!
//! A preview is made for the eye. What counts is the content itself, byte by byte as it was deposited; each page says so where it shows less than the whole.
//! Everything here is foreign input: bounded, never run, and shown as text wherever it is not a known image.

pub mod invoice;
pub mod picture;
pub mod text;

pub use invoice::Invoice;
pub use text::Text;

/// What of a content can be shown.
#[derive(Debug)]
pub enum Preview {
    /// A UBL invoice or credit note, and the XML that says so.
    Invoice(Box<Invoice>, Text),
    /// Text: documents, mails, logs, sources.
    Text(Text),
    /// An image of a kind that every browser shows.
    Image {
        /// Its media type, one of [`IMAGES`].
        media_type: &'static str,
        /// All its bytes.
        bytes: Vec<u8>,
    },
    /// An image that would take more memory than a browser should be asked for.
    Vast {
        /// Pixels in a line.
        width: u32,
        /// Lines.
        height: u32,
    },
}

/// How a content can be shown, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In a page, out of its first bytes: at most this many.
    Page(u64),
    /// By the browser's own viewer.
    Viewer,
    /// Not at all: it can be fetched.
    None,
}

/// Images that browsers show, and that run nothing: SVG is no such image.
pub const IMAGES: [&str; 5] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/bmp",
];

/// How a content of this media type and size (bytes) can be shown.
#[must_use]
pub fn way(media_type: &str, size: u64) -> Way {
    if media_type == "application/pdf" {
        return Way::Viewer;
    }
    if IMAGES.contains(&media_type) {
        return if size <= IMAGE_BYTES_MAX {
            Way::Page(IMAGE_BYTES_MAX)
        } else {
            Way::None
        };
    }
    if is_xml(media_type) {
        return Way::Page(XML_BYTES_MAX);
    }
    if text::is_text(media_type) {
        return Way::Page(text::BYTES_MAX);
    }
    Way::None
}

/// Makes the preview of a content out of its first bytes, as many as [`way`] said; `size` is the size of the whole, in bytes.
#[must_use]
pub fn preview(media_type: &str, size: u64, head: Vec<u8>) -> Option<Preview> {
    if let Some(media_type) = IMAGES.into_iter().find(|known| *known == media_type) {
        let (width, height) = picture::pixels(media_type, &head)?;
        if u64::from(width) * u64::from(height) > PIXELS_MAX {
            return Some(Preview::Vast { width, height });
        }
        return Some(Preview::Image {
            media_type,
            bytes: head,
        });
    }
    if !is_xml(media_type) && !text::is_text(media_type) {
        return None;
    }
    let is_whole = u64::try_from(head.len()).is_ok_and(|length| length >= size);
    let text = Text::read(media_type, &head, is_whole);
    // Half an invoice says something else than the whole one.
    let invoice = (is_whole && is_xml(media_type))
        .then(|| std::str::from_utf8(&head).ok())
        .flatten()
        .and_then(Invoice::read);
    Some(match invoice {
        Some(invoice) => Preview::Invoice(Box::new(invoice), text),
        None => Preview::Text(text),
    })
}

fn is_xml(media_type: &str) -> bool {
    media_type == "application/xml"
}

/// Bytes of an image that stands in a page.
const IMAGE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Pixels of an image that stands in a page: a sheet of A3 scanned at 600 dpi has 70 millions; each takes four bytes of the browser's memory.
const PIXELS_MAX: u64 = 100_000_000;

/// Bytes of an invoice with its attachments.
const XML_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_is_shown_as_text_or_not_at_all() {
        for kind in [
            "image/svg+xml",
            "application/octet-stream",
            "application/zip",
            "",
        ] {
            assert_eq!(way(kind, 10), Way::None, "{kind}");
            assert!(preview(kind, 1, b"x".to_vec()).is_none(), "{kind}");
        }
        assert_eq!(
            way("text/html; charset=utf-8", 10),
            Way::Page(text::BYTES_MAX)
        );
        let html = b"<script>alert(1)</script>".to_vec();
        let shown = preview("text/html; charset=utf-8", 25, html).unwrap();
        assert!(
            matches!(shown, Preview::Text(text) if text.lines() == ["<script>alert(1)</script>"])
        );
    }

    #[test]
    fn an_image_too_large_for_a_page_is_fetched_instead() {
        assert_eq!(
            way("image/png", IMAGE_BYTES_MAX),
            Way::Page(IMAGE_BYTES_MAX)
        );
        assert_eq!(way("image/png", IMAGE_BYTES_MAX + 1), Way::None);
        assert_eq!(way("application/pdf", u64::MAX), Way::Viewer);
    }

    #[test]
    fn an_image_of_billions_of_pixels_is_not_handed_to_the_browser() {
        let head = |width: u16, height: u16| {
            let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
            [b"GIF89a".as_slice(), &sides, &[0; 3]].concat()
        };
        let shown = preview("image/gif", 10, head(10_000, 10_000)).unwrap();
        assert!(matches!(shown, Preview::Image { .. }));
        let vast = preview("image/gif", 10, head(10_000, 10_001)).unwrap();
        assert!(matches!(vast, Preview::Vast { height: 10_001, .. }));
        assert!(preview("image/gif", 4, b"GIF8".to_vec()).is_none());
    }

    #[test]
    fn half_an_invoice_is_shown_as_the_text_it_is() {
        let xml = invoice::tests::small();
        let size = xml.len() as u64;
        let whole = preview("application/xml", size, xml.clone().into_bytes()).unwrap();
        assert!(matches!(whole, Preview::Invoice(..)));
        let half = preview("application/xml", size + 1, xml.into_bytes()).unwrap();
        assert!(matches!(half, Preview::Text(text) if text.is_cut()));
    }
}
