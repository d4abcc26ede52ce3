//! What an operator reads when there is no timestamp: what happened and what to do, in Japanese and English.

use formats::tsp::Failure;
use time::{Duration, OffsetDateTime};
use verifier::finding::{Finding, Language};

use super::material::MaterialFailure;
use super::refusal::{Refusal, TsaError};
use super::server::REPLY_TYPE;
use super::transport::{TransportError, printable};
use crate::cli::lang::Lang;
use crate::cli::output::moment;

impl TsaError {
    /// What happened and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Transport(error) => error.text(lang),
            Self::Refused(refusal) => refusal.text(lang),
            Self::Request => lang
                .pick(
                    "タイムスタンプ要求を作れません。この機械の乱数源を確かめてください",
                    "no timestamp request could be made: check the machine's random source",
                )
                .to_owned(),
            Self::Waiting { until } => lang.pick(
                format!("この局は {} まで問い合わせを控えるよう求めています", moment(*until)),
                format!("the TSA asked not to be asked before {}", moment(*until)),
            ),
            Self::All(failures) if failures.is_empty() => lang
                .pick(
                    "時刻認証局が設定されていません。設定に追加してください",
                    "no TSA is configured: add one to the configuration",
                )
                .to_owned(),
            Self::All(failures) => {
                let each = failures.iter();
                let each: Vec<String> = each
                    .map(|(name, error)| format!("{name}: {}", error.text(lang)))
                    .collect();
                each.join(lang.pick("。", "; "))
            }
            Self::Runtime => lang
                .pick(
                    "接続を準備できません。スレッド又はファイル記述子が不足しています",
                    "no connection could be prepared: the machine is out of threads or file descriptors",
                )
                .to_owned(),
        }
    }
}

impl TransportError {
    /// What happened and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Address => lang
                .pick(
                    "時刻認証局のアドレスが http でも https でもありません。設定を直してください",
                    "the TSA address is not an http or https address: correct the configuration",
                )
                .to_owned(),
            Self::Configuration => lang
                .pick(
                    "時刻認証局の TLS ルート証明書又はプロキシを使えません。設定を直してください",
                    "a TLS root or the proxy of the TSA cannot be used: correct the configuration",
                )
                .to_owned(),
            Self::Connect { reason } => lang.pick(
                format!("時刻認証局に接続できません({reason})。ネットワーク、アドレス、TLS ルート証明書を確かめてください"),
                format!("no connection to the TSA ({reason}): check network, address and TLS roots"),
            ),
            Self::Tls { reason } => lang.pick(
                format!("時刻認証局との TLS 接続が成立しません({reason})。tls_roots の設定とこの機械の時計を確かめてください"),
                format!("no secure connection to the TSA ({reason}): check tls_roots in the configuration and this machine's clock"),
            ),
            Self::TimeOut => lang
                .pick(
                    "時刻認証局が時間内に応答しません。記録は待ち行列に残ります。後でもう一度実行してください",
                    "the TSA did not answer in time: the records stay queued, try later",
                )
                .to_owned(),
            Self::Interrupted { reason } => lang.pick(
                format!("時刻認証局の応答が途中で切れました({reason})。もう一度実行してください"),
                format!("the TSA's answer broke off ({reason}): try again"),
            ),
            Self::HttpStatus { status, retry_after } => http_status(*status, *retry_after, lang),
            Self::ContentType { found } => lang.pick(
                format!("時刻認証局の応答の種類が {REPLY_TYPE} ではなく '{found}' です。アドレスが時刻認証局のものか確かめてください"),
                format!("the TSA answered with '{found}' instead of {REPLY_TYPE}: check that the address is that of the TSA"),
            ),
            Self::AnswerTooLong { limit } => lang.pick(
                format!("時刻認証局の応答が {limit} バイトを超えており、タイムスタンプではありえません。局の運営者に問い合わせてください"),
                format!("the TSA's answer is longer than {limit} bytes, which no timestamp is: ask its operator"),
            ),
            Self::Redirection => lang
                .pick(
                    "時刻認証局が従えない転送を返しました(循環、宛先なし、https から http など)。最終的なアドレスを設定してください",
                    "the TSA redirects in a way that is not followed (loop, no address, or https to http): configure the final address",
                )
                .to_owned(),
        }
    }
}

