//! Module error.
