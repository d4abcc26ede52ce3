//! Module keys.
