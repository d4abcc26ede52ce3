//! Which digest algorithm a hash-tree renewal goes to.

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;
use verifier::policy::Policy;

use super::options::{MANIFEST_DIGESTS, RenewalOptions};

/// The digest algorithm that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The algorithm.
    pub algorithm: DigestAlgorithm,
}

/// The digest algorithm for a hash-tree renewal away from `from`: one of the manifest's that will not be due again at once, otherwise the
/// third one, otherwise whatever is trusted longer than `from`, the longest first.
#[must_use]
pub fn next_digest(
    from: DigestAlgorithm,
    policy: &Policy,
    options: &RenewalOptions,
    now: OffsetDateTime,
) -> Option<Next> {
    let end_of = |digest| {
        let trust = policy.digest_trust(digest)?;
        Some(trust.until.unwrap_or(FOREVER))
    };
    let outgoing = end_of(from).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // The renewal is made when it is due, which may be in the future; what may be chosen then is judged then.
    let made_at = outgoing.saturating_sub(options.algorithm_lead).max(now);
    let candidates: Vec<(DigestAlgorithm, OffsetDateTime)> = MANIFEST_DIGESTS
        .into_iter()
        .chain([options.third_digest])
        .filter(|digest| *digest != from)
        .filter(|digest| {
            policy
                .new_digest_trust(*digest)
                .is_some_and(|trust| trust.holds_at(made_at))
        })
        .filter_map(|digest| Some((digest, end_of(digest)?)))
        .filter(|(_, end)| *end > outgoing)
        .collect();
    let lasting = candidates
        .iter()
        .find(|(_, end)| end.saturating_sub(options.algorithm_lead) > made_at);
    let longest = || candidates.iter().max_by_key(|(_, end)| *end);
    lasting.or_else(longest).map(|(algorithm, _)| Next {
        algorithm: *algorithm,
    })
}

/// The digest algorithm for the first tree of new records: the first one of the manifests that will not be due for renewal at once, otherwise
/// the one that is trusted longest. `None` if the policy lets none of them be chosen any more.
#[must_use]
pub fn first_digest(
    policy: &Policy,
    options: &RenewalOptions,
    now: OffsetDateTime,
) -> Option<DigestAlgorithm> {
    let candidates = MANIFEST_DIGESTS.into_iter().filter_map(|digest| {
        let may_be_chosen = policy.new_digest_trust(digest)?.holds_at(now);
        let end = policy.digest_trust(digest)?.until.unwrap_or(FOREVER);
        may_be_chosen.then_some((digest, end))
    });
    let candidates: Vec<_> = candidates.collect();
    let lasting = candidates
        .iter()
        .find(|(_, end)| end.saturating_sub(options.algorithm_lead) > now);
    let longest = || candidates.iter().max_by_key(|(_, end)| *end);
    lasting.or_else(longest).map(|(digest, _)| *digest)
}

/// An end that is not known is later than every known one.
const FOREVER: OffsetDateTime = time::macros::datetime!(9999-12-31 23:59:59 UTC);

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn policy(ends: &[(&str, OffsetDateTime)]) -> Policy {
        ends.iter()
            .fold(Policy::default(), |policy, (algorithm, end)| {
                let set = algorithm.parse().expect("an algorithm");
                policy.with_end(&set, *end, "test")
            })
    }

    #[test]
    fn new_records_get_a_digest_that_lasts() {
        let now = datetime!(2030-01-01 0:00 UTC);
        let soon = datetime!(2030-06-01 0:00 UTC);
        let sooner = datetime!(2030-03-01 0:00 UTC);
        let past = datetime!(2029-12-31 0:00 UTC);
        for (ends, first) in [
            (vec![], Some(DigestAlgorithm::Sha256)),
            (vec![("sha256", soon)], Some(DigestAlgorithm::Sha512)),
            (
                vec![("sha256", soon), ("sha512", sooner)],
                Some(DigestAlgorithm::Sha256),
            ),
            (
                vec![("sha256", past), ("sha512", sooner)],
                Some(DigestAlgorithm::Sha512),
            ),
            (vec![("sha256", past), ("sha512", past)], None),
        ] {
            let found = first_digest(&policy(&ends), &RenewalOptions::default(), now);
            assert_eq!(found, first, "{ends:?}");
        }
    }

    #[test]
    fn the_manifest_gives_the_next_digest_as_long_as_it_can() {
        let now = datetime!(2030-01-01 0:00 UTC);
        let soon = datetime!(2030-06-01 0:00 UTC);
        let later = datetime!(2045-01-01 0:00 UTC);
        let (sha256, sha512, sha3) = (
            DigestAlgorithm::Sha256,
            DigestAlgorithm::Sha512,
            DigestAlgorithm::Sha3_512,
        );
        for (ends, from, next) in [
            (vec![("sha256", later)], sha256, Some(sha512)),
            (vec![("sha512", soon)], sha512, Some(sha256)),
            (
                vec![("sha256", soon), ("sha512", later)],
                sha256,
                Some(sha512),
            ),
            (vec![("sha256", soon), ("sha512", soon)], sha256, Some(sha3)),
            (vec![("sha256", soon), ("sha512", soon)], sha512, Some(sha3)),
            (
                vec![("sha256", soon), ("sha512", soon), ("sha3-512", soon)],
                sha256,
                None,
            ),
            (
                // Not for long, but longer than what ends.
                vec![
                    ("sha256", soon),
                    ("sha512", soon),
                    ("sha3-512", datetime!(2030-09-01 0:00 UTC)),
                ],
                sha256,
                Some(sha3),
            ),
        ] {
            let found = next_digest(from, &policy(&ends), &RenewalOptions::default(), now);
            let expected = next.map(|algorithm| Next { algorithm });
            assert_eq!(found, expected, "{ends:?} from {}", from.name());
        }
    }
}
