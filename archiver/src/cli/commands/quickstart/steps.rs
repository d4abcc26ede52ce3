//! The steps of the main job on an open archive.

use std::path::{Path, PathBuf};
use std::time::Instant;

use formats::id::VersionId;
use serde_json::json;
use verifier::context::Context;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::InputFile;

use crate::archive::Archive;
use crate::cli::commands::{deposit, evidence, search, signature, stamp, tsa, verify};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, moment, sized};
use crate::cli::session::Session;
use crate::intake::{FoundSource, SourceName, Walk, WalkItem, metadata};
use crate::record::deposit::DepositRequest;
use crate::record::outcome::DepositSummary;
use crate::store::catalog::{Hit, Query, ValueMatch};
use crate::store::durable::{self, Disk};

use super::samples::{Sample, samples};

/// What is handed to the other side.
#[derive(Debug)]
pub(super) struct Handover {
    /// The evidence package.
    pub(super) package: PathBuf,
    /// The trust anchors.
    pub(super) anchors: PathBuf,
}

/// The main job, step by step.
#[derive(Debug)]
pub(super) struct Steps<'a> {
    session: &'a Session,
    archive: &'a Archive,
    deposited: Exit,
}

impl<'a> Steps<'a> {
    pub(super) const fn new(session: &'a Session, archive: &'a Archive) -> Self {
        Self {
            session,
            archive,
            deposited: Exit::Done,
        }
    }

    /// How the deposits ended.
    pub(super) const fn deposit_exit(&self) -> Exit {
        self.deposited
    }

    fn say(&self, ja: String, en: String) {
        self.session
            .output
            .say(&self.session.output.lang.pick(ja, en));
    }

    /// Deposits the samples, and then what the user named.
    pub(super) fn deposit(&mut self, directory: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
        let started = Instant::now();
        let folder = directory.join("samples");
        let mut total = DepositSummary::default();
        let mut versions = Vec::new();
        for sample in samples() {
            let path = lay_out(self.session.environment.disk.as_ref(), &folder, &sample)?;
            let item = WalkItem::Found(FoundSource::File {
                path,
                name: SourceName::from_bytes(sample.file.as_bytes().to_vec()),
            });
            let request = self.request(&sample.class, &sample.meta)?;
            let one = std::iter::once(item);
            let (summary, new) =
                deposit::deposit_with_versions(self.session, self.archive, one, &request, None)?;
            versions.extend(new.versions);
            add(&mut total, summary);
        }
        let samples = total.deposited;
        if !inputs.is_empty() {
            let request = self.request("general", &[])?;
            let walk = Walk::new(inputs.to_vec(), SourceName::from_bytes(*b"stdin"));
            let (summary, new) =
                deposit::deposit_with_versions(self.session, self.archive, walk, &request, None)?;
            versions.extend(new.versions);
            add(&mut total, summary);
        }
        let seconds = started.elapsed().as_secs_f64();
        // Links to nowhere and the like are named above; what this trial must show is that everything readable went in.
        let exit = deposit::exit_of(&total);
        self.deposited = if exit == Exit::Partial {
            Exit::Done
        } else {
            exit
        };
        let ratio = percent(total.stored_bytes, total.deposited_bytes);
        let rate = sized(per_second(total.deposited_bytes, seconds));
        let (count, bytes, stored) = (
            grouped(total.deposited),
            sized(total.deposited_bytes),
            sized(total.stored_bytes),
        );
        self.say(
            format!(
                "2. 見本 {samples} 件と持ち込み {} 件、合わせて {count} 件を預け入れました",
                grouped(total.deposited - samples)
            ),
            format!(
                "2. Deposited {count} records: {samples} samples and {} of yours",
                grouped(total.deposited - samples)
            ),
        );
        self.say(
            format!("   {bytes} を圧縮・暗号化して一媒体あたり {stored}({ratio} %)、{seconds:.1} 秒(毎秒 {rate})、二媒体に同期済み"),
            format!("   {bytes} compressed and encrypted to {stored} ({ratio} %) on each of two media, {seconds:.1} s ({rate}/s), all synced"),
        );
        deposit::report_exceptions(self.session, &total);
        self.receive(directory, &versions)
    }

    /// Signs what its class wants signed, and hands over the receipt for the whole deposit.
    fn receive(&self, directory: &Path, versions: &[VersionId]) -> Result<(), Failure> {
        signature::sign_deposited(self.session, self.archive, versions);
        let request = self.request("general", &[])?;
        let path = directory.join("receipt.p7m");
        deposit::hand_receipt(self.session, self.archive, &request, versions, &path)
    }

