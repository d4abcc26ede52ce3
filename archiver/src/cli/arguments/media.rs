//! `archiver media`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::media::facts::{PlaceClass, Role};

/// `archiver media`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "MEDIUM is a medium's id or its beginning, role and number (data-2), what is written on its case, or its folder.

Examples:
  archiver media list
  archiver media register data-1 --custodian 佐藤 --place '第1サーバ室 ラック3' --place-class machine-room
  archiver media move data-2 --to '本社 耐火金庫' --place-class fire-safe --carrier 佐藤 --witness 鈴木 --seal 0042
  archiver media stock-take --list -o stock-take.txt       then tick it, and: --enter stock-take.txt --counted-by 佐藤
  archiver media add /mnt/disk-c                           a further copy
  archiver media replace data-2 /mnt/disk-c                the new medium takes the place of one that failed
  archiver media migrate data-1 /mnt/new                   the same for one that still works
  archiver media return data-2                             a medium that was out of service gets what it lacks

add, replace, migrate and return may be interrupted and simply run again."
)]
pub enum Media {
    /// All media with their state
    List,
    /// Everything the ledger knows of one medium, with its moves
    Show(MediaOne),
    /// Enter a medium in the ledger, or correct what it says
    Register(Box<MediaRegister>),
    /// Record that two people took a medium to another place
    Move(MediaMove),
    /// Count the media: print the list, enter the result, or see what is due
    StockTake(MediaStockTake),
    /// Add a data medium: a further full copy
    Add(MediaAdd),
    /// Put a new medium in the place of a data medium that failed or was lost
    Replace(MediaReplace),
    /// Move the archive from a data medium that works to a new one
    Migrate(MediaReplace),
    /// Bring a data medium up to date that was out of service
    Return(MediaOne),
    /// Take a medium out of the archive for good
    Retire(MediaOne),
}

/// One medium.
#[derive(Debug, Args)]
pub struct MediaOne {
    /// The medium
    #[arg(value_name = "MEDIUM")]
    pub medium: String,
}

/// `archiver media register`
#[derive(Debug, Args)]
pub struct MediaRegister {
    /// The medium; or a name for a new one without a label of ours, such as an export disk
    #[arg(value_name = "MEDIUM")]
    pub medium: String,
    /// What it is for: data, keys, key-copy, export
    #[arg(long, value_name = "ROLE")]
    pub role: Option<Role>,
    /// What is written on its case
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// Serial number, where the device does not say it
    #[arg(long, value_name = "TEXT")]
    pub serial: Option<String>,
    /// Maker and model, where the device does not say it
    #[arg(long, value_name = "TEXT")]
    pub model: Option<String>,
    /// Classification of what it holds; also written to its label where it is mounted
    #[arg(long, value_name = "TEXT")]
    pub classification: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub custodian: Option<String>,
    /// Where it lies
    #[arg(long, value_name = "TEXT", requires = "place_class")]
    pub place: Option<String>,
    /// How the place is secured: machine-room, locked-cabinet, fire-safe, vault, off-site, transit, other
    #[arg(long, value_name = "CLASS")]
    pub place_class: Option<PlaceClass>,
    /// Whether it can be taken out
    #[arg(long, value_name = "true|false")]
    pub removable: Option<bool>,
}

/// `archiver media move`
#[derive(Debug, Args)]
pub struct MediaMove {
    /// The medium
    #[arg(value_name = "MEDIUM")]
    pub medium: String,
    /// Where it is now
    #[arg(long, value_name = "PLACE")]
    pub to: String,
    /// How that place is secured: machine-room, locked-cabinet, fire-safe, vault, off-site, transit, other
    #[arg(long, value_name = "CLASS")]
    pub place_class: PlaceClass,
    /// Who carried it
    #[arg(long, value_name = "NAME")]
    pub carrier: String,
    /// Who went along: another person
    #[arg(long, value_name = "NAME")]
    pub witness: String,
    /// Number of the seal on its case
    #[arg(long, value_name = "TEXT")]
    pub seal: Option<String>,
    /// The day of the move, where it is not today
    #[arg(long, value_name = "DATE")]
    pub on: Option<String>,
    /// Who answers for it from now on
    #[arg(long, value_name = "NAME")]
    pub custodian: Option<String>,
}

/// `archiver media stock-take`
#[derive(Debug, Args)]
pub struct MediaStockTake {
    /// Make the list to tick
    #[arg(long, conflicts_with = "enter")]
    pub list: bool,
    /// Where to write the list: a page to print if the name ends in .html, text otherwise
    #[arg(short, long, value_name = "FILE", requires = "list")]
    pub output: Option<PathBuf>,
    /// Enter a list that was ticked; - for standard input
    #[arg(long, value_name = "FILE", requires = "counted_by")]
    pub enter: Option<PathBuf>,
    /// Who counted (repeat for each person)
    #[arg(long, value_name = "NAME")]
    pub counted_by: Vec<String>,
}

/// `archiver media add`
#[derive(Debug, Args)]
pub struct MediaAdd {
    /// An empty folder on its own device
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// `archiver media replace`, `archiver media migrate`
#[derive(Debug, Args)]
pub struct MediaReplace {
    /// The medium that leaves
    #[arg(value_name = "MEDIUM")]
    pub medium: String,
    /// An empty folder on the new device
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
