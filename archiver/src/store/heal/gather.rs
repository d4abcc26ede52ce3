//! Giving one replica a segment of which no copy is whole.

use std::io;

use formats::segment::CommitMark;

use super::segment::{Matching, Patient, leave_one_generation};
use crate::store::replica::Replica;
use crate::store::walk::Copy;
use crate::store::{StoreError, parity};

/// Writes a sealed segment of which no copy is whole to the first site, from what all sites have between them, and from parity. The others
/// are only read. Answers whether it is whole now: what nobody has is as one of the copies has it.
///
/// # Errors
/// Those of writing to the first site: what it had is then as it was.
pub(in crate::store) fn gather(patient: Patient<'_>) -> Result<bool, StoreError> {
    let Some(site) = patient.sites.first() else {
        return Ok(false);
    };
    let mut copies = patient.open();
    if let Some(own) = copies.first_mut() {
        let path = site.replica.path(patient.segment);
        leave_committed(own, patient.segment)
            .map_err(|error| site.replica.error("reading", &path, error))?;
    }
    leave_one_generation(&mut copies);
    let first = match patient.matching(&mut copies)? {
        Matching::Choices(choices) => {
            patient.write(&mut copies, &choices, site)?;
            return Ok(true);
        }
        Matching::None(first) => first,
    };
    let replicas: Vec<&Replica> = patient.sites.iter().map(|site| &*site.replica).collect();
    let (archive, segment) = (patient.archive, patient.segment);
    if parity::restore(&replicas, &site.replica, archive, segment, patient.gate)?.is_some() {
        return Ok(true);
    }
    let is_disputed = first.variants.iter().any(|&count| count > 1);
    if !is_disputed || copies.first().is_some_and(Option::is_none) {
        patient.write_own(&mut copies, 0, site)?;
    }
    Ok(false)
}

/// A copy without a seal counts as far as it was committed.
fn leave_committed(own: &mut Option<Copy>, segment: u32) -> io::Result<()> {
    let Some(copy) = own else { return Ok(()) };
    if copy.seal()?.is_some() {
        return Ok(());
    }
    match copy.mark_before(segment, u64::MAX)? {
        Some(mark) => copy.end_at(mark + CommitMark::FRAME_BYTES as u64),
        None => *own = None,
    }
    Ok(())
}
