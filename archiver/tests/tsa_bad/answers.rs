//! Answers whose outer structure, status or comparison with the request is wrong.

use formats::der::{Element, Integer, Reader, Tag};
use formats::digest::DigestAlgorithm;
use formats::tsp::{
    Accuracy, Failure, MessageImprint, TimeStampRequest, TimeStampResponse, TstInfo,
};
use time::Duration;

use crate::row::Row;
use crate::support::authority::{Bent, CertificateOptions, GOOD, granted};

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::answer(
            "an empty body",
            "not a timestamp response",
            "タイムスタンプ応答ではありません",
            |_, _| Vec::new(),
        ),
        Row::answer(
            "garbage",
            "not a timestamp response",
            "タイムスタンプ応答ではありません",
            |_, _| b"not DER at all".to_vec(),
        ),
        Row::answer(
            "a truncated answer",
            "the bytes end too early",
            "アドレスを確かめて",
            |bent, request| {
                let mut answer = bent.answer(&request, GOOD);
                answer.truncate(answer.len() - 40);
                answer
            },
        ),
        Row::answer(
            "bytes after the answer",
            "bytes follow the end",
            "アドレスを確かめて",
            |bent, request| {
                let mut answer = bent.answer(&request, GOOD);
                answer.push(0);
                answer
            },
        ),
        Row::answer(
            "a token without its response",
            "not a timestamp response",
            "タイムスタンプ応答ではありません",
            |bent, request| response_of(bent, &request).token.unwrap(),
        ),
        Row::answer(
            "the request sent back",
            "not a timestamp response",
            "タイムスタンプ応答ではありません",
            |_, request| request.encode(),
        ),
        Row::answer(
            "granted without a token",
            "granted the request but sent no token",
            "トークンを送っていません",
            |bent, request| {
                TimeStampResponse {
                    token: None,
                    ..response_of(bent, &request)
                }
                .encode()
            },
        ),
        Row::answer(
            "granted, and a failure beside it",
            "rejected the request (status 0, systemFailure)",
            "状態 0, systemFailure",
            |bent, request| {
                TimeStampResponse {
                    failures: vec![Failure::SystemFailure],
                    ..response_of(bent, &request)
                }
                .encode()
            },
        ),
        Row::answer(
            "rejected, and a token beside it",
            "rejected the request (status 2",
            "状態 2",
            |bent, request| {
                let token = response_of(bent, &request).token;
                TimeStampResponse {
                    token,
                    ..TimeStampResponse::rejected(Failure::BadRequest, "no")
                }
                .encode()
            },
        ),
        Row::answer(
            "a rejection with terminal controls",
            "no[31m way",
            "no[31m way",
            |_, _| TimeStampResponse::rejected(Failure::BadRequest, "no\u{1b}[31m way").encode(),
        ),
        Row::answer(
            "a rejection without a reason",
            "rejected the request (status 2): ask its operator",
            "運営者に問い合わせて",
            |_, _| vec![0x30, 5, 0x30, 3, 2, 1, 2],
        ),
        Row::answer("put off (waiting)", "status 3", "状態 3", |_, _| {
            vec![0x30, 5, 0x30, 3, 2, 1, 3]
        }),
    ];
    rows.extend(failures());
    rows.extend(comparisons());
    rows.extend(times());
    rows
}

