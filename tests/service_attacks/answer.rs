//! What a service answers, read from the bytes that came.

use serde_json::Value;

/// What the service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines of the head, without the first one, in small letters up to the colon.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answers in what came over a connection, one after the other.
    pub(crate) fn all(bytes: &[u8]) -> Vec<Self> {
        let mut rest = bytes;
        let mut answers = Vec::new();
        while let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            let mut lines = head.split("\r\n");
            let first = lines.next().expect("a first line");
            let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let behind = &rest[end + 4..];
            let of = |wanted: &str| {
                let found = headers.iter().find(|(name, _)| name == wanted);
                found.map(|(_, value)| value.as_str())
            };
            let length = of("content-length").and_then(|value| value.parse().ok());
            let is_chunked = of("transfer-encoding") == Some("chunked");
            let (body, taken) = if is_chunked {
                dechunked(behind)
            } else {
                let length = length.unwrap_or(behind.len()).min(behind.len());
                (behind[..length].to_vec(), length)
            };
            answers.push(Self {
                status: status.unwrap_or_else(|| panic!("no status: {first}")),
                headers,
                body,
            });
            rest = &behind[taken..];
        }
        answers
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

/// A body in chunks, as far as it came, and how many bytes it took.
fn dechunked(bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut body, mut at) = (Vec::new(), 0);
    while let Some(end) = bytes[at..].windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[at..at + end]).ok();
        let size = size.and_then(|text| usize::from_str_radix(text, 16).ok());
        let begin = at + end + 2;
        let size = size.unwrap_or(0).min(bytes.len() - begin);
        body.extend_from_slice(&bytes[begin..begin + size]);
        at = (begin + size + 2).min(bytes.len());
        if size == 0 {
            break;
        }
    }
    (body, at)
}
