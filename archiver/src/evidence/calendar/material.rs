//! When validation material is collected again: before a renewal freezes a token, and as soon as something final can be had.
//!
//! What was issued before a token's time lets it be accepted, and counts only until something newer is due (ADR 0012). Without a refresh the
//! token could not be judged from then on. A token that has final information about every certificate is never asked for again.

use std::collections::{BTreeMap, BTreeSet};

use formats::id::BatchId;

use super::facts::{ChainFacts, Lack};
use super::options::RenewalOptions;
use super::plan::{Blocked, Cause, Obstacle, PlannedAction, RenewalPlan};
use crate::evidence::renew::RenewalAction;

/// Adds the collections that are due or will be, and names what cannot be had for long.
///
/// `made` has its renewals already: a collection comes before them for every token that they freeze and that lacks something.
pub(super) fn collect(made: &mut RenewalPlan, chains: &[ChainFacts], options: &RenewalOptions) {
    let lost: BTreeSet<BatchId> = made.lost.iter().map(|lost| lost.head).collect();
    let lacking: Vec<(&ChainFacts, &Lack)> = chains
        .iter()
        .filter(|chain| chain.live > 0 && !lost.contains(&chain.head))
        .filter_map(|chain| Some((chain, chain.newest.first_lack()?)))
        .collect();
    let frozen: BTreeSet<BatchId> = made
        .due
        .iter()
        .flat_map(|one| one.action.heads())
        .copied()
        .collect();
    let (now, later): (Vec<_>, Vec<_>) = lacking
        .iter()
        .partition(|(chain, lack)| lack.since <= made.made_at || frozen.contains(&chain.head));
    made.due.extend(collection(&now));
    made.later.extend(collection(&later));
    made.blocked.extend(waited_for(made, &lacking, options));
}

/// One collection for the newest tokens of these chains.
fn collection(lacking: &[&(&ChainFacts, &Lack)]) -> Option<PlannedAction> {
    let (_, first) = lacking.iter().min_by_key(|(_, lack)| lack.since)?;
    let batches: BTreeSet<BatchId> = lacking
        .iter()
        .map(|(chain, _)| chain.newest_batch)
        .collect();
    let count = u64::try_from(batches.len()).unwrap_or(u64::MAX);
    let ends = lacking
        .iter()
        .filter_map(|(chain, _)| chain.newest.first_end());
    Some(PlannedAction {
        action: RenewalAction::Material {
            batches: batches.into_iter().collect(),
        },
        due: first.since,
        latest: ends.map(|end| end.at).min(),
        cause: Cause::Material((*first).clone()),
        versions: lacking.iter().map(|(chain, _)| chain.live).sum(),
        bytes: count.saturating_mul(MATERIAL_BYTES),
    })
}

/// What could have been had for so long that somebody must look after it, by track and certificate.
fn waited_for(
    made: &RenewalPlan,
    lacking: &[(&ChainFacts, &Lack)],
    options: &RenewalOptions,
) -> Vec<Blocked> {
    let mut waited: BTreeMap<(u8, &str), Vec<(&ChainFacts, &Lack)>> = BTreeMap::new();
    for (chain, _) in lacking {
        for lack in &chain.newest.lacks {
            if lack.since.saturating_add(options.material_wait) <= made.made_at {
                let key = (chain.track, lack.certificate.as_str());
                waited.entry(key).or_default().push((chain, lack));
            }
        }
    }
    waited
        .into_iter()
        .filter_map(|((track, certificate), members)| {
            let since = members.iter().map(|(_, lack)| lack.since).min()?;
            let ends = members
                .iter()
                .filter_map(|(chain, _)| chain.newest.first_end());
            Some(Blocked {
                heads: members.iter().map(|(chain, _)| chain.head).collect(),
                track,
                versions: members.iter().map(|(chain, _)| chain.live).sum(),
                end: ends.min().cloned(),
                why: Obstacle::NoMaterial {
                    certificate: certificate.to_owned(),
                    since,
                },
            })
        })
        .collect()
}

/// About how many bytes the validation material of one token takes: two certificates, a CRL or two OCSP responses.
const MATERIAL_BYTES: u64 = 8 * 1024;
