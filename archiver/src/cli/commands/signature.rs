//! `archiver signature`, and what other commands need to sign.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use formats::cades::{Level, detach};
use formats::digest::DigestAlgorithm;
use formats::id::VersionId;
use serde_json::json;
use time::OffsetDateTime;

use crate::archive::{Access, Archive, Authorities};
use crate::cli::arguments::SignatureOf;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, moment};
use crate::cli::query;
use crate::cli::session::Session;
use crate::evidence::calendar::RenewalOptions;
use crate::signature::raise::level;
use crate::signature::{
    ArchiveSigner, Planned, RaiseOptions, RaiseSummary, Raiser, Reach, SignatureError, Step,
};

use super::get::{resolve, write_beside};

pub(in crate::cli) fn run(session: &Session, arguments: &SignatureOf) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let wanted = query::record(&arguments.record, lang)?;
    let level_wanted = arguments
        .level
        .as_deref()
        .map(|name| level_named(session, name))
        .transpose()?;
    let archive = session.open(Access::Read)?;
    let version = resolve(&archive, wanted)?;
    let signature = match level_wanted {
        None => stored(&archive, version)?,
        Some(level) => made_for(&archive, version, level)?,
    };
    let level = level(&signature)?;
    let (detached, content) = detach(&signature).map_err(SignatureError::from)?;
    let is_attached = arguments
        .output
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("p7m"));
    write(
        session,
        &arguments.output,
        if is_attached { &signature } else { &detached },
    )?;
    if let Some(path) = &arguments.content {
        write(session, path, &content)?;
    }
    session.output.event(&json!({
        "event": "signature", "record": version.record().to_string(), "version": version.version(),
        "path": arguments.output, "level": level.es_name(), "baseline": level.baseline_name(),
        "attached": is_attached, "kept": level_wanted.is_none(),
    }));
    let path = arguments.output.display();
    session.output.say(&lang.pick(
        format!("記録 {version} の署名({level})を {path} に書きました"),
        format!("wrote the signature of {version}, {level}, to {path}"),
    ));
    Ok(Exit::Done)
}

fn level_named(session: &Session, name: &str) -> Result<Level, Failure> {
    Level::from_name(name).ok_or_else(|| {
        Failure::said(
            Exit::Usage,
            session.output.lang,
            format!("--level {name}: ES-BES、ES-T、ES-C、ES-XL、ES-A、B-B、B-T、B-LT、B-LTA のどれかを指定してください"),
            format!("--level {name}: give one of ES-BES, ES-T, ES-C, ES-XL, ES-A, B-B, B-T, B-LT, B-LTA"),
        )
    })
}

fn stored(archive: &Archive, version: VersionId) -> Result<Vec<u8>, Failure> {
    let stored = archive.signature_keeper(None).stored(version)?;
    let stored = stored.ok_or(SignatureError::NoSignature { version })?;
    Ok(stored.signature)
}

/// A new signature at a level, which is not kept.
fn made_for(archive: &Archive, version: VersionId, level: Level) -> Result<Vec<u8>, Failure> {
    let signer = signer(archive)?;
    let keeper = archive.signature_keeper(Some(&signer));
    let hit = archive.catalog().version(version)?;
    let demand = hit.and_then(|hit| keeper.demand(&hit.class));
    let digest = demand.map_or(DigestAlgorithm::Sha256, |demand| demand.digest);
    let signature = keeper.sign(version, digest)?;
    if level == Level::Bes {
        return Ok(signature);
    }
    let authorities = archive.authorities()?;
    let mut raiser = raiser(&authorities, &signer);
    raiser.digest = digest;
    Ok(raiser.raise(&signature, None, level, archive.environment().clock.now())?)
}

/// The archive as a signer.
pub(super) fn signer(archive: &Archive) -> Result<ArchiveSigner, Failure> {
    let missing = || SignatureError::NoKey {
        path: archive.config().keys.join("signing"),
    };
    Ok(archive.signer()?.ok_or_else(missing)?)
}

/// What raises signatures with the configured authorities.
pub(super) fn raiser<'a>(authorities: &'a Authorities, signer: &'a ArchiveSigner) -> Raiser<'a> {
    Raiser {
        authority: &authorities.first,
        material: authorities.material.as_ref(),
        anchors: &authorities.anchors,
        signer,
        digest: DigestAlgorithm::Sha256,
    }
}

/// Signs new versions whose classes ask for it. A signature is no condition of a deposit: what hinders it is told, and `stamp` tries again.
pub(super) fn sign_deposited(session: &Session, archive: &Archive, versions: &[VersionId]) {
    let signed = sign_versions(archive, versions);
    match signed {
        Ok(summary) if summary.signed > 0 => tell(session, &summary),
        Ok(_) => {}
        Err(failure) => session.output.note(&session.output.lang.pick(
            format!(
                "署名は archiver stamp のときに付けます: {}",
                failure.text(session.output.lang)
            ),
            format!(
                "the signatures are left to 'archiver stamp': {}",
                failure.text(session.output.lang)
            ),
        )),
    }
}

fn sign_versions(archive: &Archive, versions: &[VersionId]) -> Result<RaiseSummary, Failure> {
    let keeper = archive.signature_keeper(None);
    let mut wanted = Vec::new();
    for version in versions {
        let hit = archive.catalog().version(*version)?;
        if hit.is_some_and(|hit| keeper.demand(&hit.class).is_some()) {
            wanted.push(*version);
        }
    }
    if wanted.is_empty() {
        return Ok(RaiseSummary::default());
    }
    let signer = signer(archive)?;
    let appender = archive.store().appender()?;
    Ok(archive.signature_keeper(Some(&signer)).raise_due(
        &appender,
        None,
        Reach::Sign(&wanted),
        &RaiseOptions::default(),
        &mut |_, _| {},
    )?)
}

