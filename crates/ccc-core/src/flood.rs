//! How much under one name is looked at: the one bound on what a single participant can make others check.
//!
//! *Security*: a check of a proof costs more than making bytes that fail it. Whoever combines or checks answers would do
//! as much work as anybody cares to send under one name, if names were not counted.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// Different answers under one name that are looked at; the rest counts for nothing. Honest participants have one.
pub(crate) const MAX_DIFFERENT: usize = 8;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the first of its kind, and is looked at.
    New,
    /// The same is there already.
    Repeated,
    /// There are [`MAX_DIFFERENT`] others under its name.
    Full,
}

/// The different answers under each name, at most [`MAX_DIFFERENT`] of each.
pub(crate) struct Different<K, T> {
    kept: BTreeMap<K, Vec<T>>,
    full: BTreeSet<K>,
}

impl<K, T> Default for Different<K, T> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), full: BTreeSet::new() }
    }
}

impl<K: Ord + Copy, T: PartialEq> Different<K, T> {
    /// What would become of an answer under this name. *Timing*: variable; at most [`MAX_DIFFERENT`] comparisons, and
    /// none once a name was found full.
    pub(crate) fn place(&self, name: K, answer: &T) -> Place {
        match self.kept.get(&name) {
            _ if self.full.contains(&name) => Place::Full,
            Some(kept) if kept.contains(answer) => Place::Repeated,
            Some(kept) if kept.len() >= MAX_DIFFERENT => Place::Full,
            _ => Place::New,
        }
    }

    /// Keeps an answer if it is new.
    pub(crate) fn put(&mut self, name: K, answer: T) -> Place {
        let place = self.place(name, &answer);
        match place {
            Place::New => self.kept.entry(name).or_default().push(answer),
            Place::Full => drop(self.full.insert(name)),
            Place::Repeated => {}
        }
        place
    }
}

impl<K: Ord + Copy, T> Different<K, T> {
    /// Names with an answer.
    pub(crate) fn names(&self) -> usize {
        self.kept.len()
    }

    /// Whether there is an answer under this name.
    pub(crate) fn has(&self, name: K) -> bool {
        self.kept.contains_key(&name)
    }

    /// The first answer under each name, ascending by name.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = (K, &T)> {
        self.kept.iter().filter_map(|(name, answers)| Some((*name, answers.first()?)))
    }

    /// Every answer, ascending by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.kept.iter().flat_map(|(name, answers)| answers.iter().map(|answer| (*name, answer)))
    }

    /// Every answer, ascending by name.
    pub(crate) fn into_answers(self) -> impl Iterator<Item = (K, T)> {
        self.kept.into_iter().flat_map(|(name, answers)| answers.into_iter().map(move |answer| (name, answer)))
    }
}

/// The different ones among these, in the order given, at most [`MAX_DIFFERENT`] under each name; and the names under which
/// there were more.
pub(crate) fn different<K: Ord + Copy, T: PartialEq>(all: &[(K, T)]) -> (Vec<(K, &T)>, BTreeSet<K>) {
    let (mut seen, mut list) = (Different::default(), Vec::new());
    for (name, answer) in all {
        if seen.put(*name, answer) == Place::New {
            list.push((*name, answer));
        }
    }
    (list, seen.full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n059_the_ninth_different_answer_under_a_name_finds_no_place_and_a_repeated_one_takes_none() {
        let mut answers = Different::default();
        for answer in 0..MAX_DIFFERENT {
            assert_eq!(answers.put(1, answer), Place::New);
            assert_eq!(answers.put(1, answer), Place::Repeated);
        }
        assert_eq!(answers.put(2, 0), Place::New);
        assert_eq!(answers.put(1, MAX_DIFFERENT), Place::Full);
        assert_eq!((answers.put(2, 0), answers.put(2, 1)), (Place::Repeated, Place::New));
        assert_eq!(answers.firsts().collect::<Vec<_>>(), [(1, &0), (2, &0)]);
        assert_eq!((answers.names(), answers.iter().count()), (2, MAX_DIFFERENT + 2));
    }

    fn list_of(all: &[(i32, usize)]) -> Vec<(i32, &usize)> {
        all.iter().map(|(name, answer)| (*name, answer)).collect()
    }

    #[test]
    fn the_different_ones_keep_their_order() {
        let (list, more) = different(&[(2, 'b'), (1, 'a'), (2, 'b'), (2, 'c')]);
        assert_eq!((list, more.len()), (vec![(2, &'b'), (1, &'a'), (2, &'c')], 0));
        let all: Vec<_> = (0..=MAX_DIFFERENT).map(|answer| (7, answer)).collect();
        let (list, more) = different(&all);
        assert_eq!((list.len(), more), (MAX_DIFFERENT, BTreeSet::from([7])));
        assert_eq!(different(&all[1..]), (list_of(&all[1..]), BTreeSet::new()));
    }
}
