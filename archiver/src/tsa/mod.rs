//! Module tsa.
