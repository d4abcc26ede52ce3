//! Module media.
