//! In which state a medium is, as every other command finds it.

use std::path::{Path, PathBuf};

use formats::id::MediumId;
use serde_json::{Value, json};

use crate::archive::{Archive, copy_policy};
use crate::cli::lang::Lang;
use crate::cli::media_words::cause_ja;
use crate::cli::output::moment;
use crate::keys::CopyCondition;
use crate::media::facts::{Leaving, Role};
use crate::media::{MediaLedger, MediumEntry, Standing};
use crate::store::{
    MediaFound, MediumProblem, MediumProblemKind, ReplicaCondition, cause_text, inspect_media,
    is_same_folder, read_label,
};

/// What was found of all media.
pub(super) struct States<'a> {
    archive: &'a Archive,
    ledger: &'a MediaLedger,
    found: MediaFound,
}

/// The state of one medium.
pub(super) struct State {
    /// The word for machines.
    pub(super) word: &'static str,
    /// Why, for machines.
    pub(super) why: Option<Value>,
    /// Where it is mounted.
    pub(super) found_at: Option<PathBuf>,
    ja: String,
    en: String,
}

impl<'a> States<'a> {
    pub(super) fn of(archive: &'a Archive, ledger: &'a MediaLedger) -> Self {
        let (config, environment) = (archive.config(), archive.environment());
        let found = inspect_media(
            &config.data,
            config.archive,
            &copy_policy(config),
            &environment.disk,
            environment.clock.now(),
        );
        Self {
            archive,
            ledger,
            found,
        }
    }

    /// Data media that each commit reaches.
    pub(super) const fn data_in_service(&self) -> usize {
        self.found.in_service.len()
    }

    /// The state of a medium of the ledger.
    pub(super) fn state(&self, entry: &MediumEntry) -> State {
        if let Standing::Left(time, why) = &entry.standing {
            let time = moment(*time);
            let (ja, en) = match why {
                Leaving::Replaced => ("交換済み", "replaced"),
                Leaving::Migrated => ("移行済み", "migrated"),
                Leaving::Retired => ("除籍", "retired"),
            };
            let state = State::new("left", format!("{ja} {time}"), format!("{en} {time}"));
            return state.because(json!(why));
        }
        match entry.role {
            Role::Data => self.data(entry),
            Role::Keys | Role::KeyCopy => self.keys(entry),
            Role::Export => self.other(entry),
        }
    }

    fn data(&self, entry: &MediumEntry) -> State {
        let mut in_service = self.found.in_service.iter();
        if let Some((_, place)) = in_service.find(|(medium, _)| *medium == entry.medium) {
            let known = self.place(entry);
            let moved = known.filter(|known| !is_same_folder(known, place));
            let state = match moved {
                None => State::new("in-service", "使用中", "in service"),
                Some(known) => {
                    let known = known.display();
                    State::new(
                        "in-service",
                        format!("使用中(台帳では {known})"),
                        format!("in service (the ledger has it at {known})"),
                    )
                }
            };
            return state.at(place);
        }
        let of_it = |problem: &&MediumProblem| {
            problem.medium == Some(entry.medium) && problem.kind != MediumProblemKind::Twice
        };
        if let Some(problem) = self.found.problems.iter().find(of_it) {
            return problem_state(&problem.kind).at(&problem.directory);
        }
        let replicas = self.archive.store().replicas().into_iter();
        let out = replicas.filter(|replica| replica.medium == entry.medium);
        for replica in out {
            if let ReplicaCondition::OutOfService(out) = replica.state {
                return problem_state(&MediumProblemKind::OutOfService(out));
            }
        }
        self.not_mounted(entry)
    }

    /// A data medium that is in none of the folders: what is in its own one.
    fn not_mounted(&self, entry: &MediumEntry) -> State {
        let away = |ja: &str, en: &str| {
            State::new(
                "not-mounted",
                format!("未接続({ja})"),
                format!("not mounted ({en})"),
            )
        };
        let plain = || State::new("not-mounted", "未接続", "not mounted");
        let Some(place) = self.place(entry) else {
            return plain();
        };
        let mut problems = self.found.problems.iter();
        let there = problems.find(|problem| is_same_folder(&problem.directory, &place));
        let other = match there {
            Some(problem) => match &problem.kind {
                MediumProblemKind::Missing => return plain(),
                MediumProblemKind::Foreign { .. } => {
                    return away(
                        "そこに別の保管庫の媒体",
                        "a medium of another archive is there",
                    );
                }
                MediumProblemKind::Unreadable { .. } => {
                    let (ja, en) = ("ラベルを読めない", "its label cannot be read");
                    return State::new("unreadable", ja, en).at(&place);
                }
                MediumProblemKind::WrongRole
                | MediumProblemKind::Twice
                | MediumProblemKind::NotMember
                | MediumProblemKind::Joining
                | MediumProblemKind::OutOfService(_)
                | MediumProblemKind::Behind { .. }
                | MediumProblemKind::Diverged
                | MediumProblemKind::ReadOnly
                | MediumProblemKind::Failed { .. } => problem.medium,
            },
            None => {
                let mut others = self.found.in_service.iter();
                let here = others.find(|(_, folder)| is_same_folder(folder, &place));
                here.map(|(medium, _)| *medium)
            }
        };
        other.map_or_else(plain, |other| {
            let name = self.name(other);
            away(&format!("そこに {name}"), &format!("{name} is there"))
        })
    }

