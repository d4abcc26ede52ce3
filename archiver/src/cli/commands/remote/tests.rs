//! The commands with `--server`, from their words to their files.

use std::path::PathBuf;

use clap::Parser;
use serde_json::json;

use crate::api::fixture::password_of;
use crate::cli::arguments::{Arguments, Remote};
use crate::cli::exit::Exit;
use crate::cli::fixture::Bench;
use crate::remote::fixture::Service;
use crate::store::durable::{replace_file, system_disk};

/// Somebody at another machine.
struct Desk {
    service: Service,
    bench: Bench,
}

impl Desk {
    fn new() -> Self {
        let mut bench = Bench::new();
        bench.session.remote.config_home = Some(bench.place.path().join("home"));
        Self {
            service: Service::new(),
            bench,
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.bench.place.path().join(name);
        replace_file(system_disk().as_ref(), &path, text.as_bytes()).unwrap();
        path
    }

    fn run(&mut self, words: &[&str]) -> Exit {
        let words = ["archiver"].iter().chain(words);
        let parsed = Arguments::try_parse_from(words).unwrap();
        self.bench.session.common.remote = parsed.common.remote;
        let exit = crate::cli::run(parsed.command, &self.bench.session);
        self.bench.session.common.remote = Remote::default();
        exit
    }

    fn log_in(&mut self, account: &str) -> Exit {
        let password = self.file("password", &password_of(account));
        let code = self.service.hall.code(account);
        let (server, ca) = (self.service.server(), self.service.ca.clone());
        // A code counts once, and the account's first log-in used the one of this half minute.
        self.run(&[
            "login",
            "--server",
            &server,
            "--ca",
            ca.to_str().unwrap(),
            "--profile",
            "office",
            "--account",
            account,
            "--password-file",
            password.to_str().unwrap(),
            "--code",
            &code,
        ])
    }

    /// Time goes on, so that there is another code.
    fn later(&self) {
        let minute = time::Duration::seconds(60);
        self.service.hall.clock.advance(minute);
    }

    fn profiles(&self) -> String {
        let path = self.bench.place.path().join("home/fumikura/profiles.toml");
        std::fs::read_to_string(path).unwrap()
    }

    /// A record of the service, with a content.
    fn record(&self, text: &str) -> String {
        let bar = indicatif::ProgressBar::hidden();
        let path = self.file("sent", text);
        let facts = [("class", "general".to_owned()), ("name", "sent".to_owned())];
        let client = self.service.client("depositor");
        let outgoing = crate::remote::Outgoing::File(&path);
        client.deposit(&facts, text, outgoing, &bar).unwrap().record
    }
}

#[test]
fn a_log_in_gives_the_rights_of_the_account_until_the_log_out() {
    let mut desk = Desk::new();
    let record = desk.record("what stands there");
    desk.later();
    assert_eq!(desk.log_in("retriever"), Exit::Done);
    assert!(desk.profiles().contains("token = "));
    assert_eq!(desk.run(&["profiles"]), Exit::Done);
    assert_eq!(desk.run(&["search", "--server", "office"]), Exit::Done);
    let output = desk.bench.place.path().join("back");
    let get = [
        "get",
        &record,
        "-o",
        output.to_str().unwrap(),
        "--server",
        "office",
    ];
    // Nothing is fetched without saying what for.
    assert_eq!(desk.run(&get), Exit::Usage);
    let purpose = [&get[..], &["--purpose", "a test"]].concat();
    assert_eq!(desk.run(&purpose), Exit::Done);
    assert_eq!(std::fs::read(&output).unwrap(), b"what stands there");
    let missing = "01935e7a-1111-7222-8333-444455556666";
    let get = [
        "get",
        missing,
        "-o",
        "x",
        "--purpose",
        "y",
        "--server",
        "office",
    ];
    assert_eq!(desk.run(&get), Exit::NotFound);
    // By its address, too, and by the variable.
    let server = desk.service.server();
    assert_eq!(desk.run(&["search", "--server", &server]), Exit::Done);
    desk.bench.session.remote.server = Some("office".to_owned());
    assert_eq!(desk.run(&["search", "--no", "amount"]), Exit::Done);
    desk.bench.session.remote.server = None;
    let token = desk.profiles();
    assert_eq!(desk.run(&["logout"]), Exit::Done);
    assert!(!desk.profiles().contains("token = "));
    assert_eq!(
        desk.run(&["search", "--server", "office"]),
        Exit::Passphrase
    );
    // The service forgot the token as well.
    let path = desk.bench.place.path().join("home/fumikura/profiles.toml");
    replace_file(system_disk().as_ref(), &path, token.as_bytes()).unwrap();
    assert_eq!(
        desk.run(&["search", "--server", "office"]),
        Exit::Passphrase
    );
}

#[test]
fn a_wrong_password_gives_no_profile() {
    let mut desk = Desk::new();
    let password = desk.file("password", "not the right one");
    let (server, ca) = (desk.service.server(), desk.service.ca.clone());
    let words = [
        "login",
        "--server",
        &server,
        "--ca",
        ca.to_str().unwrap(),
        "--account",
        "retriever",
    ];
    // Nobody can be asked here.
    assert_eq!(desk.run(&words), Exit::Usage);
    let words = [
        &words[..],
        &[
            "--code",
            "000000",
            "--password-file",
            password.to_str().unwrap(),
        ],
    ]
    .concat();
    assert_eq!(desk.run(&words), Exit::Passphrase);
    assert!(
        !desk
            .bench
            .place
            .path()
            .join("home/fumikura/profiles.toml")
            .exists()
    );
    assert_eq!(desk.run(&["search", "--server", "office"]), Exit::Usage);
    assert_eq!(desk.run(&["search", "--server", &server]), Exit::Usage);
    assert_eq!(desk.run(&["logout"]), Exit::Usage);
}

#[test]
fn a_right_that_is_missing_and_a_session_that_ran_out_have_their_exit_codes() {
    let mut desk = Desk::new();
    desk.later();
    assert_eq!(desk.log_in("depositor"), Exit::Done);
    assert_eq!(
        desk.run(&["search", "--server", "office"]),
        Exit::NotAllowed
    );
    desk.service.hall.clock.advance(time::Duration::days(1));
    assert_eq!(
        desk.run(&["search", "--server", "office"]),
        Exit::Passphrase
    );
}

#[test]
fn a_first_log_in_is_finished_in_the_browser() {
    let mut desk = Desk::new();
    let (sato, suzuki) = (
        desk.service.hall.tokens["sato"].clone(),
        desk.service.hall.tokens["suzuki"].clone(),
    );
    let form = json!({
        "account": "novice", "display_name": "novice", "kind": "person", "roles": ["retriever"], "reason": "new",
    });
    let hall = &desk.service.hall;
    let first = desk.service.runtime.block_on(async {
        let (_, asked) = hall
            .send("POST", "/api/v1/people/requests", &sato, Some(form))
            .await;
        let path = format!(
            "/api/v1/people/requests/{}/approval",
            asked["request"].as_str().unwrap()
        );
        let (_, approved) = hall.send("POST", &path, &suzuki, None).await;
        approved["password"].as_str().unwrap().to_owned()
    });
    let password = desk.file("password", &first);
    let (server, ca) = (desk.service.server(), desk.service.ca.clone());
    let words = [
        "login",
        "--server",
        &server,
        "--ca",
        ca.to_str().unwrap(),
        "--account",
        "novice",
        "--password-file",
        password.to_str().unwrap(),
    ];
    assert_eq!(desk.run(&words), Exit::Passphrase);
    assert!(
        !desk
            .bench
            .place
            .path()
            .join("home/fumikura/profiles.toml")
            .exists()
    );
}

#[test]
fn other_commands_say_that_they_work_only_locally() {
    let mut desk = Desk::new();
    for words in [
        &["stamp"][..],
        &["rebuild"],
        &["scrub"],
        &["keys", "inventory"],
    ] {
        let words = [words, &["--server", "office"]].concat();
        assert_eq!(desk.run(&words), Exit::Usage, "{words:?}");
    }
}

#[test]
fn a_folder_is_deposited_with_receipts_and_what_is_there_is_recognised() {
    let mut desk = Desk::new();
    desk.later();
    assert_eq!(desk.log_in("depositor"), Exit::Done);
    let folder = desk.bench.place.path().join("papers");
    let disk = system_disk();
    crate::store::durable::create_directories(disk.as_ref(), &folder).unwrap();
    desk.file("papers/one.txt", "one");
    desk.file("papers/two.txt", "two");
    let receipt = desk.bench.place.path().join("r.p7m");
    let (folder, receipt) = (folder.to_str().unwrap(), receipt.to_str().unwrap());
    let deposit = [
        "deposit",
        folder,
        "--class",
        "general",
        "--meta",
        "amount=1,100円",
        "--server",
        "office",
    ];
    let with_receipt = [&deposit[..], &["--receipt", receipt]].concat();
    assert_eq!(desk.run(&with_receipt), Exit::Done);
    assert!(desk.bench.place.path().join("r.p7m").exists());
    assert!(desk.bench.place.path().join("r-2.p7m").exists());
    assert_eq!(desk.run(&deposit), Exit::Done);
    let page = |desk: &Desk| {
        let client = desk.service.client("retriever");
        let page: crate::remote::FoundPage = client.get(&["records"], &[]).unwrap();
        page.records
    };
    let found = page(&desk);
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|one| one.metadata["amount"] == "1100" && one.metadata["currency"] == "JPY")
    );
    // What the service does not take is refused before anything is sent.
    let supplier = [&deposit[..], &["--meta", "supplier=x"]].concat();
    assert_eq!(desk.run(&supplier), Exit::Usage);
    // One of many that is not there, and a class that is not there for any.
    let missing = desk.bench.place.path().join("missing");
    let mut some = deposit.to_vec();
    some.insert(1, missing.to_str().unwrap());
    assert_eq!(desk.run(&some), Exit::Partial);
    let class = [
        "deposit",
        folder,
        "--class",
        "no-such-class",
        "--server",
        "office",
    ];
    assert_eq!(desk.run(&class), Exit::Usage);
    assert_eq!(page(&desk).len(), 2);
}

