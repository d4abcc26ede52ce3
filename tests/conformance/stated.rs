//! Each vector, judged twice, and compared with what its author states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use formats::asic::AsicReader;
use verifier::report::Report;
use verifier::verdict::{Conclusion, Integrity};

use crate::data::Datum;
use crate::differences::{compare, table};
use crate::judge::{Case, describe};
use crate::vectors::{self, JUDGED, NAMED, Stated};

/// What is demanded of the vectors whose authors state that they hold, in hundredths.
const INTACT_PERCENT_MIN: usize = 97;

/// A vector with both judgements.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) case: Case,
    pub(crate) untrusted: Report,
    pub(crate) trusted: Report,
}

impl Judged {
    pub(crate) fn path(&self) -> &str {
        &self.case.vector.path
    }

    fn passes(&self) -> bool {
        self.untrusted.judgement.is_passed() || self.trusted.judgement.is_passed()
    }

    /// Integrity does not depend on trust, so both judgements have to say the same.
    fn is_intact(&self) -> bool {
        let reports = [&self.untrusted, &self.trusted];
        reports
            .iter()
            .all(|report| report.judgement.integrity() == Integrity::Intact)
    }

    /// Whether it is evidence of a family and a kind that is judged. Containers are looked into: some of a folder of XAdES hold none, and some
    /// of another folder do.
    fn is_counted(&self) -> bool {
        let vector = &self.case.vector;
        let named = if vector.family() == "asic" && vector.kind.starts_with("ASiC") {
            holds_xml_signatures(self)
        } else {
            vector.is_named_only()
        };
        // A container that only has to open says nothing about evidence; one that must be refused is counted all the same.
        let empty = vector.stated() == Stated::Intact && holds_nothing(self);
        JUDGED.contains(&vector.family()) && !named && !empty
    }

    /// Whether nobody who has only these files can compute it: nothing but digests of the data is known, and other digests are needed.
    fn is_out_of_reach(&self) -> bool {
        let judgement = self.untrusted.judgement;
        let bare = self
            .case
            .data
            .iter()
            .all(|datum| matches!(datum, Datum::Digests(_)));
        let lacks_data = self.untrusted.findings.iter().any(|finding| {
            [
                "IMPRINT_NOT_CHECKED",
                "EVIDENCE_DIGEST_NOT_GIVEN",
                "SIGNATURE_OVER_DATA_ITSELF",
            ]
            .contains(&finding.code().id())
        });
        judgement.integrity() == Integrity::Unknown
            && bare
            && !self.case.data.is_empty()
            && lacks_data
    }

    fn told(&self) -> String {
        format!(
            "{} ({}; stated: {})\n    untrusted: {}\n    trusted: {}",
            self.path(),
            self.case.vector.kind,
            self.case.vector.expected,
            describe(&self.untrusted),
            describe(&self.trusted)
        )
    }
}

/// All evidence among the vectors, judged once for all tests of this process; by several threads, in the order of the table.
pub(crate) fn judged(left_out: &str) -> Option<&'static [Judged]> {
    static ALL: OnceLock<Vec<Judged>> = OnceLock::new();
    let (folder, rows) = vectors::all(left_out)?;
    let all = ALL.get_or_init(|| {
        let evidence: Vec<_> = rows
            .iter()
            .filter(|row| row.is_evidence())
            .filter(|row| JUDGED.contains(&row.family()) || NAMED.contains(&row.family()))
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(row) = evidence.get(next.fetch_add(1, Ordering::Relaxed)) {
                let case = Case::read(folder, row, rows);
                let (untrusted, trusted) = (case.untrusted(), case.trusted());
                done.push(Judged {
                    case,
                    untrusted,
                    trusted,
                });
            }
            done
        };
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut done: Vec<Judged> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let parts = workers
                .into_iter()
                .map(|worker| worker.join().expect("judged"));
            parts.flatten().collect()
        });
        done.sort_by(|a, b| a.path().cmp(b.path()));
        done
    });
    Some(all)
}

