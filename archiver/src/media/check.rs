//! Does each medium say of itself what the ledger says of it? A swapped or foreign medium is named.

use std::fmt;
use std::path::{Path, PathBuf};

use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, MediumRole};

use super::facts::Role;
use super::ledger::{MediaLedger, MediumEntry, Standing};
use crate::config::Config;
use crate::store::{is_same_folder, read_label};

/// A folder whose medium is another one than the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The folder.
    pub directory: PathBuf,
    /// The medium in it.
    pub medium: MediumId,
    /// What disagrees.
    pub kind: DisagreementKind,
}

/// What disagrees between a medium's label and the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisagreementKind {
    /// The ledger has another medium at this folder: they were swapped.
    Swapped {
        /// The medium that the ledger has here.
        expected: MediumId,
        /// Its role and number.
        expected_name: String,
        /// Role and number of the one that is here.
        found_name: String,
    },
    /// The ledger says that it left the archive.
    Left,
    /// The ledger does not know it.
    Unknown,
    /// Label and ledger differ in a fact.
    Differs {
        /// Which one.
        fact: &'static str,
        /// On the label.
        label: String,
        /// In the ledger.
        ledger: String,
    },
    /// It belongs to another archive.
    Foreign {
        /// The other archive.
        archive: ArchiveId,
    },
    /// A data medium is mounted where the key medium should be.
    WrongRole,
}

/// Compares the labels of all mounted media with the ledger. Media that cannot be read are told elsewhere.
#[must_use]
pub fn check(ledger: &MediaLedger, config: &Config) -> Vec<Disagreement> {
    let mut found = Vec::new();
    let folders = config.data.iter().chain([&config.keys]);
    let labels: Vec<(&PathBuf, MediumLabel)> = folders
        .filter_map(|directory| Some((directory, read_label(directory).ok()?)))
        .collect();
    for (directory, label) in &labels {
        if label.archive == config.archive {
            let mut kinds = kinds(ledger, config, directory, label);
            let same = labels.iter().filter(|(_, one)| one.medium == label.medium);
            if same.count() > 1 {
                // One medium in two folders is told as that: no other one stands in its place.
                kinds.retain(|kind| !matches!(kind, DisagreementKind::Swapped { .. }));
            }
            found.extend(kinds.into_iter().map(|kind| Disagreement {
                directory: (*directory).clone(),
                medium: label.medium,
                kind,
            }));
        }
    }
    found
}

fn kinds(
    ledger: &MediaLedger,
    config: &Config,
    directory: &Path,
    label: &MediumLabel,
) -> Vec<DisagreementKind> {
    let Some(entry) = ledger.medium(label.medium) else {
        // Before anything was registered nothing can disagree.
        let known = ledger.all();
        let nothing_yet = !known.iter().any(|entry| same_role(entry, label));
        return if nothing_yet {
            Vec::new()
        } else {
            vec![DisagreementKind::Unknown]
        };
    };
    let mut kinds = Vec::new();
    if matches!(entry.standing, Standing::Left(..)) {
        kinds.push(DisagreementKind::Left);
    }
    let is_here = |known: &PathBuf| is_same_folder(&config.placed(known), directory);
    let here = ledger.present().into_iter().find(|other| {
        other.medium != entry.medium && other.directory.as_ref().is_some_and(is_here)
    });
    if let Some(expected) = here {
        kinds.push(DisagreementKind::Swapped {
            expected: expected.medium,
            expected_name: expected.short_name(),
            found_name: entry.short_name(),
        });
    }
    if entry.number != label.number {
        kinds.push(DisagreementKind::Differs {
            fact: "number",
            label: label.number.to_string(),
            ledger: entry.number.to_string(),
        });
    }
    if entry.classification != label.classification {
        kinds.push(DisagreementKind::Differs {
            fact: "classification",
            label: label.classification.clone(),
            ledger: entry.classification.clone(),
        });
    }
    if !same_role(entry, label) {
        kinds.push(DisagreementKind::Differs {
            fact: "role",
            label: format!("{:?}", label.role).to_lowercase(),
            ledger: entry.role.to_string(),
        });
    }
    kinds
}

