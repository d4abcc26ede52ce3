//! `archiver media`

mod change;
mod count;
mod ledger;
mod show;
mod state;

use std::path::{Path, PathBuf};

use formats::id::MediumId;

use crate::cli::arguments::media::Media;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::Config;
use crate::media::facts::Leaving;
use crate::media::{MediaLedger, MediumEntry};
use crate::store::{is_same_folder, read_label};

pub(in crate::cli) fn run(session: &Session, command: &Media) -> Result<Exit, Failure> {
    match command {
        Media::List => show::list(session),
        Media::Show(one) => show::one(session, &one.medium),
        Media::Register(facts) => ledger::register(session, facts),
        Media::Move(facts) => ledger::moved(session, facts),
        Media::StockTake(arguments) => count::run(session, arguments),
        Media::Add(arguments) => change::join(session, &arguments.dir, None),
        Media::Replace(one) => {
            change::join(session, &one.dir, Some((&one.medium, Leaving::Replaced)))
        }
        Media::Migrate(one) => {
            change::join(session, &one.dir, Some((&one.medium, Leaving::Migrated)))
        }
        Media::Return(one) => change::back(session, &one.medium),
        Media::Retire(one) => change::retire(session, &one.medium),
    }
}

/// The medium that is meant: by its name in the ledger, or by its folder.
fn find<'a>(
    session: &Session,
    ledger: &'a MediaLedger,
    config: &Config,
    text: &str,
) -> Result<&'a MediumEntry, Failure> {
    let by_folder = || {
        let folder = absolute(Path::new(text));
        let label = read_label(&folder).ok();
        let label = label.filter(|label| label.archive == config.archive);
        let here = label.and_then(|label| ledger.medium(label.medium));
        let mut present = ledger.present().into_iter();
        let is_meant = |known: &PathBuf| is_same_folder(&config.placed(known), &folder);
        here.or_else(|| present.find(|entry| entry.directory.as_ref().is_some_and(is_meant)))
    };
    ledger.named(text).or_else(by_folder).ok_or_else(|| {
        let known: Vec<String> = ledger.all().iter().map(|one| one.short_name()).collect();
        let known = known.join(", ");
        Failure::said(
            Exit::NotFound,
            session.output.lang,
            format!("媒体 {text} は台帳にないか、複数に当てはまります(台帳: {known})"),
            format!("no medium in the ledger is '{text}', or several are (known: {known})"),
        )
    })
}

/// The configuration holds whole paths.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn id(medium: MediumId) -> String {
    medium.to_string()
}
