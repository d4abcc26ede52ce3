//! The archive program: composition root. The only place that takes the clock, the random source and the environment.

use std::env;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use archiver::archive::Environment;
use archiver::cli;
use archiver::cli::arguments::Arguments;
use archiver::cli::exit::Exit;
use archiver::cli::lang::Lang;
use archiver::cli::output::Output;
use archiver::cli::session::{Programs, RemoteSurroundings, Session};
use archiver::store::catalog::panics_are_answers;
use archiver::store::durable::system_disk;
use clap::Parser;
use firmware::clock::SystemClock;
use firmware::entropy::SystemEntropy;

fn main() -> ExitCode {
    let Arguments { common, command } = Arguments::parse();
    let lang = common.lang.unwrap_or_else(language);
    let output = Output::new(lang, common.json, !common.quiet);
    firmware::process::keep_little_memory();
    if let Err(error) = firmware::process::harden() {
        output.note(&error.to_string());
        return Exit::Unusable.into();
    }
    if let Err(failure) = firmware::selftest::run() {
        output.note(&failure.to_string());
        return Exit::Unusable.into();
    }
    let boot_id = match firmware::media::boot_id() {
        Ok(boot_id) => boot_id,
        Err(error) => {
            output.note(&error.to_string());
            return Exit::Unusable.into();
        }
    };
    quiet_engines();
    let session = Session {
        common,
        output,
        environment: Environment {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            boot_id,
            disk: system_disk(),
        },
        config_variable: env::var_os("FUMIKURA_CONFIG").map(PathBuf::from),
        credentials: env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        runtime: env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
        remote: RemoteSurroundings {
            server: env::var("FUMIKURA_SERVER")
                .ok()
                .filter(|name| !name.is_empty()),
            config_home: config_home(),
        },
        user: user(),
        programs: programs(),
        interactive: std::io::stdin().is_terminal(),
        watches: std::cell::RefCell::default(),
        at_work: std::cell::RefCell::default(),
    };
    cli::run(command, &session).into()
}

/// An engine of the index that panics on damaged files is caught and told in words: nobody needs the panic beside them.
fn quiet_engines() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panics_are_answers() {
            usual(panic);
        }
    }));
}

/// `cargo run` tells of itself in the environment; then the programs are most likely not on the path.
fn programs() -> Programs {
    let [archiver, verifier] = ["archiver", "verifier"].map(|name| {
        if env::var_os("CARGO").is_some() {
            format!("cargo run --release --bin {name} --")
        } else {
            name.to_owned()
        }
    });
    Programs { archiver, verifier }
}

/// The language that the environment asks for, as POSIX orders the variables.
fn language() -> Lang {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
        .map_or(Lang::En, |locale| Lang::from_locale(&locale))
}

/// Where a user's configuration stands (XDG Base Directory Specification).
fn config_home() -> Option<PathBuf> {
    let place = |name| env::var_os(name).map(PathBuf::from);
    let is_usable = |path: &PathBuf| path.is_absolute();
    place("XDG_CONFIG_HOME").filter(is_usable).or_else(|| {
        let home = place("HOME").filter(is_usable)?;
        Some(home.join(".config"))
    })
}

/// Who runs the command, for the record's manifest: the login name, or the number where there is none.
fn user() -> String {
    env::var("USER")
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}