/// Each reason of `PKIFailureInfo`, with what to do about it.
fn failures() -> Vec<Row> {
    let row = |what, failure: Failure, en, ja| {
        Row::answer(what, en, ja, move |_, _| {
            TimeStampResponse::rejected(failure, "").encode()
        })
    };
    vec![
        row(
            "badAlg",
            Failure::BadAlgorithm,
            "badAlg): it does not take this hash function",
            "ハッシュ関数を受け付けません",
        ),
        row(
            "badRequest",
            Failure::BadRequest,
            "badRequest): ask its operator",
            "badRequest",
        ),
        row(
            "badDataFormat",
            Failure::BadDataFormat,
            "badDataFormat)",
            "badDataFormat",
        ),
        row(
            "timeNotAvailable",
            Failure::TimeNotAvailable,
            "timeNotAvailable): it is out of order: try later",
            "局に障害があります",
        ),
        row(
            "unacceptedPolicy",
            Failure::UnacceptedPolicy,
            "unacceptedPolicy): correct the policy",
            "policy を直して",
        ),
        row(
            "unacceptedExtension",
            Failure::UnacceptedExtension,
            "unacceptedExtension)",
            "unacceptedExtension",
        ),
        row(
            "addInfoNotAvailable",
            Failure::AdditionalInfoNotAvailable,
            "addInfoNotAvailable)",
            "addInfoNotAvailable",
        ),
        row(
            "systemFailure",
            Failure::SystemFailure,
            "systemFailure): it is out of order",
            "局に障害があります",
        ),
        row(
            "an unknown failure",
            Failure::Other(30),
            "unknown failure)",
            "unknown failure",
        ),
    ]
}

fn comparisons() -> Vec<Row> {
    vec![
        Row::answer(
            "another digest",
            "over another digest than the one sent",
            "別のものに対するもの",
            |bent, request| {
                let imprint = MessageImprint::of(&DigestAlgorithm::Sha256.digest(b"another"));
                bent.answer(&TimeStampRequest { imprint, ..request }, GOOD)
            },
        ),
        Row::answer(
            "a digest with one bit flipped",
            "over another digest",
            "別のものに対するもの",
            |bent, mut request| {
                request.imprint.bytes[31] ^= 1;
                bent.answer(&request, GOOD)
            },
        ),
        Row::answer(
            "another hash function",
            "names another hash algorithm",
            "ハッシュ関数が要求と異なります",
            |bent, request| {
                let imprint = MessageImprint::of(&DigestAlgorithm::Sha512.digest(b"a root"));
                bent.answer(&TimeStampRequest { imprint, ..request }, GOOD)
            },
        ),
        Row::answer(
            "an MD5 digest",
            "names another hash algorithm",
            "ハッシュ関数が要求と異なります",
            |bent, request| {
                let imprint = MessageImprint::of(&DigestAlgorithm::Md5.digest(b"a root"));
                bent.answer(&TimeStampRequest { imprint, ..request }, GOOD)
            },
        ),
        Row::answer(
            "no nonce",
            "lacks the nonce, so it may be an old one",
            "ナンスがなく",
            |bent, request| {
                bent.answer(
                    &TimeStampRequest {
                        nonce: None,
                        ..request
                    },
                    GOOD,
                )
            },
        ),
        Row::answer(
            "a replayed token, with its old nonce",
            "another nonce: it answers another request",
            "別の要求への応答",
            |bent, request| {
                let nonce = Some(Integer::from(4711u64));
                bent.answer(&TimeStampRequest { nonce, ..request }, GOOD)
            },
        ),
        Row::answer(
            "another policy",
            "made under another policy",
            "ポリシーが要求と異なります",
            |bent, request| {
                let policy = Some("1.2.4".parse().unwrap());
                bent.answer(&TimeStampRequest { policy, ..request }, GOOD)
            },
        )
        .with(|setting| setting.options.policy = Some("1.2.3".parse().unwrap())),
    ]
}

/// A certificate that is valid for long, so that only the time is wrong.
const LONG: CertificateOptions = CertificateOptions {
    starts: Duration::days(-900),
    ends: Duration::days(900),
    ..GOOD
};

fn bent_info(
    what: &'static str,
    en: &'static str,
    ja: &'static str,
    bend: impl Fn(&mut TstInfo) + Send + Sync + 'static,
) -> Row {
    Row::answer(what, en, ja, move |bent, request| {
        let mut info = bent.info(&request);
        bend(&mut info);
        bent.answer_info(&info, LONG)
    })
}