    fn request(&self, class: &str, meta: &[String]) -> Result<DepositRequest, Failure> {
        Ok(DepositRequest {
            class: self.archive.classes().class(class)?.clone(),
            given: metadata::from_arguments(meta.iter().map(String::as_str))?,
            depositor: self.session.user.clone(),
            channel: "cli".to_owned(),
        })
    }

    /// One hash tree and one token over everything.
    pub(super) fn stamp(&self) -> Result<(), Failure> {
        let started = Instant::now();
        self.say("3. タイムスタンプ".to_owned(), "3. Timestamp".to_owned());
        let stamped = stamp::stamp(self.session, self.archive)?;
        let seconds = started.elapsed().as_secs_f64();
        self.say(
            format!(
                "   記録 {} 件にトークン {} 個、{seconds:.2} 秒",
                grouped(stamped.versions),
                stamped.batches
            ),
            format!(
                "   {} records under {} token(s), {seconds:.2} s",
                grouped(stamped.versions),
                stamped.batches
            ),
        );
        Ok(())
    }

    /// Finds the sample invoice by date, by amount, by counterparty, and by all three.
    pub(super) fn search(&self) -> Result<VersionId, Failure> {
        let invoice = self.sample_invoice()?;
        let metadata = &invoice.metadata;
        let (date, amount, party) = (
            metadata.date,
            metadata.amount.clone(),
            metadata.counterparty.clone().unwrap_or_default(),
        );
        let dates = Query {
            date: ValueMatch::Between(date, date),
            ..Query::default()
        };
        let amounts = Query {
            amount: ValueMatch::Between(amount.clone(), amount.clone()),
            ..Query::default()
        };
        let parties = Query {
            counterparty: Some(party.clone()),
            ..Query::default()
        };
        let all = Query {
            date: dates.date.clone(),
            amount: amounts.amount.clone(),
            counterparty: Some(party.clone()),
            ..Query::default()
        };
        let started = Instant::now();
        let count = |query: &Query| -> Result<usize, Failure> {
            Ok(self.archive.catalog().search(query)?.len())
        };
        let found = (count(&dates)?, count(&amounts)?, count(&parties)?);
        let hits = self.archive.catalog().search(&all)?;
        let ms = started.elapsed().as_millis();
        let date = date.map(|d| d.to_string()).unwrap_or_default();
        let amount = amount
            .map(|a| crate::cli::output::grouped_amount(&a.to_string()))
            .unwrap_or_default();
        self.say(
            format!("4. 検索: 日付 {date} で {} 件、金額 {amount} で {} 件、取引先「{party}」で {} 件、三つとも満たすもの {} 件({ms} ミリ秒)", found.0, found.1, found.2, hits.len()),
            format!("4. Searched: {} by date {date}, {} by amount {amount}, {} by counterparty {party}; {} fulfil all three ({ms} ms)", found.0, found.1, found.2, hits.len()),
        );
        let hit = hits
            .into_iter()
            .find(|hit| hit.version == invoice.version)
            .ok_or_else(|| self.wrong("search"))?;
        self.session
            .output
            .say(&format!("   {}", search::line(self.session, &hit, None)));
        Ok(hit.version)
    }

    fn sample_invoice(&self) -> Result<Hit, Failure> {
        let query = Query {
            text: Some("invoice-jp-pint.xml".to_owned()),
            class: Some("received-invoice".to_owned()),
            ..Query::default()
        };
        self.archive
            .catalog()
            .search(&query)?
            .into_iter()
            .next()
            .ok_or_else(|| self.wrong("search"))
    }

    /// Fetches a record back and compares it byte for byte.
    pub(super) fn fetch(&self, directory: &Path, version: VersionId) -> Result<(), Failure> {
        let mut fetched = Vec::new();
        self.archive
            .retriever()
            .open(version)?
            .write_object(0, &mut fetched)?;
        let path = directory.join("samples").join("invoice-jp-pint.xml");
        let original = std::fs::read(&path).map_err(|error| super::unusable(&path, &error))?;
        if fetched != original {
            return Err(self.wrong("get"));
        }
        let size = grouped(fetched.len() as u64);
        self.say(
            format!("5. 取り出した {size} バイトは元のファイルと一バイトも違いません"),
            format!("5. Fetched it back: {size} bytes, each equal to the original"),
        );
        Ok(())
    }

