//! Large files in parts: a connection that is lost costs what was under way, and a service that was started again goes on with what it has.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::answers::{DepositedAnswer, UploadAnswer};
use super::client::{RemoteClient, wait_after};
use super::error::RemoteError;
use super::transfer::{Identity, Sent, sending};

/// From which size on files are sent in parts, and in which parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InParts {
    /// Files with more bytes than that.
    pub above_bytes: u64,
    /// Bytes of a part.
    pub part_bytes: u64,
}

impl InParts {
    /// A smaller file is sent anew in seconds; a part is what some proxies gather before they pass it on.
    pub const USUAL: Self = Self {
        above_bytes: 16 << 20,
        part_bytes: 64 << 20,
    };
}

/// A file on its way.
struct Upload<'a> {
    query: Vec<(&'a str, String)>,
    key: String,
    file: File,
    identity: Identity,
    bar: &'a ProgressBar,
    /// Where the bar stood before.
    from: u64,
    /// How far it came, over all attempts.
    reached: u64,
    /// Whether anything was sent by this command.
    has_sent: bool,
}

impl RemoteClient {
    pub(super) fn goes_in_parts(&self, path: &Path) -> bool {
        let facts = std::fs::metadata(path);
        facts.is_ok_and(|facts| facts.is_file() && facts.len() > self.in_parts.above_bytes)
    }

    /// Deposits a large file. It is known again by its content and by what is said of it: also another run of the command goes on where this one ended.
    pub(super) fn upload(
        &self,
        query: &[(&str, String)],
        path: &Path,
        bar: &ProgressBar,
    ) -> Result<DepositedAnswer, RemoteError> {
        let upload = Upload::of(query, path, bar);
        let mut upload = upload.map_err(|source| RemoteError::Source { source })?;
        let (mut failures, mut is_known) = (0, false);
        let mut pause = self.patience.pause;
        let mut waited = Duration::ZERO;
        loop {
            let reached = upload.reached;
            let error = match self.go_on(&mut upload) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if upload.reached > reached {
                (failures, pause) = (0, self.patience.pause);
            }
            if is_busy(&error) && waited < DEPOSIT_WAIT_MAX {
                // Everything is there, and the connection over which the answer was to come is not.
                waited += BUSY_PAUSE;
                std::thread::sleep(BUSY_PAUSE);
                continue;
            }
            let later = wait_after(&error, is_known, pause);
            let wait = later.or_else(|| begins_anew(&error).then_some(pause));
            match wait {
                Some(wait) if failures < self.patience.repeats => std::thread::sleep(wait),
                Some(_) | None => return Err(error),
            }
            is_known = true;
            failures += 1;
            pause = pause.saturating_mul(2);
        }
    }

    /// Asks for the upload under its key, new or as far as it is, and sends what is missing.
    fn go_on(&self, upload: &mut Upload<'_>) -> Result<DepositedAnswer, RemoteError> {
        let request = self
            .request(Method::POST, &["uploads"], &upload.query)?
            .header("idempotency-key", &upload.key)
            .header("upload-length", upload.identity.bytes)
            .timeout(QUESTION_WAIT_MAX);
        let standing: UploadAnswer = self.json(request)?;
        if let Some(mut answer) = standing.deposited {
            upload.bar.set_position(upload.from + upload.identity.bytes);
            answer.was_there |= !upload.has_sent;
            return Ok(answer);
        }
        let mut offset = standing.offset;
        loop {
            upload.reached = upload.reached.max(offset);
            upload.bar.set_position(upload.from + offset);
            let left = upload.identity.bytes.saturating_sub(offset);
            let length = left.min(self.in_parts.part_bytes);
            if let Some(answer) = self.send_part(upload, &standing.upload, (offset, length))? {
                return Ok(answer);
            }
            if length == 0 {
                return Err(self.not_ours());
            }
            offset = offset.saturating_add(length);
        }
    }

    /// Sends one part; the answer of the deposit where it was the last one.
    fn send_part(
        &self,
        upload: &mut Upload<'_>,
        id: &str,
        (offset, length): (u64, u64),
    ) -> Result<Option<DepositedAnswer>, RemoteError> {
        let source = (&upload.file, upload.identity);
        let sent = Sent::part(source, (offset, length), upload.bar);
        let sent = sent.map_err(|source| RemoteError::Source { source })?;
        let is_last = offset.saturating_add(length) == upload.identity.bytes;
        let request = self
            .request(Method::PATCH, &["uploads", id], &[])?
            .header("content-type", "application/partial-upload")
            .header("upload-offset", offset)
            .header("upload-complete", if is_last { "?1" } else { "?0" })
            .header(CONTENT_LENGTH, length);
        upload.has_sent = true;
        let body = sending(request, sent, |request| {
            self.wait(async {
                let response = self.answered(request).await?;
                match response.status() {
                    StatusCode::NO_CONTENT => Ok(None),
                    _ => self.body(response).await.map(Some),
                }
            })
        })?;
        let answer = body.map(|body| serde_json::from_slice(&body).map_err(|_| self.not_ours()));
        answer.transpose()
    }
}

impl<'a> Upload<'a> {
    /// Reads the file once, for its digest: what is deposited is what this command saw.
    fn of(query: &[(&'a str, String)], path: &Path, bar: &'a ProgressBar) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let identity = Identity::of(&file)?;
        let mut digest = Sha256::new();
        let mut piece = vec![0; READ_BYTES];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => digest.update(piece.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        file.rewind()?;
        if Identity::of(&file)? != identity {
            return Err(io::Error::other("the file changed"));
        }
        let mut query = query.to_vec();
        query.push(("sha256", hex::encode(digest.finalize())));
        let mut key = Sha256::new();
        for (name, value) in &query {
            for part in [*name, value.as_str()] {
                key.update((part.len() as u64).to_be_bytes());
                key.update(part);
            }
        }
        Ok(Self {
            query,
            key: hex::encode(key.finalize()),
            file,
            identity,
            bar,
            from: bar.position(),
            reached: 0,
            has_sent: false,
        })
    }
}

/// Whether the service is depositing what came.
fn is_busy(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Problem(problem) if problem.code == "busy")
}

/// Whether asking for the upload again leads on: another request wrote further, or what waited is no more.
fn begins_anew(error: &RemoteError) -> bool {
    let codes = ["upload-offset", "not-found", "upload-damaged"];
    matches!(error, RemoteError::Problem(problem) if codes.contains(&problem.code.as_str()))
}

const READ_BYTES: usize = 1 << 20;

/// The service answers such a question from its list.
const QUESTION_WAIT_MAX: Duration = Duration::from_secs(120);

/// How often a deposit that is under way is asked after.
const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// How long depositing the largest file may take.
const DEPOSIT_WAIT_MAX: Duration = Duration::from_secs(1800);

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
