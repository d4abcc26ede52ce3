//! Evidence records as files, what each judge says of them, and how they can be tampered with.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use formats::asic::{AsicReader, AsicWriter};
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord};
use formats::package::{EVIDENCE_RECORD, MANIFEST};
use serde_json::Value;
use tests::peers::{Peers, Question};
use tests::programs;
use tests::world::put;

/// An evidence record with what it covers, whom to trust and when it is judged.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) record: PathBuf,
    pub(crate) data: Vec<PathBuf>,
    pub(crate) trust: Vec<PathBuf>,
    /// An instant such as `2031-04-01T00:00:00Z`; now, where there is none.
    pub(crate) time: Option<String>,
    /// The policy of EU DSS: `default`, or `without-revocation` where the authority's certificates name no revocation service.
    pub(crate) policy: &'static str,
}

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    BouncyCastle,
    Dss,
    Verifier,
}

/// What a judge says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) accepted: bool,
    pub(crate) text: String,
}

/// Evidence that must not be accepted, and the judges that do not notice.
#[derive(Debug)]
pub(crate) struct Tampered {
    pub(crate) what: String,
    pub(crate) evidence: Evidence,
    pub(crate) blind: &'static [Judge],
}

pub(crate) const JUDGES: [Judge; 3] = [Judge::BouncyCastle, Judge::Dss, Judge::Verifier];

impl Evidence {
    /// Takes a package apart into a folder: the record, the manifest and the document.
    pub(crate) fn unpack(package: &Path, folder: &Path, trust: &Path) -> Self {
        let bytes = fs::read(package).expect("a package");
        let reader = AsicReader::open(&bytes).expect("a container");
        let mut data = Vec::new();
        for entry in reader.entries() {
            let path = folder.join(entry.name());
            put(&path, &entry.read().expect("content"));
            if entry.name() == MANIFEST || entry.name().starts_with("documents/") {
                data.push(path);
            }
        }
        Self {
            record: folder.join(EVIDENCE_RECORD),
            data,
            trust: vec![trust.to_path_buf()],
            time: None,
            policy: "default",
        }
    }

    pub(crate) fn said_by(&self, judge: Judge, peers: &Peers) -> Said {
        match judge {
            Judge::BouncyCastle => {
                let answer = peers.ask(&self.question("bc-record"));
                Said {
                    accepted: answer["accepted"] == true,
                    text: answer.to_string(),
                }
            }
            Judge::Dss => {
                let question = self.question("dss-record").with("policy", self.policy);
                let answer = peers.ask(&question);
                Said {
                    accepted: dss_passes_record(&answer, self.data.len()),
                    text: answer.to_string(),
                }
            }
            Judge::Verifier => self.said_by_verifier(),
        }
    }

    /// Every judge accepts.
    pub(crate) fn expect_accepted(&self, what: &str, peers: &Peers) {
        for judge in JUDGES {
            let said = self.said_by(judge, peers);
            assert!(said.accepted, "{what}: {judge:?} refuses: {}", said.text);
        }
    }

    /// Every judge refuses each of these, save those that are known not to notice.
    pub(crate) fn expect_refused(tampered: &[Tampered], peers: &Peers) {
        for case in tampered {
            for judge in JUDGES {
                let said = case.evidence.said_by(judge, peers);
                let blind = case.blind.contains(&judge);
                assert_eq!(
                    said.accepted, blind,
                    "{}: {judge:?}: {}",
                    case.what, said.text
                );
            }
        }
    }

    /// The same with another record, written beside this one.
    pub(crate) fn with_record(&self, name: &str, record: &EvidenceRecord) -> Self {
        let path = self.record.with_file_name(format!("{name}.ers"));
        put(&path, &record.encode().expect("a record"));
        Self {
            record: path,
            ..self.clone()
        }
    }

    pub(crate) fn parsed(&self) -> EvidenceRecord {
        let bytes = fs::read(&self.record).expect("a record");
        let (record, _) = EvidenceRecord::parse(&bytes)
            .expect("a record")
            .into_parts();
        record
    }

    fn question(&self, command: &str) -> Question {
        let mut question = Question::new(command).file("record", &self.record);
        for data in &self.data {
            question = question.file("data", data);
        }
        for trust in &self.trust {
            question = question.file("trust", trust);
        }
        match &self.time {
            Some(time) => question.with("time", time),
            None => question,
        }
    }

    fn said_by_verifier(&self) -> Said {
        let mut command = Command::new(programs::verifier());
        command.arg("verify").arg(&self.record);
        for data in &self.data {
            command.arg("--data").arg(data);
        }
        for trust in &self.trust {
            command.arg("--trust").arg(trust);
        }
        if let Some(time) = &self.time {
            command.args(["--at", time]);
        }
        let output = command.output().expect("verifier starts");
        Said {
            accepted: output.status.success(),
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
        }
    }
}

