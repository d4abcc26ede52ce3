//! Contents on their way: out in small pieces from a file that must not change, and in under their digest.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Method, RequestBuilder};
use sha2::{Digest, Sha256};

use super::answers::DepositedAnswer;
use super::client::RemoteClient;
use super::error::RemoteError;

/// Something that is deposited: a file, or what is read once.
pub enum Outgoing<'a> {
    /// A file. Where the connection is lost, it is read again from its beginning; a large one goes in parts, and from where it was cut off.
    File(&'a Path),
    /// Standard input: it is read once, so nothing of it is sent again.
    Once(Box<dyn Read + Send + Sync>),
}

impl std::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Once(_) => f.debug_tuple("Once").finish_non_exhaustive(),
        }
    }
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}

impl RemoteClient {
    /// Deposits one file with what is known of it. It is durable on every medium of the service when this returns. Lost connections are repaired by sending the
    /// same again under the same key. The bar counts bytes, and goes back where the file is sent anew.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) fn deposit(
        &self,
        query: &[(&str, String)],
        key: &str,
        outgoing: Outgoing<'_>,
        bar: &indicatif::ProgressBar,
    ) -> Result<DepositedAnswer, RemoteError> {
        let from = bar.position();
        match outgoing {
            Outgoing::Once(reader) => self.send(query, key, Sent::once(reader, bar)),
            Outgoing::File(path) if self.goes_in_parts(path) => self.upload(query, path, bar),
            Outgoing::File(path) => self.repeat(|| {
                bar.set_position(from);
                let sent =
                    Sent::file(path, bar).map_err(|source| RemoteError::Source { source })?;
                self.send(query, key, sent)
            }),
        }
    }

    fn send(
        &self,
        query: &[(&str, String)],
        key: &str,
        sent: Sent,
    ) -> Result<DepositedAnswer, RemoteError> {
        let mut request = self
            .request(Method::POST, &["records"], query)?
            .header("idempotency-key", key);
        if let Some(left) = sent.left {
            request = request.header(CONTENT_LENGTH, left);
        }
        sending(request, sent, |request| self.json(request))
    }

    /// Fetches a content, once, into `output`. What was written counts only when this returns and the digest is compared.
    ///
    /// # Errors
    /// [`RemoteError`]; [`RemoteError::Sink`] when `output` takes it not.
    pub(crate) fn fetch(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        output: &mut dyn Write,
        bar: &indicatif::ProgressBar,
    ) -> Result<Fetched, RemoteError> {
        let request = self.request(Method::GET, path, query)?;
        self.wait(async {
            let mut response = self.answered(request).await?;
            let (mut digest, mut bytes) = (Sha256::new(), 0_u64);
            loop {
                let piece = tokio::time::timeout(PIECE_WAIT_MAX, response.chunk()).await;
                let piece = piece.map_err(|_| RemoteError::Lost {
                    server: self.server(),
                    what: "time-out".to_owned(),
                })?;
                let Some(piece) = piece.map_err(|error| self.fault(&error))? else {
                    break;
                };
                digest.update(&piece);
                bytes = bytes.saturating_add(piece.len() as u64);
                output
                    .write_all(&piece)
                    .map_err(|source| RemoteError::Sink { source })?;
                bar.inc(piece.len() as u64);
            }
            Ok(Fetched {
                sha256: hex::encode(digest.finalize()),
                bytes,
            })
        })
    }

    /// Tries a fetch again where its connection was lost; `attempt` begins anew each time.
    ///
    /// # Errors
    /// As of the last attempt.
    pub(crate) fn fetch_again<T>(
        &self,
        attempt: impl FnMut() -> Result<T, RemoteError>,
    ) -> Result<T, RemoteError> {
        self.repeat(attempt)
    }
}

/// What a file was when it was opened: anything else at its end is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    pub(super) bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let facts = file.metadata()?;
        Ok(Self {
            device: facts.dev(),
            inode: facts.ino(),
            bytes: facts.len(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
        })
    }
}

