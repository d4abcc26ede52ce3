//! `archiver login`, `archiver logout`, `archiver profiles`

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{At, named, patience, profiles_path, read, said, store};
use crate::cli::arguments::{Login, Logout};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::remote::{BegunSession, FoundPage, Profile, RemoteClient, RemoteError, ServerPlace};

/// What is sent, once.
#[derive(Serialize)]
struct Form<'a> {
    name: &'a str,
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

pub(super) fn log_in(session: &Session, arguments: &Login) -> Result<Exit, Failure> {
    let path = profiles_path(session)?;
    let store = store(session, &path);
    let mut profiles = store.load().map_err(|error| said(session, &error))?;
    let (name, mut profile) = begun(session, arguments, &profiles)?;
    let place = ServerPlace {
        server: profile.server.clone(),
        ca: profile.ca.clone().into_bytes(),
        token: None,
        client: profile.client.clone(),
    };
    let client = RemoteClient::new(&place, session.output.lang, patience())
        .map_err(|error| said(session, &error))?;
    let mut before = None;
    if profile.client.is_some() {
        try_system(session, &client)?;
    } else {
        let account = account(session, arguments, profile.account.as_deref())?;
        let begun = enter(session, &client, arguments, &account)?;
        refuse_unfinished(session, &begun, &place)?;
        before = begun.last_log_in;
        profile.account = Some(begun.account);
        profile.token = Some(begun.token.0);
    }
    profiles.insert(name.clone(), profile.clone());
    store
        .save(&profiles)
        .map_err(|error| said(session, &error))?;
    tell(session, &name, &profile, before.as_deref());
    Ok(Exit::Done)
}

/// The profile that is made, or made anew, without a session.
fn begun(
    session: &Session,
    arguments: &Login,
    profiles: &crate::remote::Profiles,
) -> Result<(String, Profile), Failure> {
    let lang = session.output.lang;
    let given = named(session)
        .or(arguments.profile.as_deref())
        .ok_or_else(|| {
            Failure::said(
                Exit::Usage,
                lang,
                "--server https://ホスト:ポート --ca ファイル でサービスを指定してください"
                    .to_owned(),
                "name the service: --server https://HOST:PORT --ca FILE".to_owned(),
            )
        })?;
    let is_address = given.contains("://");
    let server = given.trim_end_matches('/').to_owned();
    let name = match (&arguments.profile, is_address) {
        (Some(name), _) => name.clone(),
        (None, true) => host(&server),
        (None, false) => given.to_owned(),
    };
    let known = profiles.get(&name);
    let fails = |error: RemoteError| said(session, &error);
    let server = match (is_address, known) {
        (true, _) => server,
        (false, Some(known)) => known.server.clone(),
        (false, None) => return Err(fails(RemoteError::NoProfile { given: server })),
    };
    // An authority that was pinned for one server says nothing about another.
    let known = known.filter(|known| known.server == server);
    let ca = match (&session.common.remote.server_ca, known) {
        (Some(path), _) => text(session, path)?,
        (None, Some(known)) => known.ca.clone(),
        (None, None) => return Err(fails(RemoteError::NoAuthority { server })),
    };
    let client = match arguments
        .client_cert
        .as_ref()
        .zip(arguments.client_key.as_ref())
    {
        Some((certificate, key)) => {
            Some((absolute(session, certificate)?, absolute(session, key)?))
        }
        None if arguments.account.is_some() => None,
        None => known.and_then(|known| known.client.clone()),
    };
    let profile = Profile {
        server,
        ca,
        account: known.and_then(|known| known.account.clone()),
        token: None,
        client,
    };
    Ok((name, profile))
}

/// The host of an address, as a name.
fn host(server: &str) -> String {
    let url = reqwest::Url::parse(server).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str);
    host.unwrap_or(server).to_owned()
}

fn text(session: &Session, path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(session, path)?).map_err(|_| {
        let what = "no PEM".to_owned();
        let path = path.to_owned();
        said(session, &RemoteError::Unusable { path, what })
    })
}

fn absolute(session: &Session, path: &Path) -> Result<std::path::PathBuf, Failure> {
    std::fs::canonicalize(path).map_err(|source| {
        let path = path.to_owned();
        said(session, &RemoteError::File { path, source })
    })
}

