//! Octet counting (RFC 5425 §4.3): `MSG-LEN SP MSG`.

/// Cuts a stream into messages.
#[derive(Debug)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    /// Where the next frame begins in the buffer.
    start: usize,
    message_max: usize,
}

/// Why a stream cannot be read on. There is no way to find the next message in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FramingError {
    /// No length stands where one must. A sender without octet counting (RFC 6587 §3.4.2) looks like this.
    NoLength,
    /// The message is longer than what is taken.
    TooLong,
}

impl Frames {
    /// Takes messages of at most so many bytes.
    pub(super) const fn new(message_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            message_max,
        }
    }

    /// Adds what was read. Call [`Frames::next`] until it has nothing more before the next one: the buffer then holds less than one message.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, FramingError> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, behind) = rest.split_at(digits);
        match behind.first() {
            _ if digits > LENGTH_DIGITS_MAX => return Err(FramingError::TooLong),
            None if digits == 0 || number.first() != Some(&b'0') => return Ok(None),
            Some(b' ') if digits > 0 && number.first() != Some(&b'0') => {}
            None | Some(_) => return Err(FramingError::NoLength),
        }
        let length = std::str::from_utf8(number).ok();
        let length: usize = length
            .and_then(|length| length.parse().ok())
            .ok_or(FramingError::NoLength)?;
        if length > self.message_max {
            return Err(FramingError::TooLong);
        }
        let message = behind.get(1..).and_then(|behind| behind.get(..length));
        let Some(message) = message.map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.start += digits + 1 + length;
        Ok(Some(message))
    }

    /// Whether the stream ended between two messages.
    pub(super) fn is_between(&self) -> bool {
        self.start == self.buffer.len()
    }
}

/// More digits than any message that is taken has.
const LENGTH_DIGITS_MAX: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    fn all(frames: &mut Frames) -> Result<Vec<Vec<u8>>, FramingError> {
        let mut messages = Vec::new();
        while let Some(message) = frames.next()? {
            messages.push(message);
        }
        Ok(messages)
    }

    #[test]
    fn messages_come_out_however_the_stream_was_cut() {
        let stream = b"5 abcde1 x12 a\nb\0c 9 xyz\xff3 end";
        for step in 1..stream.len() {
            let mut frames = Frames::new(20);
            let mut messages = Vec::new();
            for part in stream.chunks(step) {
                frames.push(part);
                messages.extend(all(&mut frames).unwrap());
            }
            let expected: [&[u8]; 4] = [b"abcde", b"x", b"a\nb\0c 9 xyz\xff", b"end"];
            assert_eq!(messages, expected, "{step}");
            assert!(frames.is_between());
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_at_once() {
        for (stream, error) in [
            (&b"<34>1 2026"[..], FramingError::NoLength),
            (b" 5 abcde", FramingError::NoLength),
            (b"05 abcde", FramingError::NoLength),
            (b"0 ", FramingError::NoLength),
            (b"0", FramingError::NoLength),
            (b"5\tabcde", FramingError::NoLength),
            (b"-1 a", FramingError::NoLength),
            (b"21 ", FramingError::TooLong),
            (b"1000000000", FramingError::TooLong),
            (b"99999999999999999999999999", FramingError::TooLong),
        ] {
            let mut frames = Frames::new(20);
            frames.push(stream);
            assert_eq!(all(&mut frames), Err(error), "{stream:?}");
        }
    }

    #[test]
    fn an_unfinished_message_is_awaited() {
        for stream in [&b""[..], b"2", b"20", b"20 ", b"20 abc"] {
            let mut frames = Frames::new(20);
            frames.push(stream);
            assert_eq!(all(&mut frames), Ok(Vec::new()));
            assert_eq!(frames.is_between(), stream.is_empty());
        }
    }
}
