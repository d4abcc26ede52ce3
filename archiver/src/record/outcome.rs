//! What became of each source of a deposit.

use std::sync::atomic::{AtomicU64, Ordering};

use formats::id::VersionId;
use formats::manifest::Metadata;
use time::OffsetDateTime;

use super::error::DepositError;
use super::received::ReceivedRecord;
use crate::class::SearchKey;
use crate::cli::lang::Lang;
use crate::content::NoLines;
use crate::intake::malware::NotScanned;
use crate::intake::ubl::UblError;
use crate::intake::{IntakeError, SkipReason, SourceName};

/// What became of one source.
#[derive(Debug)]
pub enum DepositEvent {
    /// It is in the archive: durable on every replica, its key durable on the key medium.
    Deposited(Box<DepositedRecord>),
    /// The same content was deposited before in the same class, under the same name and with the same given metadata.
    AlreadyThere {
        /// The version that holds it.
        version: VersionId,
        /// The source.
        name: SourceName,
        /// Its size in bytes.
        size: u64,
    },
    /// Its content goes in elsewhere in the same run.
    Skipped {
        /// The source.
        name: SourceName,
        /// Why.
        reason: SkipReason,
    },
    /// It could not be taken; the others are.
    Failed(IntakeError),
    /// The run stopped before it was acknowledged. It is not in the archive.
    LeftOut {
        /// The source.
        name: SourceName,
    },
}

/// A record that was acknowledged.
#[derive(Clone, Debug)]
pub struct DepositedRecord {
    /// The new version.
    pub version: VersionId,
    /// What its receipt says of it, until it is taken into one.
    pub received: Option<ReceivedRecord>,
    /// The source.
    pub name: SourceName,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes that its sealed content takes on each replica.
    pub stored_bytes: u64,
    /// How many lines can be proven one by one, where the class asks for it.
    pub lines: Option<u64>,
    /// Its media type.
    pub media_type: String,
    /// What it can be searched by.
    pub metadata: Metadata,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// What its depositor should know.
    pub warnings: Vec<DepositWarning>,
}

/// Something about a deposited record that its depositor should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DepositWarning {
    /// The file is empty.
    Empty,
    /// It looks like an invoice, but its fields could not be read.
    MetadataUnread(UblError),
    /// The class asks for search keys that were neither given nor found.
    KeysMissing(Vec<SearchKey>),
    /// The class asks for lines that can be proven one by one, and the content is no log.
    NoLines(NoLines),
    /// A scanner found malware: it is kept, and withheld until two people release it. Holds what was found.
    Quarantined(String),
    /// It was not scanned for malware, which the configuration allows.
    NotScanned(NotScanned),
}

/// What a whole run did.
#[derive(Debug, Default)]
pub struct DepositSummary {
    /// New records.
    pub deposited: u64,
    /// Bytes of their content.
    pub deposited_bytes: u64,
    /// Bytes that their sealed content takes on each replica.
    pub stored_bytes: u64,
    /// Sources that were in the archive already.
    pub already_there: u64,
    /// Links and directories passed by.
    pub skipped: u64,
    /// Warnings about new records.
    pub warnings: u64,
    /// Sources that could not be taken.
    pub failed: u64,
    /// Sources that were not looked at or not acknowledged because the run stopped.
    pub left_out: u64,
    /// Why the run stopped before its end.
    pub stopped: Option<DepositError>,
}

/// How far a run is, for a progress display beside it.
#[derive(Debug, Default)]
pub struct DepositProgress {
    bytes_read: AtomicU64,
}

impl DepositProgress {
    /// Bytes of content read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl DepositSummary {
    /// Whether every source is in the archive.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.left_out == 0 && self.stopped.is_none()
    }

    pub(super) fn count(&mut self, event: &DepositEvent) {
        match event {
            DepositEvent::Deposited(record) => {
                self.deposited += 1;
                self.deposited_bytes += record.size;
                self.stored_bytes += record.stored_bytes;
                self.warnings += u64::try_from(record.warnings.len()).unwrap_or(u64::MAX);
            }
            DepositEvent::AlreadyThere { .. } => self.already_there += 1,
            DepositEvent::Skipped { .. } => self.skipped += 1,
            DepositEvent::Failed(_) => self.failed += 1,
            DepositEvent::LeftOut { .. } => self.left_out += 1,
        }
    }
}

impl DepositEvent {
    /// The source, where it has a name.
    #[must_use]
    pub fn name(&self) -> Option<&SourceName> {
        match self {
            Self::Deposited(record) => Some(&record.name),
            Self::AlreadyThere { name, .. }
            | Self::Skipped { name, .. }
            | Self::LeftOut { name } => Some(name),
            Self::Failed(error) => error.name(),
        }
    }

