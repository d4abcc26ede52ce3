//! `archiver keys unlock`, `archiver keys lock` and `archiver keys passphrase`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::cli::arguments::{NewPassphrase, Unlocking};
use crate::cli::commands::tsa::stopped;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::unlocking::provider_file;
use crate::config::Config;
use crate::keys::agent::{self, Ended};
use crate::keys::passphrase::{PassphraseSource, Prompt};
use crate::keys::{FileKek, KdfParameters, KeyError, Passphrase};

use super::custody::Custody;

/// Gathers shares and proves that they open; with `--hold`, holds the key.
pub(super) fn unlock(session: &Session, arguments: &Unlocking) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let config = session.config()?;
    let place = session.require_sealed_file(&config)?;
    let unlock = match FileKek::ceremony(&place, config.archive)? {
        Some(_) => session.shares(&config, &place)?,
        None => session.unlock(&config)?,
    };
    let entropy = Arc::clone(&session.environment.entropy);
    let kek = FileKek::open(place, config.archive, &unlock, entropy)?;
    drop(unlock);
    session
        .output
        .event(&json!({ "event": "unlocked", "archive": config.archive.to_string() }));
    session
        .output
        .say(lang.pick("鍵媒体が開きました", "the key medium opens"));
    if arguments.hold {
        return hold(session, &config, arguments.hours, &kek);
    }
    Ok(Exit::Done)
}

fn hold(session: &Session, config: &Config, hours: u32, kek: &FileKek) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let socket = socket(session, config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Said {
            exit: Exit::Unusable,
            text: error.to_string(),
        })?;
    let ready = || {
        session
            .output
            .event(&json!({ "event": "holding", "socket": socket, "hours": hours }));
        session.output.say(&lang.pick(
            format!("鍵を {hours} 時間、メモリに保持します。archiver keys lock か Ctrl-C で終わります"),
            format!("holding the key in memory for {hours} hours; 'archiver keys lock' or Ctrl-C ends it"),
        ));
    };
    let limit = Duration::from_secs(u64::from(hours) * 3600);
    let ended = runtime.block_on(agent::hold(
        &socket,
        config.archive,
        kek.lock_to_hold(),
        limit,
        session.environment.clock.as_ref(),
        stopped(),
        ready,
    ))?;
    let why = match ended {
        Ended::Forgotten => lang.pick("求めにより", "as was asked"),
        Ended::Expired => lang.pick("時間が過ぎたので", "its time is over"),
        Ended::Stopped => lang.pick("終了の合図により", "the process was asked to stop"),
    };
    session.output.event(&json!({ "event": "forgotten" }));
    session.output.say(&lang.pick(
        format!("{why}、鍵を忘れました"),
        format!("the key is forgotten: {why}"),
    ));
    Ok(Exit::Done)
}

/// Has the holder forget the key.
pub(super) fn lock(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    let forgotten = agent::forget(&socket(session, &config)?, config.archive)?;
    session
        .output
        .event(&json!({ "event": "locked", "was_held": forgotten }));
    session.output.say(match forgotten {
        true => session
            .output
            .lang
            .pick("保持していた鍵を忘れました", "the held key is forgotten"),
        false => session
            .output
            .lang
            .pick("保持している鍵はありません", "no key was held"),
    });
    Ok(Exit::Done)
}

fn socket(session: &Session, config: &Config) -> Result<PathBuf, Failure> {
    let runtime = session.runtime.as_ref().ok_or_else(|| {
        Failure::said(
            Exit::Usage,
            session.output.lang,
            "XDG_RUNTIME_DIR がありません。自分だけが開けるメモリ上のフォルダを指定してください"
                .to_owned(),
            "XDG_RUNTIME_DIR is not set: name a folder in memory that is open to you alone"
                .to_owned(),
        )
    })?;
    Ok(agent::socket_in(runtime, config.archive))
}

