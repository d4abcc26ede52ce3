//! Renewal of evidence before it ends (RFC 4998 §5).

pub mod action;

pub use action::RenewalAction;
