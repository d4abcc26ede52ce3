//! `archiver keys ceremony` and `archiver keys share`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::moment;
use crate::cli::session::Session;
use crate::cli::unlocking::{provider_file, read_shares};
use crate::keys::provider::custodians::{
    Ceremony, Held, Share, ShareError, ShareKind, Sheet, SheetLanguage,
};
use crate::keys::{KekProvider, KeyError, provider};
use crate::store::durable::{create_directories, replace_file};

use super::custody::Custody;

/// Makes the shares, hands each to its custodian, has it proven, and only then seals the key medium under them.
pub(super) fn ceremony(
    session: &Session,
    arguments: &arguments::Ceremony,
) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let names = names(arguments)?;
    if arguments.out.is_none() && !session.interactive {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "端末がありません。用紙を書き出すフォルダを --out で指定してください".to_owned(),
            "there is no terminal: name a folder for the sheets with --out".to_owned(),
        ));
    }
    if arguments.backups {
        return super::backup_ceremony::hold(session, arguments, &names);
    }
    let custody = Custody::take(session)?;
    let environment = &session.environment;
    let now = environment.clock.now();
    let archive = custody.config.archive;
    let entropy = environment.entropy.as_ref();
    let held = Ceremony::hold(archive, arguments.threshold, &names, now, entropy)?;
    let sheets: Vec<Sheet<'_>> = Sheet::all(archive, custody.kek.current_epoch(), &held).collect();
    match &arguments.out {
        Some(folder) => write_sheets(session, folder, &sheets, &held)?,
        None => show_sheets(session, &sheets, &held)?,
    }
    if let Err(error) = custody.kek.seal_under_custodians(&held) {
        return Err(half_sealed(session, &custody, &held, error));
    }
    announce(session, &held, arguments.out.as_deref());
    custody.record(session);
    Ok(Exit::Done)
}

/// A medium failed while the others may be sealed under the new shares already: then these count, and whoever throws the sheets away loses all.
fn half_sealed(session: &Session, custody: &Custody, held: &Held, error: KeyError) -> Failure {
    let in_force = provider::ceremony(&provider_file(&custody.config), custody.config.archive)
        .is_ok_and(|now| now.as_ref() == Some(&held.ceremony));
    if !in_force {
        return error.into();
    }
    let failure = Failure::from(error);
    let (exit, cause) = (failure.exit(), failure.text(session.output.lang));
    Failure::said(
        exit,
        session.output.lang,
        format!(
            "新しい分散片はすでに有効です。用紙を捨てないでください。鍵媒体の一つに書けませんでした: {cause}。直してから archiver keys unlock で確かめてください"
        ),
        format!(
            "the new shares ARE in force: keep the sheets. One key medium could not be written: {cause}. Mend it, then try the shares with 'archiver keys unlock'"
        ),
    )
}

/// `archiver keys share`: judges shares one by one.
pub(super) fn share(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    let place = provider_file(&config);
    let ceremony = provider::ceremony(&place, config.archive)?.ok_or(KeyError::NoCustodians)?;
    let mut given = Vec::new();
    for path in &session.common.share {
        given.extend(read_shares(path)?);
    }
    if given.is_empty() {
        if !session.interactive {
            let error = ShareError::Words { count: 0 };
            return Err(KeyError::Share(error).into());
        }
        given.push(session.typed_share(&ceremony)?);
    }
    let lang = session.output.lang;
    for share in given {
        let share = share.map_err(KeyError::Share)?;
        let custodian = ceremony
            .check(config.archive, &share)
            .map_err(KeyError::Share)?;
        let held_at = moment(ceremony.held_at);
        session.output.event(&json!({
            "event": "share", "number": share.number(), "custodian": custodian.name, "ceremony": share.origin().to_string(),
            "threshold": ceremony.threshold, "shares": ceremony.custodians.len(),
        }));
        let (number, name) = (share.number(), &custodian.name);
        session.output.say(&lang.pick(
            format!(
                "分散片 {number} は正しく、{name} のものです(儀式 {}、{held_at}、{ceremony})",
                share.origin()
            ),
            format!(
                "share {number} is right; it is {name}'s (ceremony {}, {held_at}, {ceremony})",
                share.origin()
            ),
        ));
    }
    Ok(Exit::Done)
}

fn names(arguments: &arguments::Ceremony) -> Result<Vec<String>, Failure> {
    let count = usize::from(arguments.shares);
    if arguments.names.is_empty() {
        return Ok((1..=count).map(|n| format!("custodian-{n}")).collect());
    }
    if arguments.names.len() != count {
        return Err(KeyError::Share(ShareError::Names).into());
    }
    Ok(arguments.names.clone())
}

