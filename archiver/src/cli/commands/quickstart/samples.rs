//! The sample set that is part of the program: a small company's month, made for this project.

use serde::Deserialize;

/// One sample document.
#[derive(Debug)]
pub(super) struct Sample {
    /// Its file name.
    pub(super) file: &'static str,
    /// Its bytes.
    pub(super) bytes: &'static [u8],
    /// The class that it is deposited under.
    pub(super) class: String,
    /// The metadata that a person would type.
    pub(super) meta: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    schema: String,
    sample: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    class: String,
    meta: Vec<String>,
}

const SCHEMA: &str = "urn:fumikura:samples:1";

const FILES: [(&str, &[u8]); 5] = [
    (
        "invoice-jp-pint.xml",
        include_bytes!("../../../../samples/invoice-jp-pint.xml"),
    ),
    (
        "receipt.pdf",
        include_bytes!("../../../../samples/receipt.pdf"),
    ),
    (
        "contract.pdf",
        include_bytes!("../../../../samples/contract.pdf"),
    ),
    (
        "receipt-scan.jpg",
        include_bytes!("../../../../samples/receipt-scan.jpg"),
    ),
    (
        "system.log",
        include_bytes!("../../../../samples/system.log"),
    ),
];

/// The samples in the order in which they are deposited. Empty only if the built-in index were broken, which a test excludes.
pub(super) fn samples() -> Vec<Sample> {
    let Ok(index) = toml::from_str::<Index>(include_str!("../../../../samples/index.toml")) else {
        return Vec::new();
    };
    if index.schema != SCHEMA {
        return Vec::new();
    }
    let found = |entry: Entry| {
        let (file, bytes) = FILES.into_iter().find(|(file, _)| *file == entry.file)?;
        Some(Sample {
            file,
            bytes,
            class: entry.class,
            meta: entry.meta,
        })
    };
    index.sample.into_iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_its_entry() {
        let samples = samples();
        assert_eq!(samples.len(), FILES.len());
        assert!(samples.iter().all(|sample| !sample.bytes.is_empty()));
        let one = samples
            .iter()
            .find(|s| s.file == "receipt.pdf")
            .expect("the receipt");
        assert!(one.meta.iter().any(|pair| pair.starts_with("amount=")));
    }
}
