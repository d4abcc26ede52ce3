//! The service under many clients: what it takes in and gives out, how long each waits, how its memory goes, and whether every deposit that it acknowledged is
//! there afterwards, also when it is killed in the middle.
//!
//! ```text
//! service-load ARCHIVER FOLDER load CLIENTS SECONDS        deposits and reads; then all of it is read back and verified
//! service-load ARCHIVER FOLDER kill CLIENTS SECONDS        the same, with SIGKILL after half of the time
//! service-load ARCHIVER FOLDER deposits FILES BYTES CLIENTS  the same files by the command and over the API, each into an archive of its own
//! service-load ARCHIVER FOLDER idle CONNECTIONS            many connections that say nothing, while others work
//! ```
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench prints its figures, stops where something is wrong, and writes files that are not the archive's"
)]

mod clients;
mod deposits;
mod figures;
mod idle;
mod served;

use std::path::Path;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().unwrap();
    match words[..] {
        [archiver, folder, "load", clients, seconds] => {
            let place = (Path::new(archiver), Path::new(folder));
            clients::run(place, number(clients), number(seconds), false).await;
        }
        [archiver, folder, "kill", clients, seconds] => {
            let place = (Path::new(archiver), Path::new(folder));
            clients::run(place, number(clients), number(seconds), true).await;
        }
        [archiver, folder, "deposits", files, bytes, clients] => {
            let place = (Path::new(archiver), Path::new(folder));
            let files = (number(files), number(bytes));
            deposits::run(place, files, number(clients)).await;
        }
        [archiver, folder, "idle", connections] => {
            idle::run(Path::new(archiver), Path::new(folder), number(connections)).await;
        }
        _ => panic!(
            "usage: ARCHIVER FOLDER load CLIENTS SECONDS | kill CLIENTS SECONDS | deposits FILES BYTES CLIENTS | idle CONNECTIONS"
        ),
    }
}
