//! Keys apart from data: the key medium must not stand on the device of a data medium.

use std::fmt;
use std::path::{Path, PathBuf};

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

/// The same for a key medium with copies: none may stand on the device of a data medium, nor on that of another. Those that are not there are
/// passed over, but one must be.
///
/// # Errors
/// As [`require_separate`]; [`KeyError::CopiesOnOneDevice`].
pub fn require_separate_media<P: AsRef<Path>>(
    keys: &[PathBuf],
    data: &[P],
    evaluation: bool,
) -> Result<Option<EvaluationNotice>, KeyError> {
    let present: Vec<&PathBuf> = keys.iter().filter(|root| root.is_dir()).collect();
    if let (true, Some(first)) = (present.is_empty(), keys.first()) {
        return Err(KeyError::MediumMissing {
            path: first.clone(),
        });
    }
    let mut notice = None;
    for (place, one) in present.iter().enumerate() {
        notice = notice.or(require_separate(one, data, evaluation)?);
        for other in present.iter().skip(place + 1) {
            if !evaluation && firmware::media::same_device(one, other)? {
                return Err(KeyError::CopiesOnOneDevice {
                    one: one.to_path_buf(),
                    other: other.to_path_buf(),
                });
            }
        }
    }
    Ok(notice)
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
    fn a_copy_of_the_keys_on_the_device_of_another_is_refused_but_for_a_trial() {
        let place = tempfile::tempdir().unwrap();
        let (one, two) = (place.path().join("one"), place.path().join("two"));
        std::fs::create_dir(&one).unwrap();
        let media = [one.clone(), two.clone()];
        assert_eq!(
            require_separate_media(&media, &["/proc"], false).unwrap(),
            None
        );
        std::fs::create_dir(&two).unwrap();
        let error = require_separate_media(&media, &["/proc"], false).unwrap_err();
        assert!(
            matches!(error, KeyError::CopiesOnOneDevice { .. }),
            "{error}"
        );
        assert_eq!(
            require_separate_media(&media, &["/proc"], true).unwrap(),
            None
        );
        let error = require_separate_media(&media, &[&two], false).unwrap_err();
        assert!(matches!(error, KeyError::SameDevice { .. }), "{error}");
        assert!(
            require_separate_media(&media, &[&two], true)
                .unwrap()
                .is_some()
        );
        let nowhere = [place.path().join("nowhere")];
        assert!(matches!(
            require_separate_media(&nowhere, &["/proc"], true),
            Err(KeyError::MediumMissing { .. })
        ));
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
