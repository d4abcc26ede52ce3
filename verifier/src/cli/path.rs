//! `verifier path`: one certification path by RFC 5280.

use std::path::{Path, PathBuf};

use clap::Args;
use formats::oid::{self, Oid};
use formats::x509::read_certificates;
use time::OffsetDateTime;
use verifier::budget::Budget;
use verifier::certificate::Certificate;
#[cfg(feature = "online")]
use verifier::path::TrustAnchor;
use verifier::path::report::Fetched;
use verifier::path::{
    AlgorithmRule, Material, PathOptions, PathOutcome, ProfileRule, Purpose, report, validate_path,
};
use verifier::policy::{Policy, RevocationRule};
#[cfg(feature = "online")]
use verifier::revocation::{ServiceKind, services};

use super::files::{read, read_anchors, read_crl_files, read_ocsp_files};
#[cfg(feature = "online")]
use super::online::{Gathered, Online, OnlineArgs};
use super::{CannotJudge, Format, Lang, exit_code, judgement_time, parse_time, print};

/// The arguments of `verifier path`.
#[derive(Debug, Args)]
pub(crate) struct PathArgs {
    /// The certificate to judge, as PEM or DER.
    #[arg(value_name = "CERT")]
    certificate: PathBuf,

    /// More certificates that the path may need, as PEM or DER. They are not trusted. May be given several times.
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,

    /// A CRL, as PEM or DER. May be given several times.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// An OCSP response, as DER. May be given several times.
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,

    /// A certificate that you trust, as PEM or DER, or a directory of them.
    #[arg(long, required = true, value_name = "PEM_OR_DIR")]
    trust: Vec<PathBuf>,

    /// Judge for this time instead of now: 2030-12-31 or 2030-12-31T23:59:59+09:00.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,

    /// The purpose that the certificate must allow. 1.3.6.1.5.5.7.3.8 (time-stamping) must be its only one, and critical (RFC 3161 §2.3).
    #[arg(long, value_name = "OID", value_parser = parse_oid)]
    eku: Option<Oid>,

    /// A certificate policy that is acceptable; without any, all are (user-initial-policy-set). May be given several times.
    #[arg(long, value_name = "OID", value_parser = parse_oid)]
    policy_oid: Vec<Oid>,

    /// The path must be valid for a policy (initial-explicit-policy).
    #[arg(long)]
    require_explicit_policy: bool,

    /// Policy mappings are not allowed (initial-policy-mapping-inhibit).
    #[arg(long)]
    inhibit_policy_mapping: bool,

    /// The policy anyPolicy does not count (initial-any-policy-inhibit).
    #[arg(long)]
    inhibit_any_policy: bool,

    /// Do not look at revocation. Without this, every certificate of the path needs a CRL or an OCSP response.
    #[arg(long)]
    no_revocation: bool,

    /// Every departure from RFC 5280 §4 and §5 is an error, like a missing key identifier or CRL number. Without this, only those that contradict themselves
    /// or take a constraint away; the others are warnings.
    #[arg(long, conflicts_with = "no_profile")]
    strict: bool,

    /// Do not look at how certificates and CRLs are made: only the path validation of RFC 5280 §6 counts, as for evidence.
    #[arg(long)]
    no_profile: bool,

    #[cfg(feature = "online")]
    #[command(flatten)]
    online: OnlineArgs,

    /// The form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The language of the report; without it, that of the environment.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &PathArgs) -> Result<u8, CannotJudge> {
    let time = judgement_time(arguments.at);
    let (outcome, fetched) = judge(arguments, time)?;
    let language = Lang::or_environment(arguments.lang);
    print(&match arguments.format {
        Format::Text => {
            let exchanges = fetched.map(|list| report::fetched_text(&list, language));
            report::to_text(&outcome, time, language) + &exchanges.unwrap_or_default()
        }
        Format::Json => {
            let mut value = report::to_value(&outcome, time, language);
            if let (Some(list), Some(members)) = (fetched, value.as_object_mut()) {
                members.insert("fetched".to_owned(), report::fetched_value(&list));
            }
            format!("{value:#}\n")
        }
    })?;
    Ok(exit_code(outcome.verdict().conclusion()))
}

/// The outcome, and what was fetched for it if the program was told to go online.
type Judged = (PathOutcome, Option<Vec<Fetched>>);

