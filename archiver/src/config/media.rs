//! The part `[media]` of the configuration: how many copies a commit must reach, and how often media are counted.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::Place;

/// How many copies a commit must reach, and how often media are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaConfig {
    /// Fewest data media that each commit must reach. `None`: all that are configured.
    pub copies_min: Option<u32>,
    /// Days after which a fixed medium must be counted again.
    pub stock_take_days: u32,
    /// The same for removable media and those that hold keys.
    pub stock_take_removable_days: u32,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            copies_min: None,
            stock_take_days: 365,
            stock_take_removable_days: 92,
        }
    }
}

/// The part as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MediaForm {
    copies_min: Option<u32>,
    stock_take_days: Option<u32>,
    stock_take_removable_days: Option<u32>,
}

/// Reads the part; there are so many data media.
pub(super) fn read(
    form: MediaForm,
    media: usize,
    place: &Place,
) -> Result<MediaConfig, ConfigError> {
    let usual = MediaConfig::default();
    let copies = form.copies_min.map_or(1, u64::from);
    if !(1..=media as u64).contains(&copies) {
        return Err(place.invalid(
            "media.copies_min",
            "from 1 to the number of folders in 'data'",
            "1 から data のフォルダの数まで",
        ));
    }
    let days = |value: Option<u32>, usual: u32, key| match value.unwrap_or(usual) {
        days @ 1..=3660 => Ok(days),
        _ => Err(place.invalid(key, "from 1 to 3660 days", "1 から 3660 日まで")),
    };
    Ok(MediaConfig {
        copies_min: form.copies_min,
        stock_take_days: days(
            form.stock_take_days,
            usual.stock_take_days,
            "media.stock_take_days",
        )?,
        stock_take_removable_days: days(
            form.stock_take_removable_days,
            usual.stock_take_removable_days,
            "media.stock_take_removable_days",
        )?,
    })
}

/// The part's text. Nothing where everything is as usual.
pub(super) fn text(media: &MediaConfig) -> String {
    if *media == MediaConfig::default() {
        return String::new();
    }
    let mut text = String::from("\n[media]\n");
    if let Some(copies) = media.copies_min {
        text.push_str(
            "# Fewest data media that each commit must reach; without this line, all of them.\n",
        );
        text.push_str(&format!("copies_min = {copies}\n"));
    }
    text.push_str(&format!(
        "stock_take_days = {}\nstock_take_removable_days = {}\n",
        media.stock_take_days, media.stock_take_removable_days
    ));
    text
}

/// The text of a configuration with other data media, and everything else, comments too, as it was. `None`: it has no list of them.
#[must_use]
pub fn with_data(path: &Path, text: &str, data: &[PathBuf]) -> Option<String> {
    #[derive(Deserialize)]
    struct Data {
        data: toml::Spanned<Vec<PathBuf>>,
    }
    let place = Place::of(path);
    let found: Data = toml::from_str(text).ok()?;
    let span = found.data.span();
    let shown: Vec<String> = data.iter().map(|path| place.shown(path)).collect();
    let (before, after) = (text.get(..span.start)?, text.get(span.end..)?);
    Some(format!("{before}[{}]{after}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_of_media_changes() {
        let text = "# ours\nversion = 1\ndata = [\"a\", # first\n  \"b\"]  # both\nkeys = \"k\"\n[segments]\nmax_bytes = 5\n";
        let path = Path::new("/x/fumikura.toml");
        let data = [PathBuf::from("/x/a"), PathBuf::from("/mnt/c \"new\"")];
        let changed = with_data(path, text, &data).unwrap();
        assert_eq!(
            changed,
            "# ours\nversion = 1\ndata = [\"a\", '/mnt/c \"new\"']  # both\nkeys = \"k\"\n[segments]\nmax_bytes = 5\n"
        );
        assert!(with_data(path, "version = 1\n", &data).is_none());
        assert!(with_data(path, "data = [", &data).is_none());
    }

    #[test]
    fn bad_numbers_are_named() {
        let place = Place::of(Path::new("/x/fumikura.toml"));
        let form = |copies| MediaForm {
            copies_min: Some(copies),
            ..MediaForm::default()
        };
        assert_eq!(read(form(2), 2, &place).unwrap().copies_min, Some(2));
        assert!(read(form(0), 2, &place).is_err());
        assert!(read(form(3), 2, &place).is_err());
        let never = MediaForm {
            stock_take_days: Some(0),
            ..MediaForm::default()
        };
        assert!(read(never, 1, &place).is_err());
    }
}
