//! The command line as data: commands, options, and the help that teaches them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::store::catalog::EngineChoice;

mod audit;
mod evidence;
mod keys;
pub mod media;
mod remote;
mod scrub;
pub mod service;
mod space;

pub use audit::{Audit, AuditExport, AuditList, AuditReport};
pub use evidence::{Evidence, EvidenceCommand, EvidenceForecast, EvidenceView};
pub use keys::{
    AuditKeys, Ceremony, DestroyKeys, Intake, Kek, KeyCopy, Keys, NewPassphrase, RotateKeys,
    SigningKey, Unlocking,
};
pub use remote::{Common, Login, Logout, Remote};
pub use scrub::Scrub;
pub use space::{Backup, Compact, Restore};

/// What every command's help ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  done, but not for every input: the summary names those that are missing
  2  wrong usage, metadata or class
  3  the archive cannot be used: not found, in use, a medium or the key medium missing
  4  the passphrase, the PIN or the shares are wrong, or not enough; nobody is logged in at the service
  5  a medium is full or failed; nothing that was acknowledged is lost
  6  no time-stamping authority gave a valid token; the records stay queued
  7  an integrity failure was found
  8  no such record, object or line
  9  the service does not allow it to this account";

const EXAMPLES: &str = "\
Try it in one line (no configuration, no network):
  archiver quickstart

A real archive, step by step:
  archiver init --data /mnt/disk-a --data /mnt/disk-b --keys /mnt/key-medium
  archiver deposit invoices/ --class received-invoice
  archiver stamp
  archiver search --date 2026-01-01..2026-03-31 --counterparty 文蔵商事
  archiver evidence RECORD -o evidence.asice

An archive that a service holds:
  archiver login --server https://HOST:PORT --ca ca.pem
  archiver search --server HOST --date 2026-01-01..2026-03-31";

/// Fumikura (文蔵): a long-term archive of electronic records, with proof of when they existed.
#[derive(Debug, Parser)]
#[command(name = "archiver", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), max_term_width = 100, args_override_self = true)]
pub struct Arguments {
    /// What is common to all commands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do the main job once, end to end, in a trial archive made for it
    Quickstart(Quickstart),
    /// Make a new archive on its data media and key medium
    Init(Init),
    /// Take documents and logs into the archive
    Deposit(Deposit),
    /// Put all waiting records under one timestamp
    Stamp,
    /// Renew evidence before what it rests on ends; plan it; or ask what would be if an algorithm fell
    Renew(Renew),
    /// Find records by date, amount, counterparty, class or text
    Search(Search),
    /// Fetch a record's content back
    Get(Get),
    /// Write everything that is found into a folder, with a table of it
    Export(Export),
    /// Write the evidence package of a record, for a court or the other side
    Evidence(EvidenceCommand),
    /// Fetch the receipt for a deposit: what the archive signed for having taken the record in
    Receipt(Receipt),
    /// Fetch the archive's own signature over a record (CAdES)
    Signature(SignatureOf),
    /// Check every record: content, digests, evidence
    Verify(Verify),
    /// Build the index anew from the media; with --data and --keys, the configuration and everything else, too
    Rebuild(Rebuild),
    /// Read stored bytes again, prove that they are whole, and heal what is damaged from the other copies
    Scrub(Scrub),
    /// Free the room of destroyed records
    Compact(Compact),
    /// Back up what stands on no data medium: keys, configuration, classes
    Backup(Backup),
    /// Restore a backup into a fresh folder, verify a sample, and report
    Restore(Restore),
    /// What the archive holds, what waits, what needs attention
    Status,
    /// List the classes (保管要件) that a deposit can name
    Classes(Classes),
    /// The audit trail: who did what; show it, export it, analyse a month
    #[command(subcommand)]
    Audit(Audit),
    /// The archive's keys
    #[command(subcommand)]
    Keys(Keys),
    /// The archive's media: ledger, moves, stock-take; adding, replacing, migrating
    #[command(subcommand)]
    Media(media::Media),
    /// Stamp, renew and alarm by itself, as a service; with [service.https], serve people and systems
    Serve(Serve),
    /// Log in at a service, for commands with --server
    Login(Login),
    /// End the session of a profile
    Logout(Logout),
    /// List the services that 'archiver login' knows
    Profiles,
    /// The HTTPS service
    #[command(subcommand)]
    Service(service::Service),
    /// The accounts of the service
    #[command(subcommand)]
    People(service::People),
    /// Time-stamping authorities: check the configured ones, serve the embedded one
    #[command(subcommand)]
    Tsa(Tsa),
    /// Write the text of a PDF that comes from the input: the service asks a process of its own for it
    #[command(name = PAPER_TEXT, hide = true)]
    PaperText,
}

