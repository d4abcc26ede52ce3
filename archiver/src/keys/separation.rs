//! Keys apart from data: the key medium must not stand on the device of a data medium.

use std::fmt;
use std::path::Path;

use super::error::KeyError;

/// Says that this archive runs with its keys on the device of its data. Every page, report and log line must show it.
///
/// It is made only by [`require_separate`], so who holds none runs with separate devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationNotice(());

/// Refuses when the key medium stands on the device of a data medium. In a trial (`evaluation`) it is allowed and noted.
///
/// # Errors
/// [`KeyError::SameDevice`]; [`KeyError::MediumMissing`] when there is no directory `keys`; [`KeyError::Media`] when a data
/// medium cannot be examined.
pub fn require_separate<P: AsRef<Path>>(
    keys: &Path,
    data: &[P],
    evaluation: bool,
) -> Result<Option<EvaluationNotice>, KeyError> {
    if !keys.is_dir() {
        return Err(KeyError::MediumMissing {
            path: keys.to_path_buf(),
        });
    }
    for medium in data {
        let medium = medium.as_ref();
        if !firmware::media::same_device(keys, medium)? {
            continue;
        }
        if evaluation {
            return Ok(Some(EvaluationNotice(())));
        }
        return Err(KeyError::SameDevice {
            keys: keys.to_path_buf(),
            data: medium.to_path_buf(),
        });
    }
    Ok(None)
}

impl fmt::Display for EvaluationNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "EVALUATION: keys and data stand on one device, so who takes it can read everything",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_beside_data_are_refused_but_for_a_trial() {
        let place = tempfile::tempdir().unwrap();
        let (keys, data) = (place.path().join("keys"), place.path().join("data"));
        std::fs::create_dir(&keys).unwrap();
        std::fs::create_dir(&data).unwrap();
        let error = require_separate(&keys, &[&data], false).unwrap_err();
        assert!(matches!(error, KeyError::SameDevice { .. }));
        assert!(error.to_string().contains("--evaluation"));
        let notice = require_separate(&keys, &[&data], true).unwrap().unwrap();
        assert!(notice.to_string().starts_with("EVALUATION"));
    }

    #[test]
    fn keys_on_another_device_need_no_notice() {
        let keys = tempfile::tempdir().unwrap();
        assert_eq!(
            require_separate(keys.path(), &["/proc"], true).unwrap(),
            None
        );
        assert_eq!(
            require_separate(keys.path(), &["/proc"], false).unwrap(),
            None
        );
    }

    #[test]
    fn a_missing_medium_is_told_from_a_shared_one() {
        let place = tempfile::tempdir().unwrap();
        let nowhere = place.path().join("nowhere");
        assert!(matches!(
            require_separate(&nowhere, &[place.path()], true),
            Err(KeyError::MediumMissing { .. })
        ));
        assert!(matches!(
            require_separate(place.path(), &[&nowhere], true),
            Err(KeyError::Media(_))
        ));
    }
}
