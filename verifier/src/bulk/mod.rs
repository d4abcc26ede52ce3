//! Judging many pieces of evidence in one run: what is the same for many is computed once, each gets one row of a table, and the rows are
//! counted in a summary that can be signed.
//!
//! Japan's tax rules ask for it: all time-stamps of any period must be verifiable together
//! (課税期間中の任意の期間を指定し…一括して検証, 電子帳簿保存法施行規則 2⑥二ロ).

pub mod cache;
mod generations;
mod page;
pub mod pairs;
pub mod row;
pub mod run;
pub mod summary;
pub mod table;
mod writing;

pub use cache::{Cache, CacheCounts};
pub use row::{Row, Status};
pub use run::RunHeader;
pub use summary::{Scope, Summary, TableDigest, Tally};
pub use writing::{ResumeError, TableWriting};
