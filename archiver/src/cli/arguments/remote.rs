//! What all commands share, and the arguments of `archiver login`, `logout` and `profiles`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::lang::Lang;

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The archive's configuration [default: $FUMIKURA_CONFIG, ./fumikura.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A file that holds the passphrase of the key medium, on its first line
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// A custodian's share of the key medium's key: a file with its words, or - for standard input (repeat for each share)
    #[arg(long, global = true, value_name = "FILE")]
    pub share: Vec<PathBuf>,
    /// The language of messages [default: from the environment, otherwise English]
    #[arg(long, global = true, value_name = "ja|en")]
    pub lang: Option<Lang>,
    /// Print results for machines: one JSON value per line
    #[arg(long, global = true)]
    pub json: bool,
    /// Show no progress bars
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Which service to ask.
    #[command(flatten)]
    pub remote: Remote,
}

/// Which service is asked in place of the archive's media.
#[derive(Debug, Clone, Default, Args)]
pub struct Remote {
    /// Ask this service instead of opening the archive: its address, or a profile of 'archiver login' [default: $FUMIKURA_SERVER]
    #[arg(long, global = true, value_name = "https://HOST:PORT|PROFILE")]
    pub server: Option<String>,
    /// The authority that certifies the service, in PEM; no other is trusted [default: that of the profile]
    #[arg(long, global = true, value_name = "FILE.pem", visible_alias = "ca")]
    pub server_ca: Option<PathBuf>,
}

/// `archiver login`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver login --server https://archive.example.co.jp:8443 --ca ca.pem
  archiver search --server archive.example.co.jp --date 2026-01-01..2026-03-31
  archiver login --server https://archive.example.co.jp:8443 --ca ca.pem --profile books \\
      --client-cert system.pem --client-key system-key.pem          a system: no password

Account, password and the code of the authenticator are asked for. Commands with --server have the rights of that account. The session ends after 'archiver logout',
or when it was not used for a while; its token stands in $XDG_CONFIG_HOME/fumikura/profiles.toml, readable by you alone.")]
pub struct Login {
    /// The name of the profile [default: the host of the server]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The account [default: that of the profile, otherwise asked for]
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// A file that holds the password, or - for standard input [default: asked for]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The code that the authenticator shows now [default: asked for]
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
    /// A system's certificate, in PEM: it shows this in place of a password
    #[arg(long, value_name = "FILE.pem", requires = "client_key", conflicts_with_all = ["account", "password_file", "code"])]
    pub client_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE.pem", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
}

/// `archiver logout`
#[derive(Debug, Args)]
pub struct Logout {
    /// The profile [default: that of --server, or the only one]
    #[arg(value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Also remove the profile
    #[arg(long)]
    pub forget: bool,
}
