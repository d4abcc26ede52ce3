//! What helps to check a token when its authority is gone.

use time::OffsetDateTime;

use super::codec::{Reader, Writer};
use super::frame::{EncodedFrame, FrameType};
use super::{FRAME_BODY_BYTES_MAX, TOKEN_BYTES_MAX};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::BatchId;
use crate::limits::{CMS_CERTIFICATES_MAX, CMS_REVOCATIONS_MAX};

/// Validation material of the token of a batch, collected while it could be had.
///
/// Whoever writes the token into an evidence record adds it to the `certificates` and `crls` of the token's SignedData, which no
/// signature covers (RFC 5652 §5.1, RFC 5940). What came after the token was renewed does not count: the renewal covers the token's bytes.
///
/// ```text
/// body = batch id 16 | collected-at i64 | certificates | CRLs | OCSP responses
/// list = count varint × (sized DER)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationMaterial {
    /// The batch whose token it helps to check.
    pub batch: BatchId,
    /// When it was collected.
    pub collected_at: OffsetDateTime,
    /// Certificates, DER.
    pub certificates: Vec<Vec<u8>>,
    /// CRLs, DER.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses (RFC 6960 `OCSPResponse`), DER.
    pub ocsp_responses: Vec<Vec<u8>>,
}

impl ValidationMaterial {
    /// Whether there is nothing in it. Such a frame is neither written nor read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.crls.is_empty() && self.ocsp_responses.is_empty()
    }

    pub(super) fn encode(self) -> Result<EncodedFrame> {
        let revocations = self.crls.len().saturating_add(self.ocsp_responses.len());
        let lists = [&self.certificates, &self.crls, &self.ocsp_responses];
        let mut items = lists.into_iter().flatten();
        let fits = !self.is_empty()
            && self.certificates.len() <= CMS_CERTIFICATES_MAX
            && revocations <= CMS_REVOCATIONS_MAX
            && items.all(|item| !item.is_empty() && item.len() <= TOKEN_BYTES_MAX);
        if !fits {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        }
        let mut writer = EncodedFrame::writer(4096);
        writer.raw(self.batch.as_bytes());
        writer.time(self.collected_at);
        for list in lists {
            write_list(&mut writer, list);
        }
        EncodedFrame::new(FrameType::ValidationMaterial, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let batch = BatchId::from_bytes(reader.array()?);
        let collected_at = reader.time()?;
        let certificates = read_list(&mut reader, CMS_CERTIFICATES_MAX)?;
        let crls = read_list(&mut reader, CMS_REVOCATIONS_MAX)?;
        let left = CMS_REVOCATIONS_MAX.saturating_sub(crls.len());
        let ocsp_responses = read_list(&mut reader, left)?;
        let material = Self {
            batch,
            collected_at,
            certificates,
            crls,
            ocsp_responses,
        };
        if material.is_empty() {
            return Err(reader.error(ErrorKind::MissingElement));
        }
        reader.finish()?;
        Ok(material)
    }
}

fn write_list(writer: &mut Writer, list: &[Vec<u8>]) {
    writer.varint(u64::try_from(list.len()).unwrap_or(u64::MAX));
    for item in list {
        writer.sized(item);
    }
}

fn read_list(reader: &mut Reader<'_>, max: usize) -> Result<Vec<Vec<u8>>> {
    let count = reader.count(max)?;
    let mut list = Vec::with_capacity(count);
    for _ in 0..count {
        let item = reader.sized(TOKEN_BYTES_MAX.min(FRAME_BODY_BYTES_MAX))?;
        if item.is_empty() {
            return Err(reader.error(ErrorKind::InvalidValue));
        }
        list.push(item.to_vec());
    }
    Ok(list)
}

const STRUCTURE: &str = "ValidationMaterial";
