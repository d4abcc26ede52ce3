//! Renewals in words and as JSON.

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment};
use crate::cli::query::rfc3339;
use crate::evidence::calendar::{Cause, End, EndReason, Lack, Obstacle, PlannedAction};
use crate::evidence::renew::RenewalAction;

/// What is done.
pub(in crate::cli::commands) fn action(action: &RenewalAction, lang: Lang) -> String {
    match action {
        RenewalAction::TimeStamp {
            track, algorithm, ..
        } => {
            let (digest, track) = (algorithm.name(), track_words(*track, lang));
            lang.pick(
                format!("タイムスタンプの更新 {digest}{track}"),
                format!("time-stamp renewal under {digest}{track}"),
            )
        }
        RenewalAction::HashTree {
            track, from, to, ..
        } => {
            let track = track_words(*track, lang);
            lang.pick(
                format!("ハッシュ木の更新 {} → {}{track}", from.name(), to.name()),
                format!("hash-tree renewal {} → {}{track}", from.name(), to.name()),
            )
        }
        RenewalAction::ReHash { algorithm, .. } => lang.pick(
            format!("内容の再ハッシュ {}(内容を読みます)", algorithm.name()),
            format!("re-hash with {} (reads content)", algorithm.name()),
        ),
        RenewalAction::Material { batches } => {
            let count = grouped(batches.len() as u64);
            lang.pick(
                format!("トークン {count} 個の検証情報を集める"),
                format!("collect validation material for {count} tokens"),
            )
        }
    }
}

fn track_words(track: u8, lang: Lang) -> &'static str {
    if track == 0 {
        ""
    } else {
        lang.pick("(第二のトークン)", " (second tokens)")
    }
}

/// Why.
pub(in crate::cli::commands) fn cause(cause: &Cause, lang: Lang) -> String {
    match cause {
        Cause::End(one) => end(one, lang),
        Cause::Material(lack) => lack_words(lack, lang),
        Cause::Age { stamped_at } => lang.pick(
            format!("{} のトークンが設定した年限に達した", moment(*stamped_at)),
            format!(
                "the token of {} has reached the configured age",
                moment(*stamped_at)
            ),
        ),
    }
}

/// What is at hand about a certificate, and why it is not enough.
fn lack_words(lack: &Lack, lang: Lang) -> String {
    let (certificate, since) = (&lack.certificate, moment(lack.since));
    match lack.issued.map(moment) {
        None => lang.pick(
            format!("{certificate} の失効情報がない"),
            format!("nothing tells whether {certificate} was revoked"),
        ),
        Some(issued) => lang.pick(
            format!("{certificate} の失効情報はトークンより前の {issued} のもので、{since} から新しいものを得られる"),
            format!("what tells whether {certificate} was revoked is of {issued}, before the token; newer information can be had from {since}"),
        ),
    }
}

/// What ends, when, and who says so.
pub(in crate::cli::commands) fn end(end: &End, lang: Lang) -> String {
    let (at, source) = (moment(end.at), &end.source);
    let what = what_ends(&end.reason, lang);
    match &end.reason {
        EndReason::DoesNotVerify(code) => lang.pick(
            format!("トークンが検証に合格しない: {code}"),
            format!("the token does not verify: {code}"),
        ),
        EndReason::CertificatePath
        | EndReason::Signature(_)
        | EndReason::SignatureDigest(_)
        | EndReason::TreeDigest(_) => lang.pick(
            format!("{what}は {at} まで [{source}]"),
            format!("{what} until {at} [{source}]"),
        ),
    }
}

/// What ends.
pub(in crate::cli::commands) fn what_ends(reason: &EndReason, lang: Lang) -> String {
    match reason {
        EndReason::CertificatePath => lang
            .pick("時刻認証局の証明書", "the authority's certificates")
            .to_owned(),
        EndReason::Signature(algorithm) => lang.pick(
            format!("署名アルゴリズム {algorithm}"),
            format!("signatures with {algorithm}"),
        ),
        EndReason::SignatureDigest(digest) => lang.pick(
            format!("署名のハッシュ関数 {}", digest.name()),
            format!("signatures over {}", digest.name()),
        ),
        EndReason::TreeDigest(digest) => lang.pick(
            format!("ハッシュ木の {}", digest.name()),
            format!("hash trees of {}", digest.name()),
        ),
        EndReason::DoesNotVerify(code) => code.clone(),
    }
}

