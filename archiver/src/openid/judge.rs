//! Whether an ID token proves who somebody is: OpenID Connect Core 1.0 §3.1.3.7, with keys, time and expectations as arguments.

use std::str::FromStr;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Algorithm,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError,
};
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::error::TokenFault;
use crate::config::OpenidConfig;

/// What an ID token must say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// The provider, and what a log-in by it must prove.
    pub(super) config: &'a OpenidConfig,
    /// What was sent with this log-in.
    pub(super) nonce: &'a str,
    /// When this log-in began: a token is younger.
    pub(super) begun_at: OffsetDateTime,
}

/// Whom a token names, where it proves that with these keys, now.
pub(super) fn judge(
    token: &str,
    keys: &CoreJsonWebKeySet,
    expected: Expected<'_>,
    now: OffsetDateTime,
) -> Result<String, TokenFault> {
    let parsed = CoreIdToken::from_str(token).map_err(|_| TokenFault::Malformed)?;
    let config = expected.config;
    let skew = Duration::seconds(config.clock_skew_seconds.into());
    let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| TokenFault::Issuer)?;
    // No shared secrets as keys, no token without a signature: the algorithms of a public key alone.
    let client = ClientId::new(config.client_id.clone());
    let earliest = SystemTime::from(
        expected
            .begun_at
            .replace_nanosecond(0)
            .unwrap_or(expected.begun_at)
            - skew,
    );
    let latest = SystemTime::from(now + skew);
    let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys.clone())
        .set_allowed_algs(ALGORITHMS.iter().cloned())
        .set_time_fn(move || SystemTime::from(now - skew).into())
        .set_issue_time_verifier_fn(move |issued| {
            let issued = SystemTime::from(issued);
            match issued >= earliest && issued <= latest {
                true => Ok(()),
                false => Err(UNTIMELY.to_owned()),
            }
        });
    let nonce = Nonce::new(expected.nonce.to_owned());
    parsed
        .claims(&verifier, &nonce)
        .map_err(|error| fault(&error))?;
    // From here on the payload is what the provider signed.
    let claims = payload(token).ok_or(TokenFault::Malformed)?;
    check_more(&claims, config, now + skew)?;
    account(&claims, &config.account_claim)
}

/// What the verification above leaves to whoever asked for it.
fn check_more(
    claims: &Map<String, Value>,
    config: &OpenidConfig,
    latest: OffsetDateTime,
) -> Result<(), TokenFault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if claims.contains_key("azp") && text("azp") != Some(config.client_id.as_str()) {
        return Err(TokenFault::Audience);
    }
    if let Some(not_before) = claims.get("nbf") {
        let is_valid = not_before
            .as_f64()
            .is_some_and(|at| at <= latest.unix_timestamp() as f64);
        if !is_valid {
            return Err(TokenFault::Untimely);
        }
    }
    let acr = text("acr");
    if !config.acr.is_empty() && !config.acr.iter().any(|one| Some(one.as_str()) == acr) {
        return Err(TokenFault::Authentication);
    }
    let amr = claims.get("amr").and_then(Value::as_array);
    let is_among = |one: &String| amr.into_iter().flatten().any(|method| method == one);
    if !config.amr.iter().all(is_among) {
        return Err(TokenFault::Authentication);
    }
    Ok(())
}

/// Whom the claim names. A mail address counts where the provider checked it.
fn account(claims: &Map<String, Value>, claim: &str) -> Result<String, TokenFault> {
    let nobody = || TokenFault::NoAccount {
        claim: claim.to_owned(),
    };
    if claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(nobody());
    }
    let named = claims.get(claim).and_then(Value::as_str);
    let named = named.filter(|name| !name.trim().is_empty());
    named.map(str::to_owned).ok_or_else(nobody)
}

fn payload(token: &str) -> Option<Map<String, Value>> {
    let text = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn fault(error: &ClaimsVerificationError) -> TokenFault {
    match error {
        ClaimsVerificationError::Expired(what) if what == UNTIMELY => TokenFault::Untimely,
        ClaimsVerificationError::Expired(_) => TokenFault::Expired,
        ClaimsVerificationError::InvalidAudience(_) => TokenFault::Audience,
        ClaimsVerificationError::InvalidIssuer(_) => TokenFault::Issuer,
        ClaimsVerificationError::InvalidNonce(_) => TokenFault::Nonce,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
            | SignatureVerificationError::AmbiguousKeyId(_),
        ) => TokenFault::UnknownKey,
        ClaimsVerificationError::SignatureVerification(_) => TokenFault::Signature,
        ClaimsVerificationError::InvalidAuthContext(_)
        | ClaimsVerificationError::InvalidAuthTime(_)
        | ClaimsVerificationError::InvalidSubject(_)
        | ClaimsVerificationError::Other(_)
        | ClaimsVerificationError::Unsupported(_)
        | _ => TokenFault::Other,
    }
}

/// Signatures that can be verified with a public key (RFC 7518 §3.1, RFC 8037).
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// How the check of the time of issue tells itself from that of the end.
const UNTIMELY: &str = "untimely";

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
