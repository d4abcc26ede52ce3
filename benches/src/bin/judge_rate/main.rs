//! How many evidence records and tokens are judged in a second, and in how much memory; `benches/peers/judge` runs it beside Bouncy Castle
//! and OpenSSL on the same files.
//!
//! ```text
//! judge-rate make FOLDER COUNT            records under one token, records under a token each, tokens alone, with their data and the root
//! judge-rate records FOLDER SECONDS THREADS alone|run     each record for itself, or with the cache of a run over many
//! judge-rate tokens FOLDER SECONDS
//! judge-rate memory FOLDER COUNT          judges COUNT records one after the other, read from the folder; prints the peak
//! ```
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench prints its figures, stops where something is wrong, and writes files that are not the archive's"
)]

mod material;
mod rate;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", folder, count] => material::make(Path::new(folder), count.parse().unwrap()),
        ["records", folder, seconds, threads, how] => rate::records(
            Path::new(folder),
            seconds.parse().unwrap(),
            threads.parse().unwrap(),
            how == "run",
        ),
        ["tokens", folder, seconds] => rate::tokens(Path::new(folder), seconds.parse().unwrap()),
        ["memory", folder, count] => rate::memory(Path::new(folder), count.parse().unwrap()),
        _ => panic!(
            "usage: make FOLDER COUNT | records FOLDER SECONDS THREADS alone|run | tokens FOLDER SECONDS | memory FOLDER COUNT"
        ),
    }
}
