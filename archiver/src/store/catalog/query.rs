//! What to search for.

use std::collections::BTreeSet;

use formats::id::{BatchId, RecordId};
use formats::manifest::Amount;
use time::{Date, OffsetDateTime};

/// A condition on one value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ValueMatch<T> {
    /// No condition.
    #[default]
    Any,
    /// The version has no such value.
    Missing,
    /// The value lies between both, which are included; `None` is open.
    Between(Option<T>, Option<T>),
}

/// Conditions, all of which a hit fulfils.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Date of the transaction.
    pub date: ValueMatch<Date>,
    /// Amount, compared as a number. Zero is a value.
    pub amount: ValueMatch<Amount>,
    /// ISO 4217 code of the currency.
    pub currency: Option<String>,
    /// Part of the counterparty's name, compared without regard to width, case, or the way in which 株式会社 is written.
    /// The empty text finds versions that have no counterparty.
    pub counterparty: Option<String>,
    /// Id of the class.
    pub class: Option<String>,
    /// Part of any text of the metadata or of an object's name, compared as `counterparty`.
    pub text: Option<String>,
    /// Part of the document number, compared as `counterparty`.
    pub document_number: Option<String>,
    /// Values of additional metadata, compared as `counterparty`, whole.
    pub additional: Vec<(String, String)>,
    /// Ids of classes, one of which a hit has: those that who asks may see.
    pub classes: Option<BTreeSet<String>>,
    /// Id of a class that no hit has.
    pub not_classes: Vec<String>,
    /// Values of the metadata key [`MATTER`], one of which a hit has, letter for letter: those that who asks may see. A hit of no matter has none.
    pub matters: Option<BTreeSet<String>>,
    /// The record.
    pub record: Option<RecordId>,
    /// The batch.
    pub batch: Option<BatchId>,
    /// When it was received.
    pub received: ValueMatch<OffsetDateTime>,
    /// Only versions without archive time-stamp.
    pub unstamped_only: bool,
    /// Also versions that have a newer one.
    pub all_versions: bool,
    /// The latest deposit first; else the earliest.
    pub newest_first: bool,
    /// At most so many hits.
    pub hits_max: Option<usize>,
}

/// The key of additional metadata that names the matter of a record.
pub const MATTER: &str = "matter";
