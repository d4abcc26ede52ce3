//! Module cms.
