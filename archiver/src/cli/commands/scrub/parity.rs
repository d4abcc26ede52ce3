//! `archiver scrub --add-parity`

use std::sync::Arc;

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped, sized};
use crate::cli::session::Session;
use crate::config::Config;
use crate::store::scrub::ScrubMedia;

use super::request::Request;
use super::words;

/// Makes the parity that sealed segments lack, and makes anew what is damaged.
pub(super) fn run(session: &Session, config: &Config, request: &Request) -> Result<Exit, Failure> {
    let (output, lang) = (&session.output, session.output.lang);
    let Some(parity) = config.parity else {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "設定に segments.parity がありません。[segments] parity = \"10+2\" のように加えてください".to_owned(),
            "the configuration has no segments.parity: add [segments] parity = \"10+2\"".to_owned(),
        ));
    };
    let disk = Arc::clone(&session.environment.disk);
    let media = ScrubMedia::open(&config.data, config.archive, &disk)?;
    let pace = request.pace(session, None);
    let segments = media.segments()?;
    let label = lang.pick("パリティの作成", "making parity");
    let bar = output.bar(label, segments.len() as u64, Unit::Items);
    let (mut files, mut bytes, mut failed) = (0_u64, 0, 0_u64);
    for one in segments {
        for mending in media.mend_parity(one.segment, Some(parity.into()), true, &pace)? {
            match mending.made {
                Some(Ok(written)) => {
                    files += 1;
                    bytes += written;
                    output.event(&json!({
                        "event": "parity", "segment": one.segment, "medium": mending.medium.to_string(), "bytes": written,
                    }));
                }
                Some(Err(error)) => {
                    failed += 1;
                    output.note(&words::parity_failed(lang, one.segment, &error));
                }
                None => {}
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    for directory in &media.absent {
        output.note(&words::absent(lang, directory));
    }
    output.event(
        &json!({ "event": "summary", "parity_files": files, "bytes": bytes, "failed": failed }),
    );
    let (files, size) = (grouped(files), sized(bytes));
    output.say(&lang.pick(
        format!("パリティファイル {files} 個({size})を作りました。作れなかったもの {failed}"),
        format!("made {files} parity files ({size}), {failed} could not be made"),
    ));
    Ok(match (failed, media.absent.is_empty()) {
        (0, true) => Exit::Done,
        (0, false) => Exit::Medium,
        _ => Exit::Integrity,
    })
}
