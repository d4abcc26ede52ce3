//! What was computed once in a run, so that it is not computed again: signatures, and whole time-stamp tokens.
//!
//! Nothing is decided here. A signature is a function of key, algorithm, message and value, and all of them are in the key under which its
//! answer is kept. The verdict on a token depends on more: on the token, on where it stands, and on everything in the [`Context`]. A cache is
//! made for the anchors, the material, the policy and the registry of one context and borrows them, so it can tell by their place in memory
//! whether another context is about the same ones; for any other it answers about signatures alone.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use formats::digest::{DigestAlgorithm, DigestValue, Hasher};
use formats::oid::Oid;
use time::OffsetDateTime;

use super::generations::Generations;
use crate::certificate::Signed;
use crate::context::Context;
use crate::crypto::{self, SignatureCheck};
use crate::finding::{Finding, Place};
use crate::path::TrustAnchor;
use crate::policy::Policy;
use crate::registry::Registry;
use crate::timestamp::{Standing, TimestampReport};

/// Answers about signatures in one generation. An entry takes some 100 bytes: 3 MB for both.
const SIGNATURES_MAX: usize = 16_384;

/// Bytes of tokens whose verdicts are in one generation. A verdict takes some four times as much as its token: 16 MB for both.
const TOKEN_BYTES_MAX: usize = 2 << 20;

/// What was computed in a run. It may be shared by threads.
pub struct Cache<'a> {
    anchors: &'a [TrustAnchor],
    certificates: &'a [Vec<u8>],
    crls: &'a [Vec<u8>],
    ocsp_responses: &'a [Vec<u8>],
    policy: &'a Policy,
    registry: Option<&'a Registry>,
    signatures: Mutex<Generations<DigestValue, SignatureCheck>>,
    tokens: Mutex<Generations<TokenKey, Arc<TimestampReport>>>,
    spared: Counter,
    computed: Counter,
}

/// Signatures and tokens.
#[derive(Debug, Default)]
struct Counter {
    signatures: AtomicU64,
    tokens: AtomicU64,
}

/// How often something was computed, and how often that could be spared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheCounts {
    /// Signatures that were computed.
    pub signatures_computed: u64,
    /// Signatures that were known.
    pub signatures_spared: u64,
    /// Tokens that were judged.
    pub tokens_computed: u64,
    /// Tokens that were known.
    pub tokens_spared: u64,
}

/// Everything that the verdict on a token depends on, beside what the cache was made for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct TokenKey {
    digest: DigestValue,
    size: usize,
    judged_at: OffsetDateTime,
    protected: bool,
    time: OffsetDateTime,
}

impl<'a> Cache<'a> {
    /// An empty cache for judgements under `context`, at any time.
    #[must_use]
    pub fn new(context: &Context<'a>) -> Self {
        let Context {
            anchors,
            certificates,
            crls,
            ocsp_responses,
            policy,
            time: _,
            cache: _,
            registry,
        } = *context;
        Self {
            anchors,
            certificates,
            crls,
            ocsp_responses,
            policy,
            registry,
            signatures: Mutex::new(Generations::new(SIGNATURES_MAX)),
            tokens: Mutex::new(Generations::new(TOKEN_BYTES_MAX)),
            spared: Counter::default(),
            computed: Counter::default(),
        }
    }

    /// What was computed and what was spared so far.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheCounts {
            signatures_computed: read(&self.computed.signatures),
            signatures_spared: read(&self.spared.signatures),
            tokens_computed: read(&self.computed.tokens),
            tokens_spared: read(&self.spared.tokens),
        }
    }

    /// Whether a context is the one that the cache was made for, but for its time. The cache borrows what it compares with, so
    /// nothing else can have come to stand in its place.
    fn is_for(&self, context: &Context<'_>) -> bool {
        let Context {
            anchors,
            certificates,
            crls,
            ocsp_responses,
            policy,
            time: _,
            cache: _,
            registry,
        } = *context;
        same_list(anchors, self.anchors)
            && same_list(certificates, self.certificates)
            && same_list(crls, self.crls)
            && same_list(ocsp_responses, self.ocsp_responses)
            && std::ptr::eq(policy, self.policy)
            && match (registry, self.registry) {
                (None, None) => true,
                (Some(one), Some(other)) => std::ptr::eq(one, other),
                (None, Some(_)) | (Some(_), None) => false,
            }
    }

    fn signature(
        &self,
        key: DigestValue,
        compute: impl FnOnce() -> SignatureCheck,
    ) -> SignatureCheck {
        let signatures = || {
            let guard = self.signatures.lock();
            guard.unwrap_or_else(PoisonError::into_inner)
        };
        let known = signatures().find(&key);
        if let Some(known) = known {
            self.spared.signatures.fetch_add(1, Ordering::Relaxed);
            return known;
        }
        let check = compute();
        self.computed.signatures.fetch_add(1, Ordering::Relaxed);
        signatures().keep(key, check, 1);
        check
    }
}