/// Why something cannot be done, and what to do.
pub(in crate::cli::commands) fn obstacle(obstacle: &Obstacle, lang: Lang) -> String {
    match obstacle {
        Obstacle::NewTokenEndsNoLater {
            tsa,
            stamped_at,
            ends_at,
        } => {
            let (made, ends) = (moment(*stamped_at), moment(*ends_at));
            lang.pick(
                format!("{tsa} が {made} に出したトークンも {ends} に終わるので、今更新しても延びません。局の証明書の更新を待つか、別の局を設定してください(--force で試せます)"),
                format!("a token that {tsa} gave {made} ends {ends}, too: nothing is gained now. Await the authority's new certificate or configure another authority (--force tries all the same)"),
            )
        }
        Obstacle::Doubt(code) => lang.pick(
            format!("今は検証できません: {code}。検証情報が得られれば解消します"),
            format!("cannot be verified now: {code}; with validation material it may be"),
        ),
        Obstacle::NoMaterial { certificate, since } => {
            let since = moment(*since);
            lang.pick(
                format!("{certificate} の失効情報を {since} から得られていません。ネットワークと局のサービスを確かめ、局が閉じていれば CRL を手で集めてください(verifier verify --crl)"),
                format!("what tells whether {certificate} was revoked could not be had since {since}: look at the network and the authority's service; where it has closed, keep a CRL by hand (verifier verify --crl)"),
            )
        }
        Obstacle::NoDigest { from } => lang.pick(
            format!("{} より長く信頼されるハッシュ関数がありません。アルゴリズムポリシーか renewal.third_digest を見直してください", from.name()),
            format!("no digest algorithm is trusted for longer than {}: look at the algorithm policy and renewal.third_digest", from.name()),
        ),
    }
}

/// An action for machines.
pub(in crate::cli::commands) fn action_json(planned: &PlannedAction) -> Value {
    let value = json!({
        "action": planned.action.name(),
        "due": rfc3339(planned.due),
        "latest": planned.latest.map(rfc3339),
        "records": planned.versions,
        "requests": planned.action.requests(),
        "bytes": planned.bytes,
        "cause": cause_json(&planned.cause),
    });
    let more = match &planned.action {
        RenewalAction::TimeStamp {
            track,
            algorithm,
            heads,
        } => json!({ "track": track, "algorithm": algorithm.name(), "chains": heads.len() }),
        RenewalAction::HashTree {
            track,
            from,
            to,
            heads,
        } => {
            json!({ "track": track, "from": from.name(), "to": to.name(), "chains": heads.len() })
        }
        RenewalAction::ReHash { algorithm, .. } => json!({ "algorithm": algorithm.name() }),
        RenewalAction::Material { batches } => json!({ "tokens": batches.len() }),
    };
    with(value, more)
}

/// An object with the members of another one.
pub(in crate::cli::commands) fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(all), Value::Object(more)) = (&mut value, more) {
        all.extend(more);
    }
    value
}

fn cause_json(cause: &Cause) -> Value {
    match cause {
        Cause::End(end) => end_json(end),
        Cause::Material(lack) => json!({
            "reason": "material", "certificate": lack.certificate, "issued": lack.issued.map(rfc3339), "since": rfc3339(lack.since),
        }),
        Cause::Age { stamped_at } => {
            json!({ "reason": "age", "stamped_at": rfc3339(*stamped_at) })
        }
    }
}

/// An end for machines.
pub(in crate::cli::commands) fn end_json(end: &End) -> Value {
    json!({
        "reason": end.reason.name(),
        "what": end.reason.to_string(),
        "at": rfc3339(end.at),
        "source": end.source,
    })
}

/// A time, or that there is none.
pub(in crate::cli::commands) fn moment_or_none(time: Option<OffsetDateTime>, lang: Lang) -> String {
    time.map_or_else(|| lang.pick("なし", "none").to_owned(), moment)
}
