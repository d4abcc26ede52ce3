//! One module for each command.

pub(super) mod backup;
pub(super) mod classes;
pub(super) mod compact;
pub(super) mod deposit;
pub(super) mod evidence;
mod evidence_lines;
pub(super) mod export;
pub(super) mod forecast;
pub(super) mod get;
pub(super) mod init;
pub(super) mod keys;
pub(super) mod media;
pub(super) mod quickstart;
pub(super) mod rebuild;
pub(super) mod receipt;
pub(super) mod renew;
pub(super) mod restore;
pub(super) mod scrub;
pub(super) mod search;
pub(super) mod serve;
pub(super) mod signature;
pub(super) mod stamp;
pub(super) mod status;
pub(super) mod tsa;
pub(super) mod verify;
mod verify_table;
mod visits;
