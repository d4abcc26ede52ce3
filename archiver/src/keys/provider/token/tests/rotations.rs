//! Two key media that know different rotations of one token, and a damaged one of them.

use super::*;

#[test]
fn a_key_whose_rotation_stands_on_an_absent_medium_is_kept() {
    with_token(
        "rotations::a_key_whose_rotation_stands_on_an_absent_medium_is_kept",
        |module, folder| {
            let kek = create(module, folder);
            let file = folder.join("keys/kek.json");
            let before = fs::read(&file).unwrap();
            assert_eq!(kek.new_epoch().unwrap(), 2);
            let wrapped = kek.wrap(b"place", b"secret").unwrap();
            drop(kek);
            let with_second_epoch = fs::read(&file).unwrap();
            // Only the medium from before is at hand, and is rotated.
            write(&file, &before);
            let kek = open(folder, PIN).unwrap();
            assert_eq!(kek.new_epoch().unwrap(), 3);
            drop(kek);
            write(&file, &with_second_epoch);
            let kek = open(folder, PIN).unwrap();
            assert!(kek.unwrap(b"place", &wrapped).unwrap().is_some());
        },
    );
}

#[test]
fn a_damaged_copy_of_the_file_locks_nobody_out() {
    with_token(
        "rotations::a_damaged_copy_of_the_file_locks_nobody_out",
        |module, folder| {
            let kek = create(module, folder);
            let wrapped = kek.wrap(b"place", b"secret").unwrap();
            drop(kek);
            let good = fs::read(folder.join("keys/kek.json")).unwrap();
            let text = String::from_utf8(good.clone()).unwrap();
            let damaged = text.replace("AES-256-GCM", "AES-256-GCN");
            assert_ne!(damaged, text);
            let roots = ["one", "other"].map(|name| folder.join(name));
            for (first, second) in [(0, 1), (1, 0)] {
                for (root, bytes) in [(first, good.as_slice()), (second, damaged.as_bytes())] {
                    fs::create_dir_all(&roots[root]).unwrap();
                    write(&roots[root].join("kek.json"), bytes);
                }
                let place = ProviderFile::new(Arc::new(SystemDisk), &roots);
                let entropy = Arc::new(SeededEntropy::new(2));
                let kek = TokenKek::open(place, archive(), &passphrase(PIN), entropy).unwrap();
                assert!(kek.unwrap(b"place", &wrapped).unwrap().is_some());
            }
        },
    );
}

fn write(path: &Path, bytes: &[u8]) {
    crate::store::durable::replace_file(&SystemDisk, path, bytes).unwrap();
}
