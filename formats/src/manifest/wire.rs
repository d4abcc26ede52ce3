//! The JSON form of a manifest.
//!
//! Canonical JSON (RFC 8785) is compact JSON with the members in order and with numbers as ECMAScript writes them. The structures here name
//! their members in that order, the names in maps are ASCII, and no number is larger than ECMAScript writes digit by digit (2⁵³): so an ordinary
//! serializer writes the canonical form at once. A test holds it against a canonicalizer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{
    ClassReference, ContentObject, Digests, Manifest, Metadata, ObjectName, Role, SCHEMA,
    Superseded, place,
};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, RecordId};
use crate::lines::{BLOCK_LINES, LineTree};
use crate::utc;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ManifestJson {
    archive: ArchiveId,
    channel: String,
    class: ClassJson,
    depositor: String,
    facts: BTreeMap<String, String>,
    metadata: MetadataJson,
    objects: Vec<ObjectJson>,
    received_at: String,
    record: RecordId,
    salt: String,
    schema: String,
    supersedes: Option<SupersededJson>,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupersededJson {
    digests: Vec<DigestJson>,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassJson {
    digests: Vec<DigestJson>,
    id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestJson {
    algorithm: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MetadataJson {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    additional: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counterparty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registration_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    supplier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ObjectJson {
    digests: Vec<DigestJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line_tree: Option<LineTreeJson>,
    media_type: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
    role: RoleJson,
    size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LineTreeJson {
    block_lines: u32,
    lines: u64,
    roots: Vec<DigestJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleJson {
    Original,
    Rendition,
}

/// Only the schema, whatever else there is.
#[derive(Deserialize)]
struct SchemaJson {
    schema: String,
}

pub(super) fn encode(manifest: &Manifest) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(TYPICAL_BYTES);
    serde_json::to_writer(&mut bytes, &to_json(manifest)?)
        .map_err(|_| FormatError::new(ErrorKind::NotEncodable, place::MANIFEST))?;
    Ok(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Manifest> {
    match serde_json::from_slice::<ManifestJson>(bytes) {
        Ok(json) if json.schema == SCHEMA => from_json(json),
        Ok(_) => Err(schema_error(bytes)),
        Err(error) if error.is_data() => Err(match serde_json::from_slice::<SchemaJson>(bytes) {
            Ok(json) if json.schema != SCHEMA => schema_error(bytes),
            Ok(_) | Err(_) => json_error(ErrorKind::InvalidJson, &error),
        }),
        Err(error) if error.is_eof() => Err(json_error(ErrorKind::Truncated, &error)),
        Err(error) => Err(json_error(ErrorKind::InvalidJson, &error)),
    }
}

/// Canonical JSON has one line, so the column is the offset; on another line there is no offset to tell.
fn json_error(kind: ErrorKind, error: &serde_json::Error) -> FormatError {
    let place = FormatError::new(kind, place::MANIFEST);
    if error.line() == 1 {
        place.at(error.column())
    } else {
        place
    }
}

fn schema_error(bytes: &[u8]) -> FormatError {
    let family = SCHEMA.trim_end_matches(|last: char| last.is_ascii_digit());
    let kind = match serde_json::from_slice::<SchemaJson>(bytes) {
        Ok(json) if json.schema.starts_with(family) => ErrorKind::UnsupportedVersion,
        Ok(_) | Err(_) => ErrorKind::WrongType,
    };
    FormatError::new(kind, place::SCHEMA)
}

fn to_json(manifest: &Manifest) -> Result<ManifestJson> {
    Ok(ManifestJson {
        schema: SCHEMA.to_owned(),
        archive: manifest.archive,
        record: manifest.record,
        version: manifest.version,
        supersedes: manifest
            .supersedes
            .as_ref()
            .map(|superseded| SupersededJson {
                version: superseded.version,
                digests: digests_to_json(&superseded.digests),
            }),
        class: ClassJson {
            id: manifest.class.id.clone(),
            digests: digests_to_json(&manifest.class.digests),
        },
        metadata: metadata_to_json(&manifest.metadata)?,
        objects: manifest.objects.iter().map(object_to_json).collect(),
        depositor: manifest.depositor.clone(),
        channel: manifest.channel.clone(),
        received_at: utc::to_text(manifest.received_at)?,
        facts: manifest.facts.clone(),
        salt: hex::encode(manifest.salt),
    })
}

fn from_json(json: ManifestJson) -> Result<Manifest> {
    let mut salt = [0; 16];
    hex::decode_to_slice(&json.salt, &mut salt)
        .map_err(|_| FormatError::new(ErrorKind::InvalidValue, place::SALT))?;
    let superseded = |superseded: SupersededJson| {
        Ok(Superseded {
            version: superseded.version,
            digests: digests_from_json(&superseded.digests)?,
        })
    };
    Ok(Manifest {
        archive: json.archive,
        record: json.record,
        version: json.version,
        supersedes: json.supersedes.map(superseded).transpose()?,
        class: ClassReference {
            digests: digests_from_json(&json.class.digests)?,
            id: json.class.id,
        },
        metadata: metadata_from_json(json.metadata)?,
        objects: json
            .objects
            .into_iter()
            .map(object_from_json)
            .collect::<Result<_>>()?,
        depositor: json.depositor,
        channel: json.channel,
        received_at: utc::from_text(&json.received_at)?,
        facts: json.facts,
        salt,
    })
}

fn metadata_to_json(metadata: &Metadata) -> Result<MetadataJson> {
    let invalid = |_| FormatError::new(ErrorKind::InvalidTime, place::DATE);
    Ok(MetadataJson {
        date: metadata
            .date
            .map(|date| date.format(DATE).map_err(invalid))
            .transpose()?,
        amount: metadata.amount.as_ref().map(ToString::to_string),
        currency: metadata.currency.as_ref().map(ToString::to_string),
        counterparty: metadata.counterparty.clone(),
        title: metadata.title.clone(),
        document_number: metadata.document_number.clone(),
        registration_number: metadata
            .registration_number
            .as_ref()
            .map(ToString::to_string),
        supplier: metadata.supplier.clone(),
        customer: metadata.customer.clone(),
        additional: metadata.additional.clone(),
    })
}

fn metadata_from_json(json: MetadataJson) -> Result<Metadata> {
    let date = |text: String| {
        Date::parse(&text, DATE).map_err(|_| FormatError::new(ErrorKind::InvalidTime, place::DATE))
    };
    Ok(Metadata {
        date: json.date.map(date).transpose()?,
        amount: json.amount.map(|text| text.parse()).transpose()?,
        currency: json.currency.map(|text| text.parse()).transpose()?,
        counterparty: json.counterparty,
        title: json.title,
        document_number: json.document_number,
        registration_number: json
            .registration_number
            .map(|text| text.parse())
            .transpose()?,
        supplier: json.supplier,
        customer: json.customer,
        additional: json.additional,
    })
}

fn object_to_json(object: &ContentObject) -> ObjectJson {
    ObjectJson {
        name: object.name.as_str().to_owned(),
        name_bytes: object.name.bytes_unless_utf8().map(hex::encode),
        role: match object.role {
            Role::Original => RoleJson::Original,
            Role::Rendition => RoleJson::Rendition,
        },
        media_type: object.media_type.clone(),
        size: object.size,
        digests: digests_to_json(&object.digests),
        line_tree: object.lines.as_ref().map(|tree| LineTreeJson {
            block_lines: BLOCK_LINES,
            lines: tree.lines,
            roots: digests_to_json(&tree.roots),
        }),
    }
}

/// That `name` is the text of `name-bytes`, and `name-bytes` needed at all, follows from the comparison with the canonical form.
fn object_from_json(json: ObjectJson) -> Result<ContentObject> {
    let invalid = |_| FormatError::new(ErrorKind::InvalidValue, place::NAME);
    Ok(ContentObject {
        name: match json.name_bytes {
            None => ObjectName::new(&json.name)?,
            Some(text) => ObjectName::from_bytes(&hex::decode(text).map_err(invalid)?)?,
        },
        role: match json.role {
            RoleJson::Original => Role::Original,
            RoleJson::Rendition => Role::Rendition,
        },
        media_type: json.media_type,
        size: json.size,
        digests: digests_from_json(&json.digests)?,
        lines: json.line_tree.map(line_tree_from_json).transpose()?,
    })
}

fn line_tree_from_json(json: LineTreeJson) -> Result<LineTree> {
    if json.block_lines != BLOCK_LINES {
        return Err(FormatError::new(
            ErrorKind::UnsupportedVersion,
            place::BLOCK_LINES,
        ));
    }
    Ok(LineTree {
        lines: json.lines,
        roots: digests_from_json(&json.roots)?,
    })
}

fn digests_to_json(digests: &Digests) -> Vec<DigestJson> {
    let to_json = |value: &DigestValue| DigestJson {
        algorithm: value.algorithm().name().to_owned(),
        value: value.to_hex(),
    };
    digests.values().iter().map(to_json).collect()
}

fn digests_from_json(json: &[DigestJson]) -> Result<Digests> {
    let from_json = |json: &DigestJson| {
        let fail = |kind| FormatError::new(kind, place::DIGESTS);
        let algorithm =
            DigestAlgorithm::from_name(&json.algorithm).ok_or(fail(ErrorKind::UnknownAlgorithm))?;
        let bytes = hex::decode(&json.value).map_err(|_| fail(ErrorKind::InvalidValue))?;
        DigestValue::from_bytes(algorithm, &bytes).ok_or(fail(ErrorKind::WrongDigestLength))
    };
    Digests::new(json.iter().map(from_json).collect::<Result<_>>()?)
}

/// Room for a manifest of one object.
const TYPICAL_BYTES: usize = 1536;

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
