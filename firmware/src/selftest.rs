//! Module selftest.
