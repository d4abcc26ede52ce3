//! Reports follow their published schemas: the JSON report its own, the XML report that of ETSI TS 119 102-2.
//!
//! Own evidence of every kind and verdict, and every foreign vector, are judged; the XML is put before `xmllint` with the schema of ETSI. Where
//! schemas, vectors or `xmllint` are absent, the test says so and goes on with what is there.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod own;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod vectors;
