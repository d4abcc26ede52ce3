//! `archiver tsa`

mod check;
mod status;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use formats::x509::encode_pem;
use tokio::net::TcpListener;

use crate::archive::{self, Environment};
use crate::cli::arguments::Tsa;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::{KeyMedium, LedgerAccess};
use crate::tsa::{server, vault};

pub(in crate::cli) fn run(session: &Session, command: &Tsa) -> Result<Exit, Failure> {
    match command {
        Tsa::Check { name } => check::run(session, name.as_deref()),
        Tsa::Status => status::run(session),
        Tsa::Serve { listen } => serve(session, *listen),
        Tsa::TrustAnchors { output } => trust_anchors(session, output),
    }
}

fn trust_anchors(session: &Session, output: &Path) -> Result<Exit, Failure> {
    let config = session.config()?;
    let anchor = vault::trust_anchor(&config.keys).map_err(archive::ArchiveError::from)?;
    write_anchors(session, &[anchor], output)?;
    Ok(Exit::Done)
}

/// Writes root certificates as PEM.
pub(super) fn write_anchors(
    session: &Session,
    anchors: &[Vec<u8>],
    output: &Path,
) -> Result<(), Failure> {
    let text: String = anchors
        .iter()
        .map(|anchor| encode_pem("CERTIFICATE", anchor))
        .collect();
    if output == Path::new("-") {
        session.output.say(text.trim_end());
        return Ok(());
    }
    super::get::write_beside(session.environment.disk.as_ref(), output, |file| {
        std::io::Write::write_all(file, text.as_bytes()).is_ok()
    })
}

/// The authority needs only the key medium, so it can run while the archive is at work.
fn serve(session: &Session, listen: SocketAddr) -> Result<Exit, Failure> {
    let config = session.config()?;
    let keys = keys(session, &config)?;
    let environment: &Environment = &session.environment;
    let authority = archive::embedded(&keys, environment)?;
    let unusable = |error: std::io::Error| Failure::Said {
        exit: Exit::Unusable,
        text: format!("{listen}: {error}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(unusable)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        session.output.event(&serde_json::json!({ "event": "listening", "url": format!("http://{address}/") }));
        session.output.say(&session.output.lang.pick(
            format!("時刻認証局(認定を受けたものではありません)が http://{address}/ で待っています。Ctrl-C で終わります"),
            format!("time-stamping authority (NOT ACCREDITED) at http://{address}/, its root at /root.pem; Ctrl-C ends it"),
        ));
        server::serve(listener, authority, stopped()).await.map_err(unusable)
    })?;
    Ok(Exit::Done)
}

/// The key medium, opened for reading.
fn keys(session: &Session, config: &Config) -> Result<KeyMedium, Failure> {
    let unlock = session.unlock(config)?;
    let entropy = Arc::clone(&session.environment.entropy);
    let access = LedgerAccess::Read;
    Ok(KeyMedium::open(
        Arc::clone(&session.environment.disk),
        &config.keys,
        config.archive,
        &unlock,
        access,
        entropy,
    )?)
}

/// Resolves at Ctrl-C or when the service manager asks to stop.
pub(super) async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        drop(interrupt.await);
        return;
    };
    tokio::select! {
        result = interrupt => drop(result),
        _ = terminate.recv() => {}
    }
}
