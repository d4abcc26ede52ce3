//! Validation material, collected anew before a renewal freezes the bytes of a token, or because nothing final is at hand.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use formats::id::BatchId;
use formats::segment::Frame;
use formats::tsp::TimeStampToken;

use super::{LeftOut, RenewError, RenewProgress, RenewStep, RenewedChains, Renewer};
use crate::evidence::assemble::{AssembleError, EvidenceAssembler};
use crate::evidence::batch_writer::material_frames;
use crate::store::catalog::BatchEntry;
use crate::tsa::material::{Collected, GapKind, missing_or_provisional};

/// What was collected in this run, by the certificates in the tokens. The newest token is asked for first: what is final for it is final for
/// all that are older, so that thousands of tokens of one authority cost one question.
type Answers = HashMap<Vec<Vec<u8>>, Collected>;

impl Renewer<'_> {
    pub(super) fn collect_material(
        &self,
        batches: &[BatchId],
        renewed: &mut RenewedChains,
        progress: RenewProgress<'_>,
    ) -> Result<(), RenewError> {
        let mut entries = Vec::new();
        for batch in batches {
            match self.catalog.batch(*batch)? {
                Some(entry) => entries.push(entry),
                None => renewed.chains_left.push((*batch, LeftOut::NotInPlan)),
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.stamped_at));
        let (mut written, mut answers) = (Vec::new(), Answers::new());
        let total = entries.len() as u64;
        for (done, entry) in (1_u64..).zip(entries) {
            match self.frames_for(&entry, &mut answers, renewed)? {
                Ok(frames) => {
                    for frame in &frames {
                        written.push((self.log.append(frame.clone())?, frame.clone()));
                    }
                    renewed.materials += u64::from(!frames.is_empty());
                }
                Err(why) => renewed.chains_left.push((entry.batch, why)),
            }
            progress(RenewStep::Computed { done, total });
        }
        if let Some((last, _)) = written.last() {
            self.log.commit(*last)?;
        }
        for (address, frame) in &written {
            self.catalog.apply(*address, frame)?;
        }
        if !written.is_empty() {
            progress(RenewStep::Committed);
        }
        Ok(())
    }

    /// The frames of what is new for the token of a batch; none when nothing is.
    fn frames_for(
        &self,
        entry: &BatchEntry,
        answers: &mut Answers,
        renewed: &mut RenewedChains,
    ) -> Result<Result<Vec<Frame>, LeftOut>, RenewError> {
        if self.catalog.is_renewed(entry.batch)? {
            return Ok(Err(LeftOut::NotLive));
        }
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        let token = match assembler.token_of(entry) {
            Ok(token) => token,
            Err(error) => return Ok(Err(LeftOut::Evidence(error))),
        };
        // The frame's time is cut to microseconds; a token may state its own more finely.
        let (certificates, made): (Vec<Vec<u8>>, _) = match TimeStampToken::parse(&token) {
            Ok(parsed) => {
                let certificates = parsed.signed_data.x509_certificates();
                let certificates = certificates.map(<[u8]>::to_vec).collect();
                (certificates, parsed.info.gen_time)
            }
            Err(error) => return Ok(Err(LeftOut::Evidence(AssembleError::Format(error)))),
        };
        let collected = match answers.entry(certificates) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let collected = self.material.collect(vacant.key(), self.anchors, made);
                let failures = collected.failures.iter().cloned();
                renewed.material_failures.extend(failures);
                vacant.insert(collected)
            }
        };
        if !self.helps(&token, collected) {
            return Ok(Ok(Vec::new()));
        }
        match collected.put_into(&token) {
            Ok(with) if with == token => Ok(Ok(Vec::new())),
            Ok(_) => {
                let frames = material_frames(entry.batch, self.clock.now(), collected);
                Ok(Ok(frames
                    .into_iter()
                    .map(Frame::ValidationMaterial)
                    .collect()))
            }
            Err(error) => Ok(Err(LeftOut::Material(error))),
        }
    }

    /// Whether the token lacks less with it. A responder gives another answer each time: where one service answers and another one has
    /// closed, the archive would grow with every visit and nothing gained.
    fn helps(&self, token: &[u8], collected: &Collected) -> bool {
        let gaps = |material: &Collected| {
            let mut gaps = missing_or_provisional(token, material, self.anchors, self.clock.now());
            // Where nobody is named who has the issuer's certificate, that is no reason to leave anything out.
            gaps.retain(|gap| gap.kind != GapKind::IssuerMissing || gap.worth_asking);
            gaps
        };
        let before = gaps(&Collected::default());
        before.is_empty() || before != gaps(collected)
    }
}
