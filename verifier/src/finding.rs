//! Module finding.
