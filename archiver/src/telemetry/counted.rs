//! Bodies whose bytes are counted on their way.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as _, Frame, SizeHint};

/// A body that counts what goes through it. What it keeps is let go of when nothing of it is wanted any more.
pub(super) struct Counted<K> {
    body: Body,
    count: Arc<AtomicU64>,
    kept: K,
}

/// What wants to know whether a body came to its end.
pub(super) trait Kept: Unpin {
    /// The body came to its end.
    fn ended(&mut self);
}

impl Kept for () {
    fn ended(&mut self) {}
}

impl<K: Kept> Counted<K> {
    /// Counts the bytes of `body`.
    pub(super) fn new(body: Body, count: Arc<AtomicU64>, mut kept: K) -> Self {
        if body.is_end_stream() {
            kept.ended();
        }
        Self { body, count, kept }
    }
}

impl<K: Kept> hyper::body::Body for Counted<K> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        match &next {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.count.fetch_add(length, Ordering::Relaxed);
                // Whoever knows the length asks for nothing behind the last piece.
                if self.body.is_end_stream() {
                    self.kept.ended();
                }
            }
            Poll::Ready(None) => self.kept.ended(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
