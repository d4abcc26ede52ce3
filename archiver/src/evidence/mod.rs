//! Evidence: one timestamp for many records, an evidence record (RFC 4998) for each of them, and the package that goes
//! to the other side.

pub mod assemble;
pub mod audit;
pub mod batch;
mod batch_stream;
mod batch_writer;
pub mod calendar;
pub mod geometry;
mod in_order;
pub mod leaves;
pub mod line_package;
pub mod lines;
pub mod log;
pub mod package;
pub mod plan;
pub mod queue;
pub mod record_verdict;
pub mod renew;
pub mod report_page;
pub mod timeline;
pub mod verify_records;
