//! Why the service did not do what was asked, or was not reached.

use std::io;
use std::path::PathBuf;

use serde::Deserialize;

use crate::cli::exit::Exit;
use crate::cli::lang::Lang;

/// A problem that the service answered (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RemoteProblem {
    /// What is wrong and what to do, in the language that was asked for.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The code, stable.
    pub code: String,
    /// The field that it is about.
    pub field: Option<String>,
    /// Seconds after which to try again: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// Why a request to the service came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum RemoteError {
    /// It is no address of a service.
    Address {
        /// What was given.
        given: String,
    },
    /// There is no profile of that name.
    NoProfile {
        /// What was given.
        given: String,
    },
    /// Nothing tells which authority certifies the server.
    NoAuthority {
        /// The server.
        server: String,
    },
    /// A file cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others than the owner may read the profiles, in which tokens stand.
    ProfilesOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The server's certificate is not of the pinned authority, or the server does not accept ours.
    NotTrusted {
        /// The server.
        server: String,
        /// What the TLS library says.
        what: String,
    },
    /// No connection.
    Unreachable {
        /// The server.
        server: String,
        /// What the system says.
        what: String,
    },
    /// The connection was lost on the way; whether the act was done is not known.
    Lost {
        /// The server.
        server: String,
        /// What the system says.
        what: String,
    },
    /// The file changed, or could not be read, while it was sent: nothing was deposited.
    Source {
        /// What the system says.
        source: io::Error,
    },
    /// What came back could not be written.
    Sink {
        /// What the system says.
        source: io::Error,
    },
    /// The answer is not one of this service.
    NotOurs {
        /// The server.
        server: String,
    },
    /// What came is not what was deposited.
    Differs,
    /// The service refuses.
    Problem(RemoteProblem),
    /// The system gives no runtime or no random bytes.
    Machine {
        /// What it says.
        what: String,
    },
}

impl RemoteError {
    /// The exit code that tells it to scripts.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Address { .. } | Self::NoProfile { .. } | Self::NoAuthority { .. } => Exit::Usage,
            Self::Sink { .. } => Exit::Medium,
            Self::Differs => Exit::Integrity,
            Self::Problem(problem) => problem.exit(),
            Self::Source { .. } => Exit::Partial,
            Self::File { .. }
            | Self::ProfilesOpen { .. }
            | Self::Unusable { .. }
            | Self::NotTrusted { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::NotOurs { .. }
            | Self::Machine { .. } => Exit::Unusable,
        }
    }

    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let (ja, en) = match self {
            Self::Problem(problem) => return problem.text(lang),
            Self::Address { given } => (
                format!("{given}: サーバーは https://ホスト:ポート の形か、プロファイルの名で指定してください"),
                format!("{given}: name the server as https://HOST:PORT, or by its profile"),
            ),
            Self::NoProfile { given } => (
                format!("プロファイル {given} はありません。archiver profiles で一覧を見るか、archiver login --server https://ホスト:ポート --ca ファイル で作ってください"),
                format!("there is no profile {given}: see 'archiver profiles', or make one with 'archiver login --server https://HOST:PORT --ca FILE'"),
            ),
            Self::NoAuthority { server } => (
                format!("{server} の認証局が分かりません。--server-ca で PEM ファイルを指定するか、先に archiver login --server {server} --ca ファイル を実行してください"),
                format!("nothing tells which authority certifies {server}: give its PEM file with --server-ca, or first run 'archiver login --server {server} --ca FILE'"),
            ),
            Self::File { path, source } => {
                let path = path.display();
                (format!("{path}: {source}"), format!("{path}: {source}"))
            }
            Self::ProfilesOpen { path, mode } => {
                let path = path.display();
                (
                    format!("{path} はほかの利用者にも開かれています(モード {mode:04o})。トークンが入っているので使いません。chmod 600 {path} を実行し、archiver logout でトークンを無効にしてください"),
                    format!("{path} is open to others (mode {mode:04o}) and holds tokens, so it is not used: run 'chmod 600 {path}', then 'archiver logout' to end the session"),
                )
            }
            Self::Unusable { path, what } => {
                let path = path.display();
                (format!("{path} を使えません: {what}"), format!("{path} cannot be used: {what}"))
            }
            Self::NotTrusted { server, what } => (
                format!("{server} の証明書を信頼できません。何も送っていません。--ca(--server-ca)のファイルがこのサーバーのものか確かめてください: {what}"),
                format!("the certificate of {server} is not trusted, and nothing was sent: check that the file of --ca (--server-ca) is this server's: {what}"),
            ),
            Self::Unreachable { server, what } => (
                format!("{server} に接続できません。サービスが動いているか、アドレスが正しいかを確かめてください: {what}"),
                format!("{server} cannot be reached: check the address, and that the service runs: {what}"),
            ),
            Self::Lost { server, what } => (
                format!("{server} との接続が途中で切れました。もう一度実行してください。預入は何度実行しても一度だけ入ります: {what}"),
                format!("the connection to {server} was lost: run the command again; a deposit that is repeated is taken in once: {what}"),
            ),
            Self::Source { source } => (
                format!("送信中に変わったか、読めなくなりました。預け入れていません: {source}"),
                format!("it changed or could not be read while it was sent; nothing was deposited: {source}"),
            ),
            Self::Sink { source } => (
                format!("受け取った内容を書けません: {source}"),
                format!("what came cannot be written: {source}"),
            ),
            Self::NotOurs { server } => (
                format!("{server} の答えは文蔵のものではありません。アドレスを確かめてください"),
                format!("{server} does not answer as this service does: check the address"),
            ),
            Self::Differs => (
                "届いた内容の SHA-256 が目録と一致しません。書き出していません。もう一度実行し、続くようなら運用者に知らせてください".to_owned(),
                "the SHA-256 of what came is not that of the manifest, and nothing was kept: run it again, and tell the operator if it stays so".to_owned(),
            ),
            Self::Machine { what } => (
                format!("この機械で続けられません: {what}"),
                format!("this machine cannot go on: {what}"),
            ),
        };
        lang.pick(ja, en)
    }

    /// Whether nobody is logged in, or the session is over.
    #[must_use]
    pub fn is_log_in_wanted(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.code == "login-wanted")
    }

    /// Whether the code of the authenticator is still wanted.
    #[must_use]
    pub fn is_code_wanted(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.code == "code-wanted")
    }
}

impl RemoteProblem {
    fn exit(&self) -> Exit {
        match (self.code.as_str(), self.status) {
            ("unreadable", _) => Exit::Integrity,
            ("not-stamped", _) => Exit::Tsa,
            (_, 401) => Exit::Passphrase,
            (_, 403) => Exit::NotAllowed,
            (_, 404 | 410) => Exit::NotFound,
            (_, 409 | 413 | 422) => Exit::Usage,
            (_, 507) => Exit::Medium,
            (_, _) => Exit::Unusable,
        }
    }

    fn text(&self, lang: Lang) -> String {
        // What a stranger says stays on one line, and short.
        let title: String = self.title.chars().filter(|one| !one.is_control()).collect();
        let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
        match self.code.as_str() {
            "login-wanted" => lang.pick(
                format!("{title}(archiver login)"),
                format!("{title}: run 'archiver login'"),
            ),
            code => format!("{title} [{code}]"),
        }
    }
}

const TITLE_CHARS_MAX: usize = 1000;
