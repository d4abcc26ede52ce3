//! Module der.
