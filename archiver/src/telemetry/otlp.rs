//! Spans as a collector takes them: OTLP/HTTP in JSON (OpenTelemetry protocol 1.x, `opentelemetry/proto/trace/v1/trace.proto`).

use serde_json::{Value, json};
use time::OffsetDateTime;

/// What a span is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanKind {
    /// Something within this program.
    Internal,
    /// An answer to somebody's request.
    Server,
}

/// A span that is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SpanOver {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// The span that it is part of.
    pub(super) above: Option<[u8; 8]>,
    /// Whether that one is of another program.
    pub(super) is_above_remote: bool,
    pub(super) kind: SpanKind,
    pub(super) name: String,
    pub(super) began_at: OffsetDateTime,
    pub(super) ended_at: OffsetDateTime,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) has_failed: bool,
}

/// The request that hands spans over (`ExportTraceServiceRequest`).
pub(super) fn request(archive: &str, spans: &[SpanOver]) -> Value {
    let resource = [
        ("service.name", json!("fumikura")),
        ("service.version", json!(env!("CARGO_PKG_VERSION"))),
        ("service.instance.id", json!(archive)),
    ];
    let spans: Vec<_> = spans.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(&resource) },
        "scopeSpans": [{ "scope": { "name": "fumikura" }, "spans": spans }],
    }] })
}

fn span(over: &SpanOver) -> Value {
    let mut flags = SAMPLED | IS_REMOTE_KNOWN;
    if over.is_above_remote {
        flags |= IS_REMOTE;
    }
    let mut span = json!({
        "traceId": hex::encode(over.trace),
        "spanId": hex::encode(over.span),
        "flags": flags,
        "name": over.name,
        "kind": match over.kind { SpanKind::Internal => 1, SpanKind::Server => 2 },
        "startTimeUnixNano": over.began_at.unix_timestamp_nanos().to_string(),
        "endTimeUnixNano": over.ended_at.unix_timestamp_nanos().to_string(),
        "attributes": attributes(&over.attributes),
        "status": match over.has_failed { true => json!({ "code": 2 }), false => json!({}) },
    });
    if let (Some(above), Some(span)) = (over.above, span.as_object_mut()) {
        span.insert("parentSpanId".to_owned(), json!(hex::encode(above)));
    }
    span
}

/// Keys with values; whole numbers are text in the JSON of protocol buffers.
fn attributes(pairs: &[(&'static str, Value)]) -> Vec<Value> {
    let typed = pairs.iter().map(|(key, value)| {
        let value = match value {
            Value::Number(number) => json!({ "intValue": number.to_string() }),
            Value::Bool(flag) => json!({ "boolValue": flag }),
            Value::String(text) => json!({ "stringValue": text }),
            Value::Null | Value::Array(_) | Value::Object(_) => json!({}),
        };
        json!({ "key": key, "value": value })
    });
    typed.collect()
}

/// The bits of `SpanFlags`.
const SAMPLED: u32 = 0x001;
const IS_REMOTE_KNOWN: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;