#[test]
fn a_deposit_without_the_right_stops_at_its_first_file() {
    let mut desk = Desk::new();
    desk.later();
    assert_eq!(desk.log_in("auditor"), Exit::Done);
    let (one, two) = (desk.file("one.txt", "one"), desk.file("two.txt", "two"));
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    let deposit = [
        "deposit", one, two, "--class", "general", "--server", "office",
    ];
    assert_eq!(desk.run(&deposit), Exit::NotAllowed);
    // An auditor sees how the system stands, and what is verified.
    assert_eq!(desk.run(&["status", "--server", "office"]), Exit::Done);
    let record = desk.record("what stands there");
    assert_eq!(
        desk.run(&["verify", &record, "--server", "office"]),
        Exit::Done
    );
    assert_eq!(desk.run(&["verify", "--server", "office"]), Exit::Usage);
    let output = desk.bench.place.path().join("e.asice");
    let output = output.to_str().unwrap();
    let evidence = [
        "evidence",
        &record,
        "-o",
        output,
        "--purpose",
        "x",
        "--server",
        "office",
    ];
    assert_eq!(desk.run(&evidence), Exit::NotAllowed);
}

#[test]
fn evidence_of_what_still_waits_is_not_there_yet() {
    let mut desk = Desk::new();
    let record = desk.record("what stands there");
    desk.later();
    assert_eq!(desk.log_in("retriever"), Exit::Done);
    let output = desk.bench.place.path().join("e.asice");
    let path = output.to_str().unwrap().to_owned();
    let evidence = [
        "evidence",
        &record,
        "-o",
        &path,
        "--purpose",
        "a court",
        "--server",
        "office",
    ];
    assert_eq!(desk.run(&evidence), Exit::Tsa);
    assert!(!output.exists());
    let without = &evidence[..4];
    assert_eq!(
        desk.run(&[without, &["--server", "office"]].concat()),
        Exit::Usage
    );
}
