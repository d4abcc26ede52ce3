//! Why a receiver does not start.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::cli::lang::Lang;

/// Why a receiver does not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum SyslogError {
    /// A PEM file cannot be read, or holds nothing of what it should.
    Pem {
        /// The file.
        path: PathBuf,
    },
    /// Certificate, key and roots do not fit together, or cannot be used.
    Tls(String),
    /// The address cannot be listened at.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        error: io::Error,
    },
    /// The spool cannot be used; `WouldBlock`: another process uses it.
    Spool {
        /// Its folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The machine is out of threads or file descriptors.
    Machine(io::Error),
}

impl SyslogError {
    /// What is wrong, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Self::Pem { path } => format!("{}: PEM として読めません", path.display()),
            Self::Tls(reason) => format!("syslog の証明書か鍵を使えません ({reason})"),
            Self::Listen { address, error } => {
                format!("syslog: {address} で待ち受けられません ({error})")
            }
            Self::Spool { path, error } => {
                format!("syslog: {} を使えません ({error})", path.display())
            }
            Self::Machine(error) => format!("syslog: 始められません ({error})"),
        }
    }
}

impl fmt::Display for SyslogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem { path } => write!(f, "{}: cannot be read as PEM", path.display()),
            Self::Tls(reason) => {
                write!(f, "certificate or key of syslog cannot be used ({reason})")
            }
            Self::Listen { address, error } => {
                write!(f, "syslog: cannot listen at {address} ({error})")
            }
            Self::Spool { path, error } => {
                write!(f, "syslog: cannot use {} ({error})", path.display())
            }
            Self::Machine(error) => write!(f, "syslog: cannot start ({error})"),
        }
    }
}

impl std::error::Error for SyslogError {}
