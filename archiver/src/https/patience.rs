//! Bodies of requests that are waited for only so long: whoever sends nothing any more holds a connection, and after a while no more.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// A body whose next piece must come in time.
pub(super) struct Patient<B> {
    body: B,
    pause_max: Duration,
    alarm: Pin<Box<Sleep>>,
    /// Whether somebody waits for the next piece: how long he takes with the last one is no fault of the sender.
    is_waiting: bool,
}

impl<B> Patient<B> {
    /// A body with a pause between two pieces.
    pub(super) fn new(body: B, pause_max: Duration) -> Self {
        Self {
            body,
            pause_max,
            alarm: Box::pin(sleep(pause_max)),
            is_waiting: false,
        }
    }
}

impl<B: Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin> Body for Patient<B> {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(context) {
            self.is_waiting = false;
            return Poll::Ready(next.map(|frame| frame.map_err(Into::into)));
        }
        if !self.is_waiting {
            self.is_waiting = true;
            let end = Instant::now() + self.pause_max;
            self.alarm.as_mut().reset(end);
        }
        match self.alarm.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let error = io::Error::from(io::ErrorKind::TimedOut);
                Poll::Ready(Some(Err(error.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    /// A body of which nothing ever comes.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn silence_is_an_error_and_what_comes_is_passed_on() {
        let silent = Patient::new(Silent, Duration::from_millis(1));
        assert!(silent.collect().await.is_err());
        let whole = Patient::new(Full::new(Bytes::from("all")), Duration::from_millis(1));
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "all");
    }
}
