//! Vectors, conformance, crash, interoperability and end-to-end tests.
