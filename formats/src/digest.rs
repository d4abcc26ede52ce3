//! Module digest.
