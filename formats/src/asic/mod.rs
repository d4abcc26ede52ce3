//! Module asic.
