//! `archiver init`

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::archive::{self, NewArchive};
use crate::cli::arguments::{Init, Kek};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::media_words::one_data_medium;
use crate::cli::session::Session;
use crate::config::{
    AccountsConfig, AlarmsConfig, Config, IndexConfig, IntakesConfig, MediaConfig, RenewalConfig,
    SEGMENT_BYTES_MAX_DEFAULT, ScrubConfig, ServiceConfig, TsaConfig,
};
use crate::keys::TokenPlace;
use crate::keys::passphrase::Prompt;
use crate::tsa::client::EMBEDDED_NAME;

pub(in crate::cli) fn run(session: &Session, arguments: &Init) -> Result<Exit, Failure> {
    let path = session.config_path();
    let here = folder_of(&path);
    let config = Config {
        path,
        archive: formats::id::ArchiveId::from_bytes([0; 16]),
        data: arguments.data.clone(),
        keys: arguments.keys.clone(),
        index: arguments
            .index
            .clone()
            .unwrap_or_else(|| here.join("index")),
        classes: None,
        evaluation: arguments.evaluation,
        key_copies: Vec::new(),
        key_copies_min: None,
        key_responsible: None,
        passphrase_file: None,
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
    let config = placed(config)?;
    archive::refuse_existing(&config)?;
    let token = token(arguments)?;
    let prompt = if token.is_some() {
        Prompt::Pin
    } else {
        Prompt::New
    };
    let passphrase = session.passphrase(None, prompt)?;
    let (config, notice) = archive::create(
        NewArchive { config, token },
        &passphrase,
        &session.environment,
    )?;
    let lang = session.output.lang;
    let file = config.path.display();
    session.output.event(&json!({
        "event": "created", "archive": config.archive.to_string(), "config": config.path,
        "data": config.data, "keys": config.keys, "evaluation": config.evaluation,
    }));
    session.output.say(&lang.pick(
        format!("保管庫 {} を作りました。設定は {file} です", config.archive),
        format!(
            "made archive {}; its configuration is {file}",
            config.archive
        ),
    ));
    session.output.say(lang.pick(
        "組み込みの時刻認証局は認定を受けたものではありません。本物の記録の前に、設定の [[tsa]] に認定時刻認証業務を書いてください",
        "the embedded time-stamping authority is not accredited: before keeping real records, name an accredited one under [[tsa]]",
    ));
    if config.data.len() < 2 {
        session.output.note(one_data_medium(lang));
    }
    if let Some(notice) = notice {
        session.output.note(&notice.to_string());
    }
    Ok(Exit::Done)
}

/// The token that is to hold the keys; the arguments demand its library and its label.
fn token(arguments: &Init) -> Result<Option<TokenPlace>, Failure> {
    let (Kek::Pkcs11, Some(module), Some(label)) =
        (arguments.kek, &arguments.module, &arguments.token)
    else {
        return Ok(None);
    };
    Ok(Some(TokenPlace {
        module: absolute(module)?,
        label: label.clone(),
        serial: arguments.token_serial.clone().unwrap_or_default(),
    }))
}

/// The configuration holds absolute paths, so that it works from every folder.
fn placed(mut config: Config) -> Result<Config, Failure> {
    config.path = absolute(&config.path)?;
    config.data = config
        .data
        .iter()
        .map(|p| absolute(p))
        .collect::<Result<_, _>>()?;
    config.keys = absolute(&config.keys)?;
    config.index = absolute(&config.index)?;
    Ok(config)
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Said {
        exit: Exit::Usage,
        text: format!("{}: {error}", path.display()),
    })
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