fn same_role(entry: &MediumEntry, label: &MediumLabel) -> bool {
    match label.role {
        MediumRole::Data => entry.role == Role::Data,
        MediumRole::Keys => entry.role.holds_keys(),
    }
}

/// Looks at the key medium's label before anything is asked of it. Key media of earlier versions, and damaged labels, pass: the keys
/// themselves name their archive, too.
///
/// # Errors
/// What is there instead of this archive's key medium.
pub fn key_medium(directory: &Path, archive: ArchiveId) -> Result<(), Disagreement> {
    let Ok(label) = read_label(directory) else {
        return Ok(());
    };
    let kind = if label.archive != archive {
        DisagreementKind::Foreign {
            archive: label.archive,
        }
    } else if label.role != MediumRole::Keys {
        DisagreementKind::WrongRole
    } else {
        return Ok(());
    };
    Err(Disagreement {
        directory: directory.to_owned(),
        medium: label.medium,
        kind,
    })
}

/// What a label says of a medium, in Japanese.
fn fact_ja(fact: &'static str) -> &'static str {
    match fact {
        "number" => "番号",
        "classification" => "秘密区分",
        "role" => "用途",
        _ => fact,
    }
}

impl Disagreement {
    /// What is wrong and what to do, in Japanese.
    #[must_use]
    pub fn text_ja(&self) -> String {
        let directory = self.directory.display();
        match &self.kind {
            DisagreementKind::Swapped {
                expected_name,
                found_name,
                ..
            } => format!(
                "{directory} の媒体が入れ替わっています。台帳では {expected_name}、実際は {found_name} です。マウントを直すか、archiver media register で台帳を直してください"
            ),
            DisagreementKind::Left => format!(
                "{directory} の媒体は台帳では保管庫から外されています。正しい媒体を接続してください"
            ),
            DisagreementKind::Unknown => format!(
                "{directory} の媒体 {} は台帳にありません。archiver media register で登録してください",
                self.medium
            ),
            DisagreementKind::Differs {
                fact,
                label,
                ledger,
            } => {
                let fact = fact_ja(fact);
                format!(
                    "{directory} のラベルと台帳が違います({fact}: ラベルは「{label}」、台帳は「{ledger}」)。archiver media register で直してください"
                )
            }
            DisagreementKind::Foreign { archive } => format!(
                "{directory} は別の保管庫({archive})の媒体です。この保管庫の鍵媒体を接続してください"
            ),
            DisagreementKind::WrongRole => {
                format!("{directory} は鍵媒体ではありません。鍵媒体を接続してください")
            }
        }
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        match &self.kind {
            DisagreementKind::Swapped {
                expected_name,
                found_name,
                ..
            } => write!(
                f,
                "media are swapped: the ledger has {expected_name} at {directory}, and {found_name} is there; mount them rightly, or correct the ledger with 'archiver media register'"
            ),
            DisagreementKind::Left => write!(
                f,
                "the medium at {directory} left the archive, says the ledger: mount the right one"
            ),
            DisagreementKind::Unknown => write!(
                f,
                "the medium {} at {directory} is not in the ledger: enter it with 'archiver media register'",
                self.medium
            ),
            DisagreementKind::Differs {
                fact,
                label,
                ledger,
            } => write!(
                f,
                "label and ledger differ for the medium at {directory}: its {fact} is '{label}' on the label and '{ledger}' in the ledger; correct it with 'archiver media register'"
            ),
            DisagreementKind::Foreign { archive } => write!(
                f,
                "the medium at {directory} belongs to another archive ({archive}): mount this archive's key medium"
            ),
            DisagreementKind::WrongRole => write!(
                f,
                "the medium at {directory} is no key medium: mount the key medium"
            ),
        }
    }
}
