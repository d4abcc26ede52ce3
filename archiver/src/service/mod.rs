//! The service `archiver serve`: a scheduler that stamps, renews and alarms, and a small HTTP listener that tells how it is.
//!
//! The archive is open only while the scheduler visits it, so other commands can use it in between. [`schedule`], [`conditions`] and [`alarms`] decide
//! purely; [`scheduler`] carries out, with the archive behind [`work::Work`], the receiver of alarms behind [`notify::Notifier`] and the
//! time from a clock: a test drives it through years in a moment.

pub mod alarms;
pub mod conditions;
pub mod held_up;
pub mod http;
pub mod log;
pub mod mail;
pub mod metrics;
pub mod notify;
pub(crate) mod outgoing;
pub mod schedule;
pub mod scheduler;
pub mod telling;
pub mod webhook;
pub mod work;

#[cfg(test)]
mod tests;