/// Whether the service knows a system: any answer about rights says that it does.
fn try_system(session: &Session, client: &RemoteClient) -> Result<(), Failure> {
    let query = [("limit", "1".to_owned())];
    match client.get::<FoundPage>(&["records"], &query) {
        Ok(_) => Ok(()),
        Err(RemoteError::Problem(problem)) if problem.status == 403 => Ok(()),
        Err(error) => Err(said(session, &error)),
    }
}

fn account(session: &Session, arguments: &Login, known: Option<&str>) -> Result<String, Failure> {
    if let Some(account) = arguments.account.as_deref().or(known) {
        return Ok(account.to_owned());
    }
    let lang = session.output.lang;
    if !session.interactive {
        return Err(wanted(session, "--account"));
    }
    let failed = |source: io::Error| Failure::Said {
        exit: Exit::Usage,
        text: source.to_string(),
    };
    let mut question = io::stderr().lock();
    let asked = write!(question, "{}: ", lang.pick("アカウント", "Account"));
    asked.and_then(|()| question.flush()).map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Some(line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .ok_or_else(|| wanted(session, "--account"))
}

fn wanted(session: &Session, option: &str) -> Failure {
    Failure::said(
        Exit::Usage,
        session.output.lang,
        format!("{option} を指定してください。端末がないため尋ねられません"),
        format!("give {option}: there is no terminal to ask at"),
    )
}

/// Logs in; asks for the code where it is wanted and was not given.
fn enter(
    session: &Session,
    client: &RemoteClient,
    arguments: &Login,
    account: &str,
) -> Result<BegunSession, Failure> {
    let lang = session.output.lang;
    let password = match &arguments.password_file {
        Some(path) => first_line(session, path)?,
        None if session.interactive => ask(session, lang.pick("パスワード: ", "Password: "))?,
        None => return Err(wanted(session, "--password-file")),
    };
    let sent = |code: Option<&str>| {
        let form = Form {
            name: account,
            password: &password,
            code,
        };
        let form = serde_json::to_string(&form).map_err(|error| RemoteError::Machine {
            what: error.to_string(),
        })?;
        client.post_once(&["session"], &Zeroizing::new(form))
    };
    let answer = match sent(arguments.code.as_deref()) {
        Err(error) if error.is_code_wanted() && session.interactive => {
            let question = lang.pick("認証アプリの確認コード: ", "Code of the authenticator: ");
            sent(Some(ask(session, question)?.trim()))
        }
        answer => answer,
    };
    answer.map_err(|error| said(session, &error))
}

fn ask(session: &Session, question: &str) -> Result<Zeroizing<String>, Failure> {
    let answer = rpassword::prompt_password(question).map(Zeroizing::new);
    answer.map_err(|source| {
        let path = "/dev/tty".into();
        said(session, &RemoteError::File { path, source })
    })
}

/// The first line of a file, or of standard input.
fn first_line(session: &Session, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = || -> io::Result<Zeroizing<String>> {
        let source: Box<dyn Read> = match path == Path::new("-") {
            true => Box::new(io::stdin().lock()),
            false => Box::new(std::fs::File::open(path)?),
        };
        // Room for all that may come, so that the buffer never moves and leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * PASSWORD_BYTES_MAX));
        source
            .take(PASSWORD_BYTES_MAX as u64)
            .read_to_string(&mut text)?;
        let end = text.find(['\r', '\n']).unwrap_or(text.len());
        text.truncate(end);
        Ok(text)
    };
    read().map_err(|source| {
        let path = path.to_owned();
        said(session, &RemoteError::File { path, source })
    })
}

/// Somebody's very first log-in is finished in the browser, where the authenticator's picture can be shown.
fn refuse_unfinished(
    session: &Session,
    begun: &BegunSession,
    place: &ServerPlace,
) -> Result<(), Failure> {
    if begun.standing == "full" {
        return Ok(());
    }
    let place = ServerPlace {
        token: Some(begun.token.0.clone()),
        ..place.clone()
    };
    // The session is of no use to anybody; where it cannot be ended, it runs out.
    if let Ok(client) = RemoteClient::new(&place, session.output.lang, patience()) {
        drop(client.delete(&["session"]));
    }
    let server = &place.server;
    Err(Failure::said(
        Exit::Passphrase,
        session.output.lang,
        format!(
            "最初のログインは {server} をブラウザで開いて済ませてください(パスワードの変更と認証アプリの登録)"
        ),
        format!(
            "finish the first log-in in the browser at {server}: another password, and an authenticator"
        ),
    ))
}

fn tell(session: &Session, name: &str, profile: &Profile, before: Option<&str>) {
    let lang = session.output.lang;
    let account = profile.account.as_deref();
    session.output.event(&json!({
        "event": "logged-in", "profile": name, "server": profile.server, "account": account, "last_log_in": before,
    }));
    let who = account.unwrap_or(lang.pick(
        "クライアント証明書のシステム",
        "a system, by its certificate",
    ));
    session.output.say(&lang.pick(
        format!(
            "{} に {who} としてログインしました。--server {name} で使えます",
            profile.server
        ),
        format!(
            "logged in at {} as {who}: use --server {name}",
            profile.server
        ),
    ));
    if let Some(before) = before {
        session.output.say(&lang.pick(
            format!("前回のログイン: {before}"),
            format!("last log-in: {before}"),
        ));
    }
}

pub(super) fn log_out(session: &Session, arguments: &Logout) -> Result<Exit, Failure> {
    let path = profiles_path(session)?;
    let store = store(session, &path);
    let mut profiles = store.load().map_err(|error| said(session, &error))?;
    let only = match profiles.len() {
        1 => profiles.keys().next().cloned(),
        _ => None,
    };
    let given = arguments.profile.as_deref().or(named(session));
    let name = match given {
        Some(given) if given.contains("://") => {
            let wanted = given.trim_end_matches('/');
            let found = profiles.iter().find(|(_, one)| one.server == wanted);
            found.map(|(name, _)| name.clone())
        }
        Some(given) => Some(given.to_owned()),
        None => only,
    };
    let name = name.filter(|name| profiles.contains_key(name));
    let name = name.ok_or_else(|| {
        let given = given.unwrap_or("?").to_owned();
        said(session, &RemoteError::NoProfile { given })
    })?;
    let ended = end_session(&At::new(session, &name));
    // Whatever the service said, the token is gone from here.
    match arguments.forget {
        true => drop(profiles.remove(&name)),
        false => {
            if let Some(profile) = profiles.get_mut(&name) {
                profile.token = None;
            }
        }
    }
    store
        .save(&profiles)
        .map_err(|error| said(session, &error))?;
    ended?;
    session
        .output
        .event(&json!({ "event": "logged-out", "profile": name }));
    session.output.say(&session.output.lang.pick(
        format!("{name}: ログアウトしました"),
        format!("{name}: logged out"),
    ));
    Ok(Exit::Done)
}

/// Ends the session at the service; one that is over already is no failure.
fn end_session(at: &At<'_>) -> Result<(), Failure> {
    let place = at.place()?;
    if place.token.is_none() {
        return Ok(());
    }
    match at.client()?.delete(&["session"]) {
        Err(error) if !error.is_log_in_wanted() => Err(said(at.session, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn list(session: &Session) -> Result<Exit, Failure> {
    let path = profiles_path(session)?;
    let profiles = store(session, &path)
        .load()
        .map_err(|error| said(session, &error))?;
    let lang = session.output.lang;
    let mut rows = Vec::new();
    for (name, profile) in &profiles {
        let state = match (&profile.client, &profile.token) {
            (Some(_), _) => "certificate",
            (None, Some(_)) => "logged-in",
            (None, None) => "logged-out",
        };
        session.output.event(&json!({
            "event": "profile", "profile": name, "server": profile.server, "account": profile.account, "state": state,
        }));
        let account = profile.account.clone().unwrap_or_default();
        rows.push([
            name.clone(),
            profile.server.clone(),
            account,
            state.to_owned(),
        ]);
    }
    let heads = lang.pick(
        ["名前", "サーバー", "アカウント", "状態"],
        ["name", "server", "account", "state"],
    );
    if rows.is_empty() {
        session.output.say(lang.pick(
            "プロファイルはありません。archiver login --server https://ホスト:ポート --ca ファイル で作れます",
            "there is no profile: make one with 'archiver login --server https://HOST:PORT --ca FILE'",
        ));
        return Ok(Exit::Done);
    }
    for line in table(heads, &rows, "  ") {
        session.output.say(&line);
    }
    Ok(Exit::Done)
}

/// Longer ones are refused by the service, too.
const PASSWORD_BYTES_MAX: usize = 1024;
