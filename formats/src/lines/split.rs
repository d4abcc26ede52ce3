//! Where lines end.

/// Cuts pieces of a stream into lines: tells how many bytes of the piece belong to the present line, and whether they end it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LineSplitter {
    /// Bytes of the line that the next byte belongs to.
    begun: u64,
}

impl LineSplitter {
    /// Takes the next part of a line off `piece`: the part, and whether the line ends with it. `None` when the piece is used up.
    pub fn take<'a>(&mut self, piece: &mut &'a [u8]) -> Option<(&'a [u8], bool)> {
        if piece.is_empty() {
            return None;
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(piece.len(), |end| end.saturating_add(1));
        let (part, rest) = piece.split_at_checked(length)?;
        *piece = rest;
        self.begun = if end.is_some() {
            0
        } else {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            self.begun.saturating_add(length)
        };
        Some((part, end.is_some()))
    }

    /// Bytes of a line that has not ended yet.
    #[must_use]
    pub const fn begun(&self) -> u64 {
        self.begun
    }
}

/// The lines of `bytes`. Each but the last ends with LF.
pub fn split_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}
