//! The part `index` of the configuration: a folder, or `[index]` with the folder, the engine and its memory.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};
use crate::store::catalog::EngineChoice;

/// How the index is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexConfig {
    /// Which engine holds it.
    pub engine: EngineChoice,
    /// Bytes of memory for its cache.
    pub cache_bytes: u64,
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self {
            engine: EngineChoice::Auto,
            cache_bytes: 16 * 1024 * 1024,
        }
    }
}

/// The part as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum IndexForm {
    /// The folder alone.
    Folder(PathBuf),
    /// All of it.
    Table(IndexTable),
}

/// The table `[index]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexTable {
    #[serde(default = "default_folder")]
    directory: PathBuf,
    engine: Option<String>,
    cache_bytes: Option<u64>,
}

impl Default for IndexForm {
    fn default() -> Self {
        Self::Folder(default_folder())
    }
}

fn default_folder() -> PathBuf {
    PathBuf::from("index")
}

/// Reads the part: the folder as it is written, and the rest.
pub(super) fn read(form: IndexForm, place: &Place) -> Result<(PathBuf, IndexConfig), ConfigError> {
    let table = match form {
        IndexForm::Folder(folder) => return Ok((folder, IndexConfig::default())),
        IndexForm::Table(table) => table,
    };
    let usual = IndexConfig::default();
    let engine = table.engine.as_deref().map(str::parse).transpose();
    let engine = engine.map_err(|_| {
        place.invalid(
            "index.engine",
            "\"auto\", \"sled\" or \"fjall\"",
            "\"auto\"、\"sled\"、\"fjall\" のいずれか",
        )
    })?;
    let cache_bytes = table.cache_bytes.unwrap_or(usual.cache_bytes);
    if !CACHE_BYTES.contains(&cache_bytes) {
        return Err(place.invalid(
            "index.cache_bytes",
            "from 1 MiB to 64 GiB",
            "1 MiB から 64 GiB まで",
        ));
    }
    let config = IndexConfig {
        engine: engine.unwrap_or(usual.engine),
        cache_bytes,
    };
    Ok((table.directory, config))
}

/// The folder alone, where nothing else is set: it stands before the tables of the file.
pub(super) fn text_of_folder(folder: &Path, config: &IndexConfig, place: &Place) -> String {
    if *config == IndexConfig::default() {
        format!("{COMMENT}index = {}\n\n", place.shown(folder))
    } else {
        String::new()
    }
}

/// The table, where something is set.
pub(super) fn text(folder: &Path, config: &IndexConfig, place: &Place) -> String {
    if *config == IndexConfig::default() {
        return String::new();
    }
    format!(
        "\n{COMMENT}[index]\ndirectory = {}\nengine = {}\ncache_bytes = {}\n",
        place.shown(folder),
        quoted(config.engine.name()),
        config.cache_bytes
    )
}

/// What the file says about it.
const COMMENT: &str =
    "# The index is derived from the media; it may be deleted at any time ('archiver rebuild').\n";

/// Less is no cache, and more is a mistake.
const CACHE_BYTES: std::ops::RangeInclusive<u64> = 1024 * 1024..=64 * 1024 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::store::catalog::IndexEngine;

    fn parse(index: &str) -> Result<Config, ConfigError> {
        let text = format!(
            "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"d\"]\nkeys = \"k\"\n{index}"
        );
        Config::parse(Path::new("/a/fumikura.toml"), &text)
    }

    #[test]
    fn a_folder_or_a_table() {
        let config = parse("").expect("no index");
        assert_eq!(config.index, Path::new("/a/index"));
        let config = parse("index = \"i\"").expect("a folder");
        assert_eq!(config.index, Path::new("/a/i"));
        assert_eq!(config.index_options, IndexConfig::default());
        let table =
            "[segments]\nparity = \"10+2\"\n[index]\nengine = \"fjall\"\ncache_bytes = 33554432";
        let config = parse(table).expect("a table");
        assert_eq!(config.index, Path::new("/a/index"));
        assert_eq!(
            config.index_options.engine,
            EngineChoice::Use(IndexEngine::Fjall)
        );
        assert_eq!(config.index_options.cache_bytes, 32 << 20);
        // Settings of other tables stay in theirs.
        let again = Config::parse(&config.path, &config.to_text()).expect("own text");
        assert_eq!(again, config);
    }

    #[test]
    fn other_engines_sizes_and_keys_are_refused() {
        for (index, key) in [
            ("[index]\nengine = \"rocksdb\"", "index.engine"),
            ("[index]\nengine = \"\"", "index.engine"),
            ("[index]\ncache_bytes = 1048575", "index.cache_bytes"),
            ("[index]\ncache_bytes = 68719476737", "index.cache_bytes"),
        ] {
            match parse(index) {
                Err(ConfigError::Invalid { key: found, .. }) => assert_eq!(found, key),
                other => panic!("{index}: {other:?}"),
            }
        }
        for index in ["[index]\nmemory = 1", "index = 7"] {
            assert!(
                matches!(parse(index), Err(ConfigError::Malformed { .. })),
                "{index}"
            );
        }
    }
}
