//! Module intake.
