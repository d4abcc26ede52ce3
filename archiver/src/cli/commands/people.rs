//! `archiver people`: the accounts, for whoever holds the keys of the archive while the service is stopped.

use serde_json::json;

use crate::access::{Account, AccountState, People};
use crate::acts::reset_person;
use crate::approval::Clockwork;
use crate::archive::Access;
use crate::cli::arguments::service::People as PeopleCommand;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::moment;
use crate::cli::session::Session;

pub(in crate::cli) fn run(session: &Session, command: &PeopleCommand) -> Result<Exit, Failure> {
    match command {
        PeopleCommand::List => list(session),
        PeopleCommand::Reset { account, reason } => reset(session, account, reason),
    }
}

fn list(session: &Session) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let archive = session.open(Access::Read)?;
    let people = People::of(&archive)?;
    for account in people.directory().accounts() {
        tell(session, account);
    }
    for pending in people.directory().waiting(Clockwork::of(&archive)) {
        session.output.event(&json!({
            "event": "pending", "request": pending.id.to_string(), "account": pending.what.account,
            "by": pending.requested_by, "reason": pending.reason,
        }));
        session.output.say(&lang.pick(
            format!(
                "承認待ち: {}(申請 {}、{})",
                pending.what.account, pending.requested_by, pending.reason
            ),
            format!(
                "waits for approval: {} (asked for by {}: {})",
                pending.what.account, pending.requested_by, pending.reason
            ),
        ));
    }
    archive.close()?;
    Ok(Exit::Done)
}

fn tell(session: &Session, account: &Account) {
    let lang = session.output.lang;
    let roles: Vec<&str> = account.facts.roles.iter().map(|role| role.code()).collect();
    let titles: Vec<&str> = account
        .facts
        .roles
        .iter()
        .map(|role| role.title(lang))
        .collect();
    session.output.event(&json!({
        "event": "account", "account": account.name, "display_name": account.facts.display_name,
        "state": account.state.code(), "roles": roles,
    }));
    let state = match account.state {
        AccountState::Requested => lang.pick("申請中", "requested"),
        AccountState::Active => lang.pick("使用中", "active"),
        AccountState::Suspended => lang.pick("停止中", "suspended"),
        AccountState::Closed => lang.pick("終了", "closed"),
    };
    let used = account
        .last_used_at
        .map_or_else(|| lang.pick("利用なし", "never used").to_owned(), moment);
    session.output.say(&format!(
        "{}  {}  {state}  {}  {used}",
        account.name,
        account.facts.display_name,
        titles.join(lang.pick("・", ", "))
    ));
}

fn reset(session: &Session, account: &str, reason: &str) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let archive = session.open(Access::Write)?;
    let first = reset_person(&archive, &session.user, account, reason);
    let first = first.map_err(|refusal| Failure::Said {
        exit: Exit::Usage,
        text: refusal.text(lang),
    })?;
    archive.close()?;
    let password = first.password.as_str();
    session.output.event(&json!({
        "event": "first-password", "account": first.account, "password": password,
    }));
    session.output.say(&lang.pick(
        format!("アカウント {account}  初回パスワード {password}\n認証アプリの登録も消しました。最初のログインで変更し、登録し直します"),
        format!("account {account}  first password {password}\nThe authenticator is gone, too: both are set anew at the next log-in"),
    ));
    Ok(Exit::Done)
}
