//! Module limits.