    fn keys(&self, entry: &MediumEntry) -> State {
        let Some(place) = self.here(entry) else {
            return State::new("not-mounted", "未接続", "not mounted");
        };
        let copies = self.archive.keys().ledger().copies();
        let mut own = copies
            .iter()
            .filter(|copy| is_same_folder(&copy.root, &place));
        let state = match own.next().map(|copy| &copy.condition) {
            Some(CopyCondition::InService) => State::new("in-service", "使用中", "in service"),
            Some(CopyCondition::OutOfService { cause }) => State::new(
                "out-of-service",
                format!("使用停止({cause})"),
                format!("out of service ({cause})"),
            )
            .because(json!(cause)),
            Some(CopyCondition::Missing) | None => State::new("mounted", "接続中", "mounted"),
        };
        state.at(&place)
    }

    fn other(&self, entry: &MediumEntry) -> State {
        match self.here(entry) {
            Some(place) => State::new("mounted", "接続中", "mounted").at(&place),
            None => State::new("not-mounted", "未接続", "not mounted"),
        }
    }

    /// The folder in which the ledger has a medium.
    fn place(&self, entry: &MediumEntry) -> Option<PathBuf> {
        let directory = entry.directory.as_ref()?;
        Some(self.archive.config().placed(directory))
    }

    /// The same, if the medium is there.
    fn here(&self, entry: &MediumEntry) -> Option<PathBuf> {
        let place = self.place(entry)?;
        let label = read_label(&place).ok()?;
        (label.medium == entry.medium).then_some(place)
    }

    fn name(&self, medium: MediumId) -> String {
        let entry = self.ledger.medium(medium);
        entry.map_or_else(|| medium.to_string(), MediumEntry::short_name)
    }
}

impl State {
    fn new(word: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            word,
            why: None,
            found_at: None,
            ja: ja.into(),
            en: en.into(),
        }
    }

    fn because(self, why: Value) -> Self {
        Self {
            why: Some(why),
            ..self
        }
    }

    fn at(self, place: &Path) -> Self {
        Self {
            found_at: Some(place.to_owned()),
            ..self
        }
    }

    /// For people.
    pub(super) fn text(&self, lang: Lang) -> &str {
        lang.pick(&self.ja, &self.en)
    }
}

fn problem_state(kind: &MediumProblemKind) -> State {
    match kind {
        MediumProblemKind::OutOfService(out) => {
            let since = moment(out.since);
            let (ja, en) = (cause_ja(out.cause), cause_text(out.cause));
            State::new(
                "out-of-service",
                format!("使用停止 {since}({ja})"),
                format!("out of service since {since} ({en})"),
            )
            .because(json!(out.cause))
        }
        MediumProblemKind::Behind { last, newest } => State::new(
            "old-copy",
            format!("古い写し(区画 {last:010} まで。保管庫は {newest:010})"),
            format!("an old copy (up to segment {last:010} of {newest:010})"),
        ),
        MediumProblemKind::ReadOnly => State::new("read-only", "読み取り専用", "read-only"),
        MediumProblemKind::NotMember => State::new(
            "not-a-member",
            "この保管庫の媒体ではない",
            "not one of this archive's",
        ),
        MediumProblemKind::Joining => State::new("joining", "準備中", "being prepared"),
        MediumProblemKind::Diverged => {
            State::new("diverged", "別の所で書き込まれた", "written elsewhere")
        }
        MediumProblemKind::Failed { cause } => State::new(
            "failed",
            format!("失敗({cause})"),
            format!("failed ({cause})"),
        ),
        MediumProblemKind::Unreadable { .. } => {
            State::new("unreadable", "ラベルを読めない", "its label cannot be read")
        }
        MediumProblemKind::WrongRole => {
            State::new("wrong-role", "データ媒体ではない", "no data medium")
        }
        MediumProblemKind::Missing
        | MediumProblemKind::Foreign { .. }
        | MediumProblemKind::Twice => State::new("not-mounted", "未接続", "not mounted"),
    }
}
