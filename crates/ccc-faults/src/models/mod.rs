//! Two protocols as models, checked in every order of events: the switch of a reshare and the versions of a table. A node that
//! is restored from an old image of its disk is an action of its own in both.

pub mod reshare;
pub mod table;

use crate::{
    guards,
    table::{Failure, Measured, Row, require},
};
use stateright::{Checker, Model};
use std::hash::Hash;

/// The rows of this room.
pub const ROWS: &[Row] = &[
    Row {
        name: "model-reshare",
        fault: "model of the switch: two sessions, late confirmations, one liar, a node restored from an old image",
        goal: "no two sessions of one epoch serve, nothing erased before the switch, in every order",
        run: |_| checked(reshare::Switch { guarded: guards::stands("switch") }),
    },
    Row {
        name: "model-table",
        fault: "model of the table's versions: two hosts, lagging signers, one liar, host and signer restored from an old image",
        goal: "no version has two successors, in every order",
        run: |_| checked(table::Versions { guarded: guards::stands("head") }),
    },
];

/// Checks every state that can be reached: what must always hold has no counterexample, and what must be possible was met.
fn checked<M>(model: M) -> Result<Measured, Failure>
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + std::fmt::Debug + Clone + PartialEq,
    M::Action: std::fmt::Debug + Clone + PartialEq,
{
    let checker = model.checker().threads(1).spawn_bfs().join();
    let found = checker.discoveries();
    for property in checker.model().properties() {
        let path = found.get(property.name);
        let wanted = matches!(property.expectation, stateright::Expectation::Sometimes);
        let steps = || path.map(|path| format!("{:?}", path.clone().into_actions())).unwrap_or_default();
        require(path.is_some() == wanted, || match wanted {
            true => format!("never met: {}", property.name),
            false => format!("{}: broken by {}", property.name, steps()),
        })?;
    }
    let states = checker.unique_state_count();
    Ok(Measured { figures: format!("{states} states, {} properties", checker.model().properties().len()), took: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken<M>(model: M) -> String
    where
        M: Model + Send + Sync + 'static,
        M::State: Hash + Send + Sync + std::fmt::Debug + Clone + PartialEq,
        M::Action: std::fmt::Debug + Clone + PartialEq,
    {
        checked(model).expect_err("a counterexample").to_string()
    }

    #[test]
    fn the_switch_holds_in_every_order_and_not_without_its_guard() {
        assert!(checked(reshare::Switch { guarded: true }).is_ok());
        let found = broken(reshare::Switch { guarded: false });
        assert!(found.starts_with(reshare::ONE_SESSION) || found.starts_with(reshare::NOT_BEFORE), "{found}");
        assert!(found.contains("Certificate"), "{found}");
    }

    #[test]
    fn the_versions_hold_in_every_order_and_not_without_their_guard() {
        assert!(checked(table::Versions { guarded: true }).is_ok());
        let found = broken(table::Versions { guarded: false });
        assert!(found.starts_with(table::ONE_SUCCESSOR), "{found}");
    }
}
