//! Many clients that deposit and read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::figures::Times;
use super::served::{Person, Served};

/// What a client remembers of a deposit that was acknowledged.
struct Kept {
    record: String,
    content: (usize, usize),
}

struct Shared {
    base: String,
    depositors: Vec<Person>,
    readers: Vec<Person>,
    kept: Mutex<Vec<Kept>>,
    is_over: AtomicBool,
    failures: AtomicUsize,
    first_failure: Mutex<Option<String>>,
}

#[derive(Default)]
struct Seen {
    deposits: Times,
    searches: Times,
    facts: Times,
    fetches: Times,
}

/// A document of a size, that no other client sends, and that does not compress.
pub(crate) fn sized(client: usize, number: usize, bytes: usize) -> Vec<u8> {
    let mut content = content(client, number);
    let mut state = (client as u64) << 32 | number as u64 | 1;
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content
}

/// An invoice of some kilobytes that no other client sends.
pub(crate) fn content(client: usize, number: usize) -> Vec<u8> {
    let mut text = format!("invoice {client}-{number}\n");
    let mut state = (client as u64) << 32 | number as u64 | 1;
    for line in 0..20 + number % 60 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!(
            "{line:>4}  item {state:016x}  {:>12}\n",
            state % 1_000_000
        ));
    }
    text.into_bytes()
}

pub(crate) async fn run(
    (archiver, folder): (&Path, &Path),
    clients: usize,
    seconds: usize,
    is_killed: bool,
) {
    let (mut served, administrators) = Served::found(archiver, folder).await;
    let shared = Arc::new(people(&served, &administrators).await);
    println!(
        "{clients} clients for {seconds} s; memory at the start {} MiB",
        served.memory().0
    );
    let began = Instant::now();
    let cpu = served.cpu();
    let tasks: Vec<_> = (0..clients)
        .map(|client| tokio::spawn(work(Arc::clone(&shared), served.client.clone(), client)))
        .collect();
    let length = if is_killed { seconds / 2 } else { seconds };
    for tenth in 1..=10 {
        tokio::time::sleep(Duration::from_secs_f64(length as f64 / 10.0)).await;
        let (now, most) = served.memory();
        let count = shared.kept.lock().unwrap().len();
        println!(
            "{:>5.0} s: {count} deposits, memory {now} MiB, at most {most} MiB",
            length as f64 * f64::from(tenth) / 10.0
        );
    }
    let cpu = served.cpu() - cpu;
    if is_killed {
        served.kill();
    }
    shared.is_over.store(true, Ordering::SeqCst);
    let passed = began.elapsed().as_secs_f64();
    let mut seen = Seen::default();
    for task in tasks {
        let mut one = task.await.unwrap();
        seen.deposits.join(&mut one.deposits);
        seen.searches.join(&mut one.searches);
        seen.facts.join(&mut one.facts);
        seen.fetches.join(&mut one.fetches);
    }
    seen.deposits.print("deposit", passed);
    seen.searches.print("search", passed);
    seen.facts.print("facts", passed);
    seen.fetches.print("fetch", passed);
    println!("CPU of the service {cpu:.0} s in {passed:.0} s");
    let failures = shared.failures.load(Ordering::SeqCst);
    if is_killed {
        println!("killed; {failures} requests were cut off by it, as they must be");
        let began = Instant::now();
        served.start_again().await;
        println!("served again after {:.1} s", began.elapsed().as_secs_f64());
    } else {
        println!(
            "{failures} errors {}",
            shared
                .first_failure
                .lock()
                .unwrap()
                .as_deref()
                .unwrap_or_default()
        );
    }
    read_back(&served, &shared, is_killed).await;
    served.stop();
    served.command(&["stamp"]);
    let verified = served.command(&["verify"]);
    println!("verify:\n{verified}");
}

async fn people(served: &Served, administrators: &[String; 2]) -> Shared {
    let mut depositors = Vec::new();
    let mut readers = Vec::new();
    for number in 0..4 {
        depositors.push(
            served
                .person(administrators, &format!("keiri{number}"), "depositor")
                .await,
        );
        readers.push(
            served
                .person(administrators, &format!("homu{number}"), "retriever")
                .await,
        );
    }
    Shared {
        base: served.base.clone(),
        depositors,
        readers,
        kept: Mutex::default(),
        is_over: AtomicBool::new(false),
        failures: AtomicUsize::new(0),
        first_failure: Mutex::default(),
    }
}

