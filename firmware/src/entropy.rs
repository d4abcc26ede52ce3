//! Module entropy.