/// The command by which the service has a PDF read.
pub const PAPER_TEXT: &str = "paper-text";

/// `archiver quickstart`
#[derive(Debug, Args)]
pub struct Quickstart {
    /// The folder for the trial archive
    #[arg(default_value = "fumikura-quickstart")]
    pub dir: PathBuf,
    /// Deposit these files or folders too
    #[arg(long, value_name = "FILE_OR_DIR")]
    pub input: Vec<PathBuf>,
}

/// `archiver init`
#[derive(Debug, Args)]
pub struct Init {
    /// A data medium: an empty folder on its own device (repeat for each copy; two are recommended)
    #[arg(long, required = true, value_name = "DIR")]
    pub data: Vec<PathBuf>,
    /// The key medium: an empty folder on another device
    #[arg(long, value_name = "DIR")]
    pub keys: PathBuf,
    /// The folder of the derived index [default: 'index' beside the configuration]
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
    /// Allow keys and data on one device, for a trial; every output will say so
    #[arg(long)]
    pub evaluation: bool,
    /// What holds the key-encryption keys: a file under a passphrase ('keys ceremony' later gives it to custodians), or a token
    #[arg(long, value_enum, default_value_t = Kek::File, value_name = "file|pkcs11")]
    pub kek: Kek,
    /// The token's PKCS#11 library; the passphrase is the token's PIN then
    #[arg(long, value_name = "PATH", required_if_eq("kek", "pkcs11"))]
    pub module: Option<PathBuf>,
    /// The token's label
    #[arg(long, value_name = "LABEL", required_if_eq("kek", "pkcs11"))]
    pub token: Option<String>,
    /// The token's serial number, where several tokens have that label
    #[arg(long, value_name = "SERIAL", requires = "token")]
    pub token_serial: Option<String>,
}

/// `archiver deposit`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver deposit invoice.xml --class received-invoice
  archiver deposit receipt.pdf --class receipt-scan --meta date=2026-01-31 --meta amount=11000 --meta counterparty=文蔵商事
  archiver deposit /var/log/app/ --class system-log
  journalctl -o short-iso | archiver deposit - --name journal.log --class system-log

Metadata keys: date, amount, currency, counterparty, title, document-number, registration-number,
supplier, customer; any other key of small letters, digits and hyphens is kept as additional text.
An e-invoice (JP PINT, UBL) gives its own.")]
pub struct Deposit {
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The class (保管要件) of the records; 'archiver classes' lists them
    #[arg(long, value_name = "ID")]
    pub class: String,
    /// Metadata for every record of this deposit
    #[arg(long, value_name = "KEY=VALUE")]
    pub meta: Vec<String>,
    /// The name of what comes from standard input
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    pub name: String,
    /// Write the archive's signed receipt for this deposit
    #[arg(long, value_name = "FILE.p7m")]
    pub receipt: Option<PathBuf>,
}

/// `archiver rebuild`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver rebuild                                   the index, from the segments
  archiver rebuild --index fjall                     in this engine from now on; the old index stays until the new one is whole
  archiver rebuild --data /mnt/disk-b --keys /mnt/keys --config new/fumikura.toml
                                                     everything, where only these two media are left")]
pub struct Rebuild {
    /// The engine of the index from now on; auto goes by the size of the archive
    #[arg(long, value_name = "sled|fjall|auto")]
    pub index: Option<EngineChoice>,
    /// Accept, and record, that segments which no medium has are lost
    #[arg(long)]
    pub accept_loss: bool,
    /// A data medium that is left (repeat for each copy); the configuration at --config is written anew
    #[arg(long, value_name = "DIR", requires = "keys")]
    pub data: Vec<PathBuf>,
    /// The key medium
    #[arg(long, value_name = "DIR", requires = "data")]
    pub keys: Option<PathBuf>,
}

