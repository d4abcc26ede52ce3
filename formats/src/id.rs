//! Module id.
