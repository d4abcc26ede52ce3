//! The command line: arguments in, lines and exit codes out.

pub(crate) mod archive_texts;
pub mod arguments;
mod commands;
pub mod exit;
pub mod failure;
#[cfg(test)]
pub(crate) mod fixture;
mod key_opening;
pub(crate) mod key_texts;
pub mod lang;
mod media_words;
pub mod output;
pub(crate) mod query;
mod reading;
pub mod session;
pub mod table;
mod unlocking;

use arguments::service::Service;
use arguments::{Command, EvidenceCommand, EvidenceView};
use exit::Exit;
use failure::Failure;
use session::Session;

/// A package or the forecast: the arguments hold one of them.
fn evidence(session: &Session, arguments: &EvidenceCommand) -> Result<Exit, Failure> {
    match (&arguments.view, &arguments.package) {
        (Some(EvidenceView::Forecast(forecast)), _) => commands::forecast::run(session, forecast),
        (None, Some(package)) => commands::evidence::run(session, package),
        (None, None) => Ok(Exit::Usage),
    }
}

/// Runs one command. Whatever stops it is said in one line.
#[must_use]
pub fn run(command: Command, session: &Session) -> Exit {
    let answered = commands::remote::run(session, &command);
    let result = answered.unwrap_or_else(|| run_here(command, session));
    session.tell_losses();
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            session.output.note(&failure.text(session.output.lang));
            failure.exit()
        }
    }
}

/// Runs a command on the archive's media.
fn run_here(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Quickstart(arguments) => commands::quickstart::run(session, &arguments),
        Command::Init(arguments) => commands::init::run(session, &arguments),
        Command::Deposit(arguments) => commands::deposit::run(session, arguments),
        Command::Stamp => commands::stamp::run(session),
        Command::Renew(arguments) => commands::renew::run(session, &arguments),
        Command::Search(arguments) => commands::search::run(session, &arguments),
        Command::Get(arguments) => commands::get::run(session, &arguments),
        Command::Export(arguments) => commands::export::run(session, &arguments),
        Command::Receipt(arguments) => commands::receipt::run(session, &arguments),
        Command::Signature(arguments) => commands::signature::run(session, &arguments),
        Command::Audit(command) => commands::audit::run(session, &command),
        Command::Keys(command) => commands::keys::run(session, &command),
        Command::Evidence(arguments) => evidence(session, &arguments),
        Command::Verify(arguments) => commands::verify::run(session, &arguments),
        Command::Rebuild(arguments) => commands::rebuild::run(session, arguments),
        Command::Scrub(arguments) => commands::scrub::run(session, &arguments),
        Command::Compact(arguments) => commands::compact::run(session, &arguments),
        Command::Backup(arguments) => commands::backup::run(session, &arguments),
        Command::Restore(arguments) => commands::restore::run(session, &arguments),
        Command::Status => commands::status::run(session),
        Command::PaperText => commands::paper::run(session),
        Command::Classes(arguments) => commands::classes::run(session, &arguments),
        Command::Serve(arguments) => commands::serve::run(session, &arguments),
        Command::Service(Service::Prepare(arguments)) => {
            commands::service::prepare(session, &arguments)
        }
        Command::People(command) => commands::people::run(session, &command),
        Command::Media(command) => commands::media::run(session, &command),
        Command::Tsa(command) => commands::tsa::run(session, &command),
        // Answered before.
        Command::Login(_) | Command::Logout(_) | Command::Profiles => Ok(Exit::Usage),
    }
}
