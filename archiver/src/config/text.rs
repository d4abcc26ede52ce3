//! The configuration as the text of its file.

use std::path::Path;

use super::place::Place;
use super::{
    CONFIG_VERSION, Config, accounts, alarms, authorities, index, intakes, media, renewal, scrub,
    service,
};

impl Config {
    /// The text of the file for this configuration, with paths below its folder made relative and a comment at each part.
    #[must_use]
    pub fn to_text(&self) -> String {
        let place = Place::of(&self.path);
        let shown = |p: &Path| place.shown(p);
        let mut text = String::from(
            "# The configuration of a Fumikura archive. It holds no secret. Paths are relative to this file.\n",
        );
        text.push_str(&format!(
            "version = {CONFIG_VERSION}\narchive = \"{}\"\n\n",
            self.archive
        ));
        text.push_str("# Data media: each holds a full copy of the archive.\n");
        let data: Vec<String> = self.data.iter().map(|p| shown(p)).collect();
        text.push_str(&format!("data = [{}]\n\n", data.join(", ")));
        text.push_str("# The key medium: without it the data media are noise. Keep it on another device, at another place.\n");
        text.push_str(&format!("keys = {}\n\n", shown(&self.keys)));
        text.push_str(&self.key_copies_text(&place));
        text.push_str(&index::text_of_folder(
            &self.index,
            &self.index_options,
            &place,
        ));
        if let Some(classes) = &self.classes {
            text.push_str(&format!("classes = {}\n\n", shown(classes)));
        }
        if self.evaluation {
            text.push_str("# A trial: keys may share a device with data, and every output says so. Never keep real records like this.\n");
            text.push_str("evaluation = true\n\n");
        }
        if let Some(file) = &self.passphrase_file {
            text.push_str(&format!("passphrase_file = {}\n\n", shown(file)));
        }
        if let Some(file) = &self.policy {
            text.push_str("# The algorithm policy, for verification and renewal, in place of the one that is built in.\n");
            text.push_str(&format!("policy = {}\n\n", shown(file)));
        }
        text.push_str(&format!(
            "[segments]\nmax_bytes = {}\n",
            self.segment_bytes_max
        ));
        if let Some(parity) = self.parity {
            text.push_str(&format!("parity = \"{parity}\"\n"));
        }
        text.push_str(&index::text(&self.index, &self.index_options, &place));
        text.push_str(&scrub::text(&self.scrub));
        if let Some(registry) = &self.registry {
            text.push_str(&format!("\n[registry]\nfile = {}\n", shown(registry)));
        }
        text.push_str(&media::text(&self.media));
        text.push_str(&renewal::text(&self.renewal));
        text.push_str(&service::text(&self.service, &place));
        text.push_str(&alarms::text(&self.alarms, &place));
        text.push_str(&accounts::text(&self.accounts));
        text.push_str(&intakes::text(&self.intakes, &place));
        for tsa in &self.tsas {
            text.push_str(&authorities::text(tsa, &place));
        }
        text
    }

    fn key_copies_text(&self, place: &Place) -> String {
        let mut text = String::new();
        if !self.key_copies.is_empty() {
            text.push_str("# Copies of the key medium, kept in step with it: each on a device and at a place of its own.\n");
            let copies: Vec<String> = self.key_copies.iter().map(|p| place.shown(p)).collect();
            text.push_str(&format!("key_copies = [{}]\n", copies.join(", ")));
        }
        if let Some(min) = self.key_copies_min {
            text.push_str(&format!("key_copies_min = {min}\n"));
        }
        if let Some(name) = &self.key_responsible {
            text.push_str(&format!(
                "key_responsible = {}\n",
                toml::Value::from(name.as_str())
            ));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}
