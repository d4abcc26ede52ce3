//! One life of an archive: month by month it takes records in, stamps them, and renews what is due.

use std::num::NonZeroUsize;
use std::sync::Arc;

use archiver::evidence::batch::{BatchMaker, MadeBatch, missing_second};
use archiver::evidence::calendar::gather::JudgedBy;
use archiver::evidence::calendar::{RenewalOptions, RenewalPlan, first_digest, gather, plan};
use archiver::evidence::plan::BatchOptions;
use archiver::evidence::queue::Queue;
use archiver::evidence::renew::{RenewOptions, RenewalAuthorities, RenewedChains, Renewer};
use archiver::tsa::client::{Failover, Timestamper};
use firmware::clock::{Clock, SimulatedClock};
use formats::digest::DigestAlgorithm;
use formats::id::VersionId;
use time::{Date, Duration, OffsetDateTime};
use verifier::finding::{Finding, package as codes};

use crate::archive::SimulatedArchive;
use crate::calendar::{self, SHA256_END, START, Services};

/// A record with what is known of its first tokens.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) version: VersionId,
    /// The last moment at which one of its first tokens holds by itself.
    pub(crate) first_end: OffsetDateTime,
}

/// What the archive did in its life.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) batches: u64,
    pub(crate) second_tokens: u64,
    /// Months in which the second authority gave nothing.
    pub(crate) second_missing: u64,
    pub(crate) time_stamp_renewals: u64,
    pub(crate) hash_tree_renewals: u64,
    /// Chains that a plan called lost.
    pub(crate) lost: u64,
    /// Months in which a plan could not do what was due.
    pub(crate) blocked: u64,
    /// Packages that were judged.
    pub(crate) packages: u64,
    /// Of them, those in which one of the two proofs was passed over.
    pub(crate) one_proof: u64,
}

/// An archive, its authorities, and the calendar.
pub(crate) struct Life {
    pub(crate) archive: SimulatedArchive,
    pub(crate) services: Services,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) records: Vec<Kept>,
    pub(crate) tally: Tally,
    renews: bool,
    /// When something will be due, by the last plan. A plan is made then, and once a year for what came since.
    next_due: Option<OffsetDateTime>,
}

impl Life {
    pub(crate) fn new(seed: u64, renews: bool) -> Self {
        let clock = Arc::new(SimulatedClock::new(START));
        let policy = calendar::policy();
        Self {
            archive: SimulatedArchive::new(&clock, &policy, seed),
            services: Services::new(&clock, &policy, seed),
            clock,
            records: Vec::new(),
            tally: Tally::default(),
            renews,
            next_due: Some(START),
        }
    }

    /// The month with this number since the start.
    pub(crate) fn month(&mut self, number: u32) {
        self.clock.set(moment(number));
        self.services.pass();
        let version = self.archive.deposit();
        let first_end = self.stamp();
        self.records.push(Kept { version, first_end });
        if self.renews
            && (number.is_multiple_of(12)
                || self.next_due.is_some_and(|due| due <= self.clock.now()))
        {
            self.renew();
        }
    }

    /// Stamps what waits with two independent tokens; answers the last moment of the better one.
    fn stamp(&mut self) -> OffsetDateTime {
        let now = self.clock.now();
        let (first, second) = self.services.authorities();
        let archive = &self.archive;
        let digest = first_digest(&archive.policy, &RenewalOptions::default(), now);
        let algorithm = digest.expect("one is left");
        let options = BatchOptions {
            algorithm,
            ..BatchOptions::default()
        };
        let planned = Queue::new(archive.retriever()).plan(options);
        let planned = planned.expect("an index");
        assert!(planned.unreadable.is_empty());
        let appender = archive.store.appender().expect("writable");
        let maker = BatchMaker {
            authority: &first,
            second: Some(&second),
            log: &appender,
            clock: archive.clock.as_ref(),
            entropy: archive.entropy.as_ref(),
        };
        let mut ends = Vec::new();
        let mut note = |made: &MadeBatch, tally: &mut Tally| {
            made.apply(&archive.catalog).expect("applied");
            let tree_end = if made.frame.algorithm == DigestAlgorithm::Sha256 {
                SHA256_END
            } else {
                OffsetDateTime::new_utc(Date::MAX, time::Time::MIDNIGHT)
            };
            ends.push(self.services.token_end(&made.frame.tsa).min(tree_end));
            match made.frame.track {
                0 => tally.batches += 1,
                _ => tally.second_tokens += 1,
            }
        };
        for batch in planned.batches {
            let batch = maker.make(&batch, &mut |_| {}).expect("a first token");
            note(&batch, &mut self.tally);
            if let archiver::evidence::batch::SecondToken::Made(second) = &batch.second {
                note(second, &mut self.tally);
            }
        }
        for batch in missing_second(&archive.catalog).expect("an index") {
            match maker.catch_up(&archive.store, &batch) {
                Ok(made) => note(&made, &mut self.tally),
                Err(_) => self.tally.second_missing += 1,
            }
        }
        ends.into_iter().max().expect("stamped")
    }

