//! A reader that shortens long stretches of XML text, so that a parser never holds an attachment in memory.

use std::io::{self, BufRead, Read};

/// Passes XML through, except that of a stretch without `<` or `>` only the first [`STRETCH_MAX`] bytes and the last
/// three are kept. That leaves markup whole: three bytes cover the ends `-->`, `]]>`, `?>` and `"/>`. What becomes
/// shorter is text that no metadata field could hold.
///
/// It ends with an error after [`TOTAL_MAX`] bytes passed through.
#[derive(Debug)]
pub(super) struct TextWindow<R> {
    inner: R,
    output: Vec<u8>,
    consumed: usize,
    stretch: usize,
    held: Vec<u8>,
    total: usize,
    ended: bool,
}

impl<R: Read> TextWindow<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            output: Vec::new(),
            consumed: 0,
            stretch: 0,
            held: Vec::new(),
            total: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.consumed = 0;
        let mut input = [0; INPUT_BYTES];
        while self.output.is_empty() && !self.ended {
            let count = match self.inner.read(&mut input) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.ended = count == 0;
            for byte in input.get(..count).unwrap_or_default() {
                self.pass(*byte);
            }
            if self.ended {
                self.release();
            }
        }
        self.total = self.total.saturating_add(self.output.len());
        if self.total > TOTAL_MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(())
    }

    fn pass(&mut self, byte: u8) {
        if matches!(byte, b'<' | b'>') {
            self.release();
            self.stretch = 0;
            self.output.push(byte);
        } else if self.stretch < STRETCH_MAX {
            self.stretch += 1;
            self.output.push(byte);
        } else {
            if self.held.len() == HELD_BYTES {
                self.held.remove(0);
            }
            self.held.push(byte);
        }
    }

    fn release(&mut self) {
        self.output.append(&mut self.held);
    }
}

impl<R: Read> Read for TextWindow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for TextWindow<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed >= self.output.len() {
            self.refill()?;
        }
        Ok(self.output.get(self.consumed..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.consumed = self.consumed.saturating_add(count);
    }
}

const INPUT_BYTES: usize = 16 * 1024;

const HELD_BYTES: usize = 3;

/// Metadata texts are at most 1 KiB; a start tag with all its namespace declarations is a few.
const STRETCH_MAX: usize = 16 * 1024;

/// The header of an invoice without its attachments is a few dozen KiB. Several deposits run at once, and a hostile
/// document could make the parser hold this much of a single comment.
const TOTAL_MAX: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn through(input: &[u8]) -> io::Result<Vec<u8>> {
        let mut output = Vec::new();
        TextWindow::new(input).read_to_end(&mut output)?;
        Ok(output)
    }

    #[test]
    fn ordinary_xml_passes_unchanged() {
        let xml = "<a x=\"1\"><b>text 文蔵</b><!-- c --></a>".repeat(100);
        assert_eq!(through(xml.as_bytes()).unwrap(), xml.as_bytes());
        assert_eq!(through(b"").unwrap(), b"");
    }

    #[test]
    fn long_text_is_cut_and_the_markup_stays() {
        let long = "A".repeat(STRETCH_MAX * 40);
        let xml = format!("<a><!--{long}--><b>{long}</b><c>after</c></a>");
        let short = String::from_utf8(through(xml.as_bytes()).unwrap()).unwrap();
        assert!(short.len() < STRETCH_MAX * 2 + 100);
        assert!(short.contains("A--><b>") && short.ends_with("A</b><c>after</c></a>"));
    }

    #[test]
    fn endless_markup_is_an_error() {
        let xml = "<a>".repeat(TOTAL_MAX / 3 + INPUT_BYTES);
        assert!(through(xml.as_bytes()).is_err());
        let text = "A".repeat(TOTAL_MAX * 2);
        assert!(through(text.as_bytes()).unwrap().len() <= STRETCH_MAX + 3);
    }
}
