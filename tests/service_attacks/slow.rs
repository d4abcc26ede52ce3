//! Clients that send or take a byte now and then, or nothing: cut off in time, while everybody else is served.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use tests::random::Random;

use super::place::{Line, Place, until};

/// Sends bytes one at a time until the service ends the connection; says whether it did before all were sent.
fn trickle(line: &mut Line, bytes: impl Iterator<Item = u8>) -> bool {
    line.sock
        .set_read_timeout(Some(Duration::from_millis(50)))
        .expect("a time-out");
    for byte in bytes {
        if line.write_all(&[byte]).and_then(|()| line.flush()).is_err() {
            return true;
        }
        let mut answer = [0; 1024];
        match line.read(&mut answer) {
            // An answer to half a request says that it was given up.
            Ok(_) => return true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return true,
        }
    }
    false
}

const LIMITS: &str = "head_seconds = 1\npause_seconds = 1";

#[test]
fn heads_and_bodies_byte_by_byte_are_cut_off_and_others_are_served_meanwhile() {
    let place = Place::start(LIMITS);
    let before = place.sockets();
    let endless = || std::iter::repeat_n(b'x', 100_000);
    let bearer = place.bearer("sato");
    std::thread::scope(|scope| {
        let place = &place;
        let mut attacks = Vec::new();
        for _ in 0..20 {
            attacks.push(scope.spawn(move || {
                let head = b"GET / HTTP/1.1\r\nx-long: ".iter().copied();
                trickle(&mut place.connect(), head.chain(endless()))
            }));
        }
        let deposit = format!(
            "POST /api/v1/records?class=general&name=a.txt HTTP/1.1\r\nhost: localhost\r\n{bearer}\r\ncontent-length: 100000\r\n\r\n"
        );
        for _ in 0..20 {
            let deposit = deposit.clone();
            attacks.push(scope.spawn(move || {
                let mut line = place.connect();
                line.write_all(deposit.as_bytes())
                    .expect("the head is sent");
                trickle(&mut line, endless())
            }));
        }
        for _ in 0..5 {
            place.serves();
        }
        for attack in attacks {
            assert!(
                attack.join().expect("an attack"),
                "it was let go on for ever"
            );
        }
    });
    until("all connections are let go of", || {
        place.sockets() <= before
    });
}

#[test]
fn who_says_nothing_is_let_go_of_before_during_and_after_the_handshake() {
    let place = Place::start(LIMITS);
    let before = place.sockets();
    let began = Instant::now();
    let mut silent = vec![place.plain(), place.plain()];
    silent[1].write_all(b"\x16\x03\x01").expect("half a record");
    let (mut none, mut preface) = (place.connect(), place.connect_h2());
    let mut half = place.connect();
    half.write_all(b"PRI * HT").expect("half a preface");
    // Whoever has asked once and says nothing more is let go of, too.
    let mut idle = place.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .expect("a question");
    until("all connections are let go of", || {
        place.sockets() <= before
    });
    let mut last = Vec::new();
    for line in [&mut none, &mut preface, &mut half, &mut idle] {
        drop(line.read_to_end(&mut last));
    }
    for line in &mut silent {
        drop(line.read_to_end(&mut last));
    }
    assert!(
        last.windows(12).any(|text| text == b"HTTP/1.1 200"),
        "the one who asked was answered"
    );
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "nobody is cut off at once"
    );
    place.serves();
}

#[test]
fn readers_that_do_not_read_are_cut_off_and_others_are_served_meanwhile() {
    let place = Place::start(LIMITS);
    // More than any buffer on the way takes, and nothing that compresses.
    let content = Random::new(7).bytes(32 * 1024 * 1024);
    let version = place.deposit("class=general&name=large.bin", &content);
    let (record, number) = version[1..].split_once('/').expect("a version");
    let before = place.sockets();
    let question = format!(
        "GET /api/v1/records/{record}/versions/{number}/objects/0?purpose=test HTTP/1.1\r\nhost: localhost\r\n{}\r\n\r\n",
        place.bearer("sato")
    );
    let mut lines: Vec<Line> = (0..8).map(|_| place.connect()).collect();
    for line in &mut lines {
        line.write_all(question.as_bytes()).expect("a question");
        let mut first = [0; 12];
        line.read_exact(&mut first).expect("the answer begins");
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    place.serves();
    until("all connections are let go of", || {
        place.sockets() <= before
    });
    place.serves();
    for line in &mut lines {
        let mut taken = Vec::new();
        drop(line.read_to_end(&mut taken));
        assert!(taken.len() < content.len(), "it was not cut off");
    }
}
