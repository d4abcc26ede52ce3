//! `archiver scrub --add-parity`

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::Config;

use super::request::Request;

pub(super) fn run(
    session: &Session,
    _config: &Config,
    _request: &Request,
) -> Result<Exit, Failure> {
    Err(Failure::said(
        Exit::Usage,
        session.output.lang,
        "設定に segments.parity がありません".to_owned(),
        "the configuration has no segments.parity".to_owned(),
    ))
}
