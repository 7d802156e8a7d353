//! The table's cipher is a pool's choice, under the measurement, and takes a build that has it.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::table::TableSuite;
use ccc_enclave::config::ConfigError;
use support::World;

#[test]
fn a_suite_that_the_build_has_not_is_refused_before_anything_is_made() {
    let mut config = World::empty(1).config;
    assert_eq!(config.validate(), Ok(()));
    config.suite = TableSuite::Aes256Gcm;
    let expected = if cfg!(feature = "suite-aes-gcm") { Ok(()) } else { Err(ConfigError::Suite { found: 2 }) };
    assert_eq!(config.validate(), expected);
}

#[cfg(feature = "suite-aes-gcm")]
mod suite_2 {
    use super::*;
    use ccc_core::report::{Payload, Statement};
    use ccc_enclave::{
        reserve::ReserveError,
        round::{RoundError, RoundOutput},
        upkeep::{Duty, Upkeep},
    };
    use support::{BASE, LOT};

    fn success(output: &RoundOutput) -> bool {
        match Payload::from_bytes(&output.result.payload).expect("a payload").statement {
            Statement::Round(round) => round.success,
            other => panic!("{other:?}"),
        }
    }

    /// Four chunks: from the first version over deposits and orders to a fill, then the next tier.
    #[test]
    fn a_pool_of_suite_2_keeps_it_from_its_first_version_on() {
        let (mut world, makers) = World::with_makers_configured(6, |config| {
            config.suite = TableSuite::Aes256Gcm;
            config.tier = 12;
        });
        let before = world.sums();
        let order = world.plain_order(25 * LOT);
        let request = world.request(&order);
        let output = world.round(Some(request));
        assert!(success(&output));
        assert_eq!((output.table.header.suite(), output.table.header.tier().chunks()), (TableSuite::Aes256Gcm, 4));
        assert_eq!(world.sums(), before);
        assert_eq!(world.balance(makers[0].account(), BASE), (0, 0));
        assert_eq!(world.balance(world.config.reserve, BASE).0, 25 * u128::from(LOT));
        let mut job = world.job(None);
        job.log.live_orders.clear();
        job.log.upkeep = Some(Upkeep { duty: Duty::Growth, read: job.inputs.block });
        let grown = world.run(&job).expect("the next tier").table;
        assert_eq!((grown.header.suite(), grown.header.tier().chunks()), (TableSuite::Aes256Gcm, 16));
    }

    /// Another suite in the configuration is another measurement, which must not stand over this table.
    #[test]
    fn a_table_of_another_suite_than_the_configured_one_is_never_opened() {
        let (mut world, _) = World::with_makers(7);
        world.config.suite = TableSuite::Aes256Gcm;
        let expected = ConfigError::OtherSuite { expected: 2, found: 1 };
        let duties = [None, Some(Upkeep { duty: Duty::Growth, read: world.inputs().block })];
        for upkeep in duties {
            let mut job = world.job(None);
            job.log.upkeep = upkeep;
            if upkeep.is_some() {
                job.log.live_orders.clear();
            }
            let refused = world.run(&job).err();
            assert!(matches!(refused, Some(RoundError::Config(found)) if found == expected));
        }
        let refused = world.check(&support::statement(1, 1)).err();
        assert!(matches!(refused, Some(ReserveError::Config(found)) if found == expected));
    }
}
