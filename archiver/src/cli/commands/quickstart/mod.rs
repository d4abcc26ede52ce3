//! `archiver quickstart`: the main job once, end to end, with what every step did in plain words.

mod samples;
mod steps;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use crate::archive::{self, Access, NewArchive};
use crate::cli::arguments::Quickstart;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::{Programs, Session};
use crate::config::{
    AccountsConfig, AlarmsConfig, CONFIG_FILE_NAME, Config, IndexConfig, IntakesConfig,
    MediaConfig, RenewalConfig, SEGMENT_BYTES_MAX_DEFAULT, ScrubConfig, ServiceConfig, TsaConfig,
};
use crate::keys::Passphrase;
use crate::store::durable;
use crate::tsa::client::EMBEDDED_NAME;

/// The file that holds the trial's passphrase.
const PASSPHRASE_FILE: &str = "evaluation-passphrase.txt";

pub(in crate::cli) fn run(session: &Session, arguments: &Quickstart) -> Result<Exit, Failure> {
    let directory =
        std::path::absolute(&arguments.dir).map_err(|error| unusable(&arguments.dir, &error))?;
    let output = &session.output;
    if directory.join(CONFIG_FILE_NAME).exists() {
        return Ok(already_there(session, &directory));
    }
    refuse_foreign_folder(session, &directory)?;
    let started = Instant::now();

    // The trial's own passphrase: one that was given for another archive does not open it.
    let (config, passphrase) = make_archive(session, &directory)?;
    let archive = session.open_config(config, &passphrase, Access::Write)?;
    let mut steps = steps::Steps::new(session, &archive);
    steps.deposit(&directory, &arguments.input)?;
    steps.stamp()?;
    let record = steps.search()?;
    steps.fetch(&directory, record)?;
    let handover = steps.hand_over(&directory, record)?;
    let verdict = steps.verify_as_outsider(&handover)?;
    let exit = steps
        .verify_everything()?
        .max(verdict)
        .max(steps.deposit_exit());
    archive.close()?;

    let seconds = started.elapsed().as_secs_f64();
    output.event(&json!({ "event": "quickstart", "directory": directory, "seconds": seconds, "exit": exit.code() }));
    output.say(&output.lang.pick(
        format!("\n全体で {seconds:.1} 秒。次に試すには:"),
        format!("\n{seconds:.1} seconds in all. To try next:"),
    ));
    for line in next_commands(session, &directory, &handover) {
        output.say(&line);
    }
    Ok(exit)
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Said {
        exit: Exit::Unusable,
        text: format!("{}: {error}", path.display()),
    }
}

fn already_there(session: &Session, directory: &Path) -> Exit {
    let output = &session.output;
    let place = directory.display();
    output.event(&json!({ "event": "already-there", "directory": directory }));
    output.say(&output.lang.pick(
        format!("{place} にはすでに試用の保管庫があります(already there)。何も変えていません。新しく始めるには別のフォルダを指定してください"),
        format!("there is already a trial archive in {place}; nothing was changed. To start anew, name another folder"),
    ));
    output.say(&format!(
        "  {} --config {} status",
        session.programs.archiver,
        shell(&directory.join(CONFIG_FILE_NAME))
    ));
    Exit::Done
}

/// A folder with other things in it is not ours to fill.
fn refuse_foreign_folder(session: &Session, directory: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(directory, &error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(not_empty(session, directory)),
        },
    }
}

fn not_empty(session: &Session, directory: &Path) -> Failure {
    Failure::said(
        Exit::Unusable,
        session.output.lang,
        format!(
            "{} は空ではありません。新しいフォルダを指定してください",
            directory.display()
        ),
        format!("{} is not empty: name a new folder", directory.display()),
    )
}

fn make_archive(session: &Session, directory: &Path) -> Result<(Config, Passphrase), Failure> {
    let output = &session.output;
    let lang = output.lang;
    let disk = Arc::clone(&session.environment.disk);
    durable::create_directories(disk.as_ref(), directory)
        .map_err(|error| unusable(directory, &error))?;
    let passphrase_file = directory.join(PASSPHRASE_FILE);
    let passphrase = Passphrase::generate(session.environment.entropy.as_ref())?;
    durable::replace_file(disk.as_ref(), &passphrase_file, passphrase.reveal())
        .map_err(|error| unusable(&passphrase_file, &error))?;
    let config = Config {
        path: directory.join(CONFIG_FILE_NAME),
        archive: formats::id::ArchiveId::from_bytes([0; 16]),
        data: vec![directory.join("data-a"), directory.join("data-b")],
        keys: directory.join("keys"),
        index: directory.join("index"),
        classes: None,
        evaluation: true,
        key_copies: Vec::new(),
        key_copies_min: None,
        key_responsible: None,
        passphrase_file: Some(passphrase_file),
        segment_bytes_max: SEGMENT_BYTES_MAX_DEFAULT,
        parity: None,
        scrub: ScrubConfig::default(),
        tsas: vec![TsaConfig::embedded(EMBEDDED_NAME)],
        registry: None,
        policy: None,
        media: MediaConfig::default(),
        renewal: RenewalConfig::default(),
        service: ServiceConfig::default(),
        alarms: AlarmsConfig::default(),
        accounts: AccountsConfig::default(),
        index_options: IndexConfig::default(),
        intakes: IntakesConfig::default(),
    };
    let (config, _) = archive::create(
        NewArchive {
            config,
            token: None,
        },
        &passphrase,
        &session.environment,
    )?;
    output.say(&lang.pick(
        format!("1. 試用の保管庫を {} に作りました", directory.display()),
        format!("1. Made a trial archive in {}", directory.display()),
    ));
    output.say(lang.pick(
        "   データ媒体 data-a、data-b(同じ内容の複製)、鍵媒体 keys、組み込みの時刻認証局(認定を受けたものではありません)",
        "   data media data-a and data-b (equal copies), key medium keys, embedded time-stamping authority (NOT ACCREDITED)",
    ));
    output.event(&json!({ "event": "created", "archive": config.archive.to_string(), "config": config.path }));
    Ok((config, passphrase))
}

/// Commands that a user can copy as they stand.
fn next_commands(session: &Session, directory: &Path, handover: &steps::Handover) -> Vec<String> {
    let config = shell(&directory.join(CONFIG_FILE_NAME));
    let Programs { archiver, verifier } = &session.programs;
    vec![
        format!(
            "  {archiver} --config {config} search --amount 10000.. --date 2026-01-01..2026-12-31"
        ),
        format!(
            "  {archiver} --config {config} deposit YOUR-FILE.pdf --class general && {archiver} --config {config} stamp"
        ),
        format!(
            "  {verifier} verify {} --trust {}",
            shell(&handover.package),
            shell(&handover.anchors)
        ),
    ]
}

/// A path as a shell word.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text
        .chars()
        .all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    if plain {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
