//! Spans: what took how long, as part of what. Whoever has no tracer above him pays for nothing.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;

use super::otlp::{SpanKind, SpanOver};
use super::trace_id::TraceParent;
use super::tracer::Tracer;

/// Within what something happens: the tracer, and the span above, where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    tracer: Arc<Tracer>,
    above: Option<TraceParent>,
    /// Whether the span above is of another program.
    is_remote: bool,
}

impl Within {
    /// What has nothing above it: each span begins a trace of its own.
    pub(crate) const fn nothing(tracer: Arc<Tracer>) -> Self {
        Self {
            tracer,
            above: None,
            is_remote: false,
        }
    }

    /// What a caller asked for, who may have told of a span of his.
    pub(super) const fn caller(tracer: Arc<Tracer>, above: Option<TraceParent>) -> Self {
        Self {
            tracer,
            above,
            is_remote: true,
        }
    }
}

thread_local! {
    static OF_THREAD: RefCell<Option<Within>> = const { RefCell::new(None) };
}

tokio::task_local! {
    /// The same of a request while its handler runs, on whatever thread.
    pub(super) static OF_REQUEST: Option<Within>;
}

/// Within what the caller of this runs.
pub(crate) fn current() -> Option<Within> {
    let of_thread = OF_THREAD.with(|within| within.try_borrow().ok()?.clone());
    of_thread.or_else(|| OF_REQUEST.try_with(Clone::clone).ok().flatten())
}

/// Runs something within what runs on another thread.
pub(crate) fn within<T>(place: Option<Within>, work: impl FnOnce() -> T) -> T {
    let _before = Before(OF_THREAD.with(|within| within.replace(place)));
    work()
}

/// What a thread was within before: put back however the work ends.
struct Before(Option<Within>);

impl Drop for Before {
    fn drop(&mut self) {
        OF_THREAD.with(|within| within.replace(self.0.take()));
    }
}

/// Runs something and tells how long it took, where anybody wants to know.
pub(crate) fn spanned<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let Some(above) = current() else {
        return work();
    };
    let span = Span::begin(above, name.to_owned(), SpanKind::Internal);
    within(Some(span.inside()), work)
}

/// The header `traceparent` for whoever is asked meanwhile.
pub(crate) fn traceparent() -> Option<String> {
    current()?.above.map(|above| above.header())
}

/// Something that takes time. It is over when it is let go of.
#[derive(Debug)]
pub(super) struct Span {
    within: Within,
    own: TraceParent,
    name: String,
    kind: SpanKind,
    began_at: OffsetDateTime,
    attributes: Vec<(&'static str, Value)>,
    has_failed: bool,
}

impl Span {
    /// Begins a span.
    pub(super) fn begin(within: Within, name: String, kind: SpanKind) -> Self {
        let tracer = &within.tracer;
        let own = TraceParent {
            trace: within
                .above
                .map_or_else(|| tracer.new_id(), |above| above.trace),
            span: tracer.new_id(),
            is_sampled: within.above.is_none_or(|above| above.is_sampled),
        };
        Self {
            began_at: tracer.now(),
            own,
            name,
            kind,
            attributes: Vec::new(),
            has_failed: false,
            within,
        }
    }

    /// What happens during this span.
    pub(super) fn inside(&self) -> Within {
        Within {
            tracer: Arc::clone(&self.within.tracer),
            above: Some(self.own),
            is_remote: false,
        }
    }

    /// The trace that it belongs to, as text.
    pub(super) fn trace_text(&self) -> String {
        self.own.trace_text()
    }

    /// What else is known of it: never what was sent or found.
    pub(super) fn tell(&mut self, key: &'static str, value: impl Into<Value>) {
        self.attributes.push((key, value.into()));
    }

    /// It did not end well.
    pub(super) const fn fail(&mut self) {
        self.has_failed = true;
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // A caller that keeps no trace gets no part of it kept here.
        if !self.own.is_sampled {
            return;
        }
        let above = self.within.above;
        self.within.tracer.take(SpanOver {
            trace: self.own.trace,
            span: self.own.span,
            above: above.map(|above| above.span),
            is_above_remote: above.is_some() && self.within.is_remote,
            kind: self.kind,
            name: std::mem::take(&mut self.name),
            began_at: self.began_at,
            ended_at: self.within.tracer.now(),
            attributes: std::mem::take(&mut self.attributes),
            has_failed: self.has_failed,
        });
    }
}
