//! Work on all cores: rayon's iterators with the feature `parallel`, the same names on one thread without it.

/// What a file with parallel work imports. The name is rayon's, and the one that the lint on wildcards knows.
pub(crate) mod prelude {
    #[cfg(not(feature = "parallel"))]
    pub(crate) use super::sequential::*;
    pub(crate) use super::{Fold, Merge};
    #[cfg(feature = "parallel")]
    pub(crate) use rayon::prelude::*;
}

/// The sum of all items under an associative operation that has an identity.
#[cfg(feature = "parallel")]
pub(crate) trait Merge: rayon::iter::ParallelIterator {
    fn merge(
        self,
        identity: impl Fn() -> Self::Item + Sync + Send,
        operation: impl Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
    ) -> Self::Item {
        self.reduce(identity, operation)
    }
}

#[cfg(feature = "parallel")]
impl<I: rayon::iter::ParallelIterator> Merge for I {}

/// The sum of all items under an associative operation that has an identity.
#[cfg(not(feature = "parallel"))]
pub(crate) trait Merge: Iterator + Sized {
    fn merge(
        self,
        identity: impl FnOnce() -> Self::Item,
        operation: impl FnMut(Self::Item, Self::Item) -> Self::Item,
    ) -> Self::Item {
        self.fold(identity(), operation)
    }
}

#[cfg(not(feature = "parallel"))]
impl<I: Iterator> Merge for I {}

/// Items taken up one by one into a few accumulators, and those merged.
#[cfg(feature = "parallel")]
pub(crate) trait Fold: rayon::iter::ParallelIterator {
    fn fold_into<A: Send>(
        self,
        start: impl Fn() -> A + Sync + Send,
        step: impl Fn(&mut A, Self::Item) + Sync + Send,
        merge: impl Fn(A, A) -> A + Sync + Send,
    ) -> A {
        let take = |mut all: A, item: Self::Item| {
            step(&mut all, item);
            all
        };
        rayon::iter::ParallelIterator::reduce(self.fold(&start, take), &start, merge)
    }
}

#[cfg(feature = "parallel")]
impl<I: rayon::iter::ParallelIterator> Fold for I {}

/// Items taken up one by one into an accumulator.
#[cfg(not(feature = "parallel"))]
pub(crate) trait Fold: Iterator + Sized {
    fn fold_into<A>(
        self,
        start: impl FnOnce() -> A,
        mut step: impl FnMut(&mut A, Self::Item),
        _merge: impl FnMut(A, A) -> A,
    ) -> A {
        let mut all = start();
        self.for_each(|item| step(&mut all, item));
        all
    }
}

#[cfg(not(feature = "parallel"))]
impl<I: Iterator> Fold for I {}

/// Threads that share the work.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    return 1;
}

#[cfg(not(feature = "parallel"))]
mod sequential {
    use core::slice::{Chunks, ChunksMut, Iter};

    /// What rayon gives to slices.
    pub(crate) trait Slice<T> {
        fn par_iter(&self) -> Iter<'_, T>;
        fn par_chunks(&self, size: usize) -> Chunks<'_, T>;
        fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T>;
        fn par_sort_unstable(&mut self)
        where
            T: Ord;
    }

    impl<T> Slice<T> for [T] {
        fn par_iter(&self) -> Iter<'_, T> {
            self.iter()
        }

        fn par_chunks(&self, size: usize) -> Chunks<'_, T> {
            self.chunks(size)
        }

        fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
            self.chunks_mut(size)
        }

        fn par_sort_unstable(&mut self)
        where
            T: Ord,
        {
            self.sort_unstable();
        }
    }

    /// What rayon gives to ranges.
    pub(crate) trait IntoSequence: IntoIterator + Sized {
        fn into_par_iter(self) -> Self::IntoIter {
            self.into_iter()
        }
    }

    impl<I: IntoIterator> IntoSequence for I {}

    /// Pieces per thread: one thread has one piece.
    pub(crate) trait Pieces: Iterator + Sized {
        fn with_min_len(self, _min: usize) -> Self {
            self
        }
    }

    impl<I: Iterator> Pieces for I {}
}
