//! The independent verifier program.
fn main() {}
