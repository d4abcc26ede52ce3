//! Module segment.
