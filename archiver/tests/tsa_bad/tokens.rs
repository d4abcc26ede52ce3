//! Answers with a token whose content, attributes, signers or signature are wrong.

use formats::cms::{Attribute, SignedData, SignedDataBuilder, SigningCertificates};
use formats::der::{Integer, Tag, Writer};
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::{Extension, TimeStampRequest, TimeStampResponse};
use time::Duration;

use crate::row::Row;
use crate::support::authority::{Bent, CertificateOptions, GOOD, granted};
use crate::support::tokens::reference_v1;

pub fn rows() -> Vec<Row> {
    [contents(), attributes(), signers(), algorithms()]
        .into_iter()
        .flatten()
        .collect()
}

fn builder(bent: &Bent, request: &TimeStampRequest) -> SignedDataBuilder {
    bent.builder(&bent.info(request), &bent.certificate(GOOD))
}

/// A row whose builder is bent before it signs.
fn built(
    what: &'static str,
    en: &'static str,
    ja: &'static str,
    bend: impl Fn(&Bent, &mut SignedDataBuilder) + Send + Sync + 'static,
) -> Row {
    Row::answer(what, en, ja, move |bent, request| {
        let mut builder = builder(bent, &request);
        bend(bent, &mut builder);
        granted(&bent.sign(builder))
    })
}

/// A row whose token is bent after it was signed.
fn signed(
    what: &'static str,
    en: &'static str,
    ja: &'static str,
    bend: impl Fn(&Bent, TimeStampRequest, &mut SignedData) + Send + Sync + 'static,
) -> Row {
    Row::answer(what, en, ja, move |bent, request| {
        let mut token = bent.sign(builder(bent, &request));
        bend(bent, request, &mut token);
        granted(&token)
    })
}

const NO_TOKEN: (&str, &str) = (
    "is not a timestamp token",
    "タイムスタンプトークンではありません",
);

fn contents() -> Vec<Row> {
    vec![
        Row::answer("an empty token", NO_TOKEN.0, NO_TOKEN.1, |_, _| {
            TimeStampResponse::granted(vec![0x30, 0]).encode()
        }),
        built(
            "a content that is no TSTInfo",
            NO_TOKEN.0,
            NO_TOKEN.1,
            |_, builder| {
                builder.content_type = oid::DATA;
            },
        ),
        built(
            "a TSTInfo that is no structure",
            NO_TOKEN.0,
            NO_TOKEN.1,
            |_, builder| {
                builder.content = b"now".to_vec();
            },
        ),
        Row::answer(
            "TSTInfo version 2",
            "the version is not known",
            NO_TOKEN.1,
            |bent, request| {
                let mut info = bent.info(&request);
                info.version = 2;
                bent.answer_info(&info, GOOD)
            },
        ),
        built(
            "a time without Z",
            "a time is not valid",
            NO_TOKEN.1,
            |_, builder| {
                replace(&mut builder.content, b"20261122034830Z", b"202611220348300");
            },
        ),
        built(
            "a time in a month 13",
            "a time is not valid",
            NO_TOKEN.1,
            |_, builder| {
                replace(&mut builder.content, b"20261122034830Z", b"20261322034830Z");
            },
        ),
        signed(
            "no content at all",
            NO_TOKEN.0,
            NO_TOKEN.1,
            |_, _, token| token.content = None,
        ),
        signed(
            "bytes after the TSTInfo",
            NO_TOKEN.0,
            NO_TOKEN.1,
            |_, _, token| {
                token.content.as_mut().unwrap().push(0);
            },
        ),
        Row::answer(
            "a critical extension that nobody knows",
            "critical extension",
            "検証できません",
            |bent, request| {
                let mut info = bent.info(&request);
                info.extensions = vec![Extension {
                    oid: "1.3.6.1.4.1.32473.8".parse().unwrap(),
                    critical: true,
                    value: vec![5, 0],
                }];
                bent.answer_info(&info, GOOD)
            },
        ),
        signed(
            "a content that was changed after signing",
            "content was changed after it was signed",
            "署名後に変わっています",
            |bent, request, token| {
                let mut info = bent.info(&request);
                info.serial = Integer::from(2u64);
                token.content = Some(info.encode().unwrap());
            },
        ),
    ]
}

