//! `archiver service prepare`: certificate, configuration and first accounts of the HTTPS service.

use std::path::PathBuf;

use serde_json::json;

use crate::access::password::PasswordRules;
use crate::access::{AccountFacts, AccountKind, People, Role, Scope};
use crate::acts::{FirstPassword, found_accounts};
use crate::archive::Access;
use crate::cli::arguments::service::PrepareService;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::{Config, HttpsConfig};
use crate::https::self_signed;
use crate::store::durable;

pub(in crate::cli) fn prepare(
    session: &Session,
    arguments: &PrepareService,
) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let config = session.config()?;
    let mut founders = founders(session, &arguments.administrators)?;
    let archive = session.open(Access::Write)?;
    if archive.notice().is_some() {
        // Who tries it out alone sees all of it with one account. Real archives keep these roles apart.
        for (_, facts) in &mut founders {
            facts.roles.extend([Role::Depositor, Role::Retriever]);
        }
    }
    let has_accounts = People::of(&archive)?
        .directory()
        .accounts()
        .next()
        .is_some();
    if has_accounts && config.service.https.is_some() {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "サービスはもう準備されています。アカウントの追加は、サービスにログインして申請してください".to_owned(),
            "the service is prepared already; for more accounts log in to it and ask for them there".to_owned(),
        ));
    }
    // What an earlier run was killed before is done; what it did stays.
    if config.service.https.is_none() {
        let (certificate, key) = certificate(session, arguments, &config)?;
        let https = HttpsConfig::new(arguments.listen, certificate, key);
        configure(session, &config, https)?;
    }
    let first = if has_accounts {
        Vec::new()
    } else {
        found_accounts(
            &archive,
            &session.user,
            &founders,
            &PasswordRules::default(),
        )
        .map_err(|refusal| Failure::Said {
            exit: Exit::Usage,
            text: refusal.text(lang),
        })?
    };
    archive.close()?;
    tell(session, arguments, &first);
    Ok(Exit::Done)
}

fn founders(
    session: &Session,
    administrators: &[String],
) -> Result<Vec<(String, AccountFacts)>, Failure> {
    let read = |text: &String| {
        let (name, display_name) = text.split_once('=')?;
        let facts = AccountFacts {
            display_name: display_name.trim().to_owned(),
            kind: AccountKind::Person,
            roles: [Role::Administrator, Role::Operator].into(),
            scope: Scope::default(),
            mail: None,
            certificates: Default::default(),
            openid: None,
        };
        (!facts.display_name.is_empty()).then(|| (name.trim().to_owned(), facts))
    };
    let founders: Option<Vec<_>> = administrators.iter().map(read).collect();
    founders.ok_or_else(|| {
        Failure::said(
            Exit::Usage,
            session.output.lang,
            "--administrator は ログイン名=氏名 の形で指定してください(例: sato=佐藤花子)"
                .to_owned(),
            "--administrator: give log-in name and name, as sato='Hanako Sato'".to_owned(),
        )
    })
}

/// The files of the certificate: those that were named, or new ones beside the configuration.
fn certificate(
    session: &Session,
    arguments: &PrepareService,
    config: &Config,
) -> Result<(PathBuf, PathBuf), Failure> {
    if let (Some(certificate), Some(key)) = (&arguments.certificate, &arguments.key) {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        return Ok((absolute(certificate), absolute(key)));
    }
    let unusable = |text: String| Failure::Said {
        exit: Exit::Unusable,
        text,
    };
    let now = session.environment.clock.now();
    let made = self_signed(&arguments.hosts, now).map_err(unusable)?;
    let disk = session.environment.disk.as_ref();
    let folder = config.placed(std::path::Path::new("tls"));
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    durable::create_directories(disk, &folder)
        .and_then(|()| durable::replace_file(disk, &key, made.key.as_bytes()))
        .and_then(|()| durable::replace_file(disk, &certificate, made.certificate.as_bytes()))
        .map_err(|error| unusable(format!("{}: {error}", folder.display())))?;
    Ok((certificate, key))
}

/// Writes the part into the configuration; everything else, comments too, stays as it was.
fn configure(session: &Session, config: &Config, https: HttpsConfig) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Said {
        exit: Exit::Unusable,
        text: format!("{}: {error}", config.path.display()),
    };
    let text = std::fs::read_to_string(&config.path).map_err(failed)?;
    let text = crate::config::with_https(&config.path, &text, &https);
    Config::parse(&config.path, &text)?;
    let disk = session.environment.disk.as_ref();
    durable::replace_file(disk, &config.path, text.as_bytes()).map_err(failed)
}

fn tell(session: &Session, arguments: &PrepareService, first: &[FirstPassword]) {
    let lang = session.output.lang;
    let host = arguments.hosts.first().map_or("localhost", String::as_str);
    let url = format!("https://{host}:{}/", arguments.listen.port());
    for one in first {
        let password = one.password.as_str();
        session.output.event(&json!({
            "event": "first-password", "account": one.account, "password": password,
        }));
        session.output.say(&lang.pick(
            format!("アカウント {}  初回パスワード {password}", one.account),
            format!("account {}  first password {password}", one.account),
        ));
    }
    session
        .output
        .event(&json!({ "event": "prepared", "url": url }));
    let archiver = &session.programs.archiver;
    session.output.say(&lang.pick(
        format!(
            "\n初回パスワードはここでしか表示しません。それぞれ本人に渡してください。最初のログインで変更し、認証アプリを登録します\n次: {archiver} serve を実行し、ブラウザーで {url} を開いてください"
        ),
        format!(
            "\nThe first passwords are shown here only: hand each to its person. They are changed at the first log-in, where an authenticator is set up\nNext: run '{archiver} serve' and open {url} in a browser"
        ),
    ));
    if arguments.certificate.is_none() {
        session.output.say(lang.pick(
            "証明書は自己署名です。ブラウザーは最初に警告を出します。社内の認証局の証明書があれば [service.https] の certificate と key に指定してください",
            "The certificate signs itself, so browsers warn at first: name one of your own authority in [service.https] (certificate, key) where you have one",
        ));
    }
}
