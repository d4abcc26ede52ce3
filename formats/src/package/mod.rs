//! Module package.
