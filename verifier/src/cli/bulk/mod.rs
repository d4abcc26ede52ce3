//! `verifier verify DIR`: everything in a directory, one row for each piece of evidence, and a summary that can be signed.

mod judge;
mod progress;
mod sign;
mod table;
mod walk;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use formats::digest::DigestAlgorithm;
use serde_json::json;
use time::OffsetDateTime;
use verifier::bulk::pairs::Pairs;
use verifier::bulk::run::Parameters;
use verifier::bulk::summary::anchor_digests;
use verifier::bulk::table::RowFacts;
use verifier::bulk::{Cache, Row, RunHeader, Scope, Status, Summary, TableDigest, Tally};
use verifier::context::Context;
use verifier::finding::Language;
use verifier::registry::StatutoryAnswer;
use verifier::report::json::rfc3339;

use self::judge::Judge;
use self::progress::Progress;
use self::sign::SummarySigner;
use self::table::{Table, end_run, run_path, write_new};
use self::walk::Walk;
use super::files::read;
use super::output::OutputArgs;
use super::verify::Basis;
use super::{CannotJudge, EXIT_CANNOT_JUDGE, exit_code, judgement_time, print};

/// Items that are judged before their rows are written: all that is in memory at a time.
const CHUNK_ITEMS: usize = 256;

/// The arguments of `verifier verify DIR` beside those of `verifier verify FILE`.
#[derive(Debug, Args)]
#[command(next_help_heading = "For a directory (一括検証)")]
pub(crate) struct BulkArgs {
    /// Write one row for each piece of evidence to this table (CSV in UTF-8 that Excel opens). It must not exist yet.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Go on with a run of --csv that was interrupted: with the same arguments, as of the same time. Rows that are there are kept.
    #[arg(long, requires = "csv")]
    resume: bool,

    /// Which data each piece of evidence is about: lines of evidence,data with paths below the directory. Without it, NAME.tsr, NAME.tst,
    /// NAME.ers, NAME.p7s and NAME.xml are about NAME beside them.
    #[arg(long, value_name = "FILE.csv")]
    pairs: Option<PathBuf>,

    /// Leave out documents for which there is no evidence. Without it, each of them is a row: its evidence may have been lost.
    #[arg(long)]
    evidence_only: bool,

    /// Write the summary to this file as JSON, and beside it as a page (.html).
    #[arg(long, value_name = "FILE.json")]
    summary: Option<PathBuf>,

    /// Sign the summary with this key (PKCS#8 in PEM, P-256 or P-384): FILE.json.p7s, CAdES B-B.
    #[arg(
        long,
        value_name = "PEM",
        requires = "summary",
        requires = "sign_certificate"
    )]
    sign_key: Option<PathBuf>,

    /// The certificate of that key, and those above it, as PEM.
    #[arg(long, value_name = "PEM", requires = "sign_key")]
    sign_certificate: Option<PathBuf>,

    /// The passphrase of the key is the first line of this file. Without it, it is asked for.
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    sign_passphrase_file: Option<PathBuf>,

    /// Print one line of JSON for each item, and one for the summary.
    #[arg(long)]
    json: bool,
}

impl BulkArgs {
    /// Whether anything is asked for that only a directory can give.
    pub(crate) const fn is_used(&self) -> bool {
        self.csv.is_some()
            || self.resume
            || self.pairs.is_some()
            || self.evidence_only
            || self.summary.is_some()
            || self.json
    }

    /// Files of the run that are no evidence.
    fn own_files(&self) -> Vec<PathBuf> {
        let mut own: Vec<PathBuf> = [
            &self.csv,
            &self.pairs,
            &self.summary,
            &self.sign_key,
            &self.sign_certificate,
            &self.sign_passphrase_file,
        ]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
        own.extend(self.csv.as_deref().map(run_path));
        if let Some(summary) = &self.summary {
            own.extend([page_path(summary), signature_path(summary)]);
        }
        own
    }
}

/// How a directory is verified.
pub(crate) struct Bulk<'a> {
    pub(crate) arguments: &'a BulkArgs,
    pub(crate) directory: &'a Path,
    pub(crate) basis: &'a Basis,
    pub(crate) at: Option<OffsetDateTime>,
    pub(crate) output: &'a OutputArgs,
    pub(crate) language: Language,
    /// Files that the other arguments name, which are no evidence.
    pub(crate) own: Vec<PathBuf>,
}

