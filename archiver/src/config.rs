//! Module config.