fn http_status(status: u16, retry_after: Option<Duration>, lang: Lang) -> String {
    let (ja, en) = match status {
        401 | 403 | 407 => (
            "契約と認証の設定を運営者に確かめてください",
            "it wants an agreement or credentials: ask its operator",
        ),
        404 | 405 | 410 => (
            "アドレスを確かめてください",
            "check that the address is that of the TSA",
        ),
        429 | 503 => (
            "混雑又は停止中です。後でもう一度実行してください",
            "it is busy or out of service: try later",
        ),
        _ => ("運営者に問い合わせてください", "ask its operator"),
    };
    let wait = retry_after.map_or_else(String::new, |wait| {
        let seconds = wait.whole_seconds();
        lang.pick(
            format!("、{seconds} 秒後"),
            format!(", again after {seconds} s"),
        )
    });
    lang.pick(
        format!("時刻認証局が HTTP ステータス {status}{wait} を返しました。{ja}"),
        format!("the TSA answered with HTTP status {status}{wait}: {en}"),
    )
}

impl Refusal {
    /// What is wrong with the token and what to do, in one line.
    #[must_use]
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the variants without fields have a fixed text"
    )]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Malformed(error) => lang.pick(
                format!("時刻認証局の応答はタイムスタンプ応答ではありません({error})。アドレスを確かめてください"),
                format!("the TSA's answer is not a timestamp response ({error}): check the address"),
            ),
            Self::TokenMalformed(error) => lang.pick(
                format!("応答に含まれるものはタイムスタンプトークンではありません({error})。局の運営者に問い合わせてください"),
                format!("what the TSA sent is not a timestamp token ({error}): ask its operator"),
            ),
            Self::Rejected { status, failures, text } => rejected(*status, failures, text, lang),
            Self::ClockDisagrees { gen_time, now } => lang.pick(
                format!("トークンの時刻は {}、こちらの時計は {} です。まずこの機械の時計、次に局の時計を確かめてください", moment(*gen_time), moment(*now)),
                format!("the token says {}, our clock says {}: check this machine's clock, then the TSA's", moment(*gen_time), moment(*now)),
            ),
            Self::Inaccurate { stated, limit } => lang.pick(
                format!("トークンの時刻精度は {} 秒で、設定の上限 {} 秒を超えています。別の局を使うか、accuracy_max_ms を変えてください", seconds(*stated), seconds(*limit)),
                format!("the token's time is only accurate to {} s, the limit is {} s: use another TSA, or change accuracy_max_ms", seconds(*stated), seconds(*limit)),
            ),
            Self::OutOfOrder { gen_time, earlier } => lang.pick(
                format!("トークンの時刻 {} は、この局の以前のトークンの時刻 {} より前です。局の時計が戻されたか、古いトークンです", moment(*gen_time), moment(*earlier)),
                format!("the token says {}, but an earlier token of this TSA said {}: its clock was set back or the token is old; ask its operator", moment(*gen_time), moment(*earlier)),
            ),
            Self::SignerCount { count } => lang.pick(
                format!("トークンの署名者が一人ではなく {count} 人です。局の運営者に問い合わせてください"),
                format!("the token has {count} signers instead of one: ask the TSA's operator"),
            ),
            Self::Algorithm(finding) => lang.pick(
                format!("トークンのアルゴリズムを受け入れられません: {} 局の運営者に新しいものを求めてください", algorithm(finding, lang)),
                format!("an algorithm of the token is not accepted: {} Ask the TSA's operator for a newer one", algorithm(finding, lang)),
            ),
            Self::Revoked(finding) => lang.pick(
                format!("時刻認証局の証明書が失効しています。この局を使わないでください: {}", said(finding, lang)),
                format!("a certificate of the TSA is revoked: do not use this TSA. {}", said(finding, lang)),
            ),
            Self::Verification(finding) => {
                let said = finding.as_ref().map(|finding| said(finding, lang));
                let said = said.unwrap_or_else(|| "-".to_owned());
                lang.pick(
                    format!("トークンを検証できません: {said} 局の運営者に問い合わせてください"),
                    format!("the token does not verify: {said} Ask the TSA's operator"),
                )
            }
            Self::RevocationUnknown { tried, left_out } => revocation_unknown(tried, left_out, lang),
            Self::EndsTooSoon { until, because, days_min } => ends_too_soon(*until, because, *days_min, lang),
            plain => {
                let texts = plain.about_the_answer();
                let (ja, en) = texts.unwrap_or_else(|| plain.about_the_signer());
                lang.pick(ja, en).to_owned()
            }
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the variants with fields are written by `text`"
    )]
    const fn about_the_answer(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::NoToken => (
                "時刻認証局は要求を受け入れましたが、トークンを送っていません。運営者に問い合わせてください",
                "the TSA granted the request but sent no token: ask its operator",
            ),
            Self::Imprint => (
                "トークンは送ったダイジェストとは別のものに対するものです。運営者が説明するまでこの局を使わないでください",
                "the token is over another digest than the one sent: do not use this TSA until its operator has explained it",
            ),
            Self::DigestAlgorithm => (
                "トークンのハッシュ関数が要求と異なります。局の運営者に問い合わせてください",
                "the token names another hash algorithm than the request: ask the TSA's operator",
            ),
            Self::NonceMissing => (
                "トークンにナンスがなく、古いものかもしれません。ナンスを返すよう局の運営者に求めてください",
                "the token lacks the nonce, so it may be an old one: ask the TSA's operator to echo nonces",
            ),
            Self::NonceMismatch => (
                "トークンのナンスが異なり、別の要求への応答です。もう一度実行し、続くなら局の運営者に問い合わせてください",
                "the token has another nonce: it answers another request; try again, then ask the TSA's operator",
            ),
            Self::Policy => (
                "トークンのポリシーが要求と異なります。設定の policy を直すか、局の運営者に問い合わせてください",
                "the token was made under another policy: correct the policy in the configuration, or ask the TSA's operator",
            ),
            Self::AccuracyMissing => (
                "トークンに時刻の精度がありません。別の局を使うか、accuracy_missing を accept にしてください",
                "the token states no accuracy: use another TSA, or set accuracy_missing to accept",
            ),
            _ => return None,
        })
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other variants are written by `text` and `about_the_answer`"
    )]
    const fn about_the_signer(&self) -> (&'static str, &'static str) {
        match self {
            Self::CertificateMissing => (
                "トークンに時刻認証局の証明書がありません。certReq に従うよう局の運営者に求めてください",
                "the token lacks the TSA's certificate: ask the TSA's operator to honour certReq",
            ),
            Self::CertificateBinding => (
                "トークンが署名者の証明書を正しく示していません(ESSCertID)。局の運営者に問い合わせてください",
                "the token does not name its signer's certificate (ESSCertID): ask the TSA's operator",
            ),
            Self::ContentChanged => (
                "トークンの内容が署名後に変わっています。もう一度実行し、続くなら局の運営者に問い合わせてください",
                "the token's content was changed after it was signed: try again, then ask the TSA's operator",
            ),
            Self::SignedAttributes => (
                "トークンの署名属性が欠けているか、正しくありません。局の運営者に問い合わせてください",
                "the token's signed attributes are missing or wrong: ask the TSA's operator",
            ),
            Self::Signature => (
                "トークンの署名が正しくなく、損傷又は偽造です。もう一度実行し、続くなら局の運営者に問い合わせてください",
                "the token's signature does not hold: it is damaged or forged; try again, then ask the TSA's operator",
            ),
            Self::UsageMissing => (
                "時刻認証局の証明書にタイムスタンプの拡張鍵用途がありません。タイムスタンプ用の証明書ではありません",
                "the TSA's certificate has no extended key usage for timestamping: this is not a timestamping certificate",
            ),
            Self::UsageNotCritical => (
                "時刻認証局の証明書の拡張鍵用途がクリティカルではありません(RFC 3161 の要件)。運営者に問い合わせてください",
                "the TSA's extended key usage is not critical, which RFC 3161 demands: ask its operator",
            ),
            Self::UsageNotAlone => (
                "時刻認証局の証明書がタイムスタンプ専用ではありません(RFC 3161 の要件)。運営者に問い合わせてください",
                "the TSA's certificate is not for timestamping alone, which RFC 3161 demands: ask its operator",
            ),
            Self::CertificateNotValidThen => (
                "時刻認証局の証明書がトークンの時刻に有効ではありません。運営者に問い合わせてください",
                "the TSA's certificate was not valid at the time of the token: ask its operator",
            ),
            Self::NotTrusted => (
                "時刻認証局の証明書から設定した信頼点まで認証パスがつながりません。信頼するなら、そのルート証明書を設定に追加してください",
                "no path leads from the TSA's certificate to a configured trust anchor: add its root to the configuration if you trust it",
            ),
            Self::NotIndependent => (
                "第二のトークンが第一のトークンと同じ鍵で作られています。別の運営者の局を設定してください",
                "the second token was made with the key of the first: configure a TSA of another operator",
            ),
            _ => ("トークンを受け入れられません", "the token is not accepted"),
        }
    }
}

