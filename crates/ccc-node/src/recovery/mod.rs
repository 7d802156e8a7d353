//! One recovery, from key generation to a solvent reserve, on an embedded chain or a node.
//!
//! The order of events is the order of the functions in [`run`].

mod check;
mod error;
mod identity;
mod options;
mod refill;
mod report;
mod reporting;
mod round;
mod secrets;
mod services;
mod setup;
mod statement;
mod submissions;
#[cfg(test)]
mod tests;
mod vaulting;
mod world;

pub use error::RecoveryError;
pub use options::{Mode, RecoveryOptions, StatementSource};
pub use refill::{Evidence, Founding, Refill, Refilled, Route};
pub use report::{CulpritLine, Figure, Line, RecoveryReport, Summary, status};
pub use services::{Closed, Later, Material, Member, Services};

use crate::{
    policy_file::PolicyFile,
    production::{Configuration, Sharing},
    scenario::ScenarioError,
    seed::Randomness,
    timeline::{Observer, Timeline},
};
use ccc_chain::transcript;
use ccc_core::report::Verdict;
use round::Steps;
use statement::{Books, StatementFetcher};
use world::World;

const GENESIS: Steps = Steps {
    reencryption: "the empty table is made",
    clearing: None,
    settlement: "table: first version",
    report: "confidentialFill: first version",
};
const INTAKE: Steps = Steps {
    reencryption: "vault re-encryption: deposits and standing orders",
    clearing: None,
    settlement: "table: deposits and reservations",
    report: "confidentialFill: idle round",
};
const FILL: Steps = Steps {
    reencryption: "vault re-encryption: order and standing orders",
    clearing: Some("clearing"),
    settlement: "table update",
    report: "confidentialFill",
};

/// Runs a recovery.
///
/// # Errors
/// [`RecoveryError`]; what the chain has accepted by then stays there.
pub async fn run(options: &RecoveryOptions, observer: &mut dyn Observer) -> Result<RecoveryReport, RecoveryError> {
    let mut timeline = Timeline::new(observer);
    let founded = Founded::new(options, None, &mut timeline).await?;
    Ok(founded.recover(timeline).await?.0)
}

/// As [`run`], with an agent in the place of the stand-in.
///
/// # Errors
/// [`RecoveryError`].
pub async fn run_with(
    options: &RecoveryOptions,
    agent: Box<dyn Refill>,
    observer: &mut dyn Observer,
) -> Result<RecoveryReport, RecoveryError> {
    let mut timeline = Timeline::new(observer);
    let founded = Founded::new(options, None, &mut timeline).await?.hire(agent, &mut timeline).await?;
    Ok(founded.recover(timeline).await?.0)
}

/// Keys, contracts and actors, before the first round.
pub struct Founded {
    options: RecoveryOptions,
    world: World,
    books: Books,
    fetcher: StatementFetcher,
}

/// The custodian of a run, for whoever goes on asking it; dropping it ends it.
pub struct Custodian(#[expect(dead_code, reason = "held for its end")] StatementFetcher);

impl Founded {
    /// Makes keys, contracts and actors. Services are started with them, and stand for enclave, participants and signers.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub async fn new(
        options: &RecoveryOptions,
        services: Option<Box<dyn Services>>,
        timeline: &mut Timeline<'_>,
    ) -> Result<Self, RecoveryError> {
        options.scenario.validate()?;
        let randomness = randomness(options)?;
        check_production(options, &randomness)?;
        let books = Books::of(&options.scenario.reserve, &randomness);
        timeline.step("distributed key generation");
        let vault = setup::generate_keys(&options.scenario, &randomness)?;
        let members = services.as_ref().map(|_| vault.copies()).transpose()?;
        timeline.step("contracts");
        let chain = timeline.chain(setup::open_chain(options)).await?;
        let mut world = setup::build(options, randomness, chain, vault, timeline, services).await?;
        let started = world.chain.finalised_block().await?.time;
        let fetcher = StatementFetcher::start(options, &books, &world.randomness, started).await?;
        if let Some(members) = members {
            timeline.step("services");
            world.start_services(members, &fetcher).await?;
        }
        Ok(Self { options: options.clone(), world, books, fetcher })
    }

    /// With an agent in the place of the stand-in. Services keep the stand-in: they show no signed report.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub async fn hire(mut self, agent: Box<dyn Refill>, timeline: &mut Timeline<'_>) -> Result<Self, RecoveryError> {
        if self.world.services.is_some() {
            return Err(RecoveryError::Services("an agent of its own is not served by them".to_owned()));
        }
        timeline.step("the agent and its market");
        self.world.hire(agent, &self.options.scenario, timeline).await?;
        Ok(self)
    }

    /// The recovery, from the first version of the table on.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub async fn recover(self, mut timeline: Timeline<'_>) -> Result<(RecoveryReport, Custodian), RecoveryError> {
        let Self { options, mut world, books, fetcher } = self;
        world.hide_books(&fetcher, options.scenario.reserve.recover_to_basis_points).await?;
        let (first, last) = recover(&options, &mut world, &books, &fetcher, &mut timeline).await?;
        Ok((finish(&options, world, (first, last), timeline).await?, Custodian(fetcher)))
    }

    /// Nothing more than services that go on by themselves.
    #[must_use]
    pub fn leave(self) -> Custodian {
        Custodian(self.fetcher)
    }
}