/// `archiver search`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver search --date 2026-01-01..2026-03-31 --amount 10000..
  archiver search --counterparty ㈱文蔵商事         finds 株式会社文蔵商事, too
  archiver search --amount 0                        exactly zero; --no amount finds those without one")]
pub struct Search {
    /// Transaction date: a day, or a range A..B with either end open
    #[arg(long, value_name = "A..B")]
    pub date: Option<String>,
    /// Amount: a number, or a range A..B with either end open
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub amount: Option<String>,
    /// Counterparty: part of the name; width, kana, case and ㈱ do not matter
    #[arg(long, value_name = "TEXT")]
    pub counterparty: Option<String>,
    /// Class
    #[arg(long, value_name = "ID")]
    pub class: Option<String>,
    /// Part of any name, title, number or other metadata
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Records that have no value for this key (date, amount, counterparty)
    #[arg(long = "no", value_name = "KEY")]
    pub without: Vec<String>,
    /// Show superseded versions, too
    #[arg(long)]
    pub all_versions: bool,
    /// At most this many hits
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// While the index is being made, wait until it is whole
    #[arg(long)]
    pub wait: bool,
}

/// `archiver export`
#[derive(Debug, Args)]
pub struct Export {
    /// The folder to write: a new or an empty one. Each record gets a folder of its own; index.csv lists them
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Which records; without any, all
    #[command(flatten)]
    pub search: Search,
}

/// `archiver get`
#[derive(Debug, Args)]
pub struct Get {
    /// The record, or RECORD/VERSION
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// Which content object, where there are several
    #[arg(long, value_name = "NAME")]
    pub object: Option<String>,
    /// Where to write it; - for standard output
    #[arg(short, long, value_name = "PATH")]
    pub output: PathBuf,
    /// Write a signed receipt that says who fetched the record, and when
    #[arg(long, value_name = "FILE.p7m")]
    pub receipt: Option<PathBuf>,
    /// For what purpose it is fetched: stands in the receipt; with --server in the audit trail, which wants it
    #[arg(long, value_name = "TEXT")]
    pub purpose: Option<String>,
}

/// `archiver serve`
#[derive(Debug, Args)]
#[command(
    after_help = "It opens the archive only while it works and releases it in between, so other commands can be used meanwhile.
Alarms go to the log (standard error, one JSON object per line), to /metrics, and to [alarms] webhook in the configuration.
SIGTERM and Ctrl-C end it after what is under way; being killed at any point loses nothing.

  archiver serve --config /etc/fumikura/fumikura.toml
  curl http://127.0.0.1:8420/metrics"
)]
pub struct Serve {
    /// The address of /healthz, /readyz and /metrics [default: service.listen of the configuration, 127.0.0.1:8420]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// `archiver renew`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver renew --plan                      what is due, when and why, how many requests and bytes; changes nothing
  archiver renew                             does what is due; a run that was interrupted is simply started again
  archiver renew --drill sha256@2031-04-01   what if SHA-256 were not trusted from that day (in Japan) on?
  archiver renew --drill rsa-2048@2030-12-31

Every record that exists is renewed, whether its retention has ended or a hold lies on it.
Exit code 1: some proof has ended, or something that should be done cannot be; the lines say what and why.")]
pub struct Renew {
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "drill")]
    pub plan: bool,
    /// Ask what must be done, and what would be lost, if an algorithm were not trusted from a day on; changes nothing
    #[arg(long, value_name = "ALGORITHM@DATE")]
    pub drill: Option<String>,
    /// Renew although a token of the last days shows that nothing is gained
    #[arg(long, conflicts_with = "drill")]
    pub force: bool,
}

/// `archiver receipt`
#[derive(Debug, Args)]
#[command(
    after_help = "The receipt is a signature (CAdES) around canonical JSON. To read and check it with OpenSSL:
  archiver keys signing trust-anchor -o ca.pem
  openssl cms -verify -cades -inform DER -in receipt.p7m -CAfile ca.pem"
)]
pub struct Receipt {
    /// The record, or RECORD/VERSION
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// Where to write it
    #[arg(short, long, value_name = "FILE.p7m")]
    pub output: PathBuf,
}

