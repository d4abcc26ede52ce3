//! Signs records, raises the stored signatures, and finds them again.

use std::fmt;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::cades::Level;
use formats::digest::DigestAlgorithm;
use formats::id::{ArchiveId, VersionId};
use formats::oid;
use formats::segment::{Frame, FrameAddress};
use verifier::context::Context;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;

use super::due::{Due, RaiseOptions, SignatureFacts, Step, due};
use super::error::SignatureError;
use super::raise::{Raiser, facts, newest_token};
use super::sealing;
use super::signer::{ArchiveSigner, SigningRequest};
use super::subject;
use crate::class::ClassRegistry;
use crate::evidence::calendar::{RenewalOptions, TokenFacts, next_digest};
use crate::evidence::log::{FrameLog, FrameSource};
use crate::keys::KeyLedger;
use crate::record::retrieve::Retriever;
use crate::store::catalog::Catalog;
use crate::tsa::refusal::TsaError;

/// Keeps the signatures of an archive.
#[derive(Clone, Copy)]
pub struct SignatureKeeper<'a> {
    /// The archive.
    pub archive: ArchiveId,
    /// Who signs; `None` where the key medium holds no signing key: then nothing is signed, and everything is found.
    pub signer: Option<&'a ArchiveSigner>,
    /// Knows versions and their signatures.
    pub catalog: &'a Catalog,
    /// Reads frames.
    pub frames: &'a dyn FrameSource,
    /// Opens manifests.
    pub retriever: Retriever<'a>,
    /// The keys of the versions.
    pub ledger: &'a KeyLedger,
    /// Says which level a class asks for.
    pub classes: &'a ClassRegistry,
    /// Which algorithms are trusted until when.
    pub policy: &'a Policy,
    /// Roots of the timestamp authorities, for the ends of timestamps; without them only the end of each authority's certificate is known.
    pub anchors: &'a [TrustAnchor],
    /// The time.
    pub clock: &'a dyn Clock,
    /// Random salts.
    pub entropy: &'a dyn Entropy,
}

/// A signature as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSignature {
    /// Number of its state, from 0.
    pub generation: u32,
    /// The CMS structure, DER, with its content inside.
    pub signature: Vec<u8>,
}

/// What a class asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The level.
    pub level: Level,
    /// The digest.
    pub digest: DigestAlgorithm,
}

/// Which signatures are looked at, and how far they are raised.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// After a deposit, without an authority: sign these versions.
    Sign(&'a [VersionId]),
    /// While stamping: sign these versions, and put timestamps over the signatures.
    Stamp(&'a [VersionId]),
    /// While renewing: everything that is due, of all versions.
    All,
}

/// What was done.
#[derive(Debug, Default)]
pub struct RaiseSummary {
    /// Signatures made.
    pub signed: u64,
    /// Signatures that got their timestamp.
    pub timestamped: u64,
    /// Signatures that got references, validation material, or their first archive timestamp.
    pub raised: u64,
    /// Signatures that got a further archive timestamp.
    pub restamped: u64,
    /// Steps that are due and could not be done because no authority answered: they stay due.
    pub waiting: u64,
    /// Versions whose signature or manifest cannot be opened.
    pub unreadable: Vec<VersionId>,
    /// Why no authority answered.
    pub outage: Option<TsaError>,
}

/// A step for one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The version.
    pub version: VersionId,
    /// The step and its time.
    pub due: Due,
}

