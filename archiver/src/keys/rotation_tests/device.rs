//! A device that holds the key-encryption keys and is gone for a moment, at every call: that is no answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::keys::provider::token::TokenError;
use crate::keys::provider::{KekProvider, ProviderDescription, WrappedSecret};
use crate::keys::sealed::TSA_KEY;

/// Is gone at one call of `unwrap`, and back when something is to be wrapped.
#[derive(Debug)]
struct Device {
    inner: FileKek,
    left: AtomicUsize,
    gone: AtomicBool,
}

impl Device {
    fn went(&self) -> bool {
        self.left.load(Ordering::Relaxed) == usize::MAX
    }
}

impl KekProvider for Device {
    fn current_epoch(&self) -> u32 {
        self.inner.current_epoch()
    }

    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError> {
        self.gone.store(false, Ordering::Relaxed);
        self.inner.wrap(context, secret)
    }

    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        if self.went() {
            return self.inner.unwrap(context, wrapped);
        }
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.gone.store(true, Ordering::Relaxed);
            return Err(KeyError::Token(TokenError::Gone {
                label: "token".to_owned(),
                code: "gone".to_owned(),
            }));
        }
        self.inner.unwrap(context, wrapped)
    }

    fn epochs(&self) -> Vec<u32> {
        match self.gone.load(Ordering::Relaxed) {
            true => Vec::new(),
            false => self.inner.epochs(),
        }
    }

    fn new_epoch(&self) -> Result<u32, KeyError> {
        self.inner.new_epoch()
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), KeyError> {
        self.inner.destroy_epoch(epoch)
    }

    fn file(&self) -> Result<Vec<u8>, KeyError> {
        self.inner.file()
    }

    fn describe(&self) -> ProviderDescription {
        self.inner.describe()
    }
}

impl Bench {
    /// Two media with secrets of the same name that differ.
    fn differing() -> Self {
        let bench = Self::new();
        let disk = Arc::new(SystemDisk);
        let roots = bench.roots();
        let copy = bench
            .open_on(disk, from_ref(&roots[1]), 1, LedgerAccess::Write)
            .unwrap();
        let sealed = copy.seal_secret(TSA_KEY, b"another").unwrap();
        copy.keep(Path::new("tsa/key.sealed"), &sealed).unwrap();
        bench
    }

    fn device(&self, left: usize) -> Arc<Device> {
        let roots = self.roots();
        let place = KeyPlace::new(&roots[0], &roots[1..], Some(2));
        let file = ProviderFile::new(Arc::new(SystemDisk), place.present());
        let entropy = Arc::new(SeededEntropy::new(7));
        Arc::new(Device {
            inner: FileKek::open(file, archive(), &passphrase(), entropy).unwrap(),
            left: AtomicUsize::new(left),
            gone: AtomicBool::new(false),
        })
    }

    fn open_with(&self, device: Arc<Device>) -> Result<KeyMedium, KeyError> {
        let roots = self.roots();
        KeyMedium::with_provider(
            Arc::new(SystemDisk),
            KeyPlace::new(&roots[0], &roots[1..], Some(2)),
            archive(),
            device,
            LedgerAccess::Write,
            Arc::new(SeededEntropy::new(8)),
        )
    }

    fn secrets(&self, medium: &KeyMedium) -> [Vec<u8>; 2] {
        self.roots().map(|root| {
            let sealed = read_settled(&root.join("tsa/key.sealed")).unwrap();
            medium.open_secret(TSA_KEY, &sealed).unwrap().to_vec()
        })
    }
}

#[test]
fn a_device_that_is_gone_at_any_call_of_an_opening_replaces_no_secret() {
    for left in 0.. {
        let bench = Bench::differing();
        let device = bench.device(left);
        drop(bench.open_with(device.clone()));
        let medium = bench.open(LedgerAccess::Write).unwrap();
        let found = bench.secrets(&medium);
        assert_eq!(found, [b"private".to_vec(), b"another".to_vec()], "{left}");
        assert_eq!(medium.differing_files().len(), 1);
        if !device.went() {
            assert!(left > 1);
            break;
        }
    }
}

#[test]
fn a_device_that_is_gone_at_any_call_of_a_rotation_leaves_no_epoch_behind_unsaid() {
    for left in 0.. {
        let bench = Bench::differing();
        let device = bench.device(usize::MAX);
        let medium = bench.open_with(device.clone()).unwrap();
        device.left.store(left, Ordering::Relaxed);
        if let Ok(report) = medium.rotate(&mut |_| ()) {
            assert_eq!(device.inner.epochs(), [report.epoch], "{left}");
            assert_eq!(report.epochs_destroyed, [1], "{left}");
        }
        let went = device.went();
        drop(medium);
        let medium = bench.open(LedgerAccess::Write).unwrap();
        medium.rotate(&mut |_| ()).unwrap();
        bench.assert_gives(&medium, &[], "after the next rotation");
        let found = bench.secrets(&medium);
        assert_eq!(found, [b"private".to_vec(), b"another".to_vec()], "{left}");
        if !went {
            assert!(left > 10);
            break;
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_left_alone_and_named() {
    let bench = Bench::new();
    let [_, copy] = bench.roots();
    let path = copy.join("tsa/root.pem");
    fs::remove_file(&path).unwrap();
    // Reading a folder fails, as reading a bad sector does.
    fs::create_dir(&path).unwrap();
    let medium = bench.open(LedgerAccess::Write).unwrap();
    assert_eq!(medium.differing_files(), from_ref(&path));
    assert!(path.is_dir());
}
