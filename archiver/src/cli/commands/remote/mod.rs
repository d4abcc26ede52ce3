//! Commands that are answered by a service: `--server`, or `$FUMIKURA_SERVER`.

mod deposit;
mod evidence;
mod get;
mod login;
mod search;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::cli::arguments::Command;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::remote::{Patience, ProfileStore, RemoteClient, RemoteError, ServerPlace};

/// Runs a command at the service that is named; `None` where none is, and the command works on the archive's media.
pub(in crate::cli) fn run(session: &Session, command: &Command) -> Option<Result<Exit, Failure>> {
    let named = named(session);
    let answered = match command {
        Command::Login(arguments) => login::log_in(session, arguments),
        Command::Logout(arguments) => login::log_out(session, arguments),
        Command::Profiles => login::list(session),
        Command::Search(arguments) => search::run(&At::new(session, named?), arguments),
        Command::Get(arguments) => get::run(&At::new(session, named?), arguments),
        Command::Deposit(arguments) => deposit::run(&At::new(session, named?), arguments),
        Command::Evidence(arguments) => match (&arguments.view, &arguments.package) {
            (None, Some(package)) => evidence::package(&At::new(session, named?), package),
            (Some(_), _) | (None, None) => {
                named?;
                Err(here_only(session))
            }
        },
        Command::Receipt(arguments) => evidence::receipt(&At::new(session, named?), arguments),
        Command::Verify(arguments) => evidence::verify(&At::new(session, named?), arguments),
        Command::Status => evidence::status(&At::new(session, named?)),
        Command::Quickstart(_)
        | Command::Init(_)
        | Command::Stamp
        | Command::Renew(_)
        | Command::Export(_)
        | Command::Signature(_)
        | Command::Rebuild(_)
        | Command::Scrub(_)
        | Command::Compact(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Classes(_)
        | Command::PaperText
        | Command::Audit(_)
        | Command::Keys(_)
        | Command::Media(_)
        | Command::Serve(_)
        | Command::Service(_)
        | Command::People(_)
        | Command::Tsa(_) => {
            named?;
            Err(here_only(session))
        }
    };
    Some(answered)
}

/// The server that a command is to ask.
fn named(session: &Session) -> Option<&str> {
    let option = session.common.remote.server.as_deref();
    option.or(session.remote.server.as_deref())
}

/// A session, and the server that it asks.
pub(super) struct At<'a> {
    session: &'a Session,
    server: &'a str,
}

impl<'a> At<'a> {
    fn new(session: &'a Session, server: &'a str) -> Self {
        Self { session, server }
    }

    /// A client of the server, with the rights of whoever logged in.
    fn client(&self) -> Result<RemoteClient, Failure> {
        let place = self.place()?;
        let lang = self.session.output.lang;
        RemoteClient::new(&place, lang, patience()).map_err(|error| said(self.session, &error))
    }

    fn place(&self) -> Result<ServerPlace, Failure> {
        let session = self.session;
        let path = profiles_path(session)?;
        let profiles = store(session, &path)
            .load()
            .map_err(|error| said(session, &error))?;
        let given_ca = session.common.remote.server_ca.as_deref();
        let given_ca = given_ca.map(|path| read(session, path)).transpose()?;
        let is_address = self.server.contains("://");
        let profile = match is_address {
            false => profiles.get(self.server),
            true => {
                let wanted = self.server.trim_end_matches('/');
                profiles.values().find(|one| one.server == wanted)
            }
        };
        if let Some(profile) = profile {
            return Ok(ServerPlace {
                server: profile.server.clone(),
                ca: given_ca.unwrap_or_else(|| profile.ca.clone().into_bytes()),
                token: profile.token.clone(),
                client: profile.client.clone(),
            });
        }
        let given = self.server.to_owned();
        let error = match (is_address, given_ca) {
            (true, Some(ca)) => {
                return Ok(ServerPlace {
                    server: given,
                    ca,
                    token: None,
                    client: None,
                });
            }
            (true, None) => RemoteError::NoAuthority { server: given },
            (false, _) => RemoteError::NoProfile { given },
        };
        Err(said(session, &error))
    }
}

/// Where profiles are kept.
fn profiles_path(session: &Session) -> Result<PathBuf, Failure> {
    let home = session.remote.config_home.as_ref().ok_or_else(|| {
        Failure::said(
            Exit::Unusable,
            session.output.lang,
            "プロファイルの置き場所がありません。XDG_CONFIG_HOME か HOME を設定してください"
                .to_owned(),
            "there is no place for profiles: set XDG_CONFIG_HOME or HOME".to_owned(),
        )
    })?;
    Ok(home.join("fumikura").join("profiles.toml"))
}

fn store<'a>(session: &'a Session, path: &'a Path) -> ProfileStore<'a> {
    ProfileStore {
        path,
        disk: session.environment.disk.as_ref(),
    }
}

fn read(session: &Session, path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|source| {
        let path = path.to_owned();
        said(session, &RemoteError::File { path, source })
    })
}

/// A failure of the service in words.
fn said(session: &Session, error: &RemoteError) -> Failure {
    Failure::Said {
        exit: error.exit(),
        text: error.text(session.output.lang),
    }
}

fn here_only(session: &Session) -> Failure {
    Failure::said(
        Exit::Usage,
        session.output.lang,
        "このコマンドは保管庫のある機械でだけ、サービスを止めてから使えます。--server(FUMIKURA_SERVER)を外してください".to_owned(),
        "this command works only locally, on the archive's machine while the service is stopped: leave out --server (FUMIKURA_SERVER)".to_owned(),
    )
}

/// How long a service that went away is waited for. Tests do not wait.
const fn patience() -> Patience {
    if cfg!(test) {
        Patience {
            repeats: 2,
            pause: std::time::Duration::ZERO,
        }
    } else {
        Patience::USUAL
    }
}
