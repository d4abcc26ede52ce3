//! What CRLs and OCSP responses say about a certificate, and which of several answers counts.

use time::OffsetDateTime;

use super::crl::{Entry, Reason};

/// What is known about the revocation of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Not revoked, for every reason.
    Good(Answer),
    /// Revoked at the time in question.
    Revoked(Entry),
    /// Revoked after the time in question.
    RevokedLater(Entry),
    /// The material does not tell.
    Unknown,
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) source: Source,
    pub(crate) saying: Saying,
    /// When it was right (thisUpdate).
    pub(crate) issued: OffsetDateTime,
    pub(crate) moment: Moment,
}

/// Where an answer comes from, by its number in the material.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Crl(usize),
    Ocsp(usize),
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    Good,
    Listed(Entry),
}

/// How an answer stands to the time in question. The order is that of how much it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// Newer information was due before the time in question: only a revocation that nothing takes back is still right.
    OutOfDate,
    /// Newer information was due before the time in question, but what is judged was made before this was issued.
    SinceMade,
    /// It was issued before the time in question and nothing newer was due by then.
    Current,
    /// It was issued after the time in question.
    After,
}

impl Answer {
    /// When and why the certificate was revoked, if it says so.
    pub(crate) const fn revoked(&self) -> Option<(OffsetDateTime, Reason)> {
        match self.saying {
            Saying::Listed(entry) => Some((entry.time, entry.reason)),
            Saying::Good => None,
        }
    }

    /// The one of two that knows less.
    pub(super) fn less_informed(self, other: Self) -> Self {
        if other.rank() < self.rank() {
            other
        } else {
            self
        }
    }

    /// Does it tell of a revocation that nothing takes back?
    pub(super) fn is_final(&self) -> bool {
        matches!(self.saying, Saying::Listed(entry) if entry.reason.is_for_good())
    }

    /// Whether it may be used: what is out of date tells of revocations that had happened, and of nothing else.
    fn is_usable(&self, counts: impl Fn(Entry, bool) -> bool) -> bool {
        match self.saying {
            _ if self.moment != Moment::OutOfDate => true,
            Saying::Good => false,
            Saying::Listed(entry) => self.is_final() && counts(entry, false),
        }
    }

    fn rank(&self) -> (Moment, OffsetDateTime) {
        (self.moment, self.issued)
    }
}

impl Status {
    /// The status by all answers. Any revocation that `counts` (it is told whether the information is current) wins; a certificate that was on hold and is good by a later answer was released.
    pub(crate) fn of(answers: &[Answer], counts: impl Fn(Entry, bool) -> bool) -> Self {
        let usable = || answers.iter().filter(|answer| answer.is_usable(&counts));
        let released_by = usable()
            .filter(|answer| answer.saying == Saying::Good)
            .map(|answer| answer.issued)
            .max();
        let entries: Vec<(Entry, bool)> = usable()
            .filter_map(|answer| match answer.saying {
                Saying::Listed(entry) => {
                    let is_hold = entry.reason == Reason::CertificateHold;
                    let released = is_hold && released_by.is_some_and(|at| at > answer.issued);
                    (!released).then_some((entry, answer.moment == Moment::Current))
                }
                Saying::Good => None,
            })
            .collect();
        let revoked = entries
            .iter()
            .find(|(entry, current)| counts(*entry, *current));
        if let Some((entry, _)) = revoked {
            return Self::Revoked(*entry);
        }
        if let Some((entry, _)) = entries.iter().min_by_key(|(entry, _)| entry.time) {
            return Self::RevokedLater(*entry);
        }
        let good = usable().filter(|answer| answer.saying == Saying::Good);
        good.max_by_key(|answer| answer.rank())
            .map_or(Self::Unknown, |answer| Self::Good(*answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const EARLY: OffsetDateTime = datetime!(2025-01-01 0:00 UTC);
    const LATE: OffsetDateTime = datetime!(2025-02-01 0:00 UTC);

    fn answer(source: Source, issued: OffsetDateTime, reason: Option<Reason>) -> Answer {
        let entry = |reason| Entry {
            time: EARLY,
            reason,
            invalid_since: None,
        };
        Answer {
            source,
            saying: reason.map_or(Saying::Good, |reason| Saying::Listed(entry(reason))),
            issued,
            moment: Moment::Current,
        }
    }

    #[test]
    fn any_revocation_wins_over_any_good_answer() {
        let good = answer(Source::Ocsp(0), LATE, None);
        for reason in [Reason::Absent, Reason::Superseded, Reason::KeyCompromise] {
            let revoked = answer(Source::Crl(0), EARLY, Some(reason));
            for answers in [[good, revoked], [revoked, good]] {
                assert!(matches!(
                    Status::of(&answers, |_, _| true),
                    Status::Revoked(_)
                ));
                assert!(matches!(
                    Status::of(&answers, |_, _| false),
                    Status::RevokedLater(_)
                ));
            }
        }
    }

    #[test]
    fn a_hold_lasts_until_a_later_answer_says_good() {
        let hold = |issued| answer(Source::Crl(0), issued, Some(Reason::CertificateHold));
        let good = |issued| answer(Source::Ocsp(0), issued, None);
        let status = |answers: &[Answer]| Status::of(answers, |_, _| true);
        assert!(matches!(
            status(&[hold(EARLY), good(LATE)]),
            Status::Good(_)
        ));
        assert!(matches!(
            status(&[hold(LATE), good(EARLY)]),
            Status::Revoked(_)
        ));
        assert!(matches!(
            status(&[hold(EARLY), good(EARLY)]),
            Status::Revoked(_)
        ));
    }

    #[test]
    fn the_best_informed_good_answer_is_told() {
        let (early, late) = (
            answer(Source::Crl(0), EARLY, None),
            answer(Source::Ocsp(3), LATE, None),
        );
        assert_eq!(Status::of(&[early, late], |_, _| true), Status::Good(late));
        assert_eq!(early.less_informed(late), early);
        assert_eq!(Status::of(&[], |_, _| true), Status::Unknown);
    }
}
