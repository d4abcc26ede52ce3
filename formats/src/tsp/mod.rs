//! Module tsp.