/// One row of the table.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    files: usize,
    fails: usize,
    passed_among_them: usize,
    holds: usize,
    intact_among_them: usize,
    /// Of those that hold, how many have no data here, so that the digest in the evidence stands in for it.
    stand_ins: usize,
    /// Of those that hold, how many need data that was never published, where no digest can stand in for it.
    out_of_reach: usize,
    nothing: usize,
}

impl Count {
    fn add(&mut self, judged: &Judged) {
        self.files += 1;
        match judged.case.vector.stated() {
            Stated::Fails => {
                self.fails += 1;
                self.passed_among_them += usize::from(judged.passes());
            }
            Stated::Intact => {
                self.holds += 1;
                self.intact_among_them += usize::from(judged.is_intact());
                self.stand_ins += usize::from(judged.case.has_stand_in);
                self.out_of_reach += usize::from(judged.is_out_of_reach());
            }
            Stated::Nothing => self.nothing += 1,
        }
    }

    fn row(&self, name: &str) -> String {
        let share = match (self.intact_among_them * 1000).checked_div(self.computable()) {
            Some(share) => format!("{}.{} %", share / 10, share % 10),
            None => "–".to_owned(),
        };
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {share} | {} |",
            self.files,
            self.fails,
            self.passed_among_them,
            self.holds,
            self.stand_ins,
            self.out_of_reach,
            self.intact_among_them,
            self.nothing
        )
    }

    fn computable(&self) -> usize {
        self.holds - self.out_of_reach
    }
}

const HEAD: [&str; 2] = [
    "| family | files | stated to fail | passed among them | stated to hold | by a digest alone | out of reach | INTACT | share | nothing stated |",
    "|---|---|---|---|---|---|---|---|---|---|",
];

#[test]
fn nothing_that_must_fail_passes_and_what_must_hold_is_intact() {
    let Some(all) = judged("foreign evidence with stated verdicts") else {
        return;
    };
    let mut whole = Count::default();
    let mut passed = Vec::new();
    let mut lines = HEAD.map(str::to_owned).to_vec();
    for family in JUDGED {
        let mut count = Count::default();
        for judged in all.iter().filter(|judged| judged.is_counted()) {
            let vector = &judged.case.vector;
            if vector.family() == family {
                count.add(judged);
                whole.add(judged);
                let by_folder = vector.expected.starts_with("INVALID");
                if vector.stated() == Stated::Fails && judged.passes() && !by_folder {
                    passed.push(judged.told());
                }
            }
        }
        lines.push(count.row(family));
    }
    lines.push(whole.row("whole"));
    // Where only the name of a folder says "invalid", the reason may be one of the product that the folder belongs to. Such a file is in
    // the list of differences, with the reason, or the other test fails.
    assert!(
        passed.is_empty(),
        "passed, but stated to fail:\n{}",
        passed.join("\n")
    );
    table("stated", &lines);
    assert!(
        whole.intact_among_them * 100 >= whole.computable() * INTACT_PERCENT_MIN,
        "{} of {} are intact",
        whole.intact_among_them,
        whole.computable()
    );
}

