//! The arguments of `archiver service` and `archiver people`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `archiver service`
#[derive(Debug, Subcommand)]
pub enum Service {
    /// Prepare the HTTPS service of this archive: certificate, configuration, first accounts
    Prepare(PrepareService),
}

/// `archiver service prepare`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver service prepare --administrator sato=佐藤花子 --administrator suzuki=鈴木一郎
  archiver service prepare --host archive.example.co.jp --listen 0.0.0.0:8443 \\
      --certificate tls/cert.pem --key tls/key.pem --administrator sato=佐藤花子 --administrator suzuki=鈴木一郎

Two administrators are the least: every account is asked for by one person and approved by another. Their first passwords are shown once, here, and must be
changed at the first log-in, where an authenticator (TOTP) is set up, too. Then: archiver serve")]
pub struct PrepareService {
    /// A name or address by which browsers reach the service; may be repeated
    #[arg(long = "host", value_name = "HOST", default_values_t = ["localhost".to_owned(), "127.0.0.1".to_owned()])]
    pub hosts: Vec<String>,
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// PEM file of the certificate [default: one that signs itself is made]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// An administrator: log-in name and name, as sato=佐藤花子; at least two
    #[arg(long = "administrator", value_name = "NAME=TEXT", required = true)]
    pub administrators: Vec<String>,
}

/// `archiver people`
#[derive(Debug, Subcommand)]
pub enum People {
    /// List the accounts and what waits for approval
    List,
    /// Give a person a new first password, as whoever holds the keys of the archive; for when no administrator can log in
    Reset {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// Why; it is kept
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
