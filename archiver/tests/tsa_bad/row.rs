//! A row: a server that does something wrong, and what the operator reads.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use archiver::tsa::checks::Trust;
use archiver::tsa::client::{ClientOptions, Link, TsaClient};
use archiver::tsa::transport::{HttpTransport, TransportOptions};
use firmware::clock::SimulatedClock;
use firmware::entropy::{Entropy, SeededEntropy};
use formats::tsp::TimeStampRequest;

use crate::support::authority::Bent;
use crate::support::client::NOW;
use crate::support::{Request, send_reply, start};

type Serve = Arc<dyn Fn(&Bent, Request, &mut TcpStream) + Send + Sync>;

/// One way to be wrong.
pub struct Row {
    /// What is wrong.
    pub what: &'static str,
    /// Words of the English reason.
    pub en: &'static str,
    /// Words of the Japanese reason.
    pub ja: &'static str,
    serve: Serve,
    setting: Setting,
}

/// How the client is set up.
#[derive(Clone)]
pub struct Setting {
    /// What is asked and demanded.
    pub options: ClientOptions,
    /// How the server is reached.
    pub transport: TransportOptions,
    /// The scheme of the address, or a whole address in place of the server's.
    pub scheme: &'static str,
}

impl Row {
    /// A row with whatever the server writes.
    pub fn raw(
        what: &'static str,
        en: &'static str,
        ja: &'static str,
        serve: impl Fn(&Bent, Request, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let root = Bent::new(NOW, SEED).root;
        Self {
            what,
            en,
            ja,
            serve: Arc::new(serve),
            setting: Setting {
                options: ClientOptions::new("test", Trust::anchors(vec![root])),
                transport: TransportOptions {
                    connect_wait_max: Duration::from_millis(1500),
                    exchange_wait_max: Duration::from_millis(1500),
                    ..TransportOptions::default()
                },
                scheme: "http",
            },
        }
    }

    /// A row with a whole answer of the right media type.
    pub fn answer(
        what: &'static str,
        en: &'static str,
        ja: &'static str,
        bend: impl Fn(&Bent, TimeStampRequest) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::raw(what, en, ja, move |bent, request, stream| {
            let request = TimeStampRequest::parse(&request.body).unwrap();
            send_reply(stream, &bend(bent, request.into_parts().0));
        })
    }

    /// The same with another setting.
    pub fn with(mut self, change: impl FnOnce(&mut Setting)) -> Self {
        change(&mut self.setting);
        self
    }

    /// Starts the server and gives a client of it.
    pub fn client(&self) -> TsaClient {
        self.client_with(Arc::new(SeededEntropy::new(5)))
    }

    /// The same with another random source.
    pub fn client_with(&self, entropy: Arc<dyn Entropy>) -> TsaClient {
        let serve = Arc::clone(&self.serve);
        let address = start(move |request, stream| serve(&Bent::new(NOW, SEED), request, stream));
        let Setting {
            options,
            transport,
            scheme,
        } = self.setting.clone();
        let address = format!("{scheme}://{address}/");
        let link = Link::Http(Box::new(HttpTransport::new(&address, transport).unwrap()));
        TsaClient::new(link, options, Arc::new(SimulatedClock::new(NOW)), entropy)
    }
}

/// The seed of the authority's keys.
pub const SEED: u64 = 11;
