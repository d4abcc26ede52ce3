//! A session at a new archive, for tests.

use std::sync::Arc;

use firmware::clock::{Clock, SystemClock};
use firmware::entropy::SystemEntropy;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::arguments::Common;
use super::lang::Lang;
use super::output::Output;
use super::session::{Programs, Session};
use crate::archive::{self, Access, Archive, Environment, NewArchive};
use crate::config::Config;
use crate::keys::Passphrase;
use crate::store::durable::faults::FaultyDisk;

/// An archive and a session of somebody who works with it.
pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) config: Config,
    pub(crate) disk: Arc<FaultyDisk>,
    pub(crate) place: TempDir,
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"known to everybody".to_vec())).unwrap()
}

impl Bench {
    /// A new archive, in which nothing is recorded yet.
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(SystemClock), "data = [\"data\"]", "")
    }

    /// The same with this clock, these data media and more of a configuration.
    pub(crate) fn with(clock: Arc<dyn Clock>, data: &str, more: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::new();
        let environment = Environment {
            clock,
            entropy: Arc::new(SystemEntropy),
            boot_id: [5; 16],
            disk: disk.clone(),
        };
        let text = format!(
            "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\n{data}\nkeys = \"keys\"\nevaluation = true\n{more}\n[[tsa]]\nname = \"embedded\"\nembedded = true\n"
        );
        let config = Config::parse(&place.path().join("fumikura.toml"), &text).unwrap();
        let new = NewArchive {
            config,
            token: None,
        };
        let (config, _) = archive::create(new, &passphrase(), &environment).unwrap();
        let session = Session {
            common: Common {
                config: Some(config.path.clone()),
                passphrase_file: None,
                share: Vec::new(),
                lang: None,
                json: false,
                quiet: true,
                remote: Default::default(),
            },
            output: Output::new(Lang::En, false, false).for_service(),
            environment,
            config_variable: None,
            credentials: None,
            runtime: None,
            remote: Default::default(),
            user: "tester".to_owned(),
            programs: Programs {
                archiver: String::new(),
                verifier: String::new(),
            },
            interactive: false,
            watches: std::cell::RefCell::default(),
            at_work: std::cell::RefCell::default(),
        };
        Self {
            session,
            config,
            disk,
            place,
        }
    }

    pub(crate) fn open(&self, access: Access) -> Archive {
        let opened = self
            .session
            .open_config(self.config.clone(), &passphrase(), access);
        opened.unwrap()
    }
}
