//! What people and systems do with an open archive: each act checks the right, acts, and writes the audit trail.
//!
//! The API and the pages call these acts and nothing else, so that there is one place that decides who may do what, and one that records it. Acts block
//! (they read media and wait for commits): callers run them on threads of their own.

mod actor;
mod approval;
mod contents;
mod deposit;
mod desk;
mod events;
mod evidence;
mod founding;
mod gathered;
mod intake;
mod jobs;
mod journal;
mod judging;
mod log_in;
mod log_in_openid;
mod overview;
mod people;
mod quarantine;
mod records;
mod refusal;
mod review;
mod searches;
mod trail;
mod uploads;
pub mod verification;

pub use actor::Actor;
pub use approval::{Awaited, AwaitedAct};
pub use contents::{OpenedObject, Purpose};
pub use deposit::{DepositFacts, Deposited};
pub use desk::{AccessRules, Desk, DeskParts};
pub use events::{ANSWERED_MAX, REMARK_CHARACTERS_MAX};
pub use founding::{FirstPassword, found_accounts, reset_person};
pub use gathered::{GATHERED_BYTES_MAX, GATHERED_MAX, GatherError, Gathered};
pub use intake::DeskIntake;
pub use jobs::{JobOrder, Jobs};
pub use journal::{ShownJournal, asked_day};
pub use judging::SentFile;
pub use log_in::{LogIn, LoggedIn};
pub use quarantine::HeldRecord;
pub use records::{RecordFacts, RecordPage};
pub use refusal::Refusal;
pub use review::{ReviewList, ReviewRow, Unattended};
pub use searches::KeptSearch;
pub use uploads::{NewUpload, PartTaken};