/// Signs and timestamps the signatures of versions that were just stamped. What no authority gives is told, and left to `archiver renew`.
pub(super) fn stamp_signatures(
    session: &Session,
    archive: &Archive,
    authorities: &Authorities,
    versions: &[VersionId],
) -> Result<(), Failure> {
    raise(session, archive, authorities, Reach::Stamp(versions))?;
    Ok(())
}

/// Raises and re-stamps every signature that is due.
pub(super) fn renew_signatures(
    session: &Session,
    archive: &Archive,
) -> Result<RaiseSummary, Failure> {
    if planned(archive)?.is_empty() {
        return Ok(RaiseSummary::default());
    }
    let authorities = archive.authorities()?;
    raise(session, archive, &authorities, Reach::All)
}

/// Says what is due for signatures, and what will be.
pub(super) fn tell_plan(session: &Session, archive: &Archive) -> Result<(), Failure> {
    let lang = session.output.lang;
    let now = archive.environment().clock.now();
    let mut steps: BTreeMap<Step, (u64, Option<OffsetDateTime>)> = BTreeMap::new();
    for planned in planned(archive)? {
        let entry = steps.entry(planned.due.step).or_default();
        entry.0 += 1;
        entry.1 = entry.1.min(Some(planned.due.at)).or(Some(planned.due.at));
    }
    for (step, (count, first)) in steps {
        let first = first.unwrap_or(now);
        session.output.event(&json!({
            "event": "signature-plan", "step": format!("{step:?}"), "level": step.level().es_name(), "signatures": count,
            "first": query::rfc3339(first), "due": first <= now, "requests": step.requests() * count,
        }));
        let (count, level, first) = (grouped(count), step.level(), moment(first.max(now)));
        session.output.say(&lang.pick(
            format!("署名 {count} 件を {level} に上げる: 最も早いもので {first} から"),
            format!("{count} signatures to {level}: the first from {first}"),
        ));
    }
    Ok(())
}

fn planned(archive: &Archive) -> Result<Vec<Planned>, Failure> {
    let anchors = archive.trust()?;
    let mut keeper = archive.signature_keeper(None);
    keeper.anchors = &anchors;
    Ok(keeper.plan(&options(archive))?)
}

/// As early as evidence records are renewed.
fn options(archive: &Archive) -> RaiseOptions {
    let renewal = RenewalOptions::from(&archive.config().renewal);
    RaiseOptions {
        lead: renewal.path_lead.max(renewal.algorithm_lead),
        ..RaiseOptions::default()
    }
}

fn raise(
    session: &Session,
    archive: &Archive,
    authorities: &Authorities,
    reach: Reach<'_>,
) -> Result<RaiseSummary, Failure> {
    let lang = session.output.lang;
    let Some(signer) = archive.signer()? else {
        return Ok(RaiseSummary::default());
    };
    let appender = archive.store().appender()?;
    let anchors = archive.trust()?;
    let raiser = raiser(authorities, &signer);
    let mut keeper = archive.signature_keeper(Some(&signer));
    keeper.anchors = &anchors;
    let bar = session.output.spinner(lang.pick("署名", "signatures"));
    let summary = keeper.raise_due(
        &appender,
        Some(&raiser),
        reach,
        &options(archive),
        &mut |done, _| bar.set_position(done as u64),
    );
    bar.finish_and_clear();
    let summary = summary?;
    tell(session, &summary);
    if let Some(error) = &summary.outage {
        session.output.note(&lang.pick(
            format!("署名へのタイムスタンプは archiver renew を待ちます: {error}"),
            format!("the timestamps over signatures are left to 'archiver renew': {error}"),
        ));
    }
    Ok(summary)
}

/// Says what was done to signatures.
pub(super) fn tell(session: &Session, summary: &RaiseSummary) {
    let lang = session.output.lang;
    for version in &summary.unreadable {
        session.output.note(&lang.pick(
            format!(
                "記録 {version} の署名または目録を開けません。archiver verify で確かめてください"
            ),
            format!(
                "the signature or manifest of {version} cannot be opened: see 'archiver verify'"
            ),
        ));
    }
    if summary.is_empty() && summary.waiting == 0 {
        return;
    }
    session.output.event(&json!({
        "event": "signatures", "signed": summary.signed, "timestamped": summary.timestamped,
        "raised": summary.raised, "restamped": summary.restamped, "waiting": summary.waiting,
        "unreadable": summary.unreadable.len(),
    }));
    for (number, ja, en) in [
        (summary.signed, "署名しました(ES-BES)", "signed (ES-BES)"),
        (
            summary.timestamped,
            "署名にタイムスタンプを付けました(ES-T)",
            "signatures timestamped (ES-T)",
        ),
        (
            summary.raised,
            "署名を長期の形式に上げました(ES-XL、ES-A)",
            "signatures raised (ES-X Long, ES-A)",
        ),
        (
            summary.restamped,
            "署名に再スタンプしました(ES-A)",
            "signatures re-stamped (ES-A)",
        ),
        (
            summary.waiting,
            "署名が時刻認証局を待っています",
            "signatures wait for an authority",
        ),
    ] {
        if number > 0 {
            let count = grouped(number);
            session
                .output
                .say(&lang.pick(format!("{ja}: {count} 件"), format!("{en}: {count}")));
        }
    }
}

/// Writes a file whole, or not at all.
pub(super) fn write(session: &Session, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_beside(session.environment.disk.as_ref(), path, |file| {
        file.write_all(bytes).is_ok()
    })
}
