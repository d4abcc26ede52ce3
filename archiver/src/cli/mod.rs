//! The command line: arguments in, lines and exit codes out.

pub mod arguments;
mod commands;
pub mod exit;
pub mod failure;
pub mod lang;
pub mod output;
mod query;
pub mod session;

use arguments::Command;
use exit::Exit;
use session::Session;

/// Runs one command. Whatever stops it is said in one line.
#[must_use]
pub fn run(command: Command, session: &Session) -> Exit {
    let result = match command {
        Command::Quickstart(arguments) => commands::quickstart::run(session, &arguments),
        Command::Init(arguments) => commands::init::run(session, &arguments),
        Command::Deposit(arguments) => commands::deposit::run(session, arguments),
        Command::Stamp => commands::stamp::run(session),
        Command::Search(arguments) => commands::search::run(session, &arguments),
        Command::Get(arguments) => commands::get::run(session, &arguments),
        Command::Evidence(arguments) => commands::evidence::run(session, &arguments),
        Command::Receipt(arguments) => commands::receipt::run(session, &arguments),
        Command::Signature(arguments) => commands::signature::run(session, &arguments),
        Command::Keys(command) => commands::keys::run(session, &command),
        Command::Verify(arguments) => commands::verify::run(session, &arguments),
        Command::Rebuild => commands::rebuild::run(session),
        Command::Status => commands::status::run(session),
        Command::Classes(arguments) => commands::classes::run(session, &arguments),
        Command::Tsa(command) => commands::tsa::run(session, &command),
    };
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            session.output.note(&failure.text(session.output.lang));
            failure.exit()
        }
    }
}
