//! Module class.
