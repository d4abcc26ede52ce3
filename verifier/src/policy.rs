//! Module policy.