/// `archiver signature`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver signature RECORD -o record.p7s --content record.xml     the signature that the archive keeps, and what it is over
  archiver signature RECORD -o record.p7m                          the same with its content inside
  archiver signature RECORD -o record.p7s --level B-T              a new one at a level, for a test; it is not kept

To check it with OpenSSL:
  openssl cms -verify -cades -inform DER -in record.p7s -content record.xml -CAfile ca.pem")]
pub struct SignatureOf {
    /// The record, or RECORD/VERSION
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// Where to write it: detached, or with its content inside if the name ends in .p7m
    #[arg(short, long, value_name = "FILE.p7s")]
    pub output: PathBuf,
    /// Also write what is signed: the list of the record's parts with their digests
    #[arg(long, value_name = "FILE.xml")]
    pub content: Option<PathBuf>,
    /// Make a new signature at this level instead of fetching the one that is kept: ES-BES, ES-T, ES-C, ES-XL, ES-A or B-B, B-T, B-LT, B-LTA
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
}

const VERIFY_HELP: &str = "\
Everything is read: each stored copy of each segment, then each record: its content against its manifest, its lines against their index, its
evidence as an outsider's verifier judges it, against the trust anchors of the configuration.

Any period at once (一括検証, 電子帳簿保存法施行規則 2⑥二ロ), with a table for Excel and a signed summary:
  archiver verify --from 2026-04-01 --to 2027-03-31 --csv fy2026.csv --summary fy2026.json
It was interrupted: the same again, with --resume.
An outsider checks the summary:
  verifier verify fy2026.json.p7s --data fy2026.json --trust ANCHORS.pem
Which timestamps count as statutory says the registry of accredited services ([registry] in the configuration).";

/// `archiver verify`
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct Verify {
    /// Only records received at or after this time (RFC 3339, or a day in Japan)
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only records received before this time (RFC 3339, or up to and with a day in Japan)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only records of this class
    #[arg(long, value_name = "ID")]
    pub class: Option<String>,
    /// Write one row for each record to this table (CSV in UTF-8 that Excel opens). It must not exist yet
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Go on with a run of --csv that was interrupted: with the same arguments, as of the same time. Rows that are there are kept
    #[arg(long, requires = "csv")]
    pub resume: bool,
    /// Write the summary to this file as JSON, beside it as a page (.html), and its signature by the archive (.p7s) where the archive has a
    /// signing key ('archiver keys signing create'), with a timestamp where an authority answers
    #[arg(long, value_name = "FILE.json")]
    pub summary: Option<PathBuf>,
    /// Only these records
    #[arg(value_name = "RECORD", conflicts_with_all = ["csv", "summary", "class", "from", "to"])]
    pub records: Vec<String>,
}

/// `archiver classes`
#[derive(Debug, Args)]
pub struct Classes {
    /// Show everything about one class
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

/// `archiver tsa`
#[derive(Debug, Subcommand)]
pub enum Tsa {
    /// Ask each configured authority for a test timestamp, and explain every check of it
    Check {
        /// Only this authority
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Show what is remembered of each configured authority; nothing is sent
    Status,
    /// Answer RFC 3161 requests over HTTP with the embedded authority, for other clients
    Serve {
        /// The address to listen at
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3161")]
        listen: SocketAddr,
    },
    /// Write the certificates of the embedded authority that a relying party must trust
    TrustAnchors {
        /// The PEM file to write; - for standard output
        #[arg(short, long, value_name = "FILE.pem")]
        output: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_option_explains_itself() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let explained = argument.get_help().is_some();
                assert!(
                    explained,
                    "{} {}: no help",
                    command.get_name(),
                    argument.get_id()
                );
            }
            for inner in command.get_subcommands() {
                assert!(
                    inner.get_about().is_some(),
                    "{}: no description",
                    inner.get_name()
                );
                check(inner);
            }
        }
        check(&Arguments::command());
    }
}
