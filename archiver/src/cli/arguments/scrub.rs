//! The arguments of `archiver scrub`.

use clap::Args;

/// `archiver scrub`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver scrub                               every copy of every segment
  archiver scrub --part 7/30 --pace 50MB --hours 22-6
  archiver scrub --oldest 500GiB               those first that were proven longest ago
  archiver scrub --deep --part 1/90            decrypt, and compare contents with their manifests
  archiver scrub --report                      how much was proven when, and what is overdue

It reads without locking the archive. A run that was interrupted goes on when the same is asked for again.
Exit code 7: something is damaged and could not be healed; it is named.")]
pub struct Scrub {
    /// Read part N of M: the parts 1/M to M/M read each segment exactly once, also when segments are added meanwhile
    #[arg(long, value_name = "N/M", conflicts_with = "oldest")]
    pub part: Option<String>,
    /// Read what was proven longest ago: so many segments, or bytes (500GiB)
    #[arg(long, value_name = "BYTES|N")]
    pub oldest: Option<String>,
    /// Decrypt the records and compare their contents with their manifests, on every medium
    #[arg(long)]
    pub deep: bool,
    /// Read at most so many bytes a second, over all media (50MB, 20MiB)
    #[arg(long, value_name = "BYTES")]
    pub pace: Option<String>,
    /// Read only in these hours of the day in Japan (22-6, 22:00-06:30); wait for them
    #[arg(long, value_name = "A-B")]
    pub hours: Option<String>,
    /// Only find damage, and change nothing on the media
    #[arg(long)]
    pub no_heal: bool,
    /// Record nothing in the archive: no passphrase is needed then
    #[arg(long, conflicts_with = "deep")]
    pub no_record: bool,
    /// Tell how much was proven when, and what is overdue; read nothing
    #[arg(long, conflicts_with_all = ["part", "oldest", "deep", "pace", "hours", "no_heal", "no_record"])]
    pub report: bool,
    /// Make parity for sealed segments that have none, as segments.parity in the configuration says; read nothing else
    #[arg(long, conflicts_with_all = ["part", "oldest", "deep", "report", "no_heal", "no_record"])]
    pub add_parity: bool,
}