fn same_list<T>(one: &[T], other: &[T]) -> bool {
    one.len() == other.len() && (one.is_empty() || std::ptr::eq(one, other))
}

/// [`crypto::verify_signature`], computed once.
pub(crate) fn verify_signature(
    cache: Option<&Cache<'_>>,
    spki_der: &[u8],
    algorithm: &Oid,
    parameters: Option<&[u8]>,
    digest: Option<DigestAlgorithm>,
    message: &[u8],
    signature: &[u8],
) -> SignatureCheck {
    let compute =
        || crypto::verify_signature(spki_der, algorithm, parameters, digest, message, signature);
    let Some(cache) = cache else { return compute() };
    let key = Key::new("cms")
        .part(Some(spki_der))
        .part(Some(algorithm.as_bytes()))
        .part(parameters)
        .part(digest.map(|digest| digest.name().as_bytes()))
        .part(Some(message))
        .part(Some(signature));
    cache.signature(key.finish(), compute)
}

/// [`crypto::verify_signed`], computed once.
pub(crate) fn verify_signed(
    cache: Option<&Cache<'_>>,
    spki_der: &[u8],
    inherited: Option<&[u8]>,
    signed: &Signed<'_>,
) -> SignatureCheck {
    let compute = || crypto::verify_signed(spki_der, inherited, signed);
    let Some(cache) = cache else { return compute() };
    let key = Key::new("signed")
        .part(Some(spki_der))
        .part(inherited)
        .part(Some(signed.algorithm.oid.as_bytes()))
        .part(signed.algorithm.parameters)
        .part(Some(signed.message))
        .part(Some(signed.signature));
    cache.signature(key.finish(), compute)
}

/// The verdict on a token without its imprint, judged once: `judge` is given the place [`Place::root`], and the answer is moved to `place`.
pub(crate) fn judge_token(
    bytes: &[u8],
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
    judge: impl Fn(&Place) -> TimestampReport,
) -> TimestampReport {
    let Some(cache) = context.cache.filter(|cache| cache.is_for(context)) else {
        return judge(place);
    };
    let Standing {
        judged_at,
        protected,
    } = standing;
    let key = TokenKey {
        digest: DigestAlgorithm::Sha256.digest(bytes),
        size: bytes.len(),
        judged_at,
        protected,
        time: context.time,
    };
    let tokens = || {
        let guard = cache.tokens.lock();
        guard.unwrap_or_else(PoisonError::into_inner)
    };
    let known = tokens().find(&key);
    let report = if let Some(known) = known {
        cache.spared.tokens.fetch_add(1, Ordering::Relaxed);
        known
    } else {
        let report = Arc::new(judge(&Place::root()));
        cache.computed.tokens.fetch_add(1, Ordering::Relaxed);
        tokens().keep(key, Arc::clone(&report), bytes.len());
        report
    };
    placed(&report, place)
}

/// The same report about a token that stands at `place`. Every field is named, so that none that tells a place can be forgotten.
fn placed(report: &TimestampReport, place: &Place) -> TimestampReport {
    let TimestampReport {
        judgement,
        token,
        signer,
        holds_until,
        ends,
        findings,
        object,
    } = report;
    let mut object = object.clone();
    object.place = object.place.within(place);
    let findings = findings.iter().cloned();
    TimestampReport {
        judgement: *judgement,
        token: token.clone(),
        signer: signer.clone(),
        holds_until: holds_until.clone(),
        ends: ends.clone(),
        findings: findings
            .map(|finding: Finding| finding.within(place))
            .collect(),
        object,
    }
}

/// A digest over parts, each with its length, so that no two lists of parts run together.
struct Key(Hasher);

impl Key {
    fn new(what: &str) -> Self {
        Self(DigestAlgorithm::Sha256.hasher()).part(Some(what.as_bytes()))
    }

    fn part(mut self, part: Option<&[u8]>) -> Self {
        match part {
            None => self.0.update(&[0]),
            Some(part) => {
                self.0.update(&[1]);
                self.0.update(&part.len().to_be_bytes());
                self.0.update(part);
            }
        }
        self
    }

    fn finish(self) -> DigestValue {
        self.0.finish()
    }
}

impl fmt::Debug for Cache<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cache")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