impl Bulk<'_> {
    /// Judges everything; gives the exit code of the worst item.
    pub(crate) fn run(self) -> Result<u8, CannotJudge> {
        let arguments = self.arguments;
        let started_at = judgement_time(None);
        let signer = self.signer()?;
        self.check_outputs()?;
        let (pairs, pairs_bytes) = self.pairs()?;
        let mut run = RunHeader {
            parameters: self.parameters(&pairs_bytes)?,
            verified_at: judgement_time(self.at),
        };
        if let (Some(csv), true) = (&arguments.csv, arguments.resume) {
            let before = Table::interrupted(csv)?;
            if before.parameters != run.parameters {
                return Err(CannotJudge(
                    "--resume: the run was begun with other arguments, trust anchors, policy or version".to_owned(),
                ));
            }
            run = before;
        }
        let bare = self.basis.context(run.verified_at);
        let cache = Cache::new(&bare);
        let judge = Judge {
            context: Context {
                cache: Some(&cache),
                ..bare
            },
            language: self.language,
            evidence_only: arguments.evidence_only,
            threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        };
        let mut own = arguments.own_files();
        own.extend(self.own.iter().cloned());
        let mut walk = Walk::new(self.directory, &pairs, &own);
        let (resumed_rows, tally, table) = self.judge_all(&judge, &mut walk, &run)?;
        let summary = Summary {
            tool: ("verifier".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            scope: Scope::Directory {
                path: self.directory.to_string_lossy().into_owned(),
            },
            verified_at: run.verified_at,
            started_at,
            finished_at: judgement_time(None),
            resumed_rows,
            policy: (
                self.basis.policy.name().to_owned(),
                self.basis.policy_digest,
            ),
            anchors: anchor_digests(&judge.context),
            registry: self.basis.registry_digest,
            tally,
            table,
        };
        self.hand_out(&summary, signer.as_ref())?;
        if let Some(csv) = &arguments.csv {
            end_run(csv)?;
        }
        Ok(match summary.tally.worst() {
            Status::Judged(conclusion) => exit_code(conclusion),
            Status::CannotJudge => EXIT_CANNOT_JUDGE,
        })
    }

    fn judge_all(
        &self,
        judge: &Judge<'_>,
        walk: &mut Walk<'_>,
        run: &RunHeader,
    ) -> Result<(u64, Tally, Option<TableDigest>), CannotJudge> {
        let language = self.language;
        let mut table = match &self.arguments.csv {
            None => None,
            Some(csv) if self.arguments.resume => {
                let known = |row: &RowFacts| pass_known(judge, walk, row);
                Some(Table::resume(csv, language, known)?)
            }
            Some(csv) => Some(Table::create(csv, run, language)?),
        };
        let resumed = table.as_ref().map_or(0, |table| table.tally().items);
        let mut tally = Tally::default();
        let progress = Progress::new(!self.arguments.json, language);
        loop {
            let items: Vec<_> = walk.by_ref().take(CHUNK_ITEMS).collect();
            if items.is_empty() {
                break;
            }
            let rows: Vec<Row> = judge.rows(&items).into_iter().flatten().collect();
            if self.arguments.json {
                print(&rows.iter().map(event).collect::<String>())?;
            }
            match &mut table {
                Some(table) => table.add(&rows)?,
                None => rows.iter().for_each(|row| tally.add(&RowFacts::of(row))),
            }
            progress.show(table.as_ref().map_or(&tally, Table::tally));
        }
        progress.clear();
        Ok(match table {
            None => (resumed, tally, None),
            Some(table) => {
                let (digest, tally) = table.finish()?;
                (resumed, tally, Some(digest))
            }
        })
    }

    fn signer(&self) -> Result<Option<SummarySigner>, CannotJudge> {
        let arguments = self.arguments;
        let (Some(key), Some(certificate)) = (&arguments.sign_key, &arguments.sign_certificate)
        else {
            return Ok(None);
        };
        let passphrase = arguments.sign_passphrase_file.as_deref();
        SummarySigner::open(key, certificate, passphrase).map(Some)
    }

    /// Better before hours of work than after.
    fn check_outputs(&self) -> Result<(), CannotJudge> {
        let Some(summary) = &self.arguments.summary else {
            return Ok(());
        };
        let csv = self.arguments.csv.as_deref();
        let mut names: Vec<PathBuf> = csv.map(Path::to_owned).into_iter().collect();
        names.extend(csv.map(run_path));
        for path in [summary.clone(), page_path(summary), signature_path(summary)] {
            if names.contains(&path) {
                return Err(CannotJudge(format!(
                    "{} would be written twice: give table and summary other names",
                    path.display()
                )));
            }
            names.push(path.clone());
            if path.exists() {
                let path = path.display();
                return Err(CannotJudge(format!(
                    "{path} exists already and is not overwritten"
                )));
            }
        }
        Ok(())
    }

    /// The pairs; evidence that they name must be there.
    fn pairs(&self) -> Result<(Pairs, Vec<u8>), CannotJudge> {
        let Some(path) = &self.arguments.pairs else {
            return Ok((Pairs::default(), Vec::new()));
        };
        let refused = |why: String| CannotJudge(format!("{}: {why}", path.display()));
        let bytes = read(path)?;
        let pairs = Pairs::read(&bytes).map_err(|error| refused(error.to_string()))?;
        for (evidence, data) in pairs.iter() {
            for name in [evidence, data] {
                let below = Path::new(name)
                    .components()
                    .all(|step| matches!(step, std::path::Component::Normal(_)));
                let at = self.directory.join(name);
                let is_file = at.symlink_metadata().is_ok_and(|found| found.is_file());
                if !below || !is_file {
                    return Err(refused(format!("{name} is no file below the directory")));
                }
            }
        }
        Ok((pairs, bytes))
    }

    /// Everything that a row depends on, but the files themselves.
    fn parameters(&self, pairs: &[u8]) -> Result<formats::digest::DigestValue, CannotJudge> {
        let directory = std::fs::canonicalize(self.directory).map_err(|error| {
            CannotJudge(format!(
                "{} cannot be read: {error}",
                self.directory.display()
            ))
        })?;
        let basis = self.basis;
        let language = match self.language {
            Language::Japanese => "ja",
            Language::English => "en",
        };
        let digest = |digest: Option<formats::digest::DigestValue>| {
            digest.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec())
        };
        let mut parameters = Parameters::new("verifier", env!("CARGO_PKG_VERSION"))
            .with("directory", directory.as_os_str().as_encoded_bytes())
            .with("language", language.as_bytes())
            .with("policy", &digest(basis.policy_digest))
            .with("registry", &digest(basis.registry_digest))
            .with("pairs", DigestAlgorithm::Sha256.digest(pairs).as_bytes())
            .with("evidence-only", &[u8::from(self.arguments.evidence_only)])
            .with(
                "at",
                self.at.and_then(rfc3339).unwrap_or_default().as_bytes(),
            );
        for anchor in &basis.anchors {
            parameters = parameters.with("anchor", anchor.certificate());
        }
        for crl in &basis.crls {
            parameters = parameters.with("crl", crl);
        }
        for response in &basis.ocsp_responses {
            parameters = parameters.with("ocsp", response);
        }
        Ok(parameters.finish())
    }

    fn hand_out(
        &self,
        summary: &Summary,
        signer: Option<&SummarySigner>,
    ) -> Result<(), CannotJudge> {
        let text = summary.to_json();
        if let Some(path) = &self.arguments.summary {
            write_new(path, text.as_bytes())?;
            write_new(&page_path(path), summary.to_html().as_bytes())?;
            if let Some(signer) = signer {
                let signature = signer.sign(&text, summary.finished_at)?;
                write_new(&signature_path(path), &signature)?;
            }
        }
        if self.arguments.json {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            return print(&format!(
                "{}\n",
                json!({ "event": "summary", "summary": value })
            ));
        }
        self.output.write_summary(summary)
    }
}