/// One text and one page for each custodian, for its owner alone; each is read back.
pub(super) fn write_sheets(
    session: &Session,
    folder: &Path,
    sheets: &[Sheet<'_>],
    held: &Held,
) -> Result<(), Failure> {
    let language = language(session.output.lang);
    let disk = &session.environment.disk;
    create_directories(disk.as_ref(), folder)
        .map_err(|error| io_failure(folder, "write sheets", error))?;
    for (sheet, share) in sheets.iter().zip(&held.shares) {
        let kind = held.ceremony.kind;
        let [text, page] =
            ["txt", "html"].map(|ending| sheet_path(folder, kind, sheet.number(), ending));
        for path in [&text, &page] {
            if path.exists() {
                return Err(io_failure(
                    path,
                    "write the sheet",
                    io::ErrorKind::AlreadyExists.into(),
                ));
            }
        }
        let (Some(words), Some(html)) = (sheet.text(language), sheet.html(language)) else {
            return Err(KeyError::KeyDerivation.into());
        };
        // New files of this process are for their owner alone: the umask is 077 from the start.
        for (path, contents) in [(&text, &words), (&page, &html)] {
            replace_file(&**disk, path, contents.as_bytes())
                .map_err(|error| io_failure(path, "write the sheet", error))?;
        }
        let read = read_shares(&text)?.pop();
        if !matches!(read, Some(Ok(read)) if is_same(&read, share)) {
            return Err(io_failure(
                &text,
                "read the sheet back",
                io::ErrorKind::InvalidData.into(),
            ));
        }
        session.output.event(&json!({
            "event": "sheet", "number": sheet.number(), "custodian": sheet.custodian(), "text": text, "page": page,
        }));
    }
    Ok(())
}

/// Each custodian alone at the terminal: sees the sheet, writes it down, and proves it.
pub(super) fn show_sheets(
    session: &Session,
    sheets: &[Sheet<'_>],
    held: &Held,
) -> Result<(), Failure> {
    let lang = session.output.lang;
    for (sheet, share) in sheets.iter().zip(&held.shares) {
        let name = sheet.custodian();
        clear()?;
        enter(&lang.pick(
            format!("{name} さんだけが画面の前にいることを確かめて、Enter を押してください"),
            format!("make sure that {name} alone sees the screen, then press Enter"),
        ))?;
        let text = sheet.text(language(lang)).ok_or(KeyError::KeyDerivation)?;
        show(&text)?;
        enter(lang.pick(
            "三十二語を書き写したら Enter を押してください。画面は消えます",
            "press Enter when the 32 words are written down; the screen is cleared",
        ))?;
        clear()?;
        while !is_proven(session, held, share)? {}
        clear()?;
    }
    Ok(())
}

/// Whether the custodian could type the share from paper.
fn is_proven(session: &Session, held: &Held, share: &Share) -> Result<bool, Failure> {
    let lang = session.output.lang;
    let typed = session.typed_share(&held.ceremony)?;
    let problem = match typed {
        Ok(typed) if is_same(&typed, share) => return Ok(true),
        Ok(_) => lang
            .pick("別の分散片です", "this is another share")
            .to_owned(),
        Err(error) => Failure::from(KeyError::Share(error)).text(lang),
    };
    session.output.note(&problem);
    Ok(false)
}

fn announce(session: &Session, held: &Held, folder: Option<&Path>) {
    let lang = session.output.lang;
    let ceremony = &held.ceremony;
    session.output.event(&json!({
        "event": "ceremony", "threshold": ceremony.threshold, "shares": ceremony.custodians.len(),
        "custodians": ceremony.custodians.iter().map(|c| &c.name).collect::<Vec<_>>(),
    }));
    let names: Vec<&str> = ceremony
        .custodians
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    let (threshold, names) = (ceremony.threshold, names.join("、"));
    session.output.say(&lang.pick(
        format!("鍵媒体は分散片で封じられました: {names} のうち {threshold} 人で開きます。以前のパスフレーズや分散片では、もう開きません"),
        format!("the key medium is sealed under the shares: {ceremony}. Earlier passphrases and shares open it no more"),
    ));
    if let Some(folder) = folder {
        advise(session, folder);
    }
    session.output.note(lang.pick(
        "鍵媒体の古い写しは、以前のパスフレーズや分散片で開きます。写しを作り直し、古いものは破棄してください",
        "old copies of the key medium still open with what opened them then: make new copies and destroy the old ones",
    ));
}

/// What is to be done with sheets in files.
pub(super) fn advise(session: &Session, folder: &Path) {
    let folder = folder.display();
    session.output.note(&session.output.lang.pick(
        format!("{folder} の用紙を印刷して各人に渡したら、ファイルを消してください。二枚以上が一か所にある間は、分けたことになりません"),
        format!("print the sheets in {folder}, hand each to its custodian and remove the files: while they lie in one place nothing is shared"),
    ));
}

fn is_same(one: &Share, other: &Share) -> bool {
    *one.words() == *other.words()
}

fn sheet_path(folder: &Path, kind: ShareKind, number: u8, ending: &str) -> PathBuf {
    let of = match kind {
        ShareKind::Keys => "share",
        ShareKind::Backups => "backup-share",
    };
    folder.join(format!("{of}-{number:02}.{ending}"))
}

const fn language(lang: Lang) -> SheetLanguage {
    match lang {
        Lang::Ja => SheetLanguage::Japanese,
        Lang::En => SheetLanguage::English,
    }
}

fn io_failure(path: &Path, act: &'static str, error: io::Error) -> Failure {
    KeyError::io(path, act, error).into()
}

/// The terminal itself: neither sheets nor questions may end in a pipe or a log.
fn terminal() -> Result<fs::File, Failure> {
    let path = Path::new("/dev/tty");
    let open = fs::OpenOptions::new().read(true).write(true).open(path);
    open.map_err(|error| io_failure(path, "open the terminal", error))
}

fn show(text: &str) -> Result<(), Failure> {
    let failed = |error| io_failure(Path::new("/dev/tty"), "show the sheet", error);
    writeln!(terminal()?, "{text}").map_err(failed)
}

fn enter(text: &str) -> Result<(), Failure> {
    let failed = |error| io_failure(Path::new("/dev/tty"), "ask", error);
    show(text)?;
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(())
}

/// Clears the screen and what can be scrolled back to (ECMA-48 ED, and its extension 3).
fn clear() -> Result<(), Failure> {
    let failed = |error| io_failure(Path::new("/dev/tty"), "clear the screen", error);
    terminal()?
        .write_all(b"\x1b[H\x1b[2J\x1b[3J")
        .map_err(failed)
}
