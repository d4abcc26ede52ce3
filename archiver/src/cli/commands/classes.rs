//! `archiver classes`

use serde_json::json;

use crate::archive;
use crate::class::ClassRegistry;
use crate::cli::arguments::Classes;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;

pub(in crate::cli) fn run(session: &Session, arguments: &Classes) -> Result<Exit, Failure> {
    // Works without an archive, too: the starter set is part of the program.
    let classes = match session.config() {
        Ok(config) => {
            session.tell_evaluation(&config);
            archive::classes(&config)?
        }
        Err(_) if session.common.config.is_none() => ClassRegistry::built_in()?,
        Err(failure) => return Err(failure),
    };
    if let Some(id) = &arguments.id {
        let class = classes.class(id)?;
        session.output.say(class.text().trim_end());
        session
            .output
            .event(&json!({ "class": id, "text": class.text() }));
        return Ok(Exit::Done);
    }
    for class in classes.iter() {
        let policy = class.policy();
        session.output.say(&format!(
            "{:<18} {}  {}",
            policy.id, policy.title.ja, policy.title.en
        ));
        session.output.event(&json!({
            "class": policy.id,
            "title": { "ja": policy.title.ja, "en": policy.title.en },
            "digests": class.digests().iter().map(|d| json!({ "algorithm": d.algorithm().name(), "value": d.to_hex() })).collect::<Vec<_>>(),
        }));
    }
    Ok(Exit::Done)
}