fn rejected(status: u32, failures: &[Failure], text: &str, lang: Lang) -> String {
    let mut why = lang.pick(format!("状態 {status}"), format!("status {status}"));
    for failure in failures {
        why.push_str(", ");
        why.push_str(failure.name());
    }
    if !text.is_empty() {
        why.push_str(": ");
        why.push_str(text);
    }
    let (ja, en) = advice(failures);
    lang.pick(
        format!("時刻認証局が要求を拒否しました({why})。{ja}"),
        format!("the TSA rejected the request ({why}): {en}"),
    )
}

/// What to do about the first reason that the authority gives (RFC 3161 §2.4.2).
fn advice(failures: &[Failure]) -> (&'static str, &'static str) {
    match failures.first() {
        Some(Failure::BadAlgorithm) => (
            "この局はハッシュ関数を受け付けません。別の局を使ってください",
            "it does not take this hash function: use another TSA",
        ),
        Some(Failure::UnacceptedPolicy) => (
            "設定の policy を直してください",
            "correct the policy in the configuration",
        ),
        Some(Failure::TimeNotAvailable | Failure::SystemFailure) => (
            "局に障害があります。後でもう一度実行してください",
            "it is out of order: try later",
        ),
        Some(
            Failure::BadRequest
            | Failure::BadDataFormat
            | Failure::UnacceptedExtension
            | Failure::AdditionalInfoNotAvailable
            | Failure::Other(_),
        )
        | None => ("運営者に問い合わせてください", "ask its operator"),
    }
}