impl SignatureKeeper<'_> {
    /// What the class of a version asks for; `None` where it asks for no signature, or is not known any more.
    #[must_use]
    pub fn demand(&self, class: &str) -> Option<Demand> {
        let class = self.classes.class(class).ok()?;
        let long_term = &class.policy().long_term;
        Some(Demand {
            level: long_term.cades?.0,
            digest: long_term.cades_digest.algorithm(),
        })
    }

    /// The newest state of a version's signature.
    ///
    /// # Errors
    /// [`SignatureError::Store`], [`SignatureError::Keys`]; [`SignatureError::Sealed`] when it was changed.
    pub fn stored(&self, version: VersionId) -> Result<Option<StoredSignature>, SignatureError> {
        kept(&self.retriever, self.catalog, self.frames, version)
    }

    /// Signs a version: ES-BES. Nothing is stored.
    ///
    /// # Errors
    /// [`SignatureError::NoKey`], [`SignatureError::Retrieve`].
    pub fn sign(
        &self,
        version: VersionId,
        digest: DigestAlgorithm,
    ) -> Result<Vec<u8>, SignatureError> {
        let signer = self.signer.ok_or(SignatureError::NoKey {
            path: "signing".into(),
        })?;
        let opened = self.retriever.open(version)?;
        let content = subject::of_version(opened.manifest(), digest)?;
        signer.sign(&SigningRequest {
            content: &content,
            media_type: subject::MEDIA_TYPE,
            commitment: &oid::PROOF_OF_RECEIPT,
            digest,
            at: self.clock.now(),
        })
    }

    /// The next step of every version whose class asks for a signature, soonest first. Nothing is done.
    ///
    /// # Errors
    /// [`SignatureError::Store`].
    pub fn plan(&self, options: &RaiseOptions) -> Result<Vec<Planned>, SignatureError> {
        let now = self.clock.now();
        let mut planned = Vec::new();
        for (version, demand) in self.candidates(Reach::All)? {
            // What cannot be opened is told by the run, and by verification.
            let Ok(stored) = self.stored(version) else {
                continue;
            };
            let facts = match stored.map(|stored| self.facts(&stored.signature)) {
                None => None,
                Some(Ok(facts)) => Some(facts),
                Some(Err(_)) => continue,
            };
            let due = due(facts.as_ref(), demand.level, options, now);
            planned.extend(due.map(|due| Planned { version, due }));
        }
        planned.sort_by_key(|one| (one.due.at, one.version));
        Ok(planned)
    }

    /// Does what is due within reach. `raiser` is `None` where no authority is at hand. `progress` is told of each version that was looked at, and of how many there are.
    ///
    /// Each new state is committed with its neighbours; a crash leaves the states before.
    ///
    /// # Errors
    /// [`SignatureError::Store`]: a medium or the index failed. An authority that does not answer, or one record that cannot be read, is told in the summary.
    pub fn raise_due(
        &self,
        log: &dyn FrameLog,
        raiser: Option<&Raiser<'_>>,
        reach: Reach<'_>,
        options: &RaiseOptions,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<RaiseSummary, SignatureError> {
        let candidates = self.candidates(reach)?;
        let mut summary = RaiseSummary::default();
        let mut group = Group {
            log,
            catalog: self.catalog,
            frames: Vec::new(),
        };
        for (position, (version, demand)) in candidates.iter().enumerate() {
            progress(position, candidates.len());
            let raiser = raiser.filter(|_| summary.outage.is_none());
            match self.raise_one(*version, *demand, raiser, reach, options, &mut summary) {
                Ok(Some(state)) => group.add(self.seal(*version, &state)?)?,
                Ok(None) => {}
                Err(SignatureError::Store(error)) => return Err(error.into()),
                Err(_) => summary.unreadable.push(*version),
            }
        }
        group.commit()?;
        Ok(summary)
    }

    /// The new state of one signature; `None` when nothing changed.
    fn raise_one(
        &self,
        version: VersionId,
        demand: Demand,
        raiser: Option<&Raiser<'_>>,
        reach: Reach<'_>,
        options: &RaiseOptions,
        summary: &mut RaiseSummary,
    ) -> Result<Option<StoredSignature>, SignatureError> {
        let stored = self.stored(version)?;
        let generation = stored
            .as_ref()
            .map_or(0, |stored| stored.generation.saturating_add(1));
        let mut current = stored.map(|stored| stored.signature);
        let mut changed = false;
        let now = self.clock.now();
        loop {
            let facts = current.as_deref().map(|one| self.facts(one)).transpose()?;
            let due = due(facts.as_ref(), demand.level, options, now);
            let Some(step) = due.filter(|due| due.at <= now).map(|due| due.step) else {
                break;
            };
            if step > reach.last_step() {
                break;
            }
            let next = match (step, &current, raiser) {
                (Step::Sign, _, _) => self.sign(version, demand.digest).map(Some),
                (_, Some(signature), Some(raiser)) => {
                    let raiser = Raiser {
                        digest: self.digest_now(demand.digest, options),
                        ..*raiser
                    };
                    take(&raiser, signature, step, now).map(Some)
                }
                (_, _, None) | (_, None, _) => Ok(None),
            };
            match next {
                Ok(Some(signature)) => {
                    summary.count(step);
                    current = Some(signature);
                    changed = true;
                    // One in a run is enough, whatever the new one says about its own end.
                    if step == Step::Restamp {
                        break;
                    }
                }
                Ok(None) => {
                    summary.waiting += 1;
                    break;
                }
                Err(SignatureError::Authority(error)) => {
                    summary.waiting += 1;
                    summary.outage = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(current
            .filter(|_| changed)
            .map(|signature| StoredSignature {
                generation,
                signature,
            }))
    }

    /// The facts of a signature, with the end of its newest timestamp as a verifier sees it: path, algorithms, imprint.
    fn facts(&self, signature: &[u8]) -> Result<SignatureFacts, SignatureError> {
        let mut facts = facts(signature)?;
        if let Some(token) = newest_token(signature)? {
            let context = Context {
                anchors: self.anchors,
                certificates: &[],
                crls: &[],
                ocsp_responses: &[],
                policy: self.policy,
                time: self.clock.now(),
                cache: None,
                registry: None,
            };
            let judged = TokenFacts::judge(&token, &context);
            let ends = [facts.newest_ends, judged.first_end().map(|end| end.at)];
            facts.newest_ends = ends.into_iter().flatten().min();
        }
        Ok(facts)
    }

    /// The digest for new timestamps: the one of the class as long as it is trusted beyond the next re-stamping, then the next one.
    fn digest_now(&self, wanted: DigestAlgorithm, options: &RaiseOptions) -> DigestAlgorithm {
        let now = self.clock.now();
        let until = self
            .policy
            .digest_trust(wanted)
            .and_then(|trust| trust.until);
        if until.is_none_or(|until| until > now.saturating_add(options.lead)) {
            return wanted;
        }
        let next = next_digest(wanted, self.policy, &RenewalOptions::default(), now);
        next.map_or(wanted, |next| next.algorithm)
    }

    /// Stores a state of a signature, durably.
    ///
    /// # Errors
    /// [`SignatureError::Store`], [`SignatureError::Keys`].
    pub fn store(
        &self,
        log: &dyn FrameLog,
        version: VersionId,
        state: &StoredSignature,
    ) -> Result<(), SignatureError> {
        let mut group = Group {
            log,
            catalog: self.catalog,
            frames: Vec::new(),
        };
        group.add(self.seal(version, state)?)?;
        group.commit()
    }

    fn seal(&self, version: VersionId, state: &StoredSignature) -> Result<Frame, SignatureError> {
        let key = self.ledger.data_key(version)?;
        let frame = sealing::seal_signature(
            self.archive,
            &key,
            version,
            state.generation,
            &state.signature,
            self.entropy,
        )?;
        Ok(Frame::Signature(frame))
    }

    fn candidates(&self, reach: Reach<'_>) -> Result<Vec<(VersionId, Demand)>, SignatureError> {
        let mut found = Vec::new();
        match reach {
            Reach::Sign(versions) | Reach::Stamp(versions) => {
                for version in versions {
                    if let Some(hit) = self.catalog.version(*version)? {
                        let demand = self.demand(&hit.class);
                        found.extend(demand.map(|demand| (*version, demand)));
                    }
                }
            }
            Reach::All => self.catalog.for_each(&mut |hit| {
                let demand = self.demand(&hit.class).filter(|_| hit.readable);
                found.extend(demand.map(|demand| (hit.version, demand)));
                true
            })?,
        }
        Ok(found)
    }
}

impl fmt::Debug for SignatureKeeper<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureKeeper")
            .field("archive", &self.archive)
            .finish_non_exhaustive()
    }
}

impl Reach<'_> {
    const fn last_step(self) -> Step {
        match self {
            Self::Sign(_) => Step::Sign,
            Self::Stamp(_) => Step::Timestamp,
            Self::All => Step::Restamp,
        }
    }
}

