//! `verifier verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use formats::digest::{DigestAlgorithm, DigestValue};
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::recognise::Kind;
use verifier::registry::Registry;
use verifier::report::{FileRole, Report};
use verifier::source::{DigestSource, InputFile, KnownDigests};
use verifier::verdict::Conclusion;

use super::bulk::{Bulk, BulkArgs};
use super::files::{parse_digest, read, read_anchors, read_crl_files, read_ocsp_files};
use super::input::{DataFile, OpenFile, STANDARD_INPUT};
#[cfg(feature = "online")]
use super::online::{Gathered, Online, OnlineArgs};
use super::output::OutputArgs;
use super::{CannotJudge, EXIT_CANNOT_JUDGE, exit_code, judgement_time, parse_time};

/// The arguments of `verifier verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Evidence: a package (.asice), an evidence record, a time-stamp token or response, a CAdES signature. Recognised by content;
    /// - is standard input. Or one directory: everything in it is judged (一括検証).
    #[arg(required = true, value_name = "FILE_OR_DIR")]
    files: Vec<PathBuf>,

    /// A document that the evidence covers; - is standard input. May be given several times.
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

    /// Which time-stamping services were accredited when (TOML): says of each time-stamp whether it counts as statutory (法定).
    #[arg(long, value_name = "FILE")]
    tsa_registry: Option<PathBuf>,

    #[cfg(feature = "online")]
    #[command(flatten)]
    online: OnlineArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    bulk: BulkArgs,
}

/// What evidence is judged with, read from the files of the arguments.
pub(crate) struct Basis {
    pub(crate) anchors: Vec<TrustAnchor>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) ocsp_responses: Vec<Vec<u8>>,
    pub(crate) policy: Policy,
    /// SHA-256 of the file of the policy, if one was given.
    pub(crate) policy_digest: Option<DigestValue>,
    registry: Option<Registry>,
    /// SHA-256 of the file of the registry, if one was given.
    pub(crate) registry_digest: Option<DigestValue>,
}

impl Basis {
    fn read(arguments: &VerifyArgs) -> Result<Self, CannotJudge> {
        let refused = |path: &Path, why: &dyn std::fmt::Display| {
            CannotJudge(format!("{} is refused: {why}", path.display()))
        };
        let digest = |bytes: &Vec<u8>| DigestAlgorithm::Sha256.digest(bytes);
        let policy_bytes = arguments.policy.as_deref().map(read).transpose()?;
        let policy = match (&arguments.policy, &policy_bytes) {
            (Some(path), Some(bytes)) => {
                Policy::parse(bytes).map_err(|error| refused(path, &error))?
            }
            _ => Policy::default(),
        };
        let registry_bytes = arguments.tsa_registry.as_deref().map(read).transpose()?;
        let registry = match (&arguments.tsa_registry, &registry_bytes) {
            (Some(path), Some(bytes)) => {
                Some(Registry::read(bytes).map_err(|error| refused(path, &error))?)
            }
            _ => None,
        };
        Ok(Self {
            anchors: read_anchors(&arguments.trust)?,
            crls: read_crl_files(&arguments.crl)?,
            ocsp_responses: read_ocsp_files(&arguments.ocsp)?,
            policy,
            policy_digest: policy_bytes.as_ref().map(digest),
            registry,
            registry_digest: registry_bytes.as_ref().map(digest),
        })
    }

    /// The context of a judgement as of a time.
    pub(crate) fn context(&self, time: OffsetDateTime) -> Context<'_> {
        Context {
            anchors: &self.anchors,
            certificates: &[],
            crls: &self.crls,
            ocsp_responses: &self.ocsp_responses,
            policy: &self.policy,
            time,
            cache: None,
            registry: self.registry.as_ref(),
        }
    }
}

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &VerifyArgs) -> Result<u8, CannotJudge> {
    let basis = Basis::read(arguments)?;
    if let Some(directory) = arguments.files.iter().find(|path| path.is_dir()) {
        #[cfg(feature = "online")]
        if arguments.online.online {
            return Err(CannotJudge(
                "--online is for files, not for a directory".to_owned(),
            ));
        }
        return verify_directory(arguments, directory, &basis);
    }
    if arguments.bulk.is_used() {
        return Err(CannotJudge(
            "--csv, --resume, --pairs, --evidence-only, --summary and --json are for a directory"
                .to_owned(),
        ));
    }
    check_standard_input(arguments)?;
    let opened: Vec<OpenFile> = arguments
        .files
        .iter()
        .map(|path| OpenFile::open(path))
        .collect::<Result<_, _>>()?;
    let files: Vec<InputFile<'_>> = opened.iter().map(OpenFile::input).collect();
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
    let context = basis.context(judgement_time(arguments.at));
    let report = verify(&files, &sources, &context);
    #[cfg(feature = "online")]
    let report = match Online::by(arguments.online) {
        None => report,
        Some(mut online) => {
            online.complete(&report, &context);
            judge_again(&files, &sources, &context, online.gathered())
        }
    };
    for file in &opened {
        file.check_unchanged()?;
    }
    for file in &data {
        file.check_unchanged()?;
    }
    arguments.output.write(&report, &context)?;
    Ok(code_of(&report))
}

/// Standard input can be read once.
fn check_standard_input(arguments: &VerifyArgs) -> Result<(), CannotJudge> {
    let given = arguments.files.iter().chain(&arguments.data);
    let from_standard_input = given.filter(|path| path.as_os_str() == STANDARD_INPUT);
    if from_standard_input.count() > 1 {
        return Err(CannotJudge(
            "- (standard input) can be given once".to_owned(),
        ));
    }
    Ok(())
}

/// 一括検証: everything in a directory.
fn verify_directory(
    arguments: &VerifyArgs,
    directory: &Path,
    basis: &Basis,
) -> Result<u8, CannotJudge> {
    if arguments.files.len() > 1 || !arguments.data.is_empty() || !arguments.data_digest.is_empty()
    {
        return Err(CannotJudge(
            "a directory is verified alone: its data stand in it (see --pairs)".to_owned(),
        ));
    }
    let others = [&arguments.trust, &arguments.crl, &arguments.ocsp];
    let mut own: Vec<PathBuf> = others.into_iter().flatten().cloned().collect();
    own.extend(arguments.policy.iter().cloned());
    own.extend(arguments.tsa_registry.iter().cloned());
    Bulk {
        arguments: &arguments.bulk,
        directory,
        basis,
        at: arguments.at,
        output: &arguments.output,
        language: arguments.output.language(),
        own,
    }
    .run()
}

/// Judges with what was fetched beside what was given, and tells where it came from.
#[cfg(feature = "online")]
fn judge_again(
    files: &[InputFile<'_>],
    sources: &[&dyn DigestSource],
    context: &Context<'_>,
    gathered: &Gathered,
) -> Report {
    let certificates = [context.certificates, &gathered.certificates].concat();
    let crls = [context.crls, &gathered.crls].concat();
    let ocsp_responses = [context.ocsp_responses, &gathered.ocsp_responses].concat();
    let context = Context {
        certificates: &certificates,
        crls: &crls,
        ocsp_responses: &ocsp_responses,
        ..*context
    };
    let mut report = verify(files, sources, &context);
    report.findings.extend(gathered.findings());
    report
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
