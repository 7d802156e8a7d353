//! What scans and networks touch: rows, groups of slots and single slots, in order.
//!
//! A unit test can have it written down; in every other build [`touch`] is empty. Two rounds of one size touch the same
//! places in the same order (`tests/trace.rs`), whatever they look for and write.

use super::lookup::Touch;

/// Writes down what is touched, where a unit test asked for it.
#[inline]
pub(super) fn touch(what: Touch) {
    #[cfg(test)]
    recorder::touch(what);
    #[cfg(not(test))]
    let _ = what;
}

/// Touches slot `at` of whatever was touched last.
#[inline]
pub(super) fn slot(at: usize) {
    touch(Touch::Slot(at));
}

#[cfg(test)]
pub(super) use recorder::{Trace, recorded};

#[cfg(test)]
mod recorder {
    use super::Touch;
    use std::{
        cell::RefCell,
        hash::{DefaultHasher, Hash, Hasher},
    };

    /// How much was touched, and a digest of what, in order.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub(in super::super) struct Trace {
        pub(in super::super) rows: u64,
        pub(in super::super) slots: u64,
        digest: u64,
    }

    #[derive(Default)]
    struct Recorder {
        trace: Trace,
        hasher: DefaultHasher,
    }

    std::thread_local! {
        static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
    }

    pub(super) fn touch(what: Touch) {
        RECORDER.with_borrow_mut(|recorder| {
            let Some(Recorder { trace, hasher }) = recorder else { return };
            match what {
                Touch::Row(_) => trace.rows += 1,
                Touch::Slot(_) => trace.slots += 1,
                Touch::Group(_) => {}
            }
            what.hash(hasher);
        });
    }

    /// What this thread touches while it does the work.
    pub(in super::super) fn recorded<T>(work: impl FnOnce() -> T) -> (Trace, T) {
        RECORDER.set(Some(Recorder::default()));
        let done = work();
        let Recorder { trace, hasher } = RECORDER.take().expect("set before the work");
        (Trace { digest: hasher.finish(), ..trace }, done)
    }
}