    /// What the planner says now.
    pub(crate) fn plan(&self) -> RenewalPlan {
        let archive = &self.archive;
        let by = JudgedBy {
            anchors: self.services.anchors(),
            policy: &archive.policy,
            now: self.clock.now(),
        };
        let facts = gather(&archive.catalog, &archive.store, by).expect("readable");
        let options = RenewalOptions::default();
        plan(&facts, &archive.policy, &options, self.clock.now())
    }

    fn renew(&mut self) {
        let plan = self.plan();
        self.tally.blocked += u64::from(!plan.blocked.is_empty());
        self.tally.lost = self.tally.lost.max(plan.lost.len() as u64);
        // What cannot be done is tried again a month later.
        let retry = (!plan.blocked.is_empty()).then(|| self.clock.now() + Duration::days(28));
        self.next_due = plan.next_due().into_iter().chain(retry).min();
        let (first, second) = self.services.authorities();
        for planned in &plan.due {
            let done = self.carry_out(&planned.action, &first, &second);
            for made in &done.batches {
                match made.frame.kind {
                    formats::segment::TimeStampKind::TimeStampRenewal => {
                        self.tally.time_stamp_renewals += 1;
                    }
                    formats::segment::TimeStampKind::HashTreeRenewal => {
                        self.tally.hash_tree_renewals += 1;
                    }
                    formats::segment::TimeStampKind::Initial => panic!("not a renewal"),
                }
            }
        }
    }

    fn carry_out(
        &self,
        action: &archiver::evidence::renew::RenewalAction,
        first: &Failover,
        second: &Failover,
    ) -> RenewedChains {
        let archive = &self.archive;
        let appender = archive.store.appender().expect("writable");
        let lists = self.services.lists();
        let roots = self.services.roots();
        let second: &dyn Timestamper = second;
        let renewer = Renewer {
            authorities: RenewalAuthorities {
                first,
                second: Some(second),
            },
            log: &appender,
            frames: &archive.store,
            catalog: &archive.catalog,
            retriever: archive.retriever(),
            clock: archive.clock.as_ref(),
            entropy: archive.entropy.as_ref(),
            threads: NonZeroUsize::MIN,
            material: &lists,
            anchors: &roots,
            options: RenewOptions::default(),
        };
        let done = renewer.run(action, &mut |_| {});
        done.unwrap_or_else(|error| panic!("{}: {action:?}: {error}", self.clock.now()))
    }

    /// Exports every record and has an outsider judge each package: with the roots, and with the lists that are published now.
    pub(crate) fn judge_all(&mut self) {
        let lists = self.services.published();
        let half = self.records.len() / 2;
        let (one, other) = self.records.split_at(half);
        let one_proof = std::thread::scope(|scope| {
            let other = scope.spawn(|| self.judge_part(other, &lists));
            self.judge_part(one, &lists) + other.join().expect("judged")
        });
        self.tally.packages += self.records.len() as u64;
        self.tally.one_proof += one_proof;
    }

    /// Answers how many of the packages one authority alone proves.
    fn judge_part(&self, records: &[Kept], lists: &[Vec<u8>]) -> u64 {
        let mut one_proof = 0;
        let now = self.clock.now();
        let anchors = self.services.anchors();
        for record in records {
            let package = self.archive.export(record.version);
            let report = self.archive.judge(&package, anchors, lists, now);
            assert!(
                report.judgement.is_passed(),
                "{now}: {}: {:?}\n{:#?}",
                record.version,
                report.judgement,
                report.findings
            );
            let passed_over = |finding: &Finding| finding.code() == codes::PROOF_PASSED_OVER;
            one_proof += u64::from(report.findings.iter().any(passed_over));
        }
        one_proof
    }
}

/// The fifteenth of the month with this number.
pub(crate) fn moment(number: u32) -> OffsetDateTime {
    let months = START.month() as u32 - 1 + number;
    let year = START.year() + i32::try_from(months / 12).expect("small");
    let month = u8::try_from(months % 12 + 1).expect("a month");
    let month = time::Month::try_from(month).expect("a month");
    START.replace_date(Date::from_calendar_date(year, month, START.day()).expect("a day"))
}
