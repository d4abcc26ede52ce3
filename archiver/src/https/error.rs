//! Why the service cannot listen.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::cli::lang::Lang;

/// Why the service cannot listen.
#[derive(Debug)]
pub enum HttpsError {
    /// A file of the configuration cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file holds nothing of the kind that it must hold.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it should hold, or what is wrong.
        what: String,
    },
    /// The address cannot be listened at.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl HttpsError {
    /// One clear line, with what to do.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Unreadable { path, source } => lang.pick(
                format!("{}: 読めません({source})。[service.https] の設定とファイルの権限を確かめてください", path.display()),
                format!("{}: cannot be read ({source}); check [service.https] and the file's permissions", path.display()),
            ),
            Self::Unusable { path, what } => lang.pick(
                format!("{}: 使えません({what})。[service.https] の設定を確かめてください", path.display()),
                format!("{}: cannot be used ({what}); check [service.https]", path.display()),
            ),
            Self::Listen { address, source } => lang.pick(
                format!("{address} で待ち受けられません({source})。別のプロセスが使っていないか、[service.https] の listen を確かめてください"),
                format!("cannot listen at {address} ({source}); see whether another process does, or change listen in [service.https]"),
            ),
        }
    }
}

impl fmt::Display for HttpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for HttpsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } | Self::Listen { source, .. } => Some(source),
            Self::Unusable { .. } => None,
        }
    }
}
