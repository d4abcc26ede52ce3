//! To which trace a request belongs (W3C Trace Context, `traceparent`).

use axum::http::HeaderMap;

/// What a caller says of the trace that its request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    /// The trace: never zero.
    pub(crate) trace: [u8; 16],
    /// The span of the caller: never zero.
    pub(crate) span: [u8; 8],
    /// Whether the caller keeps the trace.
    pub(crate) is_sampled: bool,
}

impl TraceParent {
    /// What stands in the headers. More than one, or one that is not as the standard says, counts as none (§2.2, §4.3).
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        Self::parse(value.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = bytes::<1>(version)?;
        // A later version may have more parts; this one has none.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, span) = (bytes::<16>(trace)?, bytes::<8>(span)?);
        let [flags] = bytes::<1>(flags)?;
        let is_whole = trace.iter().any(|byte| *byte != 0) && span.iter().any(|byte| *byte != 0);
        is_whole.then_some(Self {
            trace,
            span,
            is_sampled: flags & 1 == 1,
        })
    }

    /// As a header for others.
    pub(crate) fn header(&self) -> String {
        let flags = u8::from(self.is_sampled);
        format!(
            "00-{}-{}-{flags:02x}",
            self.trace_text(),
            hex::encode(self.span)
        )
    }

    /// The trace as text.
    pub(crate) fn trace_text(&self) -> String {
        hex::encode(self.trace)
    }
}

/// Lower-case hexadecimal of just so many bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// The header of the trace that a request belongs to.
pub(crate) const TRACEPARENT: &str = "traceparent";

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_trace_parent_is_taken_as_the_standard_says_and_not_otherwise() {
        let given = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let parent = TraceParent::parse(&given).unwrap();
        assert_eq!(parent.trace_text(), TRACE);
        assert_eq!(hex::encode(parent.span), "00f067aa0ba902b7");
        assert!(parent.is_sampled);
        assert_eq!(parent.header(), given);
        let other = TraceParent::parse(&format!("00-{TRACE}-00f067aa0ba902b7-00"));
        assert!(!other.unwrap().is_sampled);
        assert!(TraceParent::parse(&format!("cc-{TRACE}-00f067aa0ba902b7-01-later")).is_some());
        for wrong in [
            "",
            "00",
            &format!("00-{TRACE}-00f067aa0ba902b7"),
            &format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            &format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            &format!("00-{TRACE}-0000000000000000-01"),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            &format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}0-00f067aa0ba902b7-01"),
            &format!("00-{TRACE}-00f067aa0ba902b7-0g"),
        ] {
            assert_eq!(TraceParent::parse(wrong), None, "{wrong}");
        }
    }
}
