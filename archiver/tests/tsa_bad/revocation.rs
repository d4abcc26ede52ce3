//! Sound tokens whose certificate names revocation services that are wrong, asked over real HTTP by the archive's own collector.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration as Wait;

use archiver::tsa::material::{HttpMaterial, MaterialOptions};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::der::{Reader, Tag, Writer};
use formats::oid::{self, Oid};
use formats::x509::{AlgorithmIdentifier, Certificate};
use time::{Duration, OffsetDateTime};

use crate::row::{Row, SEED};
use crate::support::authority::{Bent, CertificateOptions, CrlOptions, GOOD, GOOD_CRL, SERIAL};
use crate::support::client::NOW;
use crate::support::{Request, send, start};

/// Which service the certificate names.
#[derive(Clone, Copy)]
enum Service {
    Crl,
    Ocsp,
}

/// A row whose certificate names this service, which answers like that.
fn row(
    what: &'static str,
    en: &'static str,
    ja: &'static str,
    service: Service,
    serve: impl Fn(Request, &mut TcpStream) + Send + 'static,
) -> Row {
    let address: &'static str = format!("http://{}/", start(serve)).leak();
    let options = match service {
        Service::Crl => CertificateOptions {
            crl: Some(address),
            ..GOOD
        },
        Service::Ocsp => CertificateOptions {
            ocsp: Some(address),
            ..GOOD
        },
    };
    let waits = MaterialOptions {
        connect_wait_max: Wait::from_millis(500),
        exchange_wait_max: Wait::from_millis(500),
        whole_wait_max: Wait::from_secs(5),
        crl_bytes_max: 1024 * 1024,
        ..MaterialOptions::default()
    };
    Row::answer(what, en, ja, move |bent, request| {
        bent.answer(&request, options)
    })
    .with(|setting| {
        let clock = Arc::new(SimulatedClock::new(NOW));
        let source = HttpMaterial::new(waits, clock, Arc::new(SeededEntropy::new(3)));
        setting.options.trust.material = Some(Arc::new(source));
    })
}

const UNKNOWN: &str = "失効していないか確認できません";

fn crl(what: &'static str, en: &'static str, options: CrlOptions) -> Row {
    row(what, en, UNKNOWN, Service::Crl, move |_, stream| {
        send(stream, "200 OK", &[], &Bent::new(NOW, SEED).crl(&options));
    })
}

pub fn rows() -> Vec<Row> {
    let mut rows = lists();
    rows.extend(responders());
    rows.extend(responses());
    rows
}

fn lists() -> Vec<Row> {
    let of = |starts, ends| CrlOptions {
        starts: Duration::hours(starts),
        ends: Duration::hours(ends),
        ..GOOD_CRL
    };
    let revoked = CrlOptions {
        revoked: Some(SERIAL),
        ..GOOD_CRL
    };
    vec![
        row(
            "a published CRL that lists the certificate",
            "is revoked: do not use this TSA",
            "失効しています",
            Service::Crl,
            move |_, stream| {
                send(stream, "200 OK", &[], &Bent::new(NOW, SEED).crl(&revoked));
            },
        ),
        crl(
            "a published CRL that is months old",
            "is unknown (",
            of(-2400, -2376),
        ),
        crl(
            "a published CRL under a forged signature",
            "is unknown (",
            CrlOptions {
                by_root: false,
                ..GOOD_CRL
            },
        ),
        crl(
            "a published CRL of another issuer",
            "is unknown (",
            CrlOptions {
                issuer: Some("Another"),
                ..GOOD_CRL
            },
        ),
        row(
            "a CRL that is not there",
            "HTTP status 404",
            UNKNOWN,
            Service::Crl,
            |_, stream| send(stream, "404 No", &[], b""),
        ),
        row(
            "a web page in place of the CRL",
            "cannot be read",
            UNKNOWN,
            Service::Crl,
            |_, stream| send(stream, "200 OK", &[], b"<html>"),
        ),
        row(
            "a CRL of two mebibytes where one is allowed",
            "longer than 1048576 bytes",
            UNKNOWN,
            Service::Crl,
            |_, stream| {
                send(stream, "200 OK", &[], &vec![0x30; 2 << 20]);
            },
        ),
        row(
            "a CRL service that keeps silent",
            "no answer within",
            UNKNOWN,
            Service::Crl,
            |_, stream| {
                drop(std::io::Read::read(stream, &mut [0]));
            },
        ),
    ]
}

fn responders() -> Vec<Row> {
    vec![
        row(
            "an OCSP responder that answers with 500",
            "HTTP status 500",
            UNKNOWN,
            Service::Ocsp,
            |_, stream| send(stream, "500 No", &[], b""),
        ),
        row(
            "garbage of an OCSP responder",
            "cannot be read",
            UNKNOWN,
            Service::Ocsp,
            |_, stream| send(stream, "200 OK", &[], b"good"),
        ),
        row(
            "an OCSP responder that is busy (tryLater)",
            "tryLater",
            UNKNOWN,
            Service::Ocsp,
            |_, stream| {
                send(stream, "200 OK", &[], &[0x30, 3, 0x0A, 1, 3]);
            },
        ),
        row(
            "an OCSP responder that knows nothing of it (unauthorized)",
            "unauthorized",
            UNKNOWN,
            Service::Ocsp,
            |_, stream| {
                send(stream, "200 OK", &[], &[0x30, 3, 0x0A, 1, 6]);
            },
        ),
    ]
}

