//! An archive whose key-encryption keys are in a PKCS#11 token: SoftHSM, from Debian's package `softhsm2`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tests::world::{Run, World, put};

use crate::keys::record;

#[test]
fn a_token_that_is_not_there_makes_no_archive() {
    let Some(token) = TokenWorld::new("an archive without its token") else {
        return;
    };
    let run = token.init("no such token").expect_code(3);
    assert!(
        run.stderr.contains("no token \"no such token\" is there"),
        "{}",
        run.stderr
    );
    assert!(!token.world.at("fumikura.toml").exists());
    let words = [
        "init",
        "--data",
        "d",
        "--keys",
        "k",
        "--evaluation",
        "--kek",
        "pkcs11",
        "--token",
        "archive keys",
    ];
    token.run(&words).expect_code(2);
}

/// A world with a token of SoftHSM; `None`, with one line that says so, where it is not installed.
pub(crate) struct TokenWorld {
    pub(crate) world: World,
    module: PathBuf,
}

impl TokenWorld {
    pub(crate) fn new(left_out: &str) -> Option<Self> {
        let module = PathBuf::from("/usr/lib/softhsm/libsofthsm2.so");
        if !module.is_file() || !tests::has_program("softhsm2-util", "--version") {
            let what = format!("{left_out} (SoftHSM is not installed; tests/run installs it)");
            tests::left_out("softhsm", &what);
            return None;
        }
        let world = World::empty();
        let tokens = world.at("tokens");
        fs::create_dir(&tokens).unwrap();
        let text = format!(
            "directories.tokendir = {}\nlog.level = ERROR\n",
            tokens.display()
        );
        put(&world.at("softhsm2.conf"), text.as_bytes());
        put(&world.at("pin.txt"), b"48151623\n");
        let made = Command::new("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                "archive keys",
                "--pin",
                "48151623",
                "--so-pin",
                "officer-1",
            ])
            .env("SOFTHSM2_CONF", world.at("softhsm2.conf"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        Some(Self { world, module })
    }

    /// A command with the token plugged in, and the PIN in a file.
    pub(crate) fn command(&self, pin: &str, words: &[&str]) -> Command {
        let mut command = self.world.archiver_command(words);
        command
            .env("SOFTHSM2_CONF", self.world.at("softhsm2.conf"))
            .args(["--passphrase-file", pin]);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Run {
        Run::of(self.command("pin.txt", words).output().unwrap())
    }

    pub(crate) fn init(&self, token: &str) -> Run {
        let module = self.module.to_str().unwrap();
        self.run(&[
            "init",
            "--data",
            "data-a",
            "--data",
            "data-b",
            "--keys",
            "keys",
            "--evaluation",
            "--kek",
            "pkcs11",
            "--module",
            module,
            "--token",
            token,
        ])
    }
}

#[test]
fn an_archive_lives_with_its_keys_in_a_token() {
    let Some(token) = TokenWorld::new("the archive with its keys in a token") else {
        return;
    };
    let world = &token.world;
    token.init("archive keys").expect_code(0);
    world.file("a.txt", b"guarded by a token");
    token
        .run(&["deposit", "a.txt", "--class", "general"])
        .expect_code(0);
    token.run(&["stamp"]).expect_code(0);
    let id = record(&token.run(&["search", "--json"]).expect_code(0));
    token.run(&["get", &id, "-o", "b.txt"]).expect_code(0);
    assert_eq!(fs::read(world.at("b.txt")).unwrap(), b"guarded by a token");
    token.run(&["verify"]).expect_code(0);
    let file = fs::read_to_string(world.at("keys/kek.json")).unwrap();
    assert!(
        file.contains("\"provider\":\"pkcs11\"") && !file.contains("48151623"),
        "{file}"
    );

    // A wrong PIN is told.
    put(&world.at("wrong.txt"), b"00000000\n");
    let mut command = world.archiver_command(["status"]);
    command.env("SOFTHSM2_CONF", world.at("softhsm2.conf"));
    let run = Run::of(
        command
            .args(["--passphrase-file", "wrong.txt"])
            .output()
            .unwrap(),
    )
    .expect_code(4);
    assert!(
        run.stderr.contains("wrong PIN for token \"archive keys\""),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("00000000"), "{}", run.stderr);
    let run = token
        .run(&[
            "keys",
            "ceremony",
            "--threshold",
            "2",
            "--shares",
            "2",
            "--out",
            ".",
        ])
        .expect_code(2);
    assert!(run.stderr.contains("in a token"), "{}", run.stderr);

    // The token is pulled out, and plugged in again.
    fs::rename(world.at("tokens"), world.at("drawer")).unwrap();
    fs::create_dir(world.at("tokens")).unwrap();
    let run = token.run(&["search"]).expect_code(3);
    assert!(run.stderr.contains("plug it in"), "{}", run.stderr);
    fs::remove_dir(world.at("tokens")).unwrap();
    fs::rename(world.at("drawer"), world.at("tokens")).unwrap();
    token.run(&["search"]).expect_code(0);
}