fn judge(arguments: &PathArgs, time: OffsetDateTime) -> Result<Judged, CannotJudge> {
    let target = target(&arguments.certificate)?;
    let anchors = read_anchors(&arguments.trust)?;
    let mut certificates = Vec::new();
    for path in &arguments.chain {
        let list = read_certificates(&read(path)?).map_err(|error| {
            CannotJudge(format!("{} holds no certificate: {error}", path.display()))
        })?;
        certificates.extend(list);
    }
    let crls = read_crl_files(&arguments.crl)?;
    let ocsp_responses = read_ocsp_files(&arguments.ocsp)?;
    let material = Material {
        certificates: certificates.iter().map(|other| other.raw()).collect(),
        crls: crls.iter().map(Vec::as_slice).collect(),
        ocsp_responses: ocsp_responses.iter().map(Vec::as_slice).collect(),
    };
    #[cfg(feature = "online")]
    let online = gather(arguments, &target, &material, &anchors, time);
    #[cfg(feature = "online")]
    let material = with(&material, online.as_ref().map(Online::gathered));
    #[cfg(feature = "online")]
    let fetched = online
        .as_ref()
        .map(|online| online.gathered().fetched.clone());
    #[cfg(not(feature = "online"))]
    let fetched = None;
    let policy = Policy::default();
    let options = options(arguments, &policy);
    let mut budget = Budget::default();
    let outcome = validate_path(&target, &material, &anchors, time, &options, &mut budget);
    Ok((outcome, fetched))
}

/// Fetches what is missing, until nothing new comes: a certificate that was fetched has services of its own.
#[cfg(feature = "online")]
fn gather(
    arguments: &PathArgs,
    target: &[u8],
    given: &Material<'_>,
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
) -> Option<Online> {
    let mut online = Online::by(arguments.online)?;
    loop {
        let material = with(given, Some(online.gathered()));
        let mut wanted = services(target, &material, anchors, time, None);
        if arguments.no_revocation {
            wanted.retain(|service| service.kind == ServiceKind::Issuer);
        }
        if !online.fetch(&wanted) {
            return Some(online);
        }
    }
}

/// What was given, and what was fetched.
#[cfg(feature = "online")]
fn with<'a>(given: &Material<'a>, gathered: Option<&'a Gathered>) -> Material<'a> {
    let mut all = given.clone();
    if let Some(gathered) = gathered {
        let slices = |list: &'a [Vec<u8>]| list.iter().map(Vec::as_slice);
        all.certificates.extend(slices(&gathered.certificates));
        all.crls.extend(slices(&gathered.crls));
        all.ocsp_responses.extend(slices(&gathered.ocsp_responses));
    }
    all
}

/// The first certificate of the file. One that cannot be read is not judged at all.
fn target(path: &Path) -> Result<Vec<u8>, CannotJudge> {
    let none = |why: String| CannotJudge(format!("{} holds no certificate: {why}", path.display()));
    let list = read_certificates(&read(path)?).map_err(|error| none(error.to_string()))?;
    let target = list
        .first()
        .map(|target| target.raw().to_vec())
        .ok_or_else(|| none("it is empty".to_owned()))?;
    Certificate::parse(&target).map_err(|error| none(error.to_string()))?;
    Ok(target)
}

fn options<'a>(arguments: &PathArgs, policy: &'a Policy) -> PathOptions<'a> {
    PathOptions {
        purpose: match &arguments.eku {
            None => Purpose::Any,
            Some(purpose) if *purpose == oid::KP_TIME_STAMPING => Purpose::TimeStamping,
            Some(purpose) => Purpose::ExtendedKeyUsage(purpose.clone()),
        },
        policies: arguments.policy_oid.clone(),
        require_explicit_policy: arguments.require_explicit_policy,
        inhibit_policy_mapping: arguments.inhibit_policy_mapping,
        inhibit_any_policy: arguments.inhibit_any_policy,
        revocation: if arguments.no_revocation {
            RevocationRule::Off
        } else {
            RevocationRule::Required
        },
        // RFC 5280 has no opinion about algorithms: a weak one is told, and does not decide.
        algorithms: AlgorithmRule::Report(policy),
        profile: match (arguments.strict, arguments.no_profile) {
            (true, _) => ProfileRule::Everything,
            (false, true) => ProfileRule::Ignore,
            (false, false) => ProfileRule::Contradictions,
        },
        // CRLs that exist today may be used for a time in the past.
        material_time: Some(judgement_time(None)),
        signed_at: None,
        proof_of_existence: None,
        cache: None,
    }
}

fn parse_oid(text: &str) -> Result<Oid, String> {
    text.parse()
        .map_err(|_| "an object identifier looks like 1.3.6.1.5.5.7.3.8".to_owned())
}
