//! `archiver renew --drill ALGORITHM@DATE`: what must be done, how long it takes, and what would be lost if nothing were done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use formats::id::{BatchId, VersionId};
use serde_json::json;
use time::OffsetDateTime;
use verifier::policy::{AlgorithmSet, Policy};

use crate::archive::{Access, Archive};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment, sized};
use crate::cli::query::{instant, rfc3339};
use crate::cli::session::Session;
use crate::evidence::calendar::{
    Assumptions, ChainFacts, Forecast, RenewalOptions, forecast, plan,
};
use crate::evidence::renew::RenewalAction;

use super::sample::{self, SAMPLE_MAX, Sample};
use super::{facts, words};

/// The question.
struct Question {
    algorithms: AlgorithmSet,
    /// The last moment at which they are trusted.
    last: OffsetDateTime,
}

/// What would be lost if nothing were done.
#[derive(Default)]
struct Loss {
    records: u64,
    classes: BTreeMap<String, u64>,
    oldest: Option<(OffsetDateTime, VersionId)>,
    /// All versions that have evidence, evenly thinned out: what is measured.
    sample: Vec<VersionId>,
    content_bytes: u64,
}

/// How long the work takes, by what was measured.
struct Effort {
    seconds: Option<f64>,
    sampled: u64,
    requests: u64,
}