/// What is wrong with an OCSP response.
#[derive(Clone, Copy)]
struct Ocsp {
    /// `CertStatus`.
    status: &'static [u8],
    /// When it was made, from `NOW`, and for how long it holds.
    starts: Duration,
    ends: Duration,
    by_root: bool,
    /// Whether it is about the certificate that was asked for.
    about_it: bool,
    /// Whether the nonce of the request comes back.
    nonce: Option<&'static [u8]>,
}

const GOOD_OCSP: Ocsp = Ocsp {
    status: &[0x80, 0],
    starts: Duration::ZERO,
    ends: Duration::hours(1),
    by_root: true,
    about_it: true,
    nonce: None,
};

/// `revoked [1] { revocationTime, [0] keyCompromise }`, an hour and a half before `NOW`.
const REVOKED: &[u8] = b"\xA1\x16\x18\x0F20261122021830Z\xA0\x03\x0A\x01\x01";

fn ocsp(what: &'static str, en: &'static str, ja: &'static str, answer: Ocsp) -> Row {
    row(what, en, ja, Service::Ocsp, move |request, stream| {
        let kind = ("content-type", "application/ocsp-response");
        send(stream, "200 OK", &[kind], &answer.to(&request.body));
    })
}

fn responses() -> Vec<Row> {
    vec![
        ocsp(
            "a certificate that OCSP calls revoked",
            "is revoked: do not use this TSA",
            "失効しています",
            Ocsp {
                status: REVOKED,
                ..GOOD_OCSP
            },
        ),
        ocsp(
            "a certificate that OCSP does not know",
            "is unknown",
            UNKNOWN,
            Ocsp {
                status: &[0x82, 0],
                ..GOOD_OCSP
            },
        ),
        ocsp(
            "an OCSP response under a forged signature",
            "is unknown (",
            UNKNOWN,
            Ocsp {
                by_root: false,
                ..GOOD_OCSP
            },
        ),
        ocsp(
            "an OCSP response that is out of date",
            "is unknown (",
            UNKNOWN,
            Ocsp {
                starts: Duration::days(-30),
                ends: Duration::days(-29),
                ..GOOD_OCSP
            },
        ),
        ocsp(
            "an OCSP response from the future",
            "is unknown (",
            UNKNOWN,
            Ocsp {
                starts: Duration::days(2),
                ends: Duration::days(3),
                ..GOOD_OCSP
            },
        ),
        ocsp(
            "an OCSP response about another certificate",
            "about another authority or certificate",
            UNKNOWN,
            Ocsp {
                about_it: false,
                ..GOOD_OCSP
            },
        ),
        ocsp(
            "an OCSP response to another request",
            "answers another request",
            UNKNOWN,
            Ocsp {
                nonce: Some(b"\x04\x08another!"),
                ..GOOD_OCSP
            },
        ),
    ]
}

/// Revocation that can be told, and is none.
pub fn accepted() -> Vec<Row> {
    vec![
        ocsp("an OCSP response that says good", "", "", GOOD_OCSP),
        row(
            "a published CRL that lists nothing",
            "",
            "",
            Service::Crl,
            |_, stream| {
                send(stream, "200 OK", &[], &Bent::new(NOW, SEED).crl(&GOOD_CRL));
            },
        ),
    ]
}

impl Ocsp {
    /// The response to a request, signed by the root itself (RFC 6960 §4.2.1).
    fn to(&self, request: &[u8]) -> Vec<u8> {
        let bent = Bent::new(NOW, SEED);
        let data = self.data(&bent, &certificate_id(request));
        let signature = bent.sign_as_root(&data, self.by_root);
        let basic = Writer::single(Tag::SEQUENCE, |w| {
            w.raw(&data);
            AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256).write(w);
            w.primitive(Tag::BIT_STRING, &[&[0], signature.as_slice()].concat());
        });
        Writer::single(Tag::SEQUENCE, |w| {
            w.primitive(Tag::universal(10), &[0]);
            w.constructed(Tag::context(0), |w| {
                w.sequence(|w| {
                    w.oid(&oid::OCSP_BASIC);
                    w.octet_string(&basic);
                });
            });
        })
    }

    /// `ResponseData`.
    fn data(&self, bent: &Bent, asked: &[u8]) -> Vec<u8> {
        let root = Certificate::parse(&bent.root).unwrap();
        let mut about = asked.to_vec();
        if !self.about_it {
            // The serial number stands at the end.
            *about.last_mut().unwrap() ^= 1;
        }
        Writer::single(Tag::SEQUENCE, |w| {
            w.constructed(Tag::context(1), |w| {
                w.raw(root.subject());
            });
            time(w, NOW + self.starts);
            w.sequence(|w| {
                w.sequence(|w| {
                    w.raw(&about);
                    w.raw(self.status);
                    time(w, NOW + self.starts);
                    w.constructed(Tag::context(0), |w| time(w, NOW + self.ends));
                });
            });
            if let Some(nonce) = self.nonce {
                w.constructed(Tag::context(1), |w| {
                    w.sequence(|w| {
                        w.sequence(|w| {
                            let nonce_oid: Oid = oid::OCSP_NONCE;
                            w.oid(&nonce_oid);
                            w.octet_string(nonce);
                        });
                    });
                });
            }
        })
    }
}

/// The `CertID` of a request, as it stands there.
fn certificate_id(request: &[u8]) -> Vec<u8> {
    let mut inner = Reader::single(request, Tag::SEQUENCE, "OCSPRequest").unwrap();
    for _ in 0..4 {
        inner = inner.children("OCSPRequest").unwrap().read().unwrap();
    }
    inner.raw().to_vec()
}

fn time(w: &mut Writer, at: OffsetDateTime) {
    let text = formats::der::format_generalized_time(at).unwrap();
    w.primitive(Tag::GENERALIZED_TIME, text.as_bytes());
}
