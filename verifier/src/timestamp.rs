//! Module timestamp.
