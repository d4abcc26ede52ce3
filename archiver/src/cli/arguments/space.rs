//! Arguments of `compact`, `backup` and `restore`.

use std::path::PathBuf;

use clap::Args;

use crate::store::compaction::THRESHOLD_PERCENT;

/// `archiver compact`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver compact --plan              what would become free, segment by segment; changes nothing
  archiver compact                     frees it; a run that was interrupted is simply started again
  archiver compact --threshold 95      also segments of which little is to be gained

Only contents whose key was destroyed are dropped, and what interrupted deposits and batches left behind. All else stays
where it is: evidence of every other record, and the proof of what was destroyed.")]
pub struct Compact {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Rewrite a segment when less than so much of it stays, in percent
    #[arg(long, value_name = "P", default_value_t = THRESHOLD_PERCENT, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub threshold: u8,
}

/// `archiver backup`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver backup --to /mnt/backup --backup-passphrase-file FILE --keep 5
  archiver backup --to /mnt/backup --custodians --keep 5      sealed to the custodians of 'keys ceremony --backups': no secret is needed
  archiver backup --list
  archiver backup --prune               overwrites and removes backups that hold keys destroyed since

A backup holds what stands on no data medium: the key medium as it is (its keys stay sealed), the configuration, the files
that it names, and the class files. The data media back each other up. The passphrase of the backup comes from
--backup-passphrase-file or the credential fumikura-backup-passphrase; it is not that of the key medium. With --custodians
there is no passphrase: M of the N custodians open the backup with their backup shares at 'archiver restore'.")]
pub struct Backup {
    /// The folder to write the backup to, on a device that holds no data medium
    #[arg(long, value_name = "DIR", required_unless_present_any = ["list", "prune", "confirm_destroyed"])]
    pub to: Option<PathBuf>,
    /// Keep so many backups in that folder; older ones are overwritten and removed
    #[arg(long, value_name = "N", requires = "to", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    /// A file that holds the passphrase of the backup
    #[arg(long, value_name = "FILE")]
    pub backup_passphrase_file: Option<PathBuf>,
    /// Seal the backup to the custodians of the last 'keys ceremony --backups'; none of them need be there
    #[arg(long, requires = "to", conflicts_with = "backup_passphrase_file")]
    pub custodians: bool,
    /// List the backups that were taken, and those that must be destroyed
    #[arg(long, conflicts_with_all = ["to", "prune"])]
    pub list: bool,
    /// Overwrite and remove the backups that hold keys which were destroyed since
    #[arg(long, conflicts_with = "to")]
    pub prune: bool,
    /// Record that a backup that is kept elsewhere was destroyed
    #[arg(long, value_name = "GENERATION", conflicts_with_all = ["to", "list", "prune"])]
    pub confirm_destroyed: Option<u32>,
}

/// `archiver restore`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples, a drill with the data media where they are; they are only read:
  archiver restore --from /mnt/backup/fumikura-00000003.backup --data /mnt/disk-a --into /tmp/drill --sample 50
  archiver restore --from FILE --data /mnt/disk-a --into /tmp/drill --backup-share a.txt --backup-share b.txt

A backup that is sealed to custodians asks for their backup shares one after the other; then for what opens the key medium.

It opens the archive with what was restored, verifies a sample (content, digests, evidence), and writes a report:
restore-report.json, restore-report.ja.html, restore-report.en.html. With --config of the archive the drill is recorded there."
)]
pub struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// A data medium of the archive (repeat for each one at hand; one is enough)
    #[arg(long, required = true, value_name = "DIR")]
    pub data: Vec<PathBuf>,
    /// A new or empty folder to restore into
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// Verify so many records, spread over all of them
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub sample: u32,
    /// A file that holds the passphrase of the backup
    #[arg(long, value_name = "FILE")]
    pub backup_passphrase_file: Option<PathBuf>,
    /// A custodian's share of the backup's key: a file with its words, or - for standard input (repeat for each share)
    #[arg(long, value_name = "FILE", conflicts_with = "backup_passphrase_file")]
    pub backup_share: Vec<PathBuf>,
    /// Keep what was restored from a backup that is sealed to custodians and that the data media do not tell of: anybody can have made it
    #[arg(long)]
    pub unrecorded: bool,
    /// Allow the restored keys on the device of a data medium, for a trial; every output will say so
    #[arg(long)]
    pub evaluation: bool,
}
