//! A whole archive in a temporary directory, for tests: two data media, a key medium, an index.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::{Entropy, EntropyError, SeededEntropy};
use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::FORMAT_VERSION;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::deposit::{DepositOptions, DepositRequest, Depositor};
use super::outcome::{DepositEvent, DepositSummary};
use super::retrieve::Retriever;
use crate::class::ClassRegistry;
use crate::content::Manifests;
use crate::intake::{SourceName, Walk, metadata};
use crate::keys::{CatalogSealer, KdfParameters, KeyMedium, LedgerAccess, Passphrase};
use crate::store::CopyPolicy;
use crate::store::catalog::{Catalog, CatalogOptions, EngineChoice};
use crate::store::durable::{Disk, system_disk};
use crate::store::{OpenOptions, Store};

/// The archive.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) keys: Arc<KeyMedium>,
    pub(crate) disk: Arc<TestDisk>,
    pub(crate) entropy: Arc<TestEntropy>,
    clock: Arc<SimulatedClock>,
    root: tempfile::TempDir,
    opening: u64,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let archive = ArchiveId::from_bytes([0xA1; 16]);
        let parts = Parts::new(1);
        std::fs::create_dir(root.path().join("keys")).unwrap();
        let keys = KeyMedium::create(
            system_disk(),
            &root.path().join("keys"),
            archive,
            &passphrase(),
            KdfParameters {
                memory_kib: 8,
                passes: 1,
                lanes: 1,
            },
            parts.entropy(),
        )
        .unwrap();
        let media: Vec<(PathBuf, MediumLabel)> = (1..=2)
            .map(|number| (medium_path(&root, number), label(archive, number)))
            .collect();
        let store = Store::create(&media, &parts.options()).unwrap();
        Self::assemble(root, store, keys, parts)
    }

    /// Closes the archive and opens it again, as the next process of the same machine start would.
    pub(crate) fn reopen(self) -> Self {
        let archive = self.store.archive();
        let root = self.root;
        drop((self.catalog, self.store, self.keys));
        let parts = Parts::new(self.opening + 1);
        let keys = KeyMedium::open(
            system_disk(),
            &root.path().join("keys"),
            archive,
            &passphrase(),
            LedgerAccess::Write,
            parts.entropy(),
        )
        .unwrap();
        let media = [medium_path(&root, 1), medium_path(&root, 2)];
        let (store, _report) = Store::open(&media, archive, &parts.options()).unwrap();
        Self::assemble(root, store, keys, parts)
    }

    fn assemble(root: tempfile::TempDir, store: Store, keys: KeyMedium, parts: Parts) -> Self {
        let keys = Arc::new(keys);
        let options = CatalogOptions {
            directory: root.path().join("index"),
            sealer: Arc::new(CatalogSealer::new(&keys, parts.entropy()).unwrap()),
            cache_bytes: 1024 * 1024,
            engine: EngineChoice::Auto,
            versions_expected: 0,
            disk: system_disk(),
        };
        let opener = Manifests::new(Arc::clone(&keys)).unwrap();
        let (catalog, _report) = Catalog::open(&store, options, &opener, &mut |_| {}).unwrap();
        Self {
            store,
            catalog,
            keys,
            disk: parts.disk,
            entropy: parts.entropy,
            clock: parts.clock,
            root,
            opening: parts.opening,
        }
    }

    /// A path beside the archive, for sources.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("sources").join(name)
    }

    /// Makes a source file.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes its own input files"
    )]
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn depositor(&self) -> Depositor<'_> {
        Depositor::new(
            &self.store,
            &self.catalog,
            self.keys.ledger(),
            &*self.clock,
            &*self.entropy,
        )
        .unwrap()
    }

    pub(crate) fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.store, &self.catalog, self.keys.ledger())
    }

    pub(crate) fn deposit(&self, paths: &[&Path]) -> (DepositSummary, Vec<DepositEvent>) {
        self.deposit_as(&request("general", &[]), paths)
    }

    pub(crate) fn deposit_as(
        &self,
        request: &DepositRequest,
        paths: &[&Path],
    ) -> (DepositSummary, Vec<DepositEvent>) {
        let paths = paths.iter().map(|path| path.to_path_buf()).collect();
        let walk = Walk::new(paths, SourceName::from_bytes(*b"standard-input"));
        let mut events = Vec::new();
        let options = DepositOptions::default();
        let summary = self
            .depositor()
            .deposit_all(walk, request, &options, &mut |group| events.extend(group));
        events.sort_by_key(|event| event.name().map(|name| name.as_bytes().to_vec()));
        (summary, events)
    }
}

