//! The whole content of an upload, read from what waits.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::UploadError;
use super::file::{Head, read_frame};
use super::sealing::{ContentKey, Mark};

/// A reader of the whole content. It ends only where every byte was what was written and, where one was announced, the digest is the announced one; else it
/// ends with an error, whose cause [`super::Finishing::fault`] tells.
#[derive(Debug)]
pub struct UploadContent {
    file: File,
    key: ContentKey,
    mark: Mark,
    /// Bytes of content in all.
    length: u64,
    expected: Option<String>,
    offset: u64,
    at: u64,
    frame: Zeroizing<Vec<u8>>,
    taken: usize,
    digest: Sha256,
    fault: FaultPlace,
}

/// Why the content ended before its end, for whoever gave it away.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultPlace(Arc<Mutex<Option<UploadError>>>);

impl FaultPlace {
    /// The cause, once.
    pub(super) fn take(&self) -> Option<UploadError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, error: UploadError) -> io::Error {
        let kind = io::ErrorKind::InvalidData;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        kind.into()
    }
}

impl UploadContent {
    pub(super) fn open(
        path: &Path,
        head: &Head,
        mark: Mark,
    ) -> Result<(Self, FaultPlace), UploadError> {
        let fault = FaultPlace::default();
        let content = Self {
            file: File::open(path)?,
            key: head.key.clone(),
            mark,
            length: head.facts.length,
            expected: head.facts.sha256.clone(),
            offset: 0,
            at: head.frames_begin(),
            frame: Zeroizing::default(),
            taken: 0,
            digest: Sha256::new(),
            fault: fault.clone(),
        };
        Ok((content, fault))
    }

    /// Takes the next frame in hand; `false` at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        if self.at >= self.mark.end {
            return self.finish().map(|()| false);
        }
        let read = read_frame(&self.file, self.at);
        let read = read.map_err(|error| self.fault.put(UploadError::Storage(error)))?;
        let opened = read.and_then(|(length, sealed)| {
            let plain = self.key.open_frame(self.offset, length, &sealed)?;
            Some((plain, 4 + sealed.len() as u64))
        });
        let Some((plain, stored)) = opened else {
            return Err(self.fault.put(UploadError::Damaged));
        };
        self.digest.update(plain.as_slice());
        self.offset += plain.len() as u64;
        self.at += stored;
        self.frame = plain;
        self.taken = 0;
        Ok(true)
    }

    /// Nobody takes the content for whole before this.
    fn finish(&self) -> io::Result<()> {
        if self.offset != self.length || self.at != self.mark.end {
            return Err(self.fault.put(UploadError::Damaged));
        }
        let found = hex::encode(self.digest.clone().finalize());
        if self.expected.as_ref().is_some_and(|one| *one != found) {
            return Err(self.fault.put(UploadError::Digest));
        }
        Ok(())
    }
}

impl Read for UploadContent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.taken >= self.frame.len() {
            if !self.next_frame()? {
                return Ok(0);
            }
        }
        let rest = self.frame.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(place), Some(bytes)) = (buffer.get_mut(..length), rest.get(..length)) {
            place.copy_from_slice(bytes);
        }
        self.taken += length;
        Ok(length)
    }
}
