//! Judgement and findings of one object on the way.

use crate::finding::{Code, Finding, Place, package};
use crate::judgement::Judgement;
use crate::verdict::SubIndication;

/// A finding without details.
pub(crate) const NONE: [&str; 0] = [];

/// Most findings about one object: a container of 65,536 members can be wrong in each of them, and nobody reads more.
const FINDINGS_MAX: usize = 10_000;

/// What has been found about one object so far; nothing held against it at first.
pub(crate) struct Notes<'a> {
    pub(crate) judgement: Judgement,
    pub(crate) findings: Vec<Finding>,
    pub(crate) place: &'a Place,
}

impl<'a> Notes<'a> {
    pub(crate) const fn new(place: &'a Place) -> Self {
        Self {
            judgement: Judgement::PASSED,
            findings: Vec::new(),
            place,
        }
    }

    /// What is found beyond the limit counts for the judgement and is not told one by one.
    pub(crate) fn note<const N: usize>(&mut self, code: Code, details: [impl ToString; N]) {
        if self.findings.len() >= FINDINGS_MAX {
            if self.findings.len() == FINDINGS_MAX {
                let finding = Finding::new(package::FINDINGS_OMITTED, self.place.clone());
                self.findings.push(finding.with(FINDINGS_MAX));
            }
            return;
        }
        let finding = Finding::new(code, self.place.clone());
        let details = details.into_iter();
        self.findings
            .push(details.fold(finding, |finding, detail| finding.with(detail.to_string())));
    }

    pub(crate) fn add<const N: usize>(
        &mut self,
        judgement: Judgement,
        code: Code,
        details: [impl ToString; N],
    ) {
        self.judgement.add(judgement);
        self.note(code, details);
    }

    pub(crate) fn broken<const N: usize>(
        &mut self,
        reason: SubIndication,
        code: Code,
        details: [impl ToString; N],
    ) {
        self.add(Judgement::broken(reason), code, details);
    }

    pub(crate) fn because<const N: usize>(
        &mut self,
        reason: SubIndication,
        code: Code,
        details: [impl ToString; N],
    ) {
        self.add(Judgement::because(reason), code, details);
    }

    pub(crate) fn unknown<const N: usize>(
        &mut self,
        reason: SubIndication,
        code: Code,
        details: [impl ToString; N],
    ) {
        self.add(Judgement::unknown(reason), code, details);
    }
}
