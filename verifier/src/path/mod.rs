//! Module path.
