//! A service over TLS on a port of this machine, for tests of those who ask it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use firmware::clock::{Clock, SystemClock};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Patience, RemoteClient, RemoteError, ServerPlace};
use crate::api::fixture::Hall;
use crate::cli::lang::Lang;
use crate::https::{Limits, TlsFiles, configuration, self_signed, serve};
use crate::store::durable::{replace_file, system_disk};

/// A service with everybody's accounts, and its certificate. Dropped: it stops.
pub(crate) struct Service {
    pub(crate) hall: Hall,
    pub(crate) address: SocketAddr,
    /// The certificate, in PEM.
    pub(crate) ca: PathBuf,
    pub(crate) folder: TempDir,
    pub(crate) runtime: Runtime,
    end: Option<oneshot::Sender<()>>,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::behind(|router| router)
    }

    /// The same with something before its router.
    pub(crate) fn behind(before: impl FnOnce(Router) -> Router) -> Self {
        let runtime = Runtime::new().unwrap();
        let hall = runtime.block_on(Hall::with_everybody());
        let router = before(hall.router());
        let folder = tempfile::tempdir().unwrap();
        let made = self_signed(&["localhost".to_owned()], SystemClock.now()).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            replace_file(system_disk().as_ref(), &path, text.as_bytes()).unwrap();
            path
        };
        let files = TlsFiles {
            certificate: write("certificate.pem", &made.certificate),
            key: write("key.pem", &made.key),
            client_roots: None,
            client_crls: Vec::new(),
        };
        let tls = Arc::new(configuration(&files).unwrap());
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        runtime.spawn(serve(listener, tls, router, Limits::new(8), async {
            drop(ended.await);
        }));
        Self {
            hall,
            address,
            ca: files.certificate,
            folder,
            runtime,
            end: Some(end),
        }
    }

    /// Its address.
    pub(crate) fn server(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// A client with the rights of an account of the hall.
    pub(crate) fn client(&self, account: &str) -> RemoteClient {
        self.client_of(self.ca.clone(), Some(self.hall.tokens[account].clone()))
            .unwrap()
    }

    pub(crate) fn client_of(
        &self,
        ca: PathBuf,
        token: Option<String>,
    ) -> Result<RemoteClient, RemoteError> {
        let place = ServerPlace {
            server: self.server(),
            ca: std::fs::read(ca).unwrap(),
            token: token.map(Into::into),
            client: None,
        };
        let patience = Patience {
            repeats: 2,
            pause: std::time::Duration::ZERO,
        };
        RemoteClient::new(&place, Lang::En, patience)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _sent = end.send(());
        }
    }
}