fn times() -> Vec<Row> {
    let clock = (
        "our clock says 2026-11-22 12:48:30 JST",
        "まずこの機械の時計",
    );
    let at = |what, offset: Duration| {
        bent_info(what, clock.0, clock.1, move |info| info.gen_time += offset)
    };
    let accuracy = |accuracy: Option<Accuracy>| move |info: &mut TstInfo| info.accuracy = accuracy;
    let seconds = |seconds| {
        Some(Accuracy {
            seconds: Some(seconds),
            ..Accuracy::default()
        })
    };
    let fine = Some(Accuracy {
        seconds: Some(1),
        micros: Some(1),
        ..Accuracy::default()
    });
    vec![
        at("a token from the future", Duration::minutes(6)),
        at("a token from the past", Duration::minutes(-6)),
        at("a token from last year", Duration::days(-400)),
        bent_info(
            "a wrong time excused by a bad accuracy",
            clock.0,
            clock.1,
            |info| {
                info.gen_time += Duration::minutes(30);
                info.accuracy = Some(Accuracy {
                    seconds: Some(3600),
                    ..Accuracy::default()
                });
            },
        ),
        bent_info(
            "an accuracy of ten seconds",
            "only accurate to 10 s, the limit is 1 s",
            "上限 1 秒を超えて",
            accuracy(seconds(10)),
        ),
        bent_info(
            "an accuracy of a microsecond too much",
            "only accurate to 1.000001 s",
            "1.000001 秒",
            accuracy(fine),
        ),
        bent_info(
            "no accuracy where one is demanded",
            "states no accuracy",
            "時刻の精度がありません",
            accuracy(None),
        )
        .with(|setting| setting.options.demands.accuracy_may_miss = false),
    ]
}

/// Odd, but right: none of them may be refused.
pub fn accepted() -> Vec<Row> {
    let info = |what, bend: fn(&mut TstInfo)| bent_info(what, "", "", bend);
    vec![
        Row::answer("an honest answer", "", "", |bent, request| {
            bent.answer(&request, GOOD)
        }),
        Row::answer(
            "granted with modifications that touch nothing",
            "",
            "",
            |bent, request| {
                TimeStampResponse {
                    status: formats::tsp::Status::GrantedWithMods,
                    ..response_of(bent, &request)
                }
                .encode()
            },
        ),
        Row::answer(
            "indefinite lengths (BER) around the token",
            "",
            "",
            |bent, request| indefinite(&bent.answer(&request, GOOD)),
        ),
        info("four minutes late", |info| {
            info.gen_time -= Duration::minutes(4);
        }),
        info("an accuracy of exactly one second", |info| {
            info.accuracy = Some(Accuracy {
                seconds: Some(1),
                ..Accuracy::default()
            });
        }),
        info("ordering promised", |info| info.ordering = true),
        info("an extension that is not critical", |info| {
            info.extensions = vec![formats::tsp::Extension {
                oid: "1.3.6.1.4.1.32473.8".parse().unwrap(),
                critical: false,
                value: vec![5, 0],
            }];
        }),
        Row::answer(
            "the certificate of the root beside that of the authority",
            "",
            "",
            |bent, request| {
                let certificate = bent.certificate(GOOD);
                let mut builder = bent.builder(&bent.info(&request), &certificate);
                builder.certificates.push(bent.root.clone());
                granted(&bent.sign(builder))
            },
        ),
    ]
}

/// The same response with the lengths of response, token and `SignedData` left open (X.690 §8.1.3.6), as some authorities write them.
fn indefinite(answer: &[u8]) -> Vec<u8> {
    fn opened(element: &Element<'_>, levels: u32) -> Vec<u8> {
        if levels == 0 || !element.is_constructed() {
            return element.raw().to_vec();
        }
        let members = element.children("test").unwrap().all(9).unwrap();
        let mut bytes = vec![element.raw()[0], 0x80];
        bytes.extend(members.iter().flat_map(|member| opened(member, levels - 1)));
        bytes.extend([0, 0]);
        bytes
    }
    opened(&Reader::single(answer, Tag::SEQUENCE, "test").unwrap(), 4)
}

fn response_of(bent: &Bent, request: &TimeStampRequest) -> TimeStampResponse {
    let answer = bent.answer(request, GOOD);
    TimeStampResponse::parse(&answer).unwrap().into_parts().0
}
