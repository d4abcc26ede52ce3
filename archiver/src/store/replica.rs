//! One replica.
