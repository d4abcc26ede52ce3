//! Evidence from elsewhere, judged as the other side would judge it.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use formats::access::{AccessError, RandomAccess};
use verifier::context::Context;
use verifier::finding::Language;
use verifier::report::document::{Depth, Document};
use verifier::report::html;
use verifier::source::InputFile;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::cli::lang::Lang;

/// A file that was sent, and is gone when it is closed.
#[derive(Debug)]
pub struct SentFile {
    file: RefCell<File>,
    size: u64,
    name: String,
}

impl SentFile {
    /// A file, at any place of it, under the name that reports call it.
    ///
    /// # Errors
    /// Its size cannot be had.
    pub fn new(name: String, mut file: File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file: RefCell::new(file),
            size,
            name,
        })
    }
}

impl RandomAccess for SentFile {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), AccessError> {
        let mut file = self.file.borrow_mut();
        let read = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(buffer));
        read.map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                AccessError::BeyondEnd
            } else {
                AccessError::Unreadable
            }
        })
    }
}

impl Desk {
    /// Judges an evidence package, or any other evidence that carries its data, and gives the verifier's report as a page (HTML, UTF-8). The trust anchors are
    /// those of the archive; nothing of the archive itself is asked.
    ///
    /// # Errors
    /// [`Refusal::Archive`] where the trust anchors cannot be read; what is wrong with the evidence is a verdict.
    pub fn judge_package(
        &self,
        actor: &Actor,
        file: &SentFile,
        lang: Lang,
    ) -> Result<String, Refusal> {
        let mut subject = Subject::default();
        subject.fact("file", &file.name);
        subject.fact("bytes", file.size);
        self.act(
            actor,
            Act::PackageJudge,
            Right::Verify,
            subject,
            |subject| {
                let archive = &self.archive;
                let anchors = archive.trust()?;
                let registry = archive.registry()?;
                let context = Context {
                    anchors: &anchors,
                    certificates: &[],
                    crls: &[],
                    ocsp_responses: &[],
                    policy: archive.policy(),
                    time: self.now(),
                    cache: None,
                    registry: registry.as_ref(),
                };
                let input = InputFile::elsewhere(file.name.clone(), file);
                let report = verifier::judge::verify(&[input], &[], &context);
                subject.fact("conclusion", report.judgement.conclusion());
                let language = lang.pick(Language::Japanese, Language::English);
                let document = Document::of(&report, Some(&context), language);
                Ok(html::write(&document, Depth::Full))
            },
        )
    }
}
