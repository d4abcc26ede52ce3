//! Module medium.
