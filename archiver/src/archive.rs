//! Module archive.
