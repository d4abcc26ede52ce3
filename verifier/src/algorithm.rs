//! Module algorithm.
