//! The arguments of `archiver keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use formats::id::MediumId;

/// What holds the key-encryption keys of a new archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kek {
    /// A file on the key medium, sealed under a passphrase
    File,
    /// A PKCS#11 token
    Pkcs11,
}

/// `archiver keys`
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// The key that signs records and receipts
    #[command(subcommand)]
    Signing(SigningKey),
    /// Give the key medium's key to custodians: make their shares, so many of which unlock it
    Ceremony(Ceremony),
    /// Check one share, without unlocking anything: whose it is, and whether it is right
    Share,
    /// Gather shares of custodians, one after the other, until they unlock; with --hold, hold the key for other commands
    Unlock(Unlocking),
    /// Write-only key media for hosts that take records in and must not be able to read them
    #[command(subcommand)]
    Intake(Intake),
    /// End 'keys unlock --hold': the key that it holds is forgotten
    Lock,
    /// Wrap every key under a new key-encryption key and destroy the old one; brings an interrupted rotation to its end
    Rotate(RotateKeys),
    /// Make a copy of the key medium, or make a lost one anew
    Copy(KeyCopy),
    /// Record that a copy of the key medium is no more, or was never finished: from then on no list and no destruction names it
    CopyGone {
        /// Its id, as 'keys inventory' names it
        #[arg(value_name = "MEDIUM")]
        medium: MediumId,
        /// How it was destroyed, or why it never was
        #[arg(long, value_name = "TEXT")]
        how: String,
    },
    /// Destroy records for good by destroying their keys: two people, and the ids typed again
    Destroy(DestroyKeys),
    /// List every key: what for, where, in which state, and what to do if it leaks
    Inventory,
    /// Open every key, and with it its record: can everything still be read?
    Audit(AuditKeys),
    /// Seal the key medium under a new passphrase; what opened it before opens it no more
    Passphrase(NewPassphrase),
}

/// `archiver keys ceremony`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver keys ceremony --threshold 2 --shares 3 --names 佐藤,鈴木,高橋
  archiver keys ceremony --threshold 2 --shares 3 --out /run/sheets      a text and a page to print for each custodian, mode 0600
  archiver keys ceremony --backups --threshold 2 --shares 3              who opens backups; the key medium stays as it is

Without --out each custodian comes to the terminal alone, writes down the words or scans the code, and types them back;
the screen is cleared in between. Nothing changes on the key medium before the last sheet is proven to be readable.
A new ceremony is how custodians change: the shares of the one before open nothing any more. With --backups they go on opening
the backups that were sealed to them; later backups are sealed to the new ones.")]
pub struct Ceremony {
    /// Make the key that 'backup --custodians' seals to, and share its private half
    #[arg(long)]
    pub backups: bool,
    /// How many shares unlock
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u8).range(2..=16))]
    pub threshold: u8,
    /// How many shares are made
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
    pub shares: u8,
    /// The custodians, one for each share [default: custodian-1, custodian-2, …]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Write each sheet into files of this folder in place of the terminal
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `archiver keys intake`
#[derive(Debug, Subcommand)]
pub enum Intake {
    /// Make the key medium of an intake host: it holds a public key, and later the keys of what the host took in, sealed to it
    Create {
        /// An empty folder for it
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Take over the keys of everything that an intake host took in
    Accept {
        /// The host's key medium
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Record that an intake host's key medium was destroyed: from then on no destruction of records names it
    Destroyed {
        /// Its id, as 'keys inventory --json' and the facts of a destruction name it
        #[arg(value_name = "MEDIUM")]
        medium: MediumId,
        /// How it was destroyed
        #[arg(long, value_name = "TEXT")]
        how: String,
    },
}

/// `archiver keys unlock`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver keys unlock                                   asks for shares until there are enough, and says that they open
  archiver keys unlock --hold --hours 8                  holds the key in memory until it is told to forget it, or 8 hours have passed
  archiver keys unlock --hold --share a.txt --share b.txt

The key is held for other commands of the same user on this machine, behind a socket in $XDG_RUNTIME_DIR that nobody else can
open; it is never written to a disk. 'archiver keys lock', Ctrl-C and SIGTERM end it.")]
pub struct Unlocking {
    /// Stay, and hold the key for other commands of the same user
    #[arg(long)]
    pub hold: bool,
    /// After how many hours it is forgotten
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=168))]
    pub hours: u32,
}

/// `archiver keys copy`
#[derive(Debug, Args)]
pub struct KeyCopy {
    /// An empty folder on another device, or the copy to make anew
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Overwrite a copy that holds keys which the key medium does not hold
    #[arg(long)]
    pub replace: bool,
    /// Also where damaged entries of the copy that stands there are whole nowhere else: they are gone for good
    #[arg(long)]
    pub give_up_damaged: bool,
}

/// `archiver keys rotate`
#[derive(Debug, Args)]
pub struct RotateKeys {
    /// Also where damaged entries of the ledger open on no key medium that is there: they are gone for good
    #[arg(long)]
    pub give_up_damaged: bool,
}

/// `archiver keys destroy`
#[derive(Debug, Args)]
pub struct DestroyKeys {
    /// The records
    #[arg(required = true, value_name = "RECORD")]
    pub records: Vec<String>,
    /// Who destroys
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Who approved it: somebody else
    #[arg(long, value_name = "NAME")]
    pub approved_by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Also what no timestamp covers yet: nothing will prove that it ever was there
    #[arg(long)]
    pub without_timestamp: bool,
    /// Also where damaged entries of other records open on no key medium that is there: they are gone for good
    #[arg(long)]
    pub give_up_damaged: bool,
}

/// `archiver keys audit`
#[derive(Debug, Args)]
pub struct AuditKeys {
    /// Only one part of the keys, like 3/30
    #[arg(long, value_name = "K/N")]
    pub part: Option<String>,
}

/// `archiver keys passphrase`
#[derive(Debug, Args)]
pub struct NewPassphrase {
    /// A file that holds the new passphrase, on its first line [default: asked for twice]
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
    /// Memory that deriving the key takes, in MiB [default: as it is, or 32]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(8..=2048))]
    pub memory: Option<u32>,
    /// Passes over that memory [default: as it is, or 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub passes: Option<u32>,
}

/// `archiver keys signing`
#[derive(Debug, Subcommand)]
pub enum SigningKey {
    /// Make the signing key, for an archive that was made without one
    Create,
    /// Say whose certificate signs, and until when
    Show,
    /// Make a new key and a request for its certificate (PKCS #10), for a certificate authority
    Request {
        /// The request to write
        #[arg(short, long, value_name = "FILE.pem")]
        output: PathBuf,
    },
    /// Take the certificate that was issued for the request, with those above it: from now on it signs
    Install {
        /// The certificates, the signer's own and those above it up to the root
        #[arg(value_name = "CHAIN.pem")]
        chain: PathBuf,
    },
    /// Write the certificate that a relying party must trust to check signatures and receipts
    TrustAnchor {
        /// The PEM file to write; - for standard output
        #[arg(short, long, value_name = "FILE.pem")]
        output: PathBuf,
    },
}