/// DSS passes the record and each time-stamp in it, and finds so many data objects intact.
///
/// They are counted because DSS shows a file that is not in the group nowhere and passes the record for the others' sake. Hashes
/// of members of the group that DSS was not shown are orphans to it, and no fault.
pub(crate) fn dss_passes_record(answer: &Value, objects: usize) -> bool {
    let records = answer["records"].as_array();
    records.is_some_and(|records| {
        !records.is_empty()
            && records.iter().all(|record| {
                passes(record)
                    && intact_objects(record) == objects
                    && all_pass(&record["time_stamps"])
            })
    })
}

fn passes(judged: &Value) -> bool {
    let indication = judged["indication"].as_str();
    matches!(indication, Some("PASSED" | "TOTAL_PASSED"))
}

fn intact_objects(record: &Value) -> usize {
    let members = record["objects"].as_array().expect("a list").iter();
    let intact = members.filter(|member| {
        member["type"] == "EVIDENCE_RECORD_ARCHIVE_OBJECT"
            && member["found"] == true
            && member["intact"] == true
    });
    intact.count()
}

fn all_pass(stamps: &Value) -> bool {
    let stamps = stamps.as_array().expect("a list");
    let pass = |stamp: &Value| {
        passes(stamp) && stamp["intact"] == true && stamp["signature_valid"] == true
    };
    !stamps.is_empty() && stamps.iter().all(pass)
}

/// Ways of tampering with evidence, with the help of other evidence that is good itself.
pub(crate) fn tampered(good: &Evidence, other: &Evidence) -> Vec<Tampered> {
    let mut cases = vec![
        Tampered::new("one byte of the document changed", changed_document(good)),
        Tampered::new(
            "record of another document",
            Evidence {
                record: other.record.clone(),
                ..good.clone()
            },
        ),
        Tampered::new(
            "another document",
            Evidence {
                data: other.data.clone(),
                ..good.clone()
            },
        ),
    ];
    let record = good.parsed();
    let foreign = other.parsed();
    let foreign = foreign.time_stamps().next().expect("a time-stamp").2;
    for (chain, position, stamp) in record.time_stamps() {
        let mut change = |what: &str, change: &dyn Fn(&mut ArchiveTimeStamp)| {
            let name = format!("{what}, time-stamp {position} of chain {chain}");
            let changed = with_stamp(&record, (chain, position), change);
            cases.push(Tampered::new(&name, good.with_record(&name, &changed)));
        };
        change("token of another tree put in", &|stamp| {
            stamp.time_stamp = foreign.time_stamp.clone();
        });
        change("last byte of the token changed", &|stamp| {
            *stamp.time_stamp.last_mut().expect("a byte") ^= 1;
        });
        if stamp.reduced_hash_tree.is_some() {
            change("one byte of a tree node changed", &|stamp| {
                let lists = stamp.reduced_hash_tree.as_mut().expect("a tree");
                let last = lists.last_mut().and_then(|list| list.0.last_mut());
                last.expect("a node")[0] ^= 1;
            });
        }
    }
    if let [_, later @ ..] = record.sequence.as_slice()
        && !later.is_empty()
    {
        let headless = EvidenceRecord::new(later.to_vec()).expect("a record");
        let name = "first chain taken out";
        cases.push(Tampered::new(name, good.with_record(name, &headless)));
    }
    cases
}

impl Tampered {
    fn new(what: &str, evidence: Evidence) -> Self {
        Self {
            what: what.to_owned(),
            evidence,
            blind: &[],
        }
    }
}

fn changed_document(good: &Evidence) -> Evidence {
    let mut data = good.data.clone();
    let last = data.last_mut().expect("a document");
    let mut bytes = fs::read(&*last).expect("a document");
    *bytes.last_mut().expect("a byte") ^= 1;
    *last = last.with_file_name("changed");
    put(last, &bytes);
    Evidence {
        data,
        ..good.clone()
    }
}

/// The record with one archive time-stamp changed: that at a position of a chain.
fn with_stamp(
    record: &EvidenceRecord,
    (chain, position): (usize, usize),
    change: &dyn Fn(&mut ArchiveTimeStamp),
) -> EvidenceRecord {
    let mut record = record.clone();
    let mut stamps = record.sequence[chain].time_stamps.clone();
    let mut stamp = stamps[position].value().clone();
    change(&mut stamp);
    stamps[position] = stamp.into_raw().expect("a time-stamp");
    record.sequence[chain] = ArchiveTimeStampChain::new(stamps).expect("a chain");
    record
}

/// Makes a member of a container, by name and content, another one or nothing.
pub(crate) type Change<'a> = &'a dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>>;

/// Copies a container, each member as this makes it; a member made to nothing is left out.
pub(crate) fn rewrite(package: &Path, to: &Path, change: Change<'_>) {
    let bytes = fs::read(package).expect("a package");
    let reader = AsicReader::open(&bytes).expect("a container");
    let mimetype = reader.mimetype().expect("a media type");
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), mimetype).expect("a container");
    for entry in reader.entries() {
        let content = entry.read().expect("content").into_owned();
        if let Some(content) = change(entry.name(), content).filter(|_| entry.name() != "mimetype")
        {
            writer.add_bytes(entry.name(), &content).expect("a member");
        }
    }
    put(to, writer.finish().expect("a container").get_ref());
}
