//! Module raw.
