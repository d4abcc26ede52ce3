//! Answers whose token is sound and whose certificate is not: purposes, validity, trust, revocation, what remains.

use std::sync::Arc;

use archiver::tsa::material::{Collected, MaterialSource};
use time::{Duration, OffsetDateTime};

use crate::row::{Row, SEED};
use crate::support::authority::{
    Bent, CertificateOptions, CrlOptions, GOOD, GOOD_CRL, SERIAL, TWO_PURPOSES, granted,
};
use crate::support::client::NOW;

pub fn rows() -> Vec<Row> {
    [purposes(), validity(), trust(), crls()]
        .into_iter()
        .flatten()
        .collect()
}

fn certificate(
    what: &'static str,
    en: &'static str,
    ja: &'static str,
    options: CertificateOptions,
) -> Row {
    Row::answer(what, en, ja, move |bent, request| {
        bent.answer(&request, options)
    })
}

/// `id-kp-codeSigning` alone.
const CODE_SIGNING: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 3];

fn purposes() -> Vec<Row> {
    let of = |purposes| CertificateOptions { purposes, ..GOOD };
    let missing = (
        "no extended key usage for timestamping",
        "拡張鍵用途がありません",
    );
    vec![
        certificate("no extended key usage", missing.0, missing.1, of(None)),
        certificate(
            "the extended key usage of something else",
            missing.0,
            missing.1,
            of(Some(CODE_SIGNING)),
        ),
        certificate(
            "an extended key usage with two purposes",
            "not for timestamping alone",
            "タイムスタンプ専用ではありません",
            of(Some(TWO_PURPOSES)),
        ),
        certificate(
            "an extended key usage that is not critical",
            "extended key usage is not critical",
            "クリティカルではありません",
            CertificateOptions {
                critical: false,
                ..GOOD
            },
        ),
    ]
}

fn validity() -> Vec<Row> {
    let of = |starts, ends| CertificateOptions {
        starts: Duration::days(starts),
        ends: Duration::days(ends),
        ..GOOD
    };
    let not_valid = (
        "was not valid at the time of the token",
        "トークンの時刻に有効ではありません",
    );
    vec![
        certificate(
            "an expired certificate",
            not_valid.0,
            not_valid.1,
            of(-2, -1),
        ),
        certificate(
            "a certificate that is not valid yet",
            not_valid.0,
            not_valid.1,
            of(1, 2),
        ),
        certificate(
            "a certificate that ends in three weeks",
            "holds only until 2026-12-13",
            "30 日に足りません",
            of(-1, 21),
        )
        .with(|setting| setting.options.demands.holds_min = Duration::days(30)),
    ]
}

fn trust() -> Vec<Row> {
    let unknown = (
        "no path leads from the TSA's certificate",
        "認証パスがつながりません",
    );
    vec![
        Row::answer(
            "an authority under another root",
            unknown.0,
            unknown.1,
            |_, request| Bent::new(NOW, SEED + 1).answer(&request, GOOD),
        ),
        certificate(
            "a certificate that the root did not sign",
            unknown.0,
            unknown.1,
            CertificateOptions {
                by_root: false,
                ..GOOD
            },
        ),
        certificate("a client that trusts nobody", unknown.0, unknown.1, GOOD)
            .with(|setting| setting.options.trust.anchors.clear()),
    ]
}

/// A source that has exactly this.
#[derive(Debug)]
pub struct Given(pub Collected);

impl MaterialSource for Given {
    fn collect(&self, _: &[Vec<u8>], _: &[Vec<u8>], _: OffsetDateTime) -> Collected {
        self.0.clone()
    }
}

const WITH_CRL: CertificateOptions = CertificateOptions {
    crl: Some("http://127.0.0.1:9/root.crl"),
    ..GOOD
};

const UNKNOWN: (&str, &str) = (
    "whether the TSA's certificate is revoked is unknown",
    "失効していないか確認できません",
);

/// A row with a CRL that somebody else gives, and that the certificate names.
fn collected(what: &'static str, en: &'static str, ja: &'static str, crl: &CrlOptions) -> Row {
    let crl = Bent::new(NOW, SEED).crl(crl);
    certificate(what, en, ja, WITH_CRL).with(|setting| {
        let crls = vec![crl];
        setting.options.trust.material = Some(Arc::new(Given(Collected {
            crls,
            ..Collected::default()
        })));
    })
}

fn crls() -> Vec<Row> {
    let revoked = CrlOptions {
        revoked: Some(SERIAL),
        ..GOOD_CRL
    };
    let of = |starts, ends| CrlOptions {
        starts: Duration::hours(starts),
        ends: Duration::hours(ends),
        ..GOOD_CRL
    };
    vec![
        collected(
            "a certificate that its CRL lists",
            "is revoked: do not use this TSA",
            "失効しています",
            &revoked,
        ),
        Row::answer(
            "a CRL in the token that lists the certificate",
            "is revoked: do not use this TSA",
            "失効しています",
            move |bent, request| {
                let mut builder = bent.builder(&bent.info(&request), &bent.certificate(GOOD));
                builder
                    .revocations
                    .push(formats::cms::RevocationInfo::Crl(bent.crl(&revoked)));
                granted(&bent.sign(builder))
            },
        ),
        certificate(
            "a CRL that is named and that nobody has",
            UNKNOWN.0,
            UNKNOWN.1,
            WITH_CRL,
        ),
        collected(
            "a CRL that is out of date",
            "its next update was due at",
            "次回更新予定",
            &of(-48, -24),
        ),
        collected(
            "a CRL from the future",
            "is unknown (A CRL of CN=Root was left out: it was issued at",
            "より後です",
            &of(24, 48),
        ),
        collected(
            "a forged CRL",
            "its signature does not verify",
            "署名を検証できません",
            &CrlOptions {
                by_root: false,
                ..GOOD_CRL
            },
        ),
        collected(
            "a forged CRL that lists the certificate",
            "its signature does not verify",
            "署名を検証できません",
            &CrlOptions {
                by_root: false,
                ..revoked
            },
        ),
        collected(
            "a CRL of another issuer",
            UNKNOWN.0,
            UNKNOWN.1,
            &CrlOptions {
                issuer: Some("Another"),
                ..GOOD_CRL
            },
        ),
        certificate(
            "a CRL that is garbage",
            "A CRL was left out, because it cannot be read",
            "CRL を読み取れない",
            WITH_CRL,
        )
        .with(|setting| {
            let crls = vec![b"no CRL".to_vec()];
            setting.options.trust.material = Some(Arc::new(Given(Collected {
                crls,
                ..Collected::default()
            })));
        }),
    ]
}

/// Revocation that can be told, and is none.
pub fn accepted() -> Vec<Row> {
    vec![
        collected("a CRL that lists nothing", "", "", &GOOD_CRL),
        collected(
            "a CRL that lists another certificate",
            "",
            "",
            &CrlOptions {
                revoked: Some(SERIAL + 1),
                ..GOOD_CRL
            },
        ),
    ]
}
