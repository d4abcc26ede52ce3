//! The purpose of a certificate (RFC 5280 §4.2.1.12, RFC 3161 §2.3).

use formats::oid::{self, Oid};

use super::failure::Problem;
use super::{PathOptions, Purpose};
use crate::certificate::{Certificate, key_usage};
use crate::finding::path as code;

/// The purpose of the target.
pub(super) fn of_target(
    certificate: &Certificate<'_>,
    options: &PathOptions<'_>,
) -> Result<(), Problem> {
    let title = certificate.title();
    let usage = certificate.extensions().extended_key_usage.as_ref();
    match &options.purpose {
        Purpose::Any => Ok(()),
        Purpose::ExtendedKeyUsage(wanted) => {
            if usage.is_none_or(|usage| allows(&usage.purposes, wanted)) {
                Ok(())
            } else {
                Err(Problem::rule(code::EXTENDED_KEY_USAGE_MISSING, &title).with(wanted))
            }
        }
        Purpose::TimeStamping => {
            let wanted = oid::KP_TIME_STAMPING;
            let Some(usage) = usage.filter(|usage| usage.purposes.contains(&wanted)) else {
                return Err(Problem::rule(code::EXTENDED_KEY_USAGE_MISSING, &title).with(wanted));
            };
            if usage.purposes.iter().any(|purpose| *purpose != wanted) {
                return Err(Problem::rule(code::EXTENDED_KEY_USAGE_NOT_SOLE, &title));
            }
            if !usage.critical {
                return Err(Problem::rule(code::EXTENDED_KEY_USAGE_NOT_CRITICAL, &title));
            }
            let signs = key_usage::DIGITAL_SIGNATURE | key_usage::NON_REPUDIATION;
            if !certificate.allows_key_usage(signs) {
                return Err(Problem::rule(code::KEY_USAGE_NOT_SIGNATURE, &title));
            }
            Ok(())
        }
    }
}

/// A certificate authority with an extended key usage vouches for these purposes only. RFC 5280 leaves that open; everybody does it.
pub(super) fn of_authority(
    certificate: &Certificate<'_>,
    options: &PathOptions<'_>,
) -> Result<(), Problem> {
    let wanted = match &options.purpose {
        Purpose::Any => return Ok(()),
        Purpose::ExtendedKeyUsage(wanted) => wanted,
        Purpose::TimeStamping => &oid::KP_TIME_STAMPING,
    };
    match &certificate.extensions().extended_key_usage {
        Some(usage) if !allows(&usage.purposes, wanted) => {
            let title = certificate.title();
            Err(Problem::rule(code::EXTENDED_KEY_USAGE_CA, &title).with(wanted))
        }
        _ => Ok(()),
    }
}

fn allows(purposes: &[Oid], wanted: &Oid) -> bool {
    purposes.contains(wanted) || purposes.contains(&oid::ANY_EXTENDED_KEY_USAGE)
}
