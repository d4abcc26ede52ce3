//! Module process.