pub(super) fn run(session: &Session, text: &str) -> Result<Exit, Failure> {
    let question = question(text, session.output.lang)?;
    let archive = session.open(Access::Read)?;
    let now = archive.environment().clock.now();
    let source = format!("drill {text}");
    let policy = archive
        .policy()
        .with_end(&question.algorithms, question.last, &source);
    let chains = facts(session, &archive, &policy)?;
    let options = RenewalOptions::from(&archive.config().renewal);
    let assumptions = Assumptions::from_facts(&chains);
    let found = forecast(
        &chains,
        &policy,
        &options,
        assumptions,
        now,
        question.last.max(now),
    );
    let loss = loss(session, &archive, &chains, &policy, &options, question.last)?;
    let effort = effort(&archive, &chains, &found, &loss)?;
    tell(session, &question, &found, &effort, &loss);
    Ok(if found.lost.is_empty() && found.blocked.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn question(text: &str, lang: Lang) -> Result<Question, Failure> {
    let wrong = |why: String| {
        Failure::said(
            Exit::Usage,
            lang,
            format!(
                "--drill {text}: sha256@2031-04-01 または rsa-2048@2030-12-31 の形で指定してください: {why}"
            ),
            format!(
                "--drill {text}: give an algorithm and a day, as sha256@2031-04-01 or rsa-2048@2030-12-31: {why}"
            ),
        )
    };
    let (algorithm, date) = text.rsplit_once('@').ok_or_else(|| wrong("@".to_owned()))?;
    let algorithms: AlgorithmSet = algorithm
        .parse()
        .map_err(|error| wrong(format!("{error}")))?;
    let first_without = instant(date).ok_or_else(|| wrong(date.to_owned()))?;
    Ok(Question {
        algorithms,
        last: first_without.saturating_sub(time::Duration::SECOND),
    })
}

/// A version is lost when all of its newest chains are.
fn loss(
    session: &Session,
    archive: &Archive,
    chains: &[ChainFacts],
    policy: &Policy,
    options: &RenewalOptions,
    last: OffsetDateTime,
) -> Result<Loss, Failure> {
    let after = last.saturating_add(time::Duration::SECOND);
    let lost: BTreeSet<BatchId> = plan(chains, policy, options, after)
        .lost
        .iter()
        .map(|lost| lost.head)
        .collect();
    let total = archive.catalog().counts()?.versions;
    let stride = (total / SAMPLE_MAX as u64).max(1);
    let bar = session
        .output
        .spinner(session.output.lang.pick("記録の集計", "counting records"));
    let (mut found, mut failure, mut seen) = (Loss::default(), None, 0_u64);
    archive.catalog().for_each(&mut |hit| {
        let mut newest = Vec::new();
        for track in 0..2 {
            match archive.catalog().chains_of(hit.version, track) {
                Ok(starts) => newest.extend(starts.last().map(|start| start.head)),
                Err(error) => {
                    failure = Some(error);
                    return false;
                }
            }
        }
        if newest.is_empty() {
            return true;
        }
        if seen % stride == 0 {
            found.sample.push(hit.version);
        }
        seen += 1;
        bar.set_position(seen);
        found.content_bytes += hit.objects.iter().map(|object| object.size).sum::<u64>();
        if newest.iter().all(|head| lost.contains(head)) {
            found.records += 1;
            let older = found
                .oldest
                .is_none_or(|(oldest, _)| hit.received_at < oldest);
            if older && hit.readable {
                found.oldest = Some((hit.received_at, hit.version));
            }
            *found.classes.entry(hit.class).or_default() += 1;
        }
        true
    })?;
    bar.finish_and_clear();
    match failure {
        None => Ok(found),
        Some(error) => Err(error.into()),
    }
}

fn effort(
    archive: &Archive,
    chains: &[ChainFacts],
    found: &Forecast,
    loss: &Loss,
) -> Result<Effort, Failure> {
    let mut seconds = Some(0.0);
    let mut sampled = 0;
    let mut add = |sample: Sample, units: u64| {
        sampled += sample.units;
        let more = sample.extrapolated(units).map(|took| took.as_secs_f64());
        seconds = seconds.zip(more).map(|(sum, more)| sum + more);
    };
    let mut trees: Option<Sample> = None;
    for step in &found.steps {
        match &step.action.action {
            RenewalAction::HashTree { to, .. } => {
                let tree = trees.unwrap_or_else(|| sample::hash_tree(archive, &loss.sample, *to));
                trees = Some(tree);
                add(tree, step.action.versions);
            }
            RenewalAction::TimeStamp { heads, .. } => {
                add(sample::time_stamp(archive, chains), heads.len() as u64);
            }
            RenewalAction::ReHash { .. } => {
                add(sample::content(archive, &loss.sample)?, loss.content_bytes);
            }
            RenewalAction::Material { .. } => {}
        }
    }
    Ok(Effort {
        seconds,
        sampled,
        requests: found.requests(),
    })
}

fn tell(session: &Session, question: &Question, found: &Forecast, effort: &Effort, loss: &Loss) {
    let lang = session.output.lang;
    let say = |text: String| session.output.say(&text);
    session.output.event(&json!({
        "event": "drill",
        "algorithm": question.algorithms.to_string(),
        "last": rfc3339(question.last),
        "must_do": found.steps.iter().map(|step| {
            words::with(words::action_json(&step.action), json!({ "at": rfc3339(step.at) }))
        }).collect::<Vec<_>>(),
        "requests": effort.requests,
        "bytes": found.bytes(),
        "seconds": effort.seconds,
        "measured": { "units": effort.sampled, "extrapolated": true },
        "cannot": found.blocked.iter().map(|one| words::obstacle(&one.why, lang)).collect::<Vec<_>>(),
        "lost_although_done": found.lost.iter().map(|one| one.versions).sum::<u64>(),
        "lost_if_nothing_is_done": {
            "records": loss.records,
            "classes": loss.classes,
            "oldest": loss.oldest.map(|(at, version)| json!({ "record": version.to_string(), "received_at": rfc3339(at) })),
        },
    }));
    let (name, last) = (&question.algorithms, moment(question.last));
    say(lang.pick(
        format!("訓練: {name} が {last} を最後に信頼されなくなるとしたら"),
        format!("drill: {name} is trusted until {last} and no longer"),
    ));
    say(lang
        .pick("それまでに行うこと", "what must be done until then")
        .to_owned());
    if found.steps.is_empty() {
        say(lang.pick("  なし", "  nothing").to_owned());
    }
    for step in &found.steps {
        let (at, what) = (moment(step.at), words::action(&step.action.action, lang));
        let records = grouped(step.action.versions);
        let why = words::cause(&step.action.cause, lang);
        say(lang.pick(
            format!("  {at} {what}: {records} 版({why})"),
            format!("  {at} {what}: {records} record versions ({why})"),
        ));
    }
    for blocked in &found.blocked {
        let why = words::obstacle(&blocked.why, lang);
        say(lang.pick(
            format!("できないこと: {why}"),
            format!("cannot be done: {why}"),
        ));
    }
    tell_effort(session, found, effort);
    tell_loss(session, loss);
}

fn tell_effort(session: &Session, found: &Forecast, effort: &Effort) {
    let lang = session.output.lang;
    let (requests, bytes) = (effort.requests, sized(found.bytes()));
    let sampled = grouped(effort.sampled);
    let took = effort
        .seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map(|took| format!("{took:.1?}"));
    session.output.say(&match took {
        Some(took) => lang.pick(
            format!("所要: 約 {took}(この保管庫の標本 {sampled} 単位の実測から推定。時刻認証局の応答と媒体への書き込みは含みません)、時刻認証局への要求 {requests} 回、各データ媒体に約 {bytes}"),
            format!("it takes about {took} (extrapolated from a sample of {sampled} units measured in this archive; without the authority's answers and writing to media), {requests} requests to an authority, about {bytes} on each data medium"),
        ),
        None => lang.pick(
            format!("所要: 標本を読めず推定できません。時刻認証局への要求 {requests} 回、各データ媒体に約 {bytes}"),
            format!("how long it takes cannot be estimated, no sample could be read; {requests} requests to an authority, about {bytes} on each data medium"),
        ),
    });
}

fn tell_loss(session: &Session, loss: &Loss) {
    let lang = session.output.lang;
    let records = grouped(loss.records);
    session.output.say(&lang.pick(
        format!("何もしなければ失われる証明: {records} 版"),
        format!("proof lost if nothing is done: {records} record versions"),
    ));
    for (class, count) in &loss.classes {
        let count = grouped(*count);
        let class = if class.is_empty() { "?" } else { class };
        session.output.say(&format!("  {class}: {count}"));
    }
    if let Some((at, version)) = loss.oldest {
        let at = moment(at);
        session.output.say(&lang.pick(
            format!("  最も古いもの: {version}({at} 受領)"),
            format!("  the oldest: {version}, received {at}"),
        ));
    }
}
