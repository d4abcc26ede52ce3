//! Module budget.
