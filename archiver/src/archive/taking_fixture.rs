//! An archive for tests of intakes.

use std::sync::Arc;

use firmware::clock::SystemClock;
use firmware::entropy::SystemEntropy;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::{Access, Archive, Environment, NewArchive, create};
use crate::config::{Config, MalwareConfig};
use crate::keys::Passphrase;
use crate::store::durable::system_disk;

/// An archive for tests of intakes, in a folder of its own.
pub(crate) fn archive(place: &TempDir, malware: Option<MalwareConfig>) -> Archive {
    let environment = || Environment {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        boot_id: [5; 16],
        disk: system_disk(),
    };
    let passphrase = Passphrase::new(&Zeroizing::new(b"known to everybody".to_vec())).unwrap();
    let path = place.path().join("fumikura.toml");
    let mut config = if path.is_file() {
        Config::read(&path).unwrap()
    } else {
        let text = "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"data\"]\nkeys = \"keys\"\nevaluation = true\n";
        let new = NewArchive {
            config: Config::parse(&path, text).unwrap(),
            token: None,
        };
        create(new, &passphrase, &environment()).unwrap().0
    };
    config.intakes.malware = malware;
    let opened = Archive::open(
        config,
        &passphrase,
        Access::Write,
        environment(),
        &mut |_| (),
    );
    opened.unwrap().0
}
