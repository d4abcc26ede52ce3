//! In what a recorded configuration must be departed from where it is put to use: what it asks for and is not at hand.

use std::path::Path;

use formats::id::ArchiveId;
use formats::medium::MediumRole;

use crate::config::{Config, TsaKind};
use crate::store::read_label;

/// One setting that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The key of the configuration, as `media.copies_min`; `tsa` is a whole authority.
    pub key: &'static str,
    /// What was recorded: a number, or the paths that are not there.
    pub was: String,
    /// What it is now. `None`: it is left out.
    pub now: Option<String>,
}

impl Departure {
    fn left_out(key: &'static str, was: &Path) -> Self {
        let was = was.display().to_string();
        let now = None;
        Self { key, was, now }
    }

    /// What it means, in English.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { key, was, now } = self;
        match now {
            Some(now) => format!("{key} was {was} and is {now}: fewer media are at hand"),
            None => format!("{key} is left out: {was} is not at hand"),
        }
    }

    /// The same in Japanese.
    #[must_use]
    pub fn text_ja(&self) -> String {
        let Self { key, was, now } = self;
        match now {
            Some(now) => {
                format!("{key} を {was} から {now} にしました。手元の媒体が少ないためです")
            }
            None => format!("{key} を省きました。{was} が手元にありません"),
        }
    }
}

/// Makes a configuration one that works with the media that it names and the files that are there.
pub(super) fn fit(config: &mut Config) -> Vec<Departure> {
    let mut departures = fit_media(config);
    fit_files(config, &mut departures);
    departures
}

/// No more copies are asked for than there are media.
fn fit_media(config: &mut Config) -> Vec<Departure> {
    let mut departures = Vec::new();
    let data = u32::try_from(config.data.len()).unwrap_or(u32::MAX);
    if let Some(min) = config.media.copies_min
        && min > data
    {
        config.media.copies_min = Some(data);
        departures.push(Departure {
            key: "media.copies_min",
            was: min.to_string(),
            now: Some(data.to_string()),
        });
    }
    let (keys, archive) = (config.keys.clone(), config.archive);
    config.key_copies.retain(|copy| {
        let kept = *copy != keys && is_key_medium(copy, archive);
        if !kept {
            departures.push(Departure::left_out("key_copies", copy));
        }
        kept
    });
    let media = config.key_copies.len() + 1;
    if let Some(min) = config.key_copies_min
        && min > media
    {
        config.key_copies_min = (media > 1).then_some(media);
        departures.push(Departure {
            key: "key_copies_min",
            was: min.to_string(),
            now: Some(media.to_string()),
        });
    }
    departures
}

/// No file is named that is not there. An authority cannot be used without its trust anchors.
fn fit_files(config: &mut Config, departures: &mut Vec<Departure>) {
    let mut is_there = |key: &'static str, path: &Path| {
        let found = path.is_file();
        if !found {
            departures.push(Departure::left_out(key, path));
        }
        found
    };
    for (key, file) in [
        ("passphrase_file", &mut config.passphrase_file),
        ("policy", &mut config.policy),
        ("registry.file", &mut config.registry),
    ] {
        file.take_if(|file| !is_there(key, file));
    }
    config.tsas.retain_mut(|tsa| match &mut tsa.kind {
        TsaKind::Embedded => true,
        TsaKind::Remote {
            trust, tls_roots, ..
        } => {
            tls_roots.take_if(|roots| !is_there("tsa.tls_roots", roots));
            is_there("tsa", trust)
        }
    });
    if let Some(webhook) = &mut config.alarms.webhook {
        let roots = &mut webhook.tls_roots;
        roots.take_if(|roots| !is_there("alarms.webhook_tls_roots", roots));
    }
}

fn is_key_medium(directory: &Path, archive: ArchiveId) -> bool {
    read_label(directory)
        .is_ok_and(|label| label.archive == archive && label.role == MediumRole::Keys)
}
