//! Bodies between the network, which waits, and the archive, which blocks.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Semaphore, SemaphorePermit};

/// What comes over the network, for a blocking reader.
enum Piece {
    Data(Bytes),
    /// The body came to its end. A channel that ends without it was cut off.
    End,
    /// More than the most.
    TooLong,
}

/// A body that is being read by a blocking reader.
pub(crate) struct Uploaded {
    pieces: Receiver<Piece>,
    current: Bytes,
    is_over: bool,
}

/// Reads a body: the future feeds it, and has to be awaited beside whoever reads; the reader blocks. More than `bytes_max` and a
/// connection that is lost are errors of the reader.
pub(crate) fn upload(body: Body, bytes_max: u64) -> (impl Future<Output = ()> + Send, Uploaded) {
    let (sender, pieces) = channel(PIECES_MAX);
    let feed = feed(body, bytes_max, sender);
    let reader = Uploaded {
        pieces,
        current: Bytes::new(),
        is_over: false,
    };
    (feed, reader)
}

async fn feed(mut body: Body, bytes_max: u64, sender: Sender<Piece>) {
    let mut left = bytes_max;
    loop {
        let piece = match body.frame().await {
            None => Piece::End,
            Some(Err(_)) => return,
            Some(Ok(frame)) => match frame.into_data() {
                Err(_) => continue,
                Ok(data) => {
                    let length = data.len() as u64;
                    if length > left {
                        Piece::TooLong
                    } else {
                        left -= length;
                        Piece::Data(data)
                    }
                }
            },
        };
        let is_last = !matches!(piece, Piece::Data(_));
        if sender.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

impl Read for Uploaded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.is_over {
            match self.pieces.blocking_recv() {
                Some(Piece::Data(data)) => self.current = data,
                Some(Piece::End) => self.is_over = true,
                Some(Piece::TooLong) => return Err(io::ErrorKind::FileTooLarge.into()),
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        let length = self.current.len().min(buffer.len());
        let piece = self.current.split_to(length);
        if let Some(place) = buffer.get_mut(..length) {
            place.copy_from_slice(&piece);
        }
        Ok(length)
    }
}

/// A body that a blocking writer fills. An error cuts the answer off, so that nobody takes a part for the whole.
pub(crate) fn download(
    write: impl FnOnce(&mut dyn Write) -> Result<(), String> + Send + 'static,
) -> Body {
    let (sender, pieces) = channel(PIECES_MAX);
    tokio::spawn(async move {
        let place = place().await;
        let handle = Handle::current();
        let written = tokio::task::spawn_blocking(move || {
            let mut output = Downloaded {
                sender,
                handle,
                gathered: Vec::with_capacity(PIECE_BYTES),
            };
            let written =
                write(&mut output).and_then(|()| output.flush().map_err(|error| error.to_string()));
            if let Err(why) = written {
                // Nobody waits any more where this fails.
                drop(output.sender.try_send(Err(io::Error::other(why))));
            }
        });
        drop(written.await);
        drop(place);
    });
    Body::new(Pieces(pieces))
}

struct Downloaded {
    sender: Sender<io::Result<Bytes>>,
    handle: Handle,
    gathered: Vec<u8>,
}

impl Write for Downloaded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.gathered, Vec::with_capacity(PIECE_BYTES));
        // Whoever does not read on holds a thread, and after a while no more.
        let sent = tokio::time::timeout(PAUSE_MAX, self.sender.send(Ok(full.into())));
        match self.handle.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// A body whose pieces are handed in one after the other; one that is let go of without an error is whole.
pub(crate) fn pieces() -> (Sender<io::Result<Bytes>>, Pieces) {
    let (sender, receiver) = channel(PIECES_MAX);
    (sender, Pieces(receiver))
}

/// A body in pieces.
pub(crate) struct Pieces(Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = self.0.poll_recv(context);
        next.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// Pieces that wait between the two sides.
const PIECES_MAX: usize = 8;

/// Bytes that are gathered before they go out.
const PIECE_BYTES: usize = 128 * 1024;

/// How long somebody who downloads may not read on.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Contents that are under way at the same time, in and out: each holds a thread while the network is slow, and there must be some left for everybody else.
static PLACES: Semaphore = Semaphore::const_new(384);

/// A place for one transfer; whoever gets none waits.
pub(crate) async fn place() -> Option<SemaphorePermit<'static>> {
    // It is never closed.
    PLACES.acquire().await.ok()
}