/// The story itself: funds, check, order, clearing, check.
async fn recover(
    options: &RecoveryOptions,
    world: &mut World,
    books: &Books,
    fetcher: &StatementFetcher,
    timeline: &mut Timeline<'_>,
) -> Result<(Verdict, Verdict), RecoveryError> {
    let scenario = &options.scenario;
    world.round(None, GENESIS, timeline).await?;
    timeline.step("deposits and standing orders");
    let gap = books.gap(scenario.reserve.recover_to_basis_points);
    world.fund_pool(scenario, gap, timeline).await?;
    world.round(None, INTAKE, timeline).await?;
    if let Some(thought) = scenario.liquidity.second_thought {
        timeline.step("another submission of a maker");
        world.reconsider(thought, scenario, gap, timeline).await?;
        world.round(None, INTAKE, timeline).await?;
    }
    timeline.step("reserve check");
    let first = world.check_reserve(fetcher, timeline).await?;
    if first.verdict != Verdict::Insolvent {
        return Ok((first.verdict, first.verdict));
    }
    match world.refill.take() {
        Some(agent) => {
            world.be_refilled(agent, &first, fetcher, timeline).await?;
        }
        None => {
            let request = world.request_recovery(&first.envelope, timeline).await?;
            world.route = Route::of(false, true);
            world.settle(request, timeline).await?;
        }
    }
    timeline.step("reserve check, again");
    let mut last = world.check_reserve(fetcher, timeline).await?;
    if let Some(lots) = scenario.buffer {
        last = world.fill_buffer(lots, last, fetcher, timeline).await?;
    }
    if let Some(agent) = world.refill.take().filter(|_| last.verdict == Verdict::Insolvent) {
        world.show_again(agent, &last, timeline).await?;
    }
    Ok((first.verdict, last.verdict))
}

fn randomness(options: &RecoveryOptions) -> Result<Randomness, RecoveryError> {
    let randomness = match options.seed {
        Some(seed) => Randomness::seeded(seed),
        None => Randomness::system()?,
    };
    Ok(match options.secret_seed {
        Some(seed) => randomness.with_hidden(seed),
        None => randomness,
    })
}

/// Refuses, before anything is made, what production must not run.
fn check_production(options: &RecoveryOptions, randomness: &Randomness) -> Result<(), RecoveryError> {
    let configuration = Configuration {
        mode: options.mode,
        seeded: options.seed.or(options.secret_seed).is_some(),
        dealt: false,
        sharing: Sharing::Sizes(options.scenario.threshold().map_err(ScenarioError::from)?),
        policy: Some(&setup::policy(options.mode, randomness)),
        simulated: options.simulated_parts(),
    };
    Ok(configuration.check()?)
}

async fn finish(
    options: &RecoveryOptions,
    mut world: World,
    (first, last): (Verdict, Verdict),
    timeline: Timeline<'_>,
) -> Result<RecoveryReport, RecoveryError> {
    let spans = timeline.finish();
    world.hide_keys();
    world.hide_balances()?;
    let deployment = &world.deployment;
    let contracts = [deployment.forwarder, deployment.attestation, deployment.pool, deployment.feed];
    let tokens = deployment.tokens.iter().map(|token| token.address);
    let contracts = contracts.into_iter().chain(deployment.enclaves).chain(tokens);
    let contracts: Vec<_> = contracts.chain(world.market.iter().copied()).collect();
    let transcript = transcript::collect(&world.chain, deployment.first_block, &contracts).await?;
    let mut files = vec![
        ("committee.ccc".to_owned(), world.committee.to_bytes()),
        ("deployment.json".to_owned(), json(deployment)),
        ("policy.json".to_owned(), json(&PolicyFile::from(&world.policy))),
        ("transcript.json".to_owned(), json(&transcript)),
    ];
    files.extend(world.artifacts.into_iter().map(|artifact| (artifact.name, artifact.bytes)));
    let public_bytes = report::public_bytes(&transcript);
    let hits = report::search_transcript(&transcript, &world.secrets);
    let culprits = world.culprits.into_iter().map(|(participant, reason)| CulpritLine { participant, reason });
    let summary = Summary {
        scenario: options.scenario.name.clone(),
        seed: options.seed,
        initial_status: status(first),
        final_status: status(last),
        route: world.route,
        spans,
        public_bytes,
        artifacts: files.iter().map(|(name, _)| name.clone()).collect(),
        table_version: world.head.as_ref().map_or(0, ccc_core::table::Header::version),
        culprits: culprits.collect(),
    };
    Ok(RecoveryReport {
        summary,
        saw: report::saw(&transcript),
        private: report::private(&world.secrets, &hits, public_bytes),
        transcript,
        public_files: files,
        secrets: world.secrets,
        execution: world.execution,
        figures: world.figures,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("addresses, hashes and numbers always serialise")
}