    /// Writes what the other side gets.
    pub(super) fn hand_over(
        &self,
        directory: &Path,
        version: VersionId,
    ) -> Result<Handover, Failure> {
        let folder = directory.join("handover");
        durable::create_directories(self.session.environment.disk.as_ref(), &folder)
            .map_err(|error| super::unusable(&folder, &error))?;
        let handover = Handover {
            package: folder.join(format!("{}.asice", version.record())),
            anchors: folder.join("trust-anchors.pem"),
        };
        let exported = evidence::export(self.session, self.archive, version, &handover.package)?;
        tsa::write_anchors(self.session, &self.archive.anchors()?, &handover.anchors)?;
        let evidence = grouped(exported.evidence_bytes as u64);
        self.say(
            format!("6. 証拠パッケージ {}(証拠記録 {evidence} バイト)とトラストアンカーを書き出しました", handover.package.display()),
            format!("6. Wrote the evidence package {} (evidence record {evidence} bytes) and the trust anchors", handover.package.display()),
        );
        Ok(handover)
    }

    /// Judges the two files as an outsider does: with the verifier's library, from their bytes alone.
    pub(super) fn verify_as_outsider(&self, handover: &Handover) -> Result<Exit, Failure> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| super::unusable(path, &error));
        let package = read(&handover.package)?;
        let anchors = formats::x509::read_certificates(&read(&handover.anchors)?)
            .map_err(|_| self.wrong("trust-anchors.pem"))?
            .iter()
            .map(|certificate| TrustAnchor::from_certificate(certificate.raw()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| self.wrong("trust-anchors.pem"))?;
        let policy = Policy::default();
        let context = Context {
            anchors: &anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: &policy,
            time: self.archive.environment().clock.now(),
            cache: None,
            registry: None,
        };
        let name = handover
            .package
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let file = InputFile::new(name, package);
        let report = verifier::judge::verify(&[file], &[], &context);
        let conclusion = report.judgement.conclusion().to_string();
        self.session.output.event(
            &json!({ "event": "verified", "conclusion": conclusion, "package": handover.package }),
        );
        let since = report.best_signature_time.map(moment).unwrap_or_default();
        self.say(
            format!("7. 第三者としての検証: {conclusion}。{since} に存在し、それから変わっていません"),
            format!("7. Verified as an outsider: {conclusion}; it existed at {since} and is unaltered since"),
        );
        Ok(if report.judgement.is_passed() {
            Exit::Done
        } else {
            Exit::Integrity
        })
    }

    /// Every stored copy and every record.
    pub(super) fn verify_everything(&self) -> Result<Exit, Failure> {
        let started = Instant::now();
        self.say(
            "8. 全記録の検証".to_owned(),
            "8. Verified the whole archive".to_owned(),
        );
        let verified = verify::verify_all(self.session, self.archive)?;
        let seconds = started.elapsed().as_secs_f64();
        self.say(format!("   {seconds:.1} 秒"), format!("   {seconds:.1} s"));
        Ok(verified.exit())
    }

    /// A step that did not give what it must: the fault is the program's.
    fn wrong(&self, step: &str) -> Failure {
        Failure::said(
            Exit::Integrity,
            self.session.output.lang,
            format!(
                "{step}: 結果が期待と違います。この保管庫を使わず、不具合として知らせてください"
            ),
            format!(
                "{step}: the result is not what it must be; do not use this archive, and report it as a fault"
            ),
        )
    }
}

/// Writes a sample beside the archive, where a user can look at it.
fn lay_out(disk: &dyn Disk, folder: &Path, sample: &Sample) -> Result<PathBuf, Failure> {
    let path = folder.join(sample.file);
    durable::create_directories(disk, folder)
        .and_then(|()| durable::replace_file(disk, &path, sample.bytes))
        .map_err(|error| super::unusable(&path, &error))?;
    Ok(path)
}

fn add(total: &mut DepositSummary, part: DepositSummary) {
    total.deposited += part.deposited;
    total.deposited_bytes += part.deposited_bytes;
    total.stored_bytes += part.stored_bytes;
    total.already_there += part.already_there;
    total.skipped += part.skipped;
    total.warnings += part.warnings;
    total.failed += part.failed;
    total.left_out += part.left_out;
    total.stopped = total.stopped.take().or(part.stopped);
}

fn percent(part: u64, whole: u64) -> u64 {
    (part.saturating_mul(100)).checked_div(whole).unwrap_or(100)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people"
)]
fn per_second(bytes: u64, seconds: f64) -> u64 {
    if seconds > 0.0 {
        (bytes as f64 / seconds) as u64
    } else {
        bytes
    }
}
