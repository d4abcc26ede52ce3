//! Validation material, collected anew before a renewal freezes the bytes of a token.

use formats::id::BatchId;
use formats::segment::Frame;
use formats::tsp::TimeStampToken;

use super::{LeftOut, RenewError, RenewProgress, RenewStep, RenewedChains, Renewer};
use crate::evidence::assemble::{AssembleError, EvidenceAssembler};
use crate::evidence::batch_writer::material_frames;

impl Renewer<'_> {
    pub(super) fn collect_material(
        &self,
        batches: &[BatchId],
        renewed: &mut RenewedChains,
        progress: RenewProgress<'_>,
    ) -> Result<(), RenewError> {
        let mut written = Vec::new();
        for (done, batch) in (1_u64..).zip(batches) {
            match self.frames_for(*batch, renewed)? {
                Ok(frames) => {
                    for frame in &frames {
                        written.push((self.log.append(frame.clone())?, frame.clone()));
                    }
                    renewed.materials += u64::from(!frames.is_empty());
                }
                Err(why) => renewed.chains_left.push((*batch, why)),
            }
            progress(RenewStep::Computed {
                done,
                total: batches.len() as u64,
            });
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
        batch: BatchId,
        renewed: &mut RenewedChains,
    ) -> Result<Result<Vec<Frame>, LeftOut>, RenewError> {
        let Some(entry) = self.catalog.batch(batch)? else {
            return Ok(Err(LeftOut::NotInPlan));
        };
        if self.catalog.is_renewed(batch)? {
            return Ok(Err(LeftOut::NotLive));
        }
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        let token = match assembler.token_of(&entry) {
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
        let collected = self.material.collect(&certificates, self.anchors, made);
        renewed
            .material_failures
            .extend(collected.failures.iter().cloned());
        match collected.put_into(&token) {
            Ok(with) if with == token => Ok(Ok(Vec::new())),
            Ok(_) => {
                let frames = material_frames(batch, self.clock.now(), &collected);
                Ok(Ok(frames
                    .into_iter()
                    .map(Frame::ValidationMaterial)
                    .collect()))
            }
            Err(error) => Ok(Err(LeftOut::Material(error))),
        }
    }
}
