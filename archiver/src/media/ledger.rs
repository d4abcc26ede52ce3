//! What the events say about the media.

use std::collections::BTreeMap;
use std::path::PathBuf;

use formats::id::MediumId;
use time::{Date, Duration, OffsetDateTime};

use super::facts::{
    Leaving, MediaCounted, MediumJoined, MediumLeft, MediumMoved, MediumOutOfService,
    MediumRegistered, MediumReturned, Place, Role,
};
use crate::cli::output::day;
use crate::config::MediaConfig;
use crate::event::{RecordedEvent, Topic};
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// All media that the archive ever had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaLedger {
    media: BTreeMap<MediumId, MediumEntry>,
    /// When media were counted last, and what that said.
    pub last_count: Option<(OffsetDateTime, MediaCounted)>,
}

/// One medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumEntry {
    /// The medium.
    pub medium: MediumId,
    /// What it is for.
    pub role: Role,
    /// Its number among the media of its role.
    pub number: u32,
    /// What else is written on the case.
    pub label: String,
    /// Serial number of the device.
    pub serial: String,
    /// Maker and model of the device.
    pub model: String,
    /// Classification of what it holds.
    pub classification: String,
    /// Who answers for it.
    pub custodian: String,
    /// Where it lies.
    pub place: Option<Place>,
    /// Whether it can be taken out.
    pub removable: bool,
    /// The folder that it is mounted at.
    pub directory: Option<PathBuf>,
    /// When it was entered, and by whom.
    pub registered: (OffsetDateTime, String),
    /// Whether it is part of the archive.
    pub standing: Standing,
    /// When it was last seen in a stock-take.
    pub counted_at: Option<OffsetDateTime>,
    /// Its moves, the last one last.
    pub moves: Vec<(OffsetDateTime, MediumMoved)>,
}

/// Whether a medium is part of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    InService,
    /// It is, but nothing is written to it.
    OutOfService(MediumOutOfService),
    /// It was.
    Left(OffsetDateTime, Leaving),
}

impl MediaLedger {
    /// The ledger as the archive's events say it.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn of(catalog: &Catalog) -> Result<Self, StoreError> {
        let mut ledger = Self::default();
        catalog.events(Topic::Media, &mut |event| {
            ledger.fold(&event);
            true
        })?;
        Ok(ledger)
    }

    /// Takes one event in. Events of other kinds are passed over.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(facts) = event.as_::<MediumRegistered>() {
            self.register(event, facts);
        } else if let Some(facts) = event.as_::<MediumMoved>() {
            if let Some(entry) = self.media.get_mut(&facts.medium) {
                entry.place = Some(facts.to.clone());
                if let Some(custodian) = &facts.custodian {
                    entry.custodian.clone_from(custodian);
                }
                entry.moves.push((event.time, facts));
            }
        } else if let Some(facts) = event.as_::<MediumJoined>() {
            if let Some(entry) = self.media.get_mut(&facts.medium) {
                entry.standing = Standing::InService;
                entry.directory = Some(facts.directory);
            }
        } else if let Some(facts) = event.as_::<MediumLeft>() {
            self.stand(facts.medium, Standing::Left(event.time, facts.why));
        } else if let Some(facts) = event.as_::<MediumOutOfService>() {
            self.stand(facts.medium, Standing::OutOfService(facts));
        } else if let Some(facts) = event.as_::<MediumReturned>() {
            self.stand(facts.medium, Standing::InService);
        } else if let Some(facts) = event.as_::<MediaCounted>() {
            for medium in &facts.found {
                if let Some(entry) = self.media.get_mut(medium) {
                    entry.counted_at = Some(event.time);
                }
            }
            self.last_count = Some((event.time, facts));
        }
    }

    fn register(&mut self, event: &RecordedEvent, facts: MediumRegistered) {
        let Some(medium) = facts.medium else {
            return;
        };
        let entry = self.media.entry(medium).or_insert_with(|| MediumEntry {
            medium,
            role: Role::Data,
            number: 0,
            label: String::new(),
            serial: String::new(),
            model: String::new(),
            classification: String::new(),
            custodian: String::new(),
            place: None,
            removable: false,
            directory: None,
            registered: (event.time, event.by.clone()),
            standing: Standing::InService,
            counted_at: None,
            moves: Vec::new(),
        });
        entry.take(facts);
    }

    fn stand(&mut self, medium: MediumId, standing: Standing) {
        if let Some(entry) = self.media.get_mut(&medium) {
            entry.standing = standing;
        }
    }

    /// One medium.
    #[must_use]
    pub fn medium(&self, medium: MediumId) -> Option<&MediumEntry> {
        self.media.get(&medium)
    }

    /// All media, by role and number.
    #[must_use]
    pub fn all(&self) -> Vec<&MediumEntry> {
        let mut all: Vec<&MediumEntry> = self.media.values().collect();
        all.sort_by_key(|entry| (entry.role, entry.number, entry.medium));
        all
    }

    /// The media that are part of the archive.
    #[must_use]
    pub fn present(&self) -> Vec<&MediumEntry> {
        let mut all = self.all();
        all.retain(|entry| !matches!(entry.standing, Standing::Left(..)));
        all
    }

    /// The medium that is meant: its id or the beginning of it, its role and number (`data-2`), or what is written on its case.
    #[must_use]
    pub fn named(&self, text: &str) -> Option<&MediumEntry> {
        let wanted = text.to_lowercase();
        let mut found = self.media.values().filter(|entry| {
            let id = entry.medium.to_string();
            (wanted.len() >= ID_PREFIX_MIN && id.starts_with(&wanted))
                || entry.short_name() == wanted
                || (!entry.label.is_empty() && entry.label == text)
        });
        // Ids of media that were made together begin alike.
        found.next().filter(|_| found.next().is_none())
    }

    /// The next number for a role: numbers are never used again.
    #[must_use]
    pub fn next_number(&self, role: Role) -> u32 {
        let entries = self.media.values().filter(|entry| entry.role == role);
        entries.map(|entry| entry.number).max().unwrap_or(0) + 1
    }
}

impl MediumEntry {
    fn take(&mut self, facts: MediumRegistered) {
        let set = |here: &mut String, new: Option<String>| {
            if let Some(new) = new {
                *here = new;
            }
        };
        self.role = facts.role.unwrap_or(self.role);
        self.number = facts.number.unwrap_or(self.number);
        self.removable = facts.removable.unwrap_or(self.removable);
        set(&mut self.label, facts.label);
        set(&mut self.serial, facts.serial);
        set(&mut self.model, facts.model);
        set(&mut self.classification, facts.classification);
        set(&mut self.custodian, facts.custodian);
        self.place = facts.place.or_else(|| self.place.take());
        self.directory = facts.directory.or_else(|| self.directory.take());
    }

    /// Role and number, as people say it: `data-2`.
    #[must_use]
    pub fn short_name(&self) -> String {
        format!("{}-{}", self.role, self.number)
    }

    /// The day (in Japan) on which it must be counted again at the latest.
    #[must_use]
    pub fn count_due(&self, config: &MediaConfig) -> Date {
        let days = if self.removable || self.role.holds_keys() {
            config.stock_take_removable_days
        } else {
            config.stock_take_days
        };
        let last = self.counted_at.unwrap_or(self.registered.0);
        let due = last.checked_add(Duration::days(i64::from(days)));
        due.map_or(Date::MAX, day)
    }
}

/// Fewest letters of an id that name a medium.
const ID_PREFIX_MIN: usize = 8;
