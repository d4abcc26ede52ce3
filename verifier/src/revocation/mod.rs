//! Module revocation.
