//! Many connections that say nothing, or very slowly, while others work.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::figures::Times;
use super::served::Served;

pub(crate) async fn run(archiver: &Path, folder: &Path, connections: usize) {
    let (mut served, [token, _]) = Served::found(archiver, folder).await;
    println!("memory before {} MiB", served.memory().0);
    measure(&served, &token, "alone").await;
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..connections {
        // The client's side of each takes one port of its own address.
        let address = [127, 0, 0, 1 + (open.len() / 20_000) as u8];
        match TcpStream::connect((std::net::Ipv4Addr::from(address), served.port)).await {
            Ok(stream) => open.push(stream),
            Err(_) => refused += 1,
        }
    }
    println!(
        "{} connections open and silent, {refused} refused; memory {} MiB",
        open.len(),
        served.memory().0
    );
    measure(&served, &token, "beside them").await;
    let began = Instant::now();
    let mut gone = 0;
    while began.elapsed() < Duration::from_secs(60) && gone < open.len() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        gone = open.iter().filter(|stream| is_closed(stream)).count();
    }
    println!(
        "{gone} of them ended by the service after {:.0} s; memory {} MiB",
        began.elapsed().as_secs_f64(),
        served.memory().0
    );
    measure(&served, &token, "after").await;
    served.stop();
}

fn is_closed(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0; 64]), Ok(0))
        || stream
            .try_read(&mut [0; 64])
            .is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
}

async fn measure(served: &Served, token: &str, when: &str) {
    let mut times = Times::default();
    let whole = Instant::now();
    for _ in 0..200 {
        let began = Instant::now();
        // A connection of its own each time: what a new client waits for.
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        let answer = client
            .get(format!("{}/api/v1/session", served.base))
            .bearer_auth(token)
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
        times.add(began.elapsed());
    }
    println!("a new client's first answer, {when}:");
    times.print("", whole.elapsed().as_secs_f64());
}
