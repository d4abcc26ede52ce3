//! Which certificate a token was made with.

use formats::tsp::TimeStampToken;
pub use verifier::registry::signer_certificate;

/// Whether two tokens were made with the same key. Where one of them does not carry its certificate, the answer is yes: independence
/// has to be shown.
#[must_use]
pub fn same_signer(one: &[u8], other: &[u8]) -> bool {
    let key = |bytes: &[u8]| {
        let token = TimeStampToken::parse(bytes).ok()?;
        Some(signer_certificate(&token)?.spki().to_vec())
    };
    match (key(one), key(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}
