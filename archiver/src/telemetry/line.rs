//! One request as a line of the log: written when its answer is over, however it ended.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::Method;
use serde_json::json;
use time::OffsetDateTime;

use super::counted::Kept;
use super::span::Span;
use super::{Asker, Observer, RequestId};
use crate::service::log::{self, Level};

/// What is known of a request until its answer is over.
pub(super) struct Line {
    pub(super) observer: Arc<Observer>,
    pub(super) id: RequestId,
    /// When it came.
    pub(super) at: OffsetDateTime,
    pub(super) began: Instant,
    /// The trace that it belongs to.
    pub(super) trace: Option<String>,
    pub(super) method: Method,
    /// The template of its path; `None`: there is none such.
    pub(super) route: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) asker: Asker,
    /// `None`: the other side was gone before there was an answer.
    pub(super) status: Option<u16>,
    pub(super) bytes_in: Arc<AtomicU64>,
    pub(super) bytes_out: Arc<AtomicU64>,
    /// Whether the whole answer was taken.
    pub(super) is_whole: bool,
    /// It is over when the line is written.
    pub(super) span: Option<Span>,
}

impl Kept for Line {
    fn ended(&mut self) {
        self.is_whole = true;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(span) = &mut self.span {
            span.tell("fumikura.request.id", self.id.to_string());
            match self.status {
                Some(status) => span.tell("http.response.status_code", status),
                None => span.fail(),
            }
            if self.status.is_some_and(|status| status >= 500) {
                span.fail();
            }
        }
        let Some(log) = &self.observer.log else {
            return;
        };
        let level = match self.status {
            Some(500..) => Level::Error,
            Some(_) | None => Level::Info,
        };
        let milliseconds = self.began.elapsed().as_secs_f64() * 1e3;
        let details = json!({
            "request": self.id.to_string(),
            "trace": self.trace,
            "method": method(&self.method),
            "route": self.route,
            "status": self.status,
            "whole": self.is_whole,
            "bytes_in": self.bytes_in.load(Ordering::Relaxed),
            "bytes_out": self.bytes_out.load(Ordering::Relaxed),
            "ms": (milliseconds * 1e3).round() / 1e3,
            "account": self.asker.0.get(),
            "address": self.address.map(|address| address.to_canonical().to_string()),
        });
        log.write(log::line(self.at, level, "request", details));
    }
}

/// A method by its name; one that nobody knows is text that somebody sent.
pub(super) fn method(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    }
}
