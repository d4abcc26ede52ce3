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

/// Containers open, and every member of them is whole. One of the manifests holds three letters and no XML.
#[test]
fn containers_open_and_their_manifests_say_what_is_there() {
    let Some(files) = containers() else {
        return;
    };
    let mut count = Count::default();
    for (path, bytes) in &files {
        match AsicReader::open(bytes) {
            Ok(reader) => count.container(&path.display().to_string(), &reader),
            // One has a member named `.`, which its own makers refuse too.
            Err(error) if bytes.starts_with(b"PK") => {
                assert_eq!(
                    error.kind(),
                    ErrorKind::InvalidName,
                    "{}: {error}",
                    path.display()
                );
                count.bad_names += 1;
            }
            // Evidence records lie beside the containers.
            Err(error) => assert_eq!(error.kind(), ErrorKind::WrongType, "{}", path.display()),
        }
    }
    println!("{count:?}");
    assert!(count.containers > 100 && count.manifests > 100);
    assert!(count.bad_names < 3 && count.refused * 50 < count.manifests);
    assert!((count.different + count.missing) * 20 < count.matching);
}

#[derive(Debug, Default)]
struct Count {
    containers: usize,
    bad_names: usize,
    manifests: usize,
    refused: usize,
    matching: usize,
    different: usize,
    missing: usize,
}

impl Count {
    fn container(&mut self, path: &str, reader: &AsicReader<'_>) {
        self.containers += 1;
        assert!(!reader.is_canonical());
        for entry in reader.entries() {
            let content = entry
                .read()
                .unwrap_or_else(|error| panic!("{path} {}: {error}", entry.name()));
            assert_eq!(content.len() as u64, entry.size());
            if entry.name().starts_with("META-INF/ASiC") {
                self.manifest(path, reader, &content);
            }
        }
    }

    fn manifest(&mut self, path: &str, reader: &AsicReader<'_>, content: &[u8]) {
        let manifest = match AsicManifest::parse(content) {
            Ok(manifest) => manifest,
            Err(error) => {
                println!("{path}: {error}");
                self.refused += 1;
                return;
            }
        };
        self.manifests += 1;
        assert_eq!(manifest.raw(), content);
        for reference in &manifest.references {
            let stated = reference.digest_value().unwrap();
            match reader.resolve(&reference.uri) {
                None => self.missing += 1,
                Some(target) if stated.algorithm().digest(&target.read().unwrap()) == stated => {
                    self.matching += 1;
                }
                Some(_) => self.different += 1,
            }
        }
    }
}

#[test]
fn damaged_containers_do_not_panic() {
    let Some(files) = containers() else {
        return;
    };
    for (index, (_, bytes)) in files.iter().enumerate() {
        for step in 0..8_usize {
            let mut damaged = bytes.clone();
            let at = (index + 1) * (step + 1) * 7919 % damaged.len();
            damaged[at] ^= 1 << (step % 8);
            read_all(&damaged).ok();
            read_all(&bytes[..at]).ok();
        }
    }
}
