//! Buckets: a directory of the real file system, and a simulated provider whose requests fail when they are told to.

use crate::{
    common::two_versions,
    media::{Damageable, Fault, Faulty, Medium, Strikes, Target, assert_old_or_new, prepare, put_both},
};
use ccc_core::table::{Header, Part, StoreError, TableStore};
use ccc_store::BucketStore;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, local::LocalFileSystem, memory::InMemory,
    path::Path,
};
use std::{
    fmt, fs,
    io::ErrorKind,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};
use tempfile::TempDir;

pub(crate) struct Bucket(TempDir);

impl Bucket {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("directory"))
    }

    fn path(&self, part: &str, name: &[u8]) -> PathBuf {
        self.0.path().join("tables").join(part).join(hex::encode(name))
    }

    /// Files of a part, in order, as the manifest names them.
    fn pieces(&self, header: &Header, target: Target) -> Vec<PathBuf> {
        let manifest = fs::read(self.path("versions", &header.hash())).expect("read");
        let names: Vec<_> =
            manifest[467..manifest.len() - 32].chunks(32).map(|name| self.path("pieces", name)).collect();
        let chunks = header.tier().chunks() as usize;
        if target == Target::Body { names[..chunks].to_vec() } else { names[chunks..].to_vec() }
    }
}

impl Medium for Bucket {
    fn open(&self) -> std::result::Result<Box<dyn TableStore + '_>, StoreError> {
        let objects = LocalFileSystem::new_with_prefix(self.0.path()).expect("a directory");
        Ok(Box::new(BucketStore::open(Arc::new(objects), "tables")?))
    }

    fn is_exclusive(&self) -> bool {
        false
    }
}

impl Damageable for Bucket {
    fn alter(&self, header: &Header, target: Target, change: &mut dyn FnMut(&mut Vec<u8>)) {
        if target == Target::Manifest {
            let path = self.path("versions", &header.hash());
            let mut bytes = fs::read(&path).expect("read");
            change(&mut bytes);
            return fs::write(path, bytes).expect("written");
        }
        let pieces = self.pieces(header, target);
        let mut bytes: Vec<u8> = pieces.iter().flat_map(|piece| fs::read(piece).unwrap_or_default()).collect();
        change(&mut bytes);
        let mut rest = &bytes[..];
        for (index, piece) in pieces.iter().enumerate() {
            let len = if index + 1 == pieces.len() { rest.len() } else { rest.len().min(65_552) };
            let (bytes, left) = rest.split_at(len);
            rest = left;
            if bytes.is_empty() {
                // absent where an earlier change took it
                let _ = fs::remove_file(piece);
            } else {
                fs::write(piece, bytes).expect("written");
            }
        }
    }
}

#[derive(Default)]
struct State {
    strikes: Strikes,
    /// A request that fails has done its work, and the answer is lost.
    loses_answers: bool,
    /// The credentials are those of a reader.
    read_only: bool,
}

/// What a provider has acknowledged is durable; a cut stops the writer.
#[derive(Clone, Default)]
pub(crate) struct SimulatedObjects(Arc<InMemory>, Arc<Mutex<State>>);

impl fmt::Debug for SimulatedObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedObjects")
    }
}

impl fmt::Display for SimulatedObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedObjects")
    }
}

impl SimulatedObjects {
    fn state(&self) -> MutexGuard<'_, State> {
        self.1.lock().expect("no test panics while it holds the objects")
    }

    /// Counts a request: whether it does its work, and whether its answer arrives.
    fn operate(&self) -> (bool, bool) {
        let mut state = self.state();
        match state.strikes.next() {
            Some((_, first)) => (state.loses_answers && first, false),
            None => (true, true),
        }
    }

    /// What a reader's credentials are refused.
    async fn change<T>(&self, location: &Path, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.state().read_only { Err(denied(location)) } else { self.request(work).await }
    }

    async fn request<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (works, answers) = self.operate();
        let lost = || Error::Generic { store: "simulated", source: "the request failed".into() };
        let answer = if works { work.await } else { Err(lost()) };
        if answers { answer } else { Err(lost()) }
    }
}

fn denied(location: &Path) -> Error {
    Error::PermissionDenied { path: location.to_string(), source: "the credentials are those of a reader".into() }
}

