//! What operators see of requests: one line of a log for each, with an id that the answer carries, too; and spans, which tell a collector what took how long.
//!
//! Nothing of what was sent or found is in it: no query, no path beyond its template, no header but the trace that a request belongs to.

mod counted;
mod line;
mod observed;
mod otlp;
mod span;
mod trace_id;
mod tracer;
mod writer;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tracer_tests;

pub use observed::{Observer, observed};
pub(crate) use span::{Within, current, spanned, traceparent, within};
pub(crate) use trace_id::TRACEPARENT;
pub use tracer::{Tracer, TracerParts};
pub use writer::{LogTarget, LogWriter};

use std::sync::{Arc, OnceLock};

use axum::http::Extensions;
use uuid::Uuid;

/// What a request is called: an extension of each, a header of its answer, and in its line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// As a URN (RFC 9562 §4).
    #[must_use]
    pub fn urn(self) -> String {
        self.0.urn().to_string()
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Who asks, once it is proven: an extension of each request that is observed.
#[derive(Debug, Clone, Default)]
struct Asker(Arc<OnceLock<String>>);

/// Says whose request this is, after it was proven.
pub(crate) fn asked_by(request: &Extensions, account: &str) {
    if let Some(asker) = request.get::<Asker>() {
        // The first proof is the one that counts.
        let _known = asker.0.set(account.to_owned());
    }
}
