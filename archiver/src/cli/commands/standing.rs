//! What is damaged or lost as far as it is known: told by every command that says how the archive is.

use serde_json::json;

use crate::archive::Archive;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::grouped;
use crate::cli::session::Session;
use crate::scrub::standing::Standing;

/// Tells it. The answer is the exit code that it calls for.
pub(super) fn tell(session: &Session, archive: &Archive) -> Result<Exit, Failure> {
    let standing = Standing::of(archive)?;
    tell_missing(session, &standing);
    tell_damage(session, &standing);
    Ok(if standing.is_sound() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

/// Segments that no medium has.
pub(super) fn tell_missing(session: &Session, standing: &Standing) {
    let (lang, output) = (session.output.lang, &session.output);
    let told = |segment: u32, accepted: bool| {
        output.event(
            &json!({ "event": "missing-segment", "segment": segment, "accepted": accepted }),
        );
    };
    for &segment in &standing.missing {
        told(segment, false);
        output.say(&lang.pick(
            format!("失われた区画: {segment:010} はどの媒体にもありません。この区画を持つ媒体をつなぐか、失われたことを archiver rebuild --accept-loss で認めてください"),
            format!("LOST: segment {segment:010} is on no medium: mount one that has it, or accept the loss with 'archiver rebuild --accept-loss'"),
        ));
    }
    for &segment in &standing.accepted {
        told(segment, true);
        output.say(&lang.pick(
            format!("区画 {segment:010} はどの媒体にもありません(失われたことは認められています)"),
            format!("segment {segment:010} is on no medium (the loss was accepted)"),
        ));
    }
    if standing.keys_without_record > 0 {
        let keys = grouped(standing.keys_without_record);
        output.event(
            &json!({ "event": "keys-without-record", "keys": standing.keys_without_record }),
        );
        output.say(&lang.pick(
            format!("鍵台帳の鍵 {keys} 個に記録がありません。それだけの記録が失われたか、中断された預入の鍵です"),
            format!("{keys} keys of the ledger belong to no record: so many records are lost, but for deposits that were interrupted"),
        ));
    }
}

fn tell_damage(session: &Session, standing: &Standing) {
    let (lang, output) = (session.output.lang, &session.output);
    for one in &standing.damaged {
        let (segment, medium) = (one.segment, &one.medium);
        output.event(&json!({ "event": "standing-damage", "segment": segment, "medium": medium }));
        output.say(&lang.pick(
            format!("損傷のまま: 媒体 {medium} 区画 {segment:010}"),
            format!("still damaged: medium {medium}, segment {segment:010}"),
        ));
    }
    for one in &standing.lost {
        output.event(&json!({
            "event": "standing-loss", "segment": one.segment, "offset": one.offset, "end": one.end, "records": one.records,
        }));
        let place = format!("{:010}:{}-{}", one.segment, one.offset, one.end);
        let records = one.records.join(", ");
        output.say(&lang.pick(
            format!("失われた箇所: {place} {records}"),
            format!("LOST: {place} {records}"),
        ));
    }
}
