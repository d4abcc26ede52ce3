//! `verifier verify`.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::recognise::Kind;
use verifier::report::{FileRole, Report};
use verifier::source::{DigestSource, InputFile, KnownDigests};
use verifier::verdict::Conclusion;

use super::files::{DataFile, parse_digest, read, read_anchors, read_crl_files, read_ocsp_files};
use super::output::OutputArgs;
use super::{CannotJudge, EXIT_CANNOT_JUDGE, exit_code, judgement_time, parse_time};

/// The arguments of `verifier verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Evidence: a package (.asice), an evidence record, a time-stamp token or response, a CAdES signature. Recognised by content.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// A document that the evidence covers. May be given several times.
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,

    /// The digest of a document that is not at hand, like SHA-256:2cf2…
    #[arg(long, value_name = "ALG:HEX", value_parser = parse_digest)]
    data_digest: Vec<KnownDigests>,

    /// A certificate that you trust, as PEM or DER, or a directory of them. Without it, trust cannot be judged.
    #[arg(long, value_name = "PEM_OR_DIR")]
    trust: Vec<PathBuf>,

    /// A CRL that the evidence does not hold itself, as PEM or DER. May be given several times.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// An OCSP response that the evidence does not hold itself, as DER. May be given several times.
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,

    /// Judge as of this time instead of now: 2030-12-31 or 2030-12-31T23:59:59+09:00.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,

    /// A verification policy instead of the one that is built in.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &VerifyArgs) -> Result<u8, CannotJudge> {
    let anchors = read_anchors(&arguments.trust)?;
    let policy = read_policy(arguments)?;
    let mut files = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        files.push(InputFile::new(path.to_string_lossy(), read(path)?));
    }
    let data: Vec<DataFile> = arguments
        .data
        .iter()
        .map(|path| DataFile::open(path))
        .collect::<Result<_, _>>()?;
    let sources: Vec<&dyn DigestSource> = data
        .iter()
        .map(|file| file as &dyn DigestSource)
        .chain(
            arguments
                .data_digest
                .iter()
                .map(|digest| digest as &dyn DigestSource),
        )
        .collect();
    let crls = read_crl_files(&arguments.crl)?;
    let ocsp_responses = read_ocsp_files(&arguments.ocsp)?;
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &crls,
        ocsp_responses: &ocsp_responses,
        policy: &policy,
        time: judgement_time(arguments.at),
        cache: None,
        registry: None,
    };
    let report = verify(&files, &sources, &context);
    arguments.output.write(&report, &context)?;
    Ok(code_of(&report))
}

fn read_policy(arguments: &VerifyArgs) -> Result<Policy, CannotJudge> {
    let Some(path) = &arguments.policy else {
        return Ok(Policy::default());
    };
    Policy::parse(&read(path)?)
        .map_err(|error| CannotJudge(format!("{} is refused: {error}", path.display())))
}

/// A file that is no evidence could not be judged; that is told apart from evidence that leaves a question open.
fn code_of(report: &Report) -> u8 {
    let nothing_known = report
        .files
        .iter()
        .any(|file| file.role == FileRole::Evidence && file.kind == Some(Kind::Unknown));
    if nothing_known && report.judgement.conclusion() == Conclusion::Indeterminate {
        return EXIT_CANNOT_JUDGE;
    }
    exit_code(report.judgement.conclusion())
}
