//! The line tree of a content, where its class asks for one.

use formats::limits::{LINE_BYTES_MAX, LINES_MAX};
use formats::lines::LineIndex;
use formats::segment::{ContentChunk, ContentLocations, Frame, SIDE_OBJECTS, line_index_object};
use zeroize::Zeroizing;

use super::{Refusal, Stored, Worker};
use crate::content::{
    BuiltLines, ContentSummary, LineKey, NoLines, SealError, VersionSealer, WriteError,
};
use crate::record::deposit::Depositor;
use crate::record::error::DepositError;
use crate::record::examine::Examined;
use crate::record::outcome::DepositWarning;
use crate::store::StoreError;

impl Worker<'_> {
    /// The secret behind the salts of the lines, where the class asks for a line tree.
    pub(super) fn line_key(&self) -> Result<Option<LineKey>, Refusal> {
        if !self.request.class.policy().line_tree {
            return Ok(None);
        }
        let mut bytes = Zeroizing::new([0; LineIndex::KEY_BYTES]);
        self.depositor.entropy.fill(bytes.as_mut_slice())?;
        Ok(Some(LineKey::new(&bytes)))
    }

    /// Appends the line index beside a content whose chunks are appended.
    pub(super) fn store_lines(
        &mut self,
        mut sealer: VersionSealer,
        mut content: ContentSummary,
        located: ContentLocations,
        lines: Option<Result<BuiltLines, NoLines>>,
    ) -> Result<Stored, Refusal> {
        let mut contents = vec![located];
        let lines = match lines {
            Some(Ok(BuiltLines { tree, index })) => {
                let depositor = self.depositor;
                let mut located = ContentLocations {
                    object: line_index_object(0).unwrap_or(SIDE_OBJECTS),
                    chunks: Vec::new(),
                };
                let written = self
                    .writer()?
                    .write_line_index(&mut sealer, 0, &index, |chunk| {
                        append_to(depositor, &mut located, chunk)
                    });
                drop(Zeroizing::new(index.into_bytes()));
                content.sealed_bytes += written.map_err(|error| match error {
                    WriteError::Append(error) => Refusal::from(error),
                    WriteError::Seal(error) => Refusal::Stop(DepositError::Seal(error)),
                    // The index is in memory.
                    WriteError::Source(_) => Refusal::Stop(DepositError::Seal(SealError::Packing)),
                })?;
                contents.push(located);
                Some(Ok(tree))
            }
            Some(Err(reason)) => Some(Err(reason)),
            None => None,
        };
        Ok(Stored {
            sealer,
            content,
            contents,
            lines,
        })
    }
}

/// Appends a chunk and notes where it stands.
pub(super) fn append_to(
    depositor: &Depositor<'_>,
    located: &mut ContentLocations,
    chunk: ContentChunk,
) -> Result<(), StoreError> {
    let address = depositor.appender.append(Frame::ContentChunk(chunk))?;
    located.chunks.push(address);
    Ok(())
}

/// A class asks for a line tree and the content has none: its manifest says why. Of empty content that it is empty is said elsewhere.
pub(super) fn tell_without_lines(examined: &mut Examined, reason: NoLines) {
    let why = match reason {
        NoLines::Empty => return,
        NoLines::LineTooLong { line } => {
            format!("none: line {line} is longer than {LINE_BYTES_MAX} bytes")
        }
        NoLines::TooMany => format!("none: more than {LINES_MAX} lines"),
    };
    examined.facts.insert("line-tree".to_owned(), why);
    examined.warnings.push(DepositWarning::NoLines(reason));
}
