//! `archiver get --server`

use std::io::{self, Write};
use std::path::Path;

use super::{At, said};
use crate::cli::arguments::Get;
use crate::cli::commands::get::write_beside;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, sized};
use crate::cli::query;
use crate::cli::session::Session;
use crate::remote::{Fetched, FoundObject, FoundRecord, RemoteClient, RemoteError};

pub(super) fn run(at: &At<'_>, arguments: &Get) -> Result<Exit, Failure> {
    let session = at.session;
    let lang = session.output.lang;
    if arguments.receipt.is_some() {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "--server では取り出しの受領証を作れません。取り出しは目的とともに監査証跡に残ります".to_owned(),
            "with --server there is no receipt for a retrieval: the audit trail keeps it, with its purpose".to_owned(),
        ));
    }
    let purpose = purpose(session, arguments.purpose.as_deref())?;
    let client = at.client()?;
    let found = record(session, &client, &arguments.record)?;
    let object = object(session, &found, arguments.object.as_deref())?;
    let digest = usize::try_from(object.number)
        .ok()
        .and_then(|number| found.digests.get(number));
    let wanted = Wanted {
        session,
        client: &client,
        path: [
            "records".to_owned(),
            found.version.record.clone(),
            "versions".to_owned(),
            found.version.version.to_string(),
            "objects".to_owned(),
            object.number.to_string(),
        ]
        .into(),
        purpose: Some(purpose),
        size: object.size,
        // The manifest's digest was told apart from the content; without it nothing says that this is it.
        sha256: Some(digest.cloned().unwrap_or_default()),
    };
    if arguments.output == Path::new("-") {
        wanted.to(&mut io::stdout().lock())?;
        return Ok(Exit::Done);
    }
    wanted.to_file(&arguments.output)?;
    let (path, size) = (arguments.output.display(), sized(object.size));
    session.output.say(&lang.pick(
        format!("{path} に {size} を書きました。SHA-256 は目録と一致しています"),
        format!("wrote {size} to {path}; the SHA-256 is that of the manifest"),
    ));
    Ok(Exit::Done)
}

/// What is fetched.
pub(super) struct Wanted<'a> {
    pub(super) session: &'a Session,
    pub(super) client: &'a RemoteClient,
    pub(super) path: Vec<String>,
    /// What for, where the service asks.
    pub(super) purpose: Option<String>,
    /// Bytes, for the progress bar; 0 where nobody knows.
    pub(super) size: u64,
    /// What it must be, hexadecimal.
    pub(super) sha256: Option<String>,
}

impl Wanted<'_> {
    /// Fetches into a file, which is there only when it is whole and right. A lost connection begins anew.
    pub(super) fn to_file(&self, path: &Path) -> Result<Fetched, Failure> {
        let mut failed = None;
        let fetched = self.client.fetch_again(|| {
            let mut result = None;
            let written = write_beside(self.session.environment.disk.as_ref(), path, |file| {
                let fetched = self.fetch(file);
                let is_whole = fetched.is_ok();
                result = Some(fetched);
                is_whole
            });
            match (result, written) {
                (Some(Err(error)), _) => Err(error),
                (Some(Ok(fetched)), Ok(())) => Ok(fetched),
                (_, written) => {
                    failed = written.err();
                    Err(RemoteError::Sink {
                        source: io::ErrorKind::Other.into(),
                    })
                }
            }
        });
        match (fetched, failed) {
            (_, Some(failed)) => Err(failed),
            (fetched, None) => fetched.map_err(|error| said(self.session, &error)),
        }
    }

    /// Fetches once into what cannot be taken back.
    fn to(&self, output: &mut dyn Write) -> Result<(), Failure> {
        let fetched = self.fetch(output);
        let flushed = fetched.and_then(|_| {
            output
                .flush()
                .map_err(|source| RemoteError::Sink { source })
        });
        flushed.map_err(|error| said(self.session, &error))
    }

    fn fetch(&self, output: &mut dyn Write) -> Result<Fetched, RemoteError> {
        let label = self.session.output.lang.pick("取り出し", "fetching");
        let bar = self.session.output.bar(label, self.size, Unit::Bytes);
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let query = self.purpose.iter();
        let query: Vec<_> = query.map(|text| ("purpose", text.clone())).collect();
        let fetched = self.client.fetch(&path, &query, output, &bar);
        bar.finish_and_clear();
        let fetched = fetched?;
        match &self.sha256 {
            Some(sha256) if *sha256 != fetched.sha256 => Err(RemoteError::Differs),
            Some(_) | None => Ok(fetched),
        }
    }
}

/// The purpose, which the service wants to know before anything is fetched.
pub(super) fn purpose(session: &Session, given: Option<&str>) -> Result<String, Failure> {
    let given = given.map(str::trim).filter(|text| !text.is_empty());
    given.map(str::to_owned).ok_or_else(|| {
        Failure::said(
            Exit::Usage,
            session.output.lang,
            "サービスから取り出すには --purpose で目的を示してください。監査証跡に残ります"
                .to_owned(),
            "to fetch from the service, say what for with --purpose: it is kept in the audit trail"
                .to_owned(),
        )
    })
}

/// The facts of a record, or of the version that is named.
pub(super) fn record(
    session: &Session,
    client: &RemoteClient,
    text: &str,
) -> Result<FoundRecord, Failure> {
    let (record, version) = query::record(text, session.output.lang)?;
    let (record, version) = (record.to_string(), version.map(|one| one.to_string()));
    let mut path = vec!["records", record.as_str()];
    path.extend(version.iter().flat_map(|one| ["versions", one.as_str()]));
    client
        .get(&path, &[])
        .map_err(|error| said(session, &error))
}

/// The object that is meant: the one named, or the only one.
fn object<'f>(
    session: &Session,
    found: &'f FoundRecord,
    name: Option<&str>,
) -> Result<&'f FoundObject, Failure> {
    let objects = &found.version.objects;
    let lang = session.output.lang;
    let names = || {
        let names: Vec<&str> = objects.iter().map(|one| one.name.as_str()).collect();
        names.join(", ")
    };
    let record = &found.version.record;
    match (name, objects.as_slice()) {
        (None, [one]) => Ok(one),
        (None, _) => Err(Failure::said(
            Exit::Usage,
            lang,
            format!(
                "{record}: 内容が複数あります。--object で選んでください: {}",
                names()
            ),
            format!(
                "{record}: there are several objects, choose one with --object: {}",
                names()
            ),
        )),
        (Some(name), objects) => objects.iter().find(|one| one.name == name).ok_or_else(|| {
            Failure::said(
                Exit::NotFound,
                lang,
                format!("{record}: {name} という内容はありません: {}", names()),
                format!("{record}: there is no object {name}: {}", names()),
            )
        }),
    }
}
