//! Everything that can be trusted in a piece of evidence: all its certificates, at a time shortly after its newest proof.
//!
//! A vector that must fail then has every chance to pass, and what is left of a difference is not the trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::asic::AsicReader;
use formats::cms::SignedData;
use formats::der::{Reader, Tag};
use formats::evidence::EvidenceRecord;
use formats::tsp::{TimeStampResponse, TimeStampToken};
use formats::x509::Certificate;
use time::{Duration, OffsetDateTime};

/// Containers in containers, records in signatures in containers, and so on.
const DEPTH_MAX: usize = 8;

/// What a piece of evidence holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Certificates, DER, each once.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// The newest time that a time-stamp states or a signer claims.
    pub(crate) newest: Option<OffsetDateTime>,
}

impl Found {
    /// Looks into `bytes`.
    pub(crate) fn within(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        found.look(bytes, 0);
        found
    }

    /// One second after the newest proof.
    pub(crate) fn time(&self) -> Option<OffsetDateTime> {
        self.newest.map(|time| time + Duration::seconds(1))
    }

    /// Adds a certificate.
    pub(crate) fn add(&mut self, certificate: &[u8]) {
        if !self.certificates.iter().any(|known| known == certificate) {
            self.certificates.push(certificate.to_vec());
        }
    }

    fn look(&mut self, bytes: &[u8], depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        if let Ok(reader) = AsicReader::open(bytes) {
            for entry in reader.entries() {
                if let Ok(content) = entry.read() {
                    self.look(&content, depth + 1);
                }
            }
        } else if let Ok(token) = TimeStampToken::parse(bytes) {
            self.see(token.info.gen_time);
            self.look_into(&token.signed_data, depth);
        } else if let Ok(response) = TimeStampResponse::parse(bytes) {
            if let Some(token) = &response.token {
                self.look(token, depth + 1);
            }
        } else if let Ok(record) = EvidenceRecord::parse(bytes) {
            for (_, _, stamp) in record.time_stamps() {
                self.look(&stamp.time_stamp, depth + 1);
            }
        } else if let Ok(signed_data) = SignedData::parse(bytes) {
            self.look_into(&signed_data, depth);
        } else if let Some(inner) = wrapped(bytes) {
            self.look(&inner, depth + 1);
        } else if bytes.first() == Some(&0x30) {
            self.look_for_certificates(bytes, depth);
        } else {
            self.look_into_text(bytes, depth);
        }
    }

    fn look_into(&mut self, signed_data: &SignedData, depth: usize) {
        for certificate in signed_data.x509_certificates() {
            self.add(certificate);
        }
        for signer in &signed_data.signers {
            if let Ok(Some(claimed)) = signer.signing_time() {
                self.see(claimed);
            }
            let signed = signer.signed_attributes.iter();
            let signed = signed.flat_map(|attributes| attributes.attributes());
            for attribute in signed.chain(signer.unsigned_attributes.iter()) {
                for value in &attribute.values {
                    self.look(value, depth + 1);
                }
            }
        }
    }

    /// Certificates among the values of attributes, in whatever structure they stand.
    fn look_for_certificates(&mut self, bytes: &[u8], depth: usize) {
        if depth > DEPTH_MAX
            || Certificate::parse(bytes)
                .map(|found| self.add(found.raw()))
                .is_ok()
        {
            return;
        }
        let Ok(mut reader) = Reader::new(bytes, "anything") else {
            return;
        };
        while let Ok(element) = reader.read() {
            if element.is_constructed() && element.raw().len() > 2 {
                let inner = element.content();
                if element.tag() == Tag::SEQUENCE && Certificate::parse(element.raw()).is_ok() {
                    self.add(element.raw());
                } else {
                    self.look_for_certificates(inner, depth + 1);
                }
            }
        }
    }

    /// Evidence in base64 in an XML document.
    fn look_into_text(&mut self, bytes: &[u8], depth: usize) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        if !text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('<')
        {
            return;
        }
        for piece in text.split(['<', '>']) {
            let compact: String = piece.split_whitespace().collect();
            if compact.len() > 200
                && let Ok(inner) = STANDARD.decode(compact)
            {
                self.look(&inner, depth + 1);
            }
        }
    }

    fn see(&mut self, time: OffsetDateTime) {
        self.newest = self.newest.max(Some(time));
    }
}

/// What an OCTET STRING holds: some producers wrap a token into one.
fn wrapped(bytes: &[u8]) -> Option<Vec<u8>> {
    let string = Reader::single(bytes, Tag::OCTET_STRING, "a wrapped token").ok()?;
    string.octets().ok().map(|inner| inner.into_owned())
}
