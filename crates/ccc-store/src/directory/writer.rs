//! A version on its way into a directory: two files under `new/` until all of it is there.

use super::{DirectoryStore, medium, record::Record};
use crate::{files::FileSystem, record::Manifest, written::Written};
use ccc_core::guard::{Guard, stands};
use ccc_core::table::{Header, Part, StoreError, Tier, VersionWriter};
use std::{path::PathBuf, sync::atomic::Ordering};

/// A file under `new/`.
struct Draft<F: FileSystem> {
    path: PathBuf,
    file: F::File,
}

pub(super) struct DirectoryWriter<'a, F: FileSystem> {
    store: &'a DirectoryStore<F>,
    body: Draft<F>,
    sidecar: Draft<F>,
    written: Written,
    committed: bool,
}

impl<'a, F: FileSystem> DirectoryWriter<'a, F> {
    pub(super) fn new(store: &'a DirectoryStore<F>, tier: Tier) -> Result<Self, StoreError> {
        let number = store.drafts.fetch_add(1, Ordering::Relaxed);
        let draft = |part: Part| {
            let path = store.path("new", &format!("{number}-{}", part.name()));
            let file = store.files.create(&path).map_err(medium("creating a file"))?;
            Ok::<_, StoreError>(Draft { path, file })
        };
        let (body, sidecar) = (draft(Part::Body)?, draft(Part::Sidecar)?);
        Ok(Self { store, body, sidecar, written: Written::new(tier), committed: false })
    }

    fn draft(&self, part: Part) -> &Draft<F> {
        match part {
            Part::Body => &self.body,
            Part::Sidecar => &self.sidecar,
        }
    }

    /// The sidecar that this version had before.
    fn forget_sidecar(&self, former: Option<Record>, kept: &[u8; 32]) {
        for name in former.iter().flat_map(Record::sidecars).filter(|name| name != kept) {
            // best effort: a file that no version names goes at an opening
            let _ = self.store.remove_file("sidecars", &hex::encode(name));
        }
    }

    /// Sync, rename, sync the directory.
    fn place(&self, part: Part, directory: &str, name: &str) -> Result<(), StoreError> {
        let draft = self.draft(part);
        if stands(Guard::Synced) {
            self.store.files.sync(&draft.file).map_err(self.store.halting("syncing a file"))?;
        }
        self.store.rename(&draft.path, directory, name)
    }
}

impl<F: FileSystem> VersionWriter for DirectoryWriter<'_, F> {
    fn write_at(&mut self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        part.check_range(self.written.tier(), offset, bytes.len())?;
        let file = &self.draft(part).file;
        self.store.files.write_at(file, offset, bytes).map_err(medium("writing a file"))?;
        self.written.add(part, offset, bytes);
        Ok(())
    }

    fn commit(mut self: Box<Self>, header: &Header) -> Result<(), StoreError> {
        self.store.check_running()?;
        let sidecar_digest = self.written.finish(header, |part, offset, bytes| {
            self.store.files.read_at(&self.draft(part).file, offset, bytes).map_err(medium("reading a file back"))
        })?;
        let name = hex::encode(header.hash());
        self.place(Part::Body, "bodies", &hex::encode(header.body_root()))?;
        self.place(Part::Sidecar, "sidecars", &hex::encode(sidecar_digest))?;
        let record = Record::new(Manifest { header: header.clone(), sidecar_digest });
        let former = self.store.record(&header.hash()).ok();
        self.store.keep("versions", &name, &record.to_bytes())?;
        self.committed = true;
        self.forget_sidecar(former, &sidecar_digest);
        Ok(())
    }
}

impl<F: FileSystem> Drop for DirectoryWriter<'_, F> {
    fn drop(&mut self) {
        if !self.committed {
            for draft in [&self.body, &self.sidecar] {
                // best effort: what is left under new/ is removed at the next opening
                let _ = self.store.files.remove(&draft.path);
            }
        }
    }
}
