//! Where the vectors are.

use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) extension: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every file in the folders below `folder`, sorted; empty without vectors.
pub(crate) fn vectors(folder: &str) -> Vec<Vector> {
    let root = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let Ok(folders) = std::fs::read_dir(root.join(folder)) else {
        eprintln!("left out: no vectors at {}", root.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = folders
        .flat_map(|entry| std::fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let read = |path: PathBuf| Vector {
        name: text(path.file_name()),
        extension: text(path.extension()),
        bytes: std::fs::read(&path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

pub(crate) fn is_record(vector: &Vector) -> bool {
    matches!(vector.extension.as_str(), "ers" | "er")
}

pub(crate) fn is_cms(vector: &Vector) -> bool {
    !is_record(vector)
        && vector.bytes.first() == Some(&0x30)
        && vector.name != "signature-policy.der"
        && vector.extension != "bin"
}

pub(crate) fn evidence_records() -> Vec<Vector> {
    let mut all = vectors("ers");
    all.extend(vectors("cades"));
    all.retain(|vector| is_record(vector) && vector.bytes.first() == Some(&0x30));
    all
}

pub(crate) fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    use std::io::Read as _;
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(archive)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let Ok(mut member) = archive.by_index(index) else {
            continue;
        };
        let name = member.name().map(std::borrow::Cow::into_owned);
        let mut bytes = Vec::new();
        if member.size() < 4_000_000 && member.read_to_end(&mut bytes).is_ok() {
            found.extend(name.map(|name| (name, bytes)));
        }
    }
    found
}
