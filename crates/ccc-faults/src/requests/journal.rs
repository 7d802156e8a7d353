//! A journal on a simulated medium: what was not synchronised is lost with the power, and nothing is kept on a full one.

use ccc_node::vault_node::{Answer, Journal};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Answers = BTreeMap<[u8; 32], Vec<Answer>>;

#[derive(Default)]
struct State {
    durable: Answers,
    cached: Answers,
    full: bool,
}

/// The medium; journal and row share it.
#[derive(Clone, Default)]
pub(crate) struct SimulatedMedium(Arc<Mutex<State>>);

/// The journal that lies on it.
pub(crate) struct SimulatedJournal(pub(crate) SimulatedMedium);

impl SimulatedMedium {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes.
    pub(crate) fn cut(&self) {
        let mut state = self.state();
        state.cached = state.durable.clone();
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.state().full = full;
    }
}

impl Journal for SimulatedJournal {
    fn answers(&self, id: &[u8; 32]) -> Result<Vec<Answer>, String> {
        Ok(self.0.state().cached.get(id).cloned().unwrap_or_default())
    }

    fn keep(&mut self, id: [u8; 32], answer: &Answer) -> Result<(), String> {
        self.writable()?;
        self.0.state().cached.entry(id).or_default().push(answer.clone());
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        self.writable()?;
        let mut state = self.0.state();
        state.durable = state.cached.clone();
        Ok(())
    }

    fn writable(&self) -> Result<(), String> {
        if self.0.state().full { Err("no space left on the medium".to_owned()) } else { Ok(()) }
    }
}