fn ends_too_soon(until: OffsetDateTime, because: &str, days_min: i64, lang: Lang) -> String {
    let what = if because.is_empty() {
        lang.pick("証明書", "its certificates").to_owned()
    } else {
        because.to_owned()
    };
    lang.pick(
        format!("トークンは {} までしか有効でなく({what})、{days_min} 日に足りません。局の運営者に新しい証明書を求めるか、holds_min_days を変えてください", moment(until)),
        format!("the token holds only until {} ({what}), less than {days_min} days: ask the TSA's operator for a newer certificate, or change holds_min_days", moment(until)),
    )
}

fn revocation_unknown(tried: &[MaterialFailure], left_out: &[Finding], lang: Lang) -> String {
    let tried = tried.iter().map(|one| printable(&one.to_string()));
    let left_out = left_out.iter().map(|finding| said(finding, lang));
    let mut why: Vec<String> = tried
        .chain(left_out)
        .map(|one| one.trim_end_matches(['.', '。']).to_owned())
        .collect();
    why.dedup();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({})", why.join("; "))
    };
    lang.pick(
        format!("時刻認証局の証明書が失効していないか確認できません{why}。失効情報の提供元に接続できるか確かめ、後でもう一度実行してください"),
        format!("whether the TSA's certificate is revoked is unknown{why}: check that its revocation service can be reached, or try later"),
    )
}

/// The end of an algorithm in an operator's words; the verifier's own sentence speaks of proofs of existence.
fn algorithm(finding: &Finding, lang: Lang) -> String {
    match finding.details() {
        [name, until, _, source] => lang.pick(
            format!("{name} が信頼されるのは {until} までです (出典: {source})。"),
            format!("{name} is trusted until {until} only (source: {source})."),
        ),
        _ => said(finding, lang),
    }
}

fn said(finding: &Finding, lang: Lang) -> String {
    finding.text(lang.pick(Language::Japanese, Language::English))
}

fn seconds(duration: Duration) -> String {
    duration.as_seconds_f64().to_string()
}
