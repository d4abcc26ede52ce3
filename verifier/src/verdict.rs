//! Module verdict.