    /// What happened, in one line that says what to do where something is to be done.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Deposited(record) => lang.pick(
                format!("{}: 預かりました。記録 {}", record.name, record.version),
                format!("{}: deposited as record {}", record.name, record.version),
            ),
            Self::AlreadyThere { version, name, .. } => lang.pick(
                format!("{name}: 記録 {version} として預かっています"),
                format!("{name}: is there already, as record {version}"),
            ),
            Self::Skipped {
                name,
                reason: SkipReason::LinkInside,
            } => lang.pick(
                format!("{name}: 同じディレクトリ内へのリンクなので飛ばしました。リンク先は元の場所で預けます"),
                format!("{name}: skipped, a link to something that is deposited where it stands"),
            ),
            Self::Skipped {
                name,
                reason: SkipReason::VisitedBefore,
            } => lang.pick(
                format!("{name}: 別の経路で入ったディレクトリなので飛ばしました"),
                format!("{name}: skipped, this directory was entered by another way"),
            ),
            Self::Failed(error) => error.text(lang),
            Self::LeftOut { name } => lang.pick(
                format!("{name}: 預入が止まったため保存されていません。同じコマンドをもう一度実行してください"),
                format!("{name}: not in the archive, because the run stopped; run the same command again"),
            ),
        }
    }
}

impl DepositWarning {
    /// What to know and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Empty => lang.pick(
                "空のファイルです。これでよいか確かめてください".to_owned(),
                "the file is empty; check that this is what you meant".to_owned(),
            ),
            Self::MetadataUnread(error) => lang.pick(
                format!(
                    "請求書の項目を読み取れませんでした ({})。--meta で指定してください",
                    error.name()
                ),
                format!(
                    "the invoice's fields could not be read ({}); give them with --meta",
                    error.name()
                ),
            ),
            Self::NoLines(NoLines::LineTooLong { line }) => lang.pick(
                format!("{line} 行目が 1 MiB を超えるため、行ごとの証明は作れません。全体としての証明は作れます"),
                format!("line {line} is longer than 1 MiB, so single lines cannot be proven; the whole can"),
            ),
            Self::NoLines(NoLines::Empty | NoLines::TooMany) => lang.pick(
                "行が多すぎるため、行ごとの証明は作れません。全体としての証明は作れます".to_owned(),
                "there are too many lines, so single ones cannot be proven; the whole can".to_owned(),
            ),
            Self::Quarantined(threat) => lang.pick(
                format!("マルウェア ({threat}) が見つかりました。隔離して保管し、二人が解除するまで取り出せません"),
                format!("a scanner found {threat}: kept in quarantine until two people release it"),
            ),
            Self::NotScanned(reason) => lang.pick(
                format!("マルウェア検査をせずに預かりました。{}", reason.text(lang)),
                format!("deposited without a scan for malware: {}", reason.text(lang)),
            ),
            Self::KeysMissing(keys) => {
                let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
                let names = names.join(", ");
                lang.pick(
                    format!("保管要件が求める検索項目がありません: {names}。--meta で指定してください"),
                    format!("search keys that the class asks for are missing: {names}; give them with --meta"),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use formats::id::RecordId;

    use super::*;

    #[test]
    fn texts_are_one_line_in_both_languages() {
        let name = || SourceName::from_bytes(*b"a\nb");
        let version = VersionId::first(RecordId::from_bytes([1; 16]));
        let events = [
            DepositEvent::AlreadyThere {
                version,
                name: name(),
                size: 1,
            },
            DepositEvent::Skipped {
                name: name(),
                reason: SkipReason::LinkInside,
            },
            DepositEvent::Skipped {
                name: name(),
                reason: SkipReason::VisitedBefore,
            },
            DepositEvent::Failed(IntakeError::Changed { name: name() }),
            DepositEvent::LeftOut { name: name() },
        ];
        let warnings = [
            DepositWarning::Empty,
            DepositWarning::MetadataUnread(UblError::Malformed),
            DepositWarning::NoLines(NoLines::LineTooLong { line: 7 }),
            DepositWarning::NoLines(NoLines::TooMany),
            DepositWarning::Quarantined("Eicar".to_owned()),
            DepositWarning::NotScanned(NotScanned::TimedOut),
            DepositWarning::KeysMissing(vec![SearchKey::Date, SearchKey::Amount]),
        ];
        for lang in [Lang::Ja, Lang::En] {
            let lines = events.iter().map(|event| event.text(lang));
            for line in lines.chain(warnings.iter().map(|warning| warning.text(lang))) {
                assert!(!line.contains('\n') && !line.is_empty(), "{line:?}");
            }
        }
    }

    #[test]
    fn a_summary_is_complete_when_nothing_is_missing() {
        let mut summary = DepositSummary::default();
        summary.count(&DepositEvent::Skipped {
            name: SourceName::from_bytes(*b"l"),
            reason: SkipReason::LinkInside,
        });
        assert!(summary.is_complete());
        summary.count(&DepositEvent::Failed(IntakeError::StandardInputTwice));
        assert!(!summary.is_complete());
    }
}
