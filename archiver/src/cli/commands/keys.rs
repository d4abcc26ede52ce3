//! `archiver keys`

use std::path::Path;
use std::sync::Arc;

use formats::x509::{Certificate, encode_pem};
use serde_json::json;

use crate::archive::ArchiveError;
use crate::cli::arguments::{Keys, SigningKey};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::keys::{KeyMedium, KeyPlace, LedgerAccess};
use crate::signature::{ArchiveSigner, SignatureError, vault};

use super::signature::write;
use super::tsa::write_anchors;

mod backup_ceremony;
mod ceremony;
mod custody;
mod intake;
mod inventory;
mod rotation;
mod unlock;
mod words;

pub(in crate::cli) fn run(session: &Session, command: &Keys) -> Result<Exit, Failure> {
    match command {
        Keys::Signing(command) => signing(session, command),
        Keys::Ceremony(arguments) => ceremony::ceremony(session, arguments),
        Keys::Intake(command) => intake::run(session, command),
        Keys::Share => ceremony::share(session),
        Keys::Unlock(arguments) => unlock::unlock(session, arguments),
        Keys::Lock => unlock::lock(session),
        Keys::Rotate(arguments) => rotation::rotate(session, arguments),
        Keys::Copy(arguments) => rotation::copy(session, arguments),
        Keys::CopyGone { medium, how } => rotation::copy_gone(session, *medium, how),
        Keys::Destroy(arguments) => rotation::destroy(session, arguments),
        Keys::Inventory => inventory::inventory(session),
        Keys::Audit(arguments) => inventory::audit(session, arguments),
        Keys::Passphrase(arguments) => unlock::passphrase(session, arguments),
    }
}

fn signing(session: &Session, command: &SigningKey) -> Result<Exit, Failure> {
    if let SigningKey::TrustAnchor { output } = command {
        return trust_anchor(session, output);
    }
    // What is made goes onto every key medium, and nobody else writes meanwhile.
    let access = match command {
        SigningKey::Show => LedgerAccess::Read,
        SigningKey::Create
        | SigningKey::Request { .. }
        | SigningKey::Install { .. }
        | SigningKey::TrustAnchor { .. } => LedgerAccess::Write,
    };
    let medium = open(session, access)?;
    match command {
        SigningKey::Create => create(session, &medium)?,
        SigningKey::Show => show(session, &vault::open(&medium)?),
        SigningKey::Request { output } => request(session, &medium, output)?,
        SigningKey::Install { chain } => install(session, &medium, chain)?,
        SigningKey::TrustAnchor { .. } => {}
    }
    Ok(Exit::Done)
}

/// The signing key needs only the key medium.
fn open(session: &Session, access: LedgerAccess) -> Result<KeyMedium, Failure> {
    let config = session.config()?;
    let unlock = session.unlock(&config)?;
    Ok(KeyMedium::open(
        Arc::clone(&session.environment.disk),
        KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min),
        config.archive,
        &unlock,
        access,
        Arc::clone(&session.environment.entropy),
    )?)
}

fn create(session: &Session, medium: &KeyMedium) -> Result<(), Failure> {
    let environment = &session.environment;
    vault::create(
        medium,
        environment.disk.as_ref(),
        environment.clock.now(),
        environment.entropy.as_ref(),
    )?;
    show(session, &vault::open(medium)?);
    Ok(())
}

fn show(session: &Session, signer: &ArchiveSigner) {
    let lang = session.output.lang;
    let chain: Vec<Certificate> = signer
        .chain()
        .iter()
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .collect();
    let subjects: Vec<String> = chain.iter().map(Certificate::subject_text).collect();
    let not_after = chain
        .first()
        .and_then(|own| Some(own.x509().ok()?.validity().not_after.to_datetime()));
    session.output.event(&json!({
        "event": "signing-key", "chain": subjects, "self_issued": signer.is_self_issued(),
        "not_after": not_after.map(crate::cli::query::rfc3339),
    }));
    for (place, subject) in subjects.iter().enumerate() {
        session
            .output
            .say(&format!("{}{subject}", "  ".repeat(place)));
    }
    if let Some(end) = not_after {
        let end = crate::cli::output::moment(end);
        session
            .output
            .say(&lang.pick(format!("有効期限: {end}"), format!("valid until {end}")));
    }
    if signer.is_self_issued() {
        session.output.say(lang.pick(
            "保管庫が自ら発行した証明書です。認証局の証明書に替えるには archiver keys signing request",
            "issued by the archive itself; 'archiver keys signing request' begins to replace it by an authority's",
        ));
    }
}

fn request(session: &Session, medium: &KeyMedium, output: &Path) -> Result<(), Failure> {
    let entropy = session.environment.entropy.as_ref();
    let request = vault::request(medium, session.environment.disk.as_ref(), entropy)?;
    write(session, output, request.as_bytes())?;
    let path = output.display();
    session
        .output
        .event(&json!({ "event": "signing-request", "path": output }));
    session.output.say(&session.output.lang.pick(
        format!("証明書発行要求を {path} に書きました。発行された証明書の鎖は archiver keys signing install で入れます。それまでは今の鍵で署名します"),
        format!("wrote the certificate request to {path}; install the chain that is issued for it with 'archiver keys signing install'. Until then the present key signs"),
    ));
    Ok(())
}

fn install(session: &Session, medium: &KeyMedium, chain: &Path) -> Result<(), Failure> {
    let pem = std::fs::read(chain).map_err(|source| SignatureError::Io {
        path: chain.to_path_buf(),
        source,
    })?;
    let now = session.environment.clock.now();
    let signer = vault::install(medium, session.environment.disk.as_ref(), &pem, now)?;
    show(session, &signer);
    Ok(())
}

fn trust_anchor(session: &Session, output: &Path) -> Result<Exit, Failure> {
    let config = session.config()?;
    let anchor = vault::trust_anchor(&config.keys).map_err(ArchiveError::from)?;
    let anchor = anchor.ok_or_else(|| SignatureError::NoKey {
        path: config.keys.join("signing"),
    })?;
    if output == Path::new("-") {
        session
            .output
            .say(encode_pem("CERTIFICATE", &anchor).trim_end());
        return Ok(Exit::Done);
    }
    write_anchors(session, &[anchor], output)?;
    Ok(Exit::Done)
}
