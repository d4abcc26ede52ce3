//! Module record.
