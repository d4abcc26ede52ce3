//! Module source.
