//! The same files by the command and over the API, side by side.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::clients::{deposit, sized};
use super::served::Served;

/// Each way twice, by turns: the machine is not the same in each minute.
pub(crate) async fn run(
    (archiver, folder): (&Path, &Path),
    (files, size): (usize, usize),
    clients: usize,
) {
    let mut rates = [Vec::new(), Vec::new()];
    for turn in 0..2 {
        let place = folder.join(format!("command-{turn}"));
        rates[0].push(by_command(archiver, &place, (files, size)).await);
        let place = folder.join(format!("api-{turn}"));
        rates[1].push(by_api(archiver, &place, (files, size), clients).await);
    }
    let best = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    println!(
        "over the API {:.0} % of the command",
        best(&rates[1]) / best(&rates[0]) * 100.0
    );
}

async fn by_command(archiver: &Path, folder: &Path, (files, size): (usize, usize)) -> f64 {
    let (mut served, _) = Served::found(archiver, folder).await;
    served.stop();
    let source = folder.join("files");
    fs::create_dir_all(&source).unwrap();
    let mut bytes = 0;
    for number in 0..files {
        let content = sized(0, number, size);
        bytes += content.len();
        fs::write(source.join(format!("invoice-{number}.txt")), content).unwrap();
    }
    let began = Instant::now();
    served.command(&["deposit", "--class", "received-invoice", "files"]);
    told("command", files, bytes, began)
}

async fn by_api(
    archiver: &Path,
    folder: &Path,
    (files, size): (usize, usize),
    clients: usize,
) -> f64 {
    let (mut served, administrators) = Served::found(archiver, folder).await;
    let mut depositors = Vec::new();
    for number in 0..4 {
        depositors.push(
            served
                .person(&administrators, &format!("keiri{number}"), "depositor")
                .await
                .token,
        );
    }
    let depositors = Arc::new(depositors);
    let next = Arc::new(AtomicUsize::new(0));
    let cpu = served.cpu();
    let began = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let (next, depositors) = (Arc::clone(&next), Arc::clone(&depositors));
            let (http, base) = (served.client.clone(), served.base.clone());
            tokio::spawn(async move {
                let token = &depositors[client % depositors.len()];
                let mut bytes = 0;
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= files {
                        return bytes;
                    }
                    let content = sized(0, number, size);
                    let length = content.len();
                    let sent = deposit(&http, &base, token, (0, number), content);
                    sent.await.unwrap();
                    bytes += length;
                }
            })
        })
        .collect();
    let mut bytes = 0;
    for task in tasks {
        bytes += task.await.unwrap();
    }
    let cpu = served.cpu() - cpu;
    let rate = told("API", files, bytes, began);
    println!(
        "         CPU of the service {:.2} ms for each",
        cpu * 1000.0 / files as f64
    );
    served.stop();
    rate
}

fn told(way: &str, files: usize, bytes: usize, began: Instant) -> f64 {
    let seconds = began.elapsed().as_secs_f64();
    let rate = files as f64 / seconds;
    println!(
        "{way:<8} {files} files of {} bytes: {seconds:.1} s, {rate:.0}/s",
        bytes / files
    );
    rate
}
