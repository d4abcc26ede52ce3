//! Module crypto.
