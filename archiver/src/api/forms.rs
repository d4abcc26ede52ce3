//! What goes over the wire as JSON, both ways.

use std::collections::BTreeMap;

use formats::manifest::Metadata;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::cli::query::rfc3339;
use crate::evidence::timeline::ProofSpan;
use crate::store::catalog::Hit;

/// A version of a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// The record's id, a UUID.
    #[schema(example = "019a3b5e-1c2d-7e3f-8a4b-5c6d7e8f9a0b")]
    pub(crate) record: String,
    /// Number of the version, from 1.
    pub(crate) version: u32,
    /// Id of its class.
    pub(crate) class: String,
    /// When it was received, RFC 3339, UTC.
    pub(crate) received_at: String,
    /// Who deposited it.
    pub(crate) depositor: String,
    /// What it is searched by: `date`, `amount`, `currency`, `counterparty`, `document-number` and others.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its contents.
    pub(crate) objects: Vec<ObjectView>,
    /// The time in its first timestamp; `null` while it waits.
    pub(crate) stamped_at: Option<String>,
    /// Whether the record has a newer version.
    pub(crate) superseded: bool,
    /// Whether it can be read; not when its key was destroyed or lost.
    pub(crate) readable: bool,
}

/// One content of a version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ObjectView {
    /// Its number, from 0.
    pub(crate) number: u32,
    /// Its name at the depositor.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) media_type: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// One token in the proof of a version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProofView {
    /// 0: the first authority's evidence, 1: the second one's.
    pub(crate) track: u8,
    /// Number of its chain.
    pub(crate) chain: u32,
    /// The authority.
    pub(crate) tsa: String,
    /// The time in the token.
    pub(crate) stamped_at: String,
    /// Until when it holds by itself.
    pub(crate) ends_at: Option<String>,
    /// What ends then.
    pub(crate) end_reason: Option<String>,
    /// Whether it is the one that must hold now.
    pub(crate) is_newest: bool,
}

impl VersionView {
    pub(crate) fn of(hit: &Hit) -> Self {
        let objects = (0_u32..)
            .zip(&hit.objects)
            .map(|(number, object)| ObjectView {
                number,
                name: object.name.to_string(),
                media_type: object.media_type.clone(),
                size: object.size,
            });
        Self {
            record: hit.version.record().to_string(),
            version: hit.version.version(),
            class: hit.class.clone(),
            received_at: rfc3339(hit.received_at),
            depositor: hit.depositor.clone(),
            metadata: metadata(&hit.metadata),
            objects: objects.collect(),
            stamped_at: hit.stamp.map(|stamp| rfc3339(stamp.stamped_at)),
            superseded: hit.superseded,
            readable: hit.readable,
        }
    }
}

impl ProofView {
    pub(crate) fn of(span: &ProofSpan) -> Self {
        Self {
            track: span.track,
            chain: span.chain,
            tsa: span.tsa.clone(),
            stamped_at: rfc3339(span.stamped_at),
            ends_at: span.ends_at.map(rfc3339),
            end_reason: span.end_reason.map(str::to_owned),
            is_newest: span.is_newest,
        }
    }
}

/// Metadata as text, by the keys that are searched for.
pub(crate) fn metadata(metadata: &Metadata) -> BTreeMap<String, String> {
    let value = crate::cli::query::metadata_json(metadata);
    let members = value.as_object().cloned().unwrap_or_default();
    members
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect()
}

/// A time, or nothing.
pub(crate) fn moment(at: Option<OffsetDateTime>) -> Option<String> {
    at.map(rfc3339)
}

/// An order or answer that only says that it was done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Done {
    /// Always true.
    pub(crate) done: bool,
}

impl Done {
    pub(crate) const YES: Self = Self { done: true };
}
