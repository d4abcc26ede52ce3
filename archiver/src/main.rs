//! The archive program: composition root.
fn main() {}