/// Why reading stopped, told beside the request, whose own error says only that it was cut off.
type Fault = std::sync::Arc<std::sync::Mutex<Option<io::Error>>>;

/// A body that is read while it is sent. The client serves one request at a time on one thread, so a reader that blocks holds up nobody.
pub(super) struct Sent {
    reader: Box<dyn Read + Send + Sync>,
    /// The same file, to look at again at its end.
    looked: Option<(File, Identity)>,
    left: Option<u64>,
    is_over: bool,
    fault: Fault,
    bar: indicatif::ProgressBar,
}

impl Sent {
    fn once(reader: Box<dyn Read + Send + Sync>, bar: &indicatif::ProgressBar) -> Self {
        Self {
            reader,
            looked: None,
            left: None,
            is_over: false,
            fault: Fault::default(),
            bar: bar.clone(),
        }
    }

    fn file(path: &Path, bar: &indicatif::ProgressBar) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = Identity::of(&file)?;
        let mut sent = Self::once(Box::new(file.try_clone()?), bar);
        sent.looked = Some((file, identity));
        sent.left = Some(identity.bytes);
        Ok(sent)
    }

    /// Some bytes of a file that must stay what it was.
    pub(super) fn part(
        (file, identity): (&File, Identity),
        (offset, length): (u64, u64),
        bar: &indicatif::ProgressBar,
    ) -> io::Result<Self> {
        // The position is that of the file itself, whoever reads: parts are sent one after the other.
        let mut reader = file.try_clone()?;
        reader.seek(SeekFrom::Start(offset))?;
        let mut sent = Self::once(Box::new(reader.take(length)), bar);
        sent.looked = Some((file.try_clone()?, identity));
        sent.left = Some(length);
        Ok(sent)
    }

    /// The next piece. Before the last one leaves, the file is looked at again: a file that changed never arrives whole.
    fn piece(&mut self) -> io::Result<Option<Bytes>> {
        let room = self.left.map_or(PIECE_BYTES, |left| {
            PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES))
        });
        let mut piece = vec![0; room];
        let mut filled = 0;
        while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) => break,
                Ok(length) => filled = filled.saturating_add(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        piece.truncate(filled);
        let left = self
            .left
            .map(|left| left.saturating_sub(piece.len() as u64));
        self.is_over = filled < room || left == Some(0);
        self.left = left;
        if self.is_over
            && let Some((file, identity)) = &self.looked
            && (left != Some(0) || Identity::of(file)? != *identity)
        {
            return Err(io::Error::other("the file changed"));
        }
        self.bar.inc(piece.len() as u64);
        Ok(Some(piece)
            .filter(|piece| !piece.is_empty())
            .map(Bytes::from))
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        Poll::Ready(match self.piece() {
            Ok(piece) => piece.map(|piece| Ok(Frame::data(piece))),
            Err(error) => {
                self.is_over = true;
                if let Ok(mut fault) = self.fault.lock() {
                    *fault = Some(io::Error::new(error.kind(), error.to_string()));
                }
                Some(Err(error))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// Bytes that are read and sent at once.
const PIECE_BYTES: usize = 128 << 10;

/// Sends a body. What stopped its reading is the cause, and the lost connection its effect.
pub(super) fn sending<T>(
    request: RequestBuilder,
    sent: Sent,
    ask: impl FnOnce(RequestBuilder) -> Result<T, RemoteError>,
) -> Result<T, RemoteError> {
    let fault = sent.fault.clone();
    let answer = ask(request.body(Body::wrap(sent)));
    let fault = fault.lock().ok().and_then(|mut fault| fault.take());
    match (answer, fault) {
        (Err(_), Some(source)) => Err(RemoteError::Source { source }),
        (answer, _) => answer,
    }
}

/// How long the next piece of an answer may take.
const PIECE_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(300);