impl RaiseSummary {
    /// Whether anything changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.signed == 0 && self.timestamped == 0 && self.raised == 0 && self.restamped == 0
    }

    const fn count(&mut self, step: Step) {
        match step {
            Step::Sign => self.signed += 1,
            Step::Timestamp => self.timestamped += 1,
            Step::References | Step::LongTerm | Step::Archive => self.raised += 1,
            Step::Restamp => self.restamped += 1,
        }
    }
}

/// The newest state of a version's signature.
///
/// # Errors
/// As [`SignatureKeeper::stored`].
pub fn kept(
    retriever: &Retriever<'_>,
    catalog: &Catalog,
    frames: &dyn FrameSource,
    version: VersionId,
) -> Result<Option<StoredSignature>, SignatureError> {
    let Some(address) = catalog.signature_of(version)? else {
        return Ok(None);
    };
    let sealed = || SignatureError::Sealed {
        owner: version.to_string(),
    };
    let Frame::Signature(frame) = frames.read(address)? else {
        return Err(sealed());
    };
    if frame.version != version {
        return Err(sealed());
    }
    let (archive, key) = retriever.key_of(version)?;
    Ok(Some(StoredSignature {
        generation: frame.generation,
        signature: sealing::open_signature(archive, &key, &frame)?,
    }))
}

fn take(
    raiser: &Raiser<'_>,
    signature: &[u8],
    step: Step,
    now: time::OffsetDateTime,
) -> Result<Vec<u8>, SignatureError> {
    match step {
        Step::Restamp => raiser.archive(signature, None, now),
        Step::Sign | Step::Timestamp | Step::References | Step::LongTerm | Step::Archive => {
            raiser.raise(signature, None, step.level(), now)
        }
    }
}

/// Frames that are committed together.
pub(super) struct Group<'a> {
    pub(super) log: &'a dyn FrameLog,
    pub(super) catalog: &'a Catalog,
    pub(super) frames: Vec<(FrameAddress, Frame)>,
}

impl Group<'_> {
    pub(super) fn add(&mut self, frame: Frame) -> Result<(), SignatureError> {
        let address = self.log.append(frame.clone())?;
        self.frames.push((address, frame));
        if self.frames.len() >= GROUP_FRAMES_MAX {
            self.commit()?;
        }
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), SignatureError> {
        let Some((last, _)) = self.frames.last() else {
            return Ok(());
        };
        self.log.commit(*last)?;
        for (address, frame) in self.frames.drain(..) {
            // The frame is durable whatever the index says; the next opening reads it from the segments.
            drop(self.catalog.apply(address, &frame));
        }
        Ok(())
    }
}

/// How many new states share one commit.
const GROUP_FRAMES_MAX: usize = 64;
