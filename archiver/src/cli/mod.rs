//! The command line: arguments in, lines and exit codes out.

pub mod lang;