/// One deposit, then three ways of reading, until it is over.
async fn work(shared: Arc<Shared>, client: reqwest::Client, number: usize) -> Seen {
    let mut seen = Seen::default();
    let depositor = &shared.depositors[number % shared.depositors.len()].token;
    let reader = &shared.readers[number % shared.readers.len()].token;
    for round in 0.. {
        if shared.is_over.load(Ordering::SeqCst) {
            break;
        }
        let began = Instant::now();
        let sent = deposit(
            &client,
            &shared.base,
            depositor,
            (number, round),
            content(number, round),
        )
        .await;
        let Some(record) = shared.noted(sent) else {
            continue;
        };
        seen.deposits.add(began.elapsed());
        let (record, content) = (record, (number, round));
        shared.kept.lock().unwrap().push(Kept { record, content });
        let other = {
            let kept = shared.kept.lock().unwrap();
            kept[(number * 7919 + round * 104_729) % kept.len()]
                .record
                .clone()
        };
        let (amount, base) = (round % 500, &shared.base);
        let reads = [
            (
                format!(
                    "{base}/api/v1/records?amount={amount}..{}&counterparty=abc&limit=20",
                    amount + 5
                ),
                &mut seen.searches,
            ),
            (format!("{base}/api/v1/records/{other}"), &mut seen.facts),
            (
                format!("{base}/api/v1/records/{other}/versions/1/objects/0?purpose=load"),
                &mut seen.fetches,
            ),
        ];
        for (address, times) in reads {
            let began = Instant::now();
            let got = get(&client, &address, reader).await;
            if shared.noted(got).is_some() {
                times.add(began.elapsed());
            }
        }
    }
    seen
}

impl Shared {
    fn noted<T>(&self, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                // What was cut off by our own end is no failure.
                if !self.is_over.load(Ordering::SeqCst) {
                    self.failures.fetch_add(1, Ordering::SeqCst);
                    self.first_failure.lock().unwrap().get_or_insert(error);
                }
                None
            }
        }
    }
}

pub(crate) async fn deposit(
    client: &reqwest::Client,
    base: &str,
    token: &str,
    (number, round): (usize, usize),
    content: Vec<u8>,
) -> Result<String, String> {
    let amount = round % 500;
    let day = 1 + round % 28;
    let address = format!(
        "{base}/api/v1/records?class=received-invoice&name=invoice-{number}-{round}.txt&date=2026-10-{day:02}&amount={amount}&currency=JPY&counterparty=ABC%20{number}"
    );
    let sent = client
        .post(address)
        .bearer_auth(token)
        .body(content)
        .send()
        .await;
    let response = sent.map_err(|error| format!("{error:?}"))?;
    let status = response.status();
    let text = response
        .text()
        .await
        .map_err(|error| format!("{error:?}"))?;
    if status != 201 {
        return Err(format!("{status} {text}"));
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    Ok(value["record"].as_str().unwrap().to_owned())
}

async fn get(client: &reqwest::Client, address: &str, token: &str) -> Result<Vec<u8>, String> {
    let sent = client.get(address).bearer_auth(token).send().await;
    let response = sent.map_err(|error| format!("{error:?}"))?;
    let status = response.status();
    let bytes = response
        .bytes()
        .await
        .map_err(|error| format!("{error:?}"))?;
    match status.is_success() {
        true => Ok(bytes.to_vec()),
        false => Err(format!("{status} {}", String::from_utf8_lossy(&bytes))),
    }
}

/// One account alone is faster than it may be: it waits when it is told so.
async fn patiently(client: &reqwest::Client, address: &str, token: &str) -> Vec<u8> {
    loop {
        match get(client, address, token).await {
            Ok(bytes) => return bytes,
            Err(error) if error.starts_with("429") => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Every acknowledged deposit is fetched again and compared byte by byte.
async fn read_back(served: &Served, shared: &Arc<Shared>, is_killed: bool) {
    let kept: Vec<Kept> = std::mem::take(&mut *shared.kept.lock().unwrap());
    let count = kept.len();
    let kept = Arc::new(kept);
    // Sessions end with the service.
    let reader = &shared.readers[0];
    let token = if is_killed {
        served.log_in(reader).await
    } else {
        reader.token.clone()
    };
    let began = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (kept, next, shared, client) = (
                Arc::clone(&kept),
                Arc::clone(&next),
                Arc::clone(shared),
                served.client.clone(),
            );
            let token = token.clone();
            tokio::spawn(async move {
                while let Some(one) = kept.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let address = format!(
                        "{}/api/v1/records/{}/versions/1/objects/0?purpose=check",
                        shared.base, one.record
                    );
                    let got = patiently(&client, &address, &token).await;
                    assert_eq!(got, content(one.content.0, one.content.1), "{}", one.record);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    println!(
        "{count} acknowledged deposits fetched again in {:.0} s: each as it was sent",
        began.elapsed().as_secs_f64()
    );
}