fn attributes() -> Vec<Row> {
    let wrong = (
        "signed attributes are missing or wrong",
        "署名属性が欠けているか",
    );
    let binding = (
        "does not name its signer's certificate",
        "署名者の証明書を正しく示していません",
    );
    vec![
        signed("no signed attributes", wrong.0, wrong.1, |_, _, token| {
            token.signers[0].signed_attributes = None;
        }),
        built(
            "no reference to the certificate",
            binding.0,
            binding.1,
            |_, builder| {
                builder.signed_attributes.clear();
            },
        ),
        built(
            "a reference to another certificate (ESSCertIDv2)",
            binding.0,
            binding.1,
            |bent, builder| {
                let reference =
                    SigningCertificates::encode_v2(&another(bent), DigestAlgorithm::Sha256);
                builder.signed_attributes =
                    vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![reference])];
            },
        ),
        built(
            "a reference to another certificate (ESSCertID)",
            binding.0,
            binding.1,
            |bent, builder| {
                let reference = reference_v1(another(bent).raw());
                builder.signed_attributes =
                    vec![Attribute::new(oid::SIGNING_CERTIFICATE, vec![reference])];
            },
        ),
        built(
            "two references that contradict each other",
            binding.0,
            binding.1,
            |bent, builder| {
                let reference = reference_v1(another(bent).raw());
                builder
                    .signed_attributes
                    .push(Attribute::new(oid::SIGNING_CERTIFICATE, vec![reference]));
            },
        ),
        built(
            "a reference that is no structure",
            binding.0,
            binding.1,
            |_, builder| {
                builder.signed_attributes = vec![Attribute::new(
                    oid::SIGNING_CERTIFICATE_V2,
                    vec![vec![4, 1, 0]],
                )];
            },
        ),
    ]
}

fn signers() -> Vec<Row> {
    vec![
        signed(
            "no signer",
            "has 0 signers instead of one",
            "一人ではなく 0 人",
            |_, _, token| token.signers.clear(),
        ),
        signed(
            "two signers",
            "has 2 signers instead of one",
            "一人ではなく 2 人",
            |_, _, token| {
                let mut second = token.signers[0].clone();
                second.signature[8] ^= 1;
                token.signers.push(second);
            },
        ),
        signed(
            "no certificate",
            "lacks the TSA's certificate",
            "証明書がありません",
            |_, _, token| token.certificates.clear(),
        ),
        built(
            "another certificate alone",
            "lacks the TSA's certificate",
            "証明書がありません",
            |bent, builder| {
                builder.certificates = vec![bent.root.clone()];
            },
        ),
        Row::answer(
            "a signature by another key",
            "signature does not hold",
            "署名が正しくなく",
            |bent, request| granted(&bent.sign_with_another_key(builder(bent, &request))),
        ),
        signed(
            "a signature with one bit flipped",
            "signature does not hold",
            "署名が正しくなく",
            |_, _, token| {
                let last = token.signers[0].signature.len() - 1;
                token.signers[0].signature[last] ^= 1;
            },
        ),
        signed(
            "an empty signature",
            "signature does not hold",
            "署名が正しくなく",
            |_, _, token| {
                token.signers[0].signature.clear();
            },
        ),
        signed(
            "an unsigned attribute",
            "unsigned attributes",
            "非署名属性",
            |_, _, token| {
                let note = Writer::single(Tag::UTF8_STRING, |_| {});
                let attribute = Attribute::new("1.3.6.1.4.1.32473.8".parse().unwrap(), vec![note]);
                token.signers[0].unsigned_attributes.push(attribute);
            },
        ),
    ]
}

fn algorithms() -> Vec<Row> {
    let old = (
        "an algorithm of the token is not accepted",
        "アルゴリズムを受け入れられません",
    );
    let digest = |what, algorithm| {
        built(what, old.0, old.1, move |_, builder| {
            builder.digest_algorithm = algorithm;
        })
    };
    vec![
        digest("a token signed over MD5", DigestAlgorithm::Md5),
        digest("a token signed over SHA-1", DigestAlgorithm::Sha1),
        built(
            "an unknown signature algorithm",
            old.0,
            old.1,
            |_, builder| {
                builder.signature_algorithm = formats::x509::AlgorithmIdentifier::bare(
                    "1.3.6.1.4.1.32473.8".parse().unwrap(),
                );
            },
        ),
        built(
            "the algorithm of another kind of key",
            "signature does not hold",
            "署名が正しくなく",
            |_, builder| {
                builder.signature_algorithm =
                    formats::x509::AlgorithmIdentifier::bare("1.3.101.112".parse().unwrap());
            },
        ),
    ]
}

/// Another certificate of the same name and number.
fn another(bent: &Bent) -> formats::x509::Certificate {
    bent.certificate(CertificateOptions {
        ends: Duration::days(9),
        ..GOOD
    })
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|window| window == from);
    let at = at.unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
}