/// Goes on in the walk to the item of a row that is there. What the walk passes on the way had no row: it must not have got one since.
fn pass_known(judge: &Judge<'_>, walk: &mut Walk<'_>, row: &RowFacts) -> Result<(), CannotJudge> {
    let changed = || {
        CannotJudge(
            "--resume: the directory was changed since the run was interrupted: start anew"
                .to_owned(),
        )
    };
    loop {
        let item = walk.next().ok_or_else(changed)?;
        let named = RowFacts::of(&Row::not_judged(&item.name, judge.context.time, ""));
        if named.item == row.item {
            return Ok(());
        }
        if judge.row(&item).is_some() {
            return Err(changed());
        }
    }
}

/// A line of JSON about an item.
fn event(row: &Row) -> String {
    let statutory = match row.statutory {
        StatutoryAnswer::Yes => Some(true),
        StatutoryAnswer::No => Some(false),
        StatutoryAnswer::Unknown => None,
    };
    let line = json!({
        "event": "item", "item": row.item, "data": row.data, "conclusion": row.status.name(),
        "sub_indication": row.sub_indication, "integrity": row.integrity, "verified_at": rfc3339(row.verified_at),
        "authority": row.authority, "serial": row.serial, "time": row.time.and_then(rfc3339),
        "valid_until": row.valid_until, "hash": row.digest, "statutory": statutory, "reasons": row.reasons,
    });
    format!("{line}\n")
}

fn page_path(summary: &Path) -> PathBuf {
    summary.with_extension("html")
}

fn signature_path(summary: &Path) -> PathBuf {
    let mut name = summary.as_os_str().to_owned();
    name.push(".p7s");
    PathBuf::from(name)
}
