//! Containers of other programs. They are read from where `FUMIKURA_VECTORS` says, and not copied.

use std::path::PathBuf;

use super::*;

fn containers() -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let root =
        PathBuf::from(std::env::var_os("FUMIKURA_VECTORS").unwrap_or(default.into())).join("asic");
    let Ok(folders) = std::fs::read_dir(&root) else {
        println!(
            "{} is not there: containers of other programs were not read",
            root.display()
        );
        return None;
    };
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    let mut files: Vec<_> = files.map(|file| read(file.unwrap().path())).collect();
    files.sort();
    Some(files)
}

#[test]
fn all_containers_open_and_all_manifests_parse() {
    let Some(files) = containers() else {
        return;
    };
    let (mut opened, mut manifests, mut resolved) = (0, 0, 0);
    for (path, bytes) in files {
        let is_zip = bytes.starts_with(b"PK\x03\x04");
        let reader = match AsicReader::open(&bytes) {
            Ok(reader) => reader,
            Err(error) => {
                assert!(!is_zip, "{}: {error}", path.display());
                assert_eq!(error.kind(), ErrorKind::WrongType);
                continue;
            }
        };
        assert!(!reader.is_canonical());
        opened += 1;
        for entry in reader.entries() {
            let content = entry
                .read()
                .unwrap_or_else(|error| panic!("{} {}: {error}", path.display(), entry.name()));
            assert_eq!(content.len() as u64, entry.size());
            if entry.name().starts_with("META-INF/ASiC") {
                let manifest = AsicManifest::parse(&content)
                    .unwrap_or_else(|error| panic!("{} {}: {error}", path.display(), entry.name()));
                assert_eq!(manifest.raw(), &*content);
                manifests += 1;
                let found = manifest
                    .references
                    .iter()
                    .filter(|reference| reader.resolve(&reference.uri).is_some());
                resolved += found.count();
                assert!(
                    manifest
                        .references
                        .iter()
                        .all(|reference| reference.digest_value().is_some())
                );
            }
        }
    }
    println!("{opened} containers, {manifests} manifests, {resolved} references found");
    assert!(opened > 100 && manifests > 100);
}

/// Digests in most of these manifests are right: the references are understood as their writers meant them.
#[test]
fn digests_of_references_match() {
    let Some(files) = containers() else {
        return;
    };
    let (mut matching, mut different, mut missing) = (0, 0, 0);
    for (_, bytes) in &files {
        let Ok(reader) = AsicReader::open(bytes) else {
            continue;
        };
        for entry in reader
            .entries()
            .iter()
            .filter(|entry| entry.name().starts_with("META-INF/ASiC"))
        {
            let manifest = AsicManifest::parse(&entry.read().unwrap()).unwrap();
            for reference in &manifest.references {
                let stated = reference.digest_value().unwrap();
                match reader.resolve(&reference.uri) {
                    None => missing += 1,
                    Some(target)
                        if stated.algorithm().digest(&target.read().unwrap()) == stated =>
                    {
                        matching += 1
                    }
                    Some(_) => different += 1,
                }
            }
        }
    }
    println!("{matching} references match, {different} do not, {missing} name no member");
    assert!(matching > 20 * (different + missing));
}

#[test]
fn damaged_containers_do_not_panic() {
    let Some(files) = containers() else {
        return;
    };
    for (index, (_, bytes)) in files.iter().enumerate() {
        for step in 0..20_usize {
            let mut damaged = bytes.clone();
            let at = (index + 1) * (step + 1) * 7919 % damaged.len();
            damaged[at] ^= 1 << (step % 8);
            read_all(&damaged).ok();
            read_all(&bytes[..at]).ok();
        }
    }
}
