//! `archiver paper-text`: the process that reads a PDF for the service, without keys and within limits.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::paper;

pub(in crate::cli) fn run(session: &Session) -> Result<Exit, Failure> {
    let served = paper::serve(&mut std::io::stdin().lock(), &mut std::io::stdout().lock());
    served.map_err(|error| {
        Failure::said(
            Exit::Unusable,
            session.output.lang,
            format!("PDF を読み取れません ({error})"),
            format!("the PDF cannot be read ({error})"),
        )
    })?;
    Ok(Exit::Done)
}