/// Seals the key medium under a new passphrase.
pub(super) fn passphrase(session: &Session, arguments: &NewPassphrase) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let custody = Custody::take(session)?;
    let present = custody.kek.parameters().unwrap_or_default();
    let parameters = KdfParameters {
        memory_kib: arguments
            .memory
            .map_or(present.memory_kib, |mib| mib * 1024),
        passes: arguments.passes.unwrap_or(present.passes),
        ..present
    };
    let passphrase = Passphrase::obtain(&PassphraseSource {
        file: arguments.new_passphrase_file.clone(),
        credentials: None,
        prompt: if session.interactive {
            Prompt::New
        } else {
            Prompt::Never
        },
    })?;
    if let Err(error) = custody.kek.seal_under_passphrase(&passphrase, parameters) {
        return Err(half_sealed(session, &custody, &passphrase, error));
    }
    let KdfParameters {
        memory_kib,
        passes,
        lanes,
    } = parameters;
    session.output.event(&json!({
        "event": "passphrase-changed", "memory_kib": memory_kib, "passes": passes, "lanes": lanes,
    }));
    let mib = memory_kib / 1024;
    session.output.say(&lang.pick(
        format!("鍵媒体を新しいパスフレーズで封じました(Argon2id、{mib} MiB、{passes} 回)。以前のパスフレーズや分散片では、もう開きません"),
        format!("the key medium is sealed under the new passphrase (Argon2id, {mib} MiB, {passes} passes). Earlier passphrases and shares open it no more"),
    ));
    session.output.note(lang.pick(
        "鍵媒体の古い写しは、以前のパスフレーズや分散片で開きます。写しを作り直し、古いものは破棄してください",
        "old copies of the key medium still open with what opened them then: make new copies and destroy the old ones",
    ));
    custody.record(session);
    Ok(Exit::Done)
}

/// A medium failed while the others may be sealed under the new passphrase already: then it counts, and whoever forgets it loses all.
fn half_sealed(
    session: &Session,
    custody: &Custody,
    passphrase: &Passphrase,
    error: KeyError,
) -> Failure {
    let place = provider_file(&custody.config);
    let entropy = Arc::clone(&session.environment.entropy);
    if FileKek::open(place, custody.config.archive, passphrase, entropy).is_err() {
        return error.into();
    }
    let failure = Failure::from(error);
    let (exit, cause) = (failure.exit(), failure.text(session.output.lang));
    Failure::said(
        exit,
        session.output.lang,
        format!(
            "新しいパスフレーズはすでに有効です。忘れないでください。鍵媒体の一つに書けませんでした: {cause}。直してから archiver keys unlock で確かめてください"
        ),
        format!(
            "the new passphrase IS in force: keep it. One key medium could not be written: {cause}. Mend it, then try the passphrase with 'archiver keys unlock'"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixture::{self, Bench};
    use crate::store::durable::faults::{Call, Fault, Outcome};
    use crate::store::durable::replace_file;

    /// A change of the passphrase in which one call fails; tells what was said, and whether the old and the new passphrase open.
    fn change(call: Call, path: &str) -> (String, bool, bool) {
        let mut bench = Bench::new();
        let disk = Arc::clone(&bench.session.environment.disk);
        let file = |name: &str, text: &[u8]| {
            let path = bench.place.path().join(name);
            replace_file(&*disk, &path, text).unwrap();
            path
        };
        let old = file("old", fixture::passphrase().reveal());
        let new = file("new", b"known to nobody yet");
        bench.session.common.passphrase_file = Some(old.clone());
        bench.disk.arm(Fault {
            call: Some(call),
            path: path.to_owned(),
            after: 0,
            sticky: true,
            error: std::io::ErrorKind::Other,
            outcome: Outcome::Lost,
        });
        let arguments = NewPassphrase {
            new_passphrase_file: Some(new.clone()),
            memory: Some(8),
            passes: Some(1),
        };
        let failure = passphrase(&bench.session, &arguments).unwrap_err();
        let opens = |file: &PathBuf| {
            let entropy = Arc::clone(&bench.session.environment.entropy);
            let passphrase = Passphrase::from_file(file).unwrap();
            let place = provider_file(&bench.config);
            FileKek::open(place, bench.config.archive, &passphrase, entropy).is_ok()
        };
        let text = failure.text(crate::cli::lang::Lang::En);
        (text, opens(&old), opens(&new))
    }

    #[test]
    fn a_passphrase_that_is_in_force_after_a_failure_is_said_to_be() {
        let (text, old, new) = change(Call::Remove, "kek.json.old");
        assert!(text.contains("IS in force"), "{text}");
        assert_eq!((old, new), (false, true));
        let (text, old, new) = change(Call::Create, "kek.json.new");
        assert!(!text.contains("in force"), "{text}");
        assert_eq!((old, new), (true, false));
    }
}
