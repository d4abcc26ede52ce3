//! Why a renewal did not come about.

use std::fmt;

use time::OffsetDateTime;

use crate::content::SealError;
use crate::evidence::batch::StampError;
use crate::store::StoreError;
use crate::tsa::refusal::TsaError;

/// Why an action was not carried out, or not to its end. All evidence is as it was before, or renewed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RenewError {
    /// No token, or the batch could not be written. The error says what to do.
    Stamp(StampError),
    /// The chains are of the second authority, and none is configured. Configure a `[[tsa]]` with `second = true`.
    NoAuthority,
    /// The authority's clock is behind the tokens that are to be renewed: evidence in this order would fail. Check our clock and theirs, or
    /// use another authority.
    TimeRunsBack {
        /// The authority.
        authority: String,
        /// The time in its token.
        gen_time: OffsetDateTime,
        /// The time in the newest token that was to be renewed.
        newest: OffsetDateTime,
    },
    /// Digests could not be sealed.
    Seal(SealError),
    /// A thread ended before its time: the machine is out of memory or threads.
    Machine,
}

impl From<StampError> for RenewError {
    fn from(error: StampError) -> Self {
        Self::Stamp(error)
    }
}

impl From<TsaError> for RenewError {
    fn from(error: TsaError) -> Self {
        Self::Stamp(error.into())
    }
}

impl From<StoreError> for RenewError {
    fn from(error: StoreError) -> Self {
        Self::Stamp(error.into())
    }
}

impl From<SealError> for RenewError {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

impl fmt::Display for RenewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stamp(StampError::Authority(error)) => {
                write!(f, "{error}; the evidence stays as it was")
            }
            Self::Stamp(error) => error.fmt(f),
            Self::NoAuthority => f.write_str(
                "evidence of a second authority is to be renewed, and none is configured: configure a [[tsa]] with second = true",
            ),
            Self::TimeRunsBack {
                authority,
                gen_time,
                newest,
            } => write!(
                f,
                "{authority} stamped {gen_time}, before the evidence of {newest} that was to be renewed: check the clocks, or use another authority"
            ),
            Self::Seal(error) => error.fmt(f),
            Self::Machine => f.write_str("the machine cannot run another thread"),
        }
    }
}

impl std::error::Error for RenewError {}
