//! Module oid.
