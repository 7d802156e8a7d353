//! A medium for the journal that loses what was not synced, sector by sector, and fails when it is told to.

use crate::{
    disk::{overwrite, overwrite_some, survival},
    media::{Faulty, Medium, Strikes},
};
use ccc_core::table::{StoreError, TableStore};
use ccc_store::JournalStore;
use redb::StorageBackend;
use std::{
    io::{self, ErrorKind},
    sync::{Arc, Mutex, MutexGuard},
};

#[derive(Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Default)]
struct State {
    cached: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    syncs: usize,
    strikes: Strikes,
    read_only: bool,
}

#[derive(Clone, Default)]
pub(crate) struct SimulatedPages(Arc<Mutex<State>>);

impl std::fmt::Debug for SimulatedPages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedPages")
    }
}

impl SimulatedPages {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the pages")
    }

    /// How often everything was made durable.
    pub(crate) fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// Counts an operation and fails it if its turn has come.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.strikes.operate()?;
        Ok(state)
    }

    /// [`SimulatedPages::operate`] for what changes the pages.
    fn operate_to_write(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.operate()?;
        if state.read_only { Err(ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(state) }
    }
}

fn small(offset: u64) -> usize {
    usize::try_from(offset).expect("small")
}

impl StorageBackend for SimulatedPages {
    fn len(&self) -> io::Result<u64> {
        Ok(self.operate()?.cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.operate()?;
        let found = state.cached.get(small(offset)..small(offset) + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.operate_to_write()?;
        state.cached.resize(small(len), 0);
        state.unsynced.push(Change::Length(small(len)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        state.durable = state.cached.clone();
        state.unsynced.clear();
        state.syncs += 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.operate_to_write()?;
        overwrite(&mut state.cached, small(offset), data);
        state.unsynced.push(Change::Write { offset: small(offset), bytes: data.to_vec() });
        Ok(())
    }
}

impl Medium for SimulatedPages {
    fn open(&self) -> Result<Box<dyn TableStore + '_>, StoreError> {
        Ok(Box::new(JournalStore::open_on(self.clone())?))
    }
}

impl Faulty for SimulatedPages {
    fn strikes<R>(&self, change: impl FnOnce(&mut Strikes) -> R) -> R {
        change(&mut self.state().strikes)
    }

    fn set_read_only(&self, read_only: bool) {
        self.state().read_only = read_only;
    }

    fn cut(&self, seed: u64) {
        let mut survives = survival(seed);
        let mut state = self.state();
        for change in std::mem::take(&mut state.unsynced) {
            match change {
                Change::Write { offset, bytes } => {
                    overwrite_some(&mut state.durable, offset, &bytes, &mut survives);
                }
                Change::Length(len) if survives() => state.durable.resize(len, 0),
                Change::Length(_) => {}
            }
        }
        state.cached = state.durable.clone();
    }
}