/// A request by the test, with `--meta` arguments.
pub(crate) fn request(class: &str, arguments: &[&str]) -> DepositRequest {
    let registry = ClassRegistry::built_in().unwrap();
    DepositRequest {
        class: registry.class(class).unwrap().clone(),
        given: metadata::from_arguments(arguments.iter().copied()).unwrap(),
        depositor: "test".to_owned(),
        channel: "cli".to_owned(),
    }
}

struct Parts {
    opening: u64,
    disk: Arc<TestDisk>,
    entropy: Arc<TestEntropy>,
    clock: Arc<SimulatedClock>,
}

impl Parts {
    /// Each opening draws other random bytes, as a real one does: `opening` is their seed.
    fn new(opening: u64) -> Self {
        Self {
            opening,
            disk: Arc::new(TestDisk::new()),
            entropy: Arc::new(TestEntropy::new(opening)),
            clock: Arc::new(SimulatedClock::new(
                datetime!(2026-11-22 03:48:30.123456 UTC),
            )),
        }
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy) as Arc<dyn Entropy>
    }

    fn options(&self) -> OpenOptions {
        OpenOptions {
            writable: true,
            boot_id: [7; 16],
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            segment_bytes_max: 4 * 1024 * 1024,
            disk: Arc::clone(&self.disk) as Arc<dyn Disk>,
            copies: CopyPolicy::default(),
        }
    }
}

fn medium_path(root: &tempfile::TempDir, number: u32) -> PathBuf {
    root.path().join(format!("data-{number}"))
}

fn label(archive: ArchiveId, number: u32) -> MediumLabel {
    MediumLabel {
        medium: MediumId::from_bytes([u8::try_from(number).unwrap(); 16]),
        archive,
        role: MediumRole::Data,
        number,
        created_at: datetime!(2026-11-22 03:00 UTC),
        classification: String::new(),
        capacity_bytes: 1 << 30,
        evaluation: true,
        format_version: FORMAT_VERSION,
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"a passphrase of a test".to_vec())).unwrap()
}

/// Random bytes, with a hook that runs before they are drawn: a test changes the world at this point.
pub(crate) struct TestEntropy {
    inner: SeededEntropy,
    hook: std::sync::Mutex<Option<Box<dyn FnMut() + Send>>>,
}

impl TestEntropy {
    fn new(seed: u64) -> Self {
        Self {
            inner: SeededEntropy::new(seed),
            hook: std::sync::Mutex::new(None),
        }
    }

    pub(crate) fn set_hook(&self, hook: impl FnMut() + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }
}

impl std::fmt::Debug for TestEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestEntropy").finish_non_exhaustive()
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if let Some(hook) = &mut *self.hook.lock().unwrap() {
            hook();
        }
        self.inner.fill(bytes)
    }
}

/// The system's disk, counting synchronisations and full when told so.
#[derive(Debug)]
pub(crate) struct TestDisk {
    inner: Arc<dyn Disk>,
    syncs: AtomicU64,
    bytes_left: AtomicU64,
    is_failing: AtomicBool,
}

impl TestDisk {
    fn new() -> Self {
        Self {
            inner: system_disk(),
            syncs: AtomicU64::new(0),
            bytes_left: AtomicU64::new(u64::MAX),
            is_failing: AtomicBool::new(false),
        }
    }

    /// How often a file was made durable.
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::SeqCst)
    }

    /// Lets so many more bytes be written, all media together.
    pub(crate) fn fill_after(&self, bytes: u64) {
        self.bytes_left.store(bytes, Ordering::SeqCst);
    }

    /// Lets every synchronisation fail.
    pub(crate) fn fail_syncs(&self) {
        self.is_failing.store(true, Ordering::SeqCst);
    }
}

impl Disk for TestDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.inner.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.inner.open(path)
    }

    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        let bytes = u64::try_from(bytes).unwrap();
        let take = |left: u64| left.checked_sub(bytes);
        self.bytes_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        self.inner.write_at(file, slices, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.is_failing.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.inner.sync(file)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.inner.truncate(file, length)
    }

    fn protect(&self, file: &File) -> io::Result<()> {
        self.inner.protect(file)
    }

    fn unprotect(&self, path: &Path) -> io::Result<()> {
        self.inner.unprotect(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.inner.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.inner.sync_directory(path)
    }
}
