//! Module manifest.
