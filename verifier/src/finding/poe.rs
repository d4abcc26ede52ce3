//! Findings about proofs of existence (EN 319 102-1 §5.6.2).

finding_codes! { TABLE:
    POE_SIGNATURE_TOO_LATE Error "EN 319 102-1 §5.6.2.4" {
        en: "What was signed is not proven to have existed by {1}, until when its certificates can be relied on ({2}).",
        ja: "署名が、証明書を信頼できる期限 {1} までに存在したことが証明されていません ({2})。" }
    POE_CERTIFICATE_TOO_LATE Error "EN 319 102-1 §5.6.2.2" {
        en: "The certificate {0} is not proven to have existed by {1}; from then on it could have been forged ({2}).",
        ja: "証明書 {0} が {1} までに存在したことが証明されていません。以後は偽造できた可能性があります ({2})。" }
    POE_STATUS_TOO_LATE Error "EN 319 102-1 §5.6.2.2" {
        en: "No information that {0} was not revoked is proven to have existed by {1}; from then on it could have been forged ({2}).",
        ja: "{0} が失効していないという情報が {1} までに存在したことが証明されていません。以後は偽造できた可能性があります ({2})。" }
    POE_STATUS_SIGNER_ENDED Error "EN 319 102-1 §5.6.2.4" {
        en: "The information that {0} was not revoked is signed with a certificate that ended at {1}, and is not proven to have existed by then.",
        ja: "{0} が失効していないという情報は {1} に有効期間が終わった証明書で署名されており、それまでに存在したことが証明されていません。" }
    POE_ALGORITHM_ENDED Error "EN 319 102-1 §5.6.2.4" {
        en: "{0} rests on {1}, which was trusted until {2}, and is proven to exist only since {3}.",
        ja: "{0} は {1} に依存していますが、その信頼期間は {2} までであり、存在が証明されるのは {3} 以後です。" }
}