#[test]
fn without_trust_nothing_passes_and_integrity_does_not_depend_on_trust() {
    let Some(all) = judged("foreign evidence without trust") else {
        return;
    };
    let wrong: Vec<String> = all
        .iter()
        .filter(|judged| {
            let [untrusted, trusted] = [&judged.untrusted, &judged.trusted];
            untrusted.judgement.is_passed()
                || untrusted.judgement.integrity() != trusted.judgement.integrity()
        })
        .map(Judged::told)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_judged_yet_is_named_and_never_passes() {
    let Some(all) = judged("foreign evidence of kinds that are named only") else {
        return;
    };
    let named = || {
        let kinds = all
            .iter()
            .filter(|judged| judged.case.vector.is_named_only());
        kinds.filter(|judged| holds_xml_signatures(judged))
    };
    let open = |judged: &Judged| judged.trusted.judgement.conclusion() == Conclusion::Indeterminate;
    println!(
        "named, not judged: {} files, {} of them INDETERMINATE, the others TOTAL-FAILED for what is judged beside",
        named().count(),
        named().filter(|judged| open(judged)).count(),
    );
    let passed: Vec<String> = named()
        .filter(|judged| judged.passes())
        .map(Judged::told)
        .collect();
    assert!(passed.is_empty(), "{}", passed.join("\n"));
}

/// Whether there is XAdES inside; what is no container says so by its kind.
fn holds_xml_signatures(judged: &Judged) -> bool {
    let Ok(container) = AsicReader::open(&judged.case.bytes) else {
        return true;
    };
    let mut names = container
        .entries()
        .iter()
        .map(|entry| entry.name().to_lowercase());
    names.any(|name| {
        name.starts_with("meta-inf/") && name.contains("signature") && name.ends_with(".xml")
    })
}

/// Whether a container holds no evidence at all.
fn holds_nothing(judged: &Judged) -> bool {
    AsicReader::open(&judged.case.bytes).is_ok_and(|container| {
        let mut names = container.entries().iter().map(|entry| entry.name());
        names.all(|name| !name.starts_with("META-INF/") || name == "META-INF/manifest.xml")
    })
}

/// Those whose data is not there cannot pass for that alone. With the digest in the evidence in its place they are judged for the rest.
#[test]
fn what_must_fail_fails_for_more_than_absent_data_or_is_listed() {
    let Some(all) = judged("foreign evidence that must fail, with digests for its data") else {
        return;
    };
    let mut found = BTreeMap::new();
    let mut tried = 0;
    for judged in all {
        let vector = &judged.case.vector;
        if vector.stated() != Stated::Fails || !judged.is_counted() {
            continue;
        }
        if let Some(report) = judged.case.trusted_with_stand_in() {
            tried += 1;
            if report.judgement.is_passed() {
                found.insert(judged.path().to_owned(), Vec::new());
            }
        }
    }
    println!(
        "stated to fail, data not there: {tried}; pass with a digest for it: {}",
        found.len()
    );
    let there: BTreeSet<&str> = all.iter().map(Judged::path).collect();
    compare("absent-data", &found, &there);
}

#[test]
fn every_difference_from_what_is_stated_is_listed() {
    let Some(all) = judged("the list of differences from stated verdicts") else {
        return;
    };
    let mut found = BTreeMap::new();
    for judged in all.iter().filter(|judged| judged.is_counted()) {
        let differs = match judged.case.vector.stated() {
            Stated::Fails => judged.passes(),
            Stated::Intact => {
                !judged.is_intact()
                    || judged.trusted.judgement.conclusion() == Conclusion::TotalFailed
            }
            Stated::Nothing => false,
        };
        if differs {
            let said = judged.trusted.judgement;
            let reason = said.sub_indication().map_or("", |sub| sub.name());
            let ours = format!("{} {reason} {}", said.conclusion(), said.integrity());
            let stated = judged.case.vector.expected.split([' ', ':']).next();
            let cells = vec![
                ours.replace("  ", " "),
                stated.unwrap_or_default().to_owned(),
            ];
            found.insert(judged.path().to_owned(), cells);
        }
    }
    let there: BTreeSet<&str> = all.iter().map(Judged::path).collect();
    compare("stated", &found, &there);
}

/// For people: one line for each vector, with `FUMIKURA_SHOW=1` and `--nocapture`.
#[test]
fn each_vector_is_shown_on_demand() {
    if std::env::var_os("FUMIKURA_SHOW").is_some()
        && let Some(all) = judged("each vector")
    {
        for judged in all {
            println!("{}", judged.told());
        }
    }
}