#[async_trait::async_trait]
impl ObjectStore for SimulatedObjects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.change(location, self.0.put_opts(location, payload, opts)).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.change(location, self.0.put_multipart_opts(location, opts)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.request(self.0.get_opts(location, options)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if self.state().read_only {
            return Box::pin(futures::stream::iter([Err(denied(&Path::from("objects")))]));
        }
        let (works, answers) = self.operate();
        let lost = || Err(Error::Generic { store: "simulated", source: "the request failed".into() });
        match (works, answers) {
            (true, true) => self.0.delete_stream(locations),
            (true, false) => {
                use futures::StreamExt;
                self.0.delete_stream(locations).map(move |_| lost()).boxed()
            }
            (false, _) => Box::pin(futures::stream::iter([lost()])),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.operate() {
            (_, true) => self.0.list(prefix),
            (_, false) => Box::pin(futures::stream::iter([Err(Error::Generic {
                store: "simulated",
                source: "the request failed".into(),
            })])),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.request(self.0.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.change(to, self.0.copy_opts(from, to, options)).await
    }
}

impl Medium for SimulatedObjects {
    fn open(&self) -> std::result::Result<Box<dyn TableStore + '_>, StoreError> {
        Ok(Box::new(BucketStore::open(Arc::new(self.clone()), "")?))
    }

    fn is_exclusive(&self) -> bool {
        false
    }
}

impl Faulty for SimulatedObjects {
    fn strikes<R>(&self, change: impl FnOnce(&mut Strikes) -> R) -> R {
        change(&mut self.state().strikes)
    }

    fn set_read_only(&self, read_only: bool) {
        self.state().read_only = read_only;
    }

    fn cut(&self, seed: u64) {
        self.state().loses_answers = seed % 2 == 1;
    }
}

#[test]
fn n156b_any_failing_request_leaves_the_previous_version_readable() {
    let (first, second) = two_versions(41);
    for loses_answers in [false, true] {
        let mut refused = 0;
        for at in 0.. {
            let objects = SimulatedObjects::default();
            prepare(&objects, &first);
            let store = objects.open().expect("opens");
            objects.state().loses_answers = loses_answers;
            objects.strike(at, Fault::Fails(ErrorKind::TimedOut));
            let outcome = put_both(&*store, &second);
            let struck = objects.was_struck();
            objects.heal();
            assert!(matches!(outcome, Ok(()) | Err(StoreError::Medium { .. })), "request {at}");
            refused += usize::from(outcome.is_err());
            let kept = assert_old_or_new(&*store, &first, &second);
            assert!(kept || outcome.is_err(), "request {at}: an acknowledged version is gone");
            put_both(&*store, &second).expect("kept the second time");
            assert!(assert_old_or_new(&*store, &first, &second));
            if !struck {
                break;
            }
        }
        assert!(refused > 8, "{refused} failures were seen");
    }
}

#[test]
fn n156g_a_bucket_of_another_format_is_refused() {
    let bucket = Bucket::new();
    drop(bucket.open().expect("opens"));
    let format = bucket.0.path().join("tables").join("format");
    assert_eq!(fs::read_to_string(&format).expect("read"), "1");
    fs::write(&format, "2").expect("written");
    assert!(matches!(bucket.open().map(drop), Err(StoreError::Format { expected: 1, found: 2 })));
    fs::write(&format, [b'1'; 30]).expect("written");
    assert!(matches!(bucket.open().map(drop), Err(StoreError::Malformed { what: "format object" })));
}

#[test]
fn n156d_a_damaged_piece_is_replaced_when_its_version_is_put_again() {
    let bucket = Bucket::new();
    let store = bucket.open().expect("opens");
    let (first, second) = two_versions(42);
    put_both(&*store, &first).expect("kept");
    put_both(&*store, &second).expect("kept");
    for target in [Target::Body, Target::Sidecar, Target::Manifest] {
        bucket.alter(&second.header, target, &mut |bytes| bytes[500] ^= 8);
        assert!(matches!(store.get(&second.header.hash()), Err(StoreError::Corrupt { .. })));
        store.put(&second).expect("replaced");
        assert!(assert_old_or_new(&*store, &first, &second));
    }
}

#[test]
fn n156d_a_damaged_piece_is_refused_when_it_is_read_alone() {
    let bucket = Bucket::new();
    let store = bucket.open().expect("opens");
    let table = two_versions(43).0;
    store.put(&table).expect("kept");
    for (target, part) in [(Target::Body, Part::Body), (Target::Sidecar, Part::Sidecar)] {
        bucket.alter(&table.header, target, &mut |bytes| bytes[500] ^= 8);
        let reader = store.reader(&table.header.hash()).expect("the manifest is whole");
        let refused = reader.read_at(part, 7, &mut [0; 9]);
        assert!(matches!(refused, Err(StoreError::Corrupt { part: found, .. }) if found == part.name()));
    }
}
