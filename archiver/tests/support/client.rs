//! A timestamp client that asks an authority whose answers the test bends.

use std::sync::Arc;

use archiver::tsa::checks::{AcceptedToken, Trust};
use archiver::tsa::client::{ClientOptions, Link, Timestamper, TsaClient};
use archiver::tsa::refusal::{Refusal, TsaError};
use archiver::tsa::transport::{HttpTransport, TransportOptions};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::tsp::TimeStampRequest;
use time::OffsetDateTime;
use time::macros::datetime;

use super::authority::{Bent, CertificateOptions};
use super::{send_reply, start};

pub const NOW: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);

pub fn digest() -> DigestValue {
    DigestAlgorithm::Sha256.digest(b"a root")
}

pub fn client(address: &str, root: Vec<u8>, now: OffsetDateTime) -> TsaClient {
    let transport = HttpTransport::new(address, TransportOptions::default()).unwrap();
    let options = ClientOptions::new("test", Trust::anchors(vec![root]));
    let clock = Arc::new(SimulatedClock::new(now));
    TsaClient::new(
        Link::Http(Box::new(transport)),
        options,
        clock,
        Arc::new(SeededEntropy::new(5)),
    )
}

/// What the client says to an authority that answers with `bend`.
pub fn outcome(
    bend: impl Fn(&Bent, TimeStampRequest) -> Vec<u8> + Send + 'static,
) -> Result<AcceptedToken, TsaError> {
    let root = Bent::new(NOW, 11).root;
    let address = start(move |request, stream| {
        let request = TimeStampRequest::parse(&request.body)
            .unwrap()
            .into_parts()
            .0;
        send_reply(stream, &bend(&Bent::new(NOW, 11), request));
    });
    client(&format!("http://{address}"), root, NOW).timestamp(&digest())
}

pub fn refusal(bend: impl Fn(&Bent, TimeStampRequest) -> Vec<u8> + Send + 'static) -> Refusal {
    match outcome(bend) {
        Err(TsaError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub fn with_certificate(options: CertificateOptions) -> Refusal {
    refusal(move |bent, request| bent.answer(&request, options))
}
