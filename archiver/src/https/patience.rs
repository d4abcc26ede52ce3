//! Waiting for the other side, and for how long: whoever sends nothing any more, or takes nothing any more, holds a connection, and after a while no more.
//!
//! A byte now and then is as good as nothing: patience starts anew only after [`PIECE_BYTES`].

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What is left of the time for the next piece. Only waiting is counted: how long somebody takes with what came is no fault of the other side.
struct Patience {
    pause_max: Duration,
    left: Duration,
    gained: usize,
    alarm: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Patience {
    fn new(pause_max: Duration) -> Self {
        Self {
            pause_max,
            left: pause_max,
            gained: 0,
            alarm: Box::pin(sleep(pause_max)),
            is_waiting: false,
        }
    }

    /// Something came, or was taken.
    fn gain(&mut self, bytes: usize) {
        if self.is_waiting {
            self.is_waiting = false;
            let until = self.alarm.deadline();
            self.left = until.saturating_duration_since(Instant::now());
        }
        self.gained = self.gained.saturating_add(bytes);
        if self.gained >= PIECE_BYTES {
            self.gained = 0;
            self.left = self.pause_max;
        }
    }

    /// Nothing yet: whether that is too long.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if !self.is_waiting {
            self.is_waiting = true;
            self.alarm.as_mut().reset(Instant::now() + self.left);
        }
        let ended = self.alarm.as_mut().poll(context);
        ended.map(|()| io::ErrorKind::TimedOut.into())
    }
}

/// A body whose next piece must come in time.
pub(super) struct Patient<B> {
    body: B,
    patience: Patience,
}

impl<B> Patient<B> {
    /// A body with a pause between two pieces.
    pub(super) fn new(body: B, pause_max: Duration) -> Self {
        Self {
            body,
            patience: Patience::new(pause_max),
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
            let data = match &next {
                Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) | None => 0,
            };
            self.patience.gain(data);
            return Poll::Ready(next.map(|frame| frame.map_err(Into::into)));
        }
        self.patience
            .wait(context)
            .map(|error| Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose other side must take what is written to it in time. Reading has limits of its own.
pub(super) struct PatientWriter<S> {
    stream: S,
    patience: Patience,
}

impl<S> PatientWriter<S> {
    /// A connection that waits so long for the other side to take a piece.
    pub(super) fn new(stream: S, pause_max: Duration) -> Self {
        Self {
            stream,
            patience: Patience::new(pause_max),
        }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(written) => {
                self.patience.gain(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
            Poll::Pending => self.patience.wait(context).map(Err),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PatientWriter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PatientWriter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What must come, or be taken, within one patience: about what the system moves at a time.
const PIECE_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

    /// A byte at a time, each after a moment, for ever.
    struct Trickle(Pin<Box<Sleep>>);

    const MOMENT: Duration = Duration::from_millis(2);

    impl Body for Trickle {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            std::task::ready!(self.0.as_mut().poll(context));
            self.0.as_mut().reset(Instant::now() + MOMENT);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    #[tokio::test]
    async fn a_byte_now_and_then_is_as_good_as_nothing() {
        let trickle = Trickle(Box::pin(sleep(MOMENT)));
        let trickle = Patient::new(trickle, MOMENT * 10);
        assert!(trickle.collect().await.is_err());
    }

    #[tokio::test]
    async fn who_takes_an_answer_piece_by_piece_gets_all_of_it_and_who_takes_none_is_left() {
        let answer = vec![7; 10 * PIECE_BYTES];
        let (near, mut far) = tokio::io::duplex(PIECE_BYTES);
        let mut near = PatientWriter::new(near, Duration::from_secs(60));
        let mut taken = vec![0; answer.len()];
        let (written, read) = tokio::join!(
            near.write_all(&answer),
            far.read_exact(taken.as_mut_slice())
        );
        assert!(written.is_ok() && read.is_ok() && taken == answer);
        let (near, _far) = tokio::io::duplex(PIECE_BYTES);
        let mut near = PatientWriter::new(near, MOMENT);
        let stuck = near.write_all(&answer).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
    }
}
