//! The rows of re-encryption.

use super::{
    Machine,
    asker::{Asker, Patience, Pending},
    asks::{Times, Vault},
    node::{Lie, Node},
};
use crate::{
    network::{MILLI, Micros, Network, SECOND, Weather},
    table::{Extent, Failure, Measured, Row, require},
};
use ccc_core::{
    enclave::attestation::{PolicyRefusal, simulated::SimulatedError},
    vault::{CombineError, Culprit, CulpritReason},
};
use ccc_node::vault_node::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of this room.
pub const ROWS: &[Row] = &[
    Row {
        name: "requests-crashed",
        fault: "re-encryption with F participants crashed",
        goal: "100 % opened, p99 < 300 ms at 16, < 600 ms at 100",
        run: crashed,
    },
    Row {
        name: "requests-liars",
        fault: "re-encryption with F liars: wrong, stale, copied, oversized, half-finished, equivocating",
        goal: "100 % opened, exactly those named whose lie is proved",
        run: liars,
    },
    Row {
        name: "requests-down",
        fault: "re-encryption with F + 1 down, and one back",
        goal: "typed error at the timeout, opened < 5 s after the return",
        run: down,
    },
    Row {
        name: "requests-storm",
        fault: "loss, delay, copies, crashes between any two events, and a host that asks for two digests of one identifier",
        goal: "no share for two digests of one identifier; every honest request opened",
        run: storm,
    },
    Row {
        name: "requests-skew",
        fault: "clocks of F participants 5 minutes ahead or behind",
        goal: "100 % opened; a request that has ended opens nothing; those F are of another mind, and nobody else",
        run: skew,
    },
    Row {
        name: "requests-full",
        fault: "media of F participants full; of F + 1; freed",
        goal: "100 % opened; no share leaves that is not kept, typed error; opened < 5 s after",
        run: full,
    },
];

fn missed(why: impl Into<String>) -> Failure {
    Failure::Missed(why.into())
}

fn faulty(n: u16) -> usize {
    usize::from((n - 1) / 3)
}

fn sizes(extent: &Extent) -> &'static [u16] {
    if extent.deep { &[16, 100] } else { &[16] }
}

fn id(number: u64) -> [u8; 32] {
    let mut id = [0x1E; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

/// Honest requests, one every so often.
fn series(vault: &Vault, count: u64, every: Micros, seed: u64) -> Vec<Pending> {
    let one = |at| Pending::new(vault.prepare(id(at), Times::AHEAD, seed ^ (at << 20)), at * every);
    (0..count).map(one).collect()
}

/// How a run is set up.
struct Play<'v> {
    vault: &'v Vault,
    requests: Vec<Pending>,
    patience: Patience,
    weather: Weather,
    lies: BTreeMap<usize, Lie>,
    seed: u64,
}

/// When a request that is not opened is tried all the same.
const TIMEOUT: Micros = 2 * SECOND;

impl<'v> Play<'v> {
    fn new(vault: &'v Vault, requests: Vec<Pending>, seed: u64) -> Self {
        Self { vault, requests, patience: Patience::First, weather: Weather::FAIR, lies: BTreeMap::new(), seed }
    }

    fn network(self) -> Network<Machine> {
        let nodes = self.vault.members.len();
        let asker = Asker::new(self.requests, nodes, self.vault.threshold(), self.patience, TIMEOUT);
        let mut machines = vec![Machine::Asker(Box::new(asker))];
        for at in 0..nodes {
            let lie = self.lies.get(&(at + 1)).copied();
            machines.push(Machine::Node(Box::new(Node::new(self.vault, at, lie, self.seed))));
        }
        Network::new(machines, self.weather, self.seed)
    }
}

fn asker(machines: &[Machine]) -> &Asker {
    match machines.first() {
        Some(Machine::Asker(asker)) => asker,
        _ => unreachable!("the first host asks"),
    }
}

fn nodes(machines: &[Machine]) -> impl Iterator<Item = &Node> {
    machines.iter().filter_map(|machine| match machine {
        Machine::Node(node) => Some(&**node),
        Machine::Asker(_) => None,
    })
}

fn all_opened(machines: &[Machine]) -> bool {
    asker(machines).requests.iter().all(|pending| pending.opened.is_some())
}

/// Runs until every request is opened; otherwise says how many were not.
fn open_all(network: &mut Network<Machine>, until: Micros) -> Result<(), Failure> {
    if network.run(until, all_opened) {
        return Ok(());
    }
    let requests = &asker(&network.hosts).requests;
    let open = requests.iter().filter(|pending| pending.opened.is_none()).count();
    Err(missed(format!("{open} of {} requests not opened by {} s", requests.len(), until / SECOND)))
}

/// Distinct hosts from 1.
fn some(network: &mut Network<Machine>, count: usize) -> Vec<usize> {
    let (mut chosen, nodes) = (BTreeSet::new(), network.hosts.len() as u64 - 1);
    while chosen.len() < count {
        chosen.insert(1 + usize::try_from(network.draw(nodes)).expect("small"));
    }
    chosen.into_iter().collect()
}

fn crashed(extent: &Extent) -> Result<Measured, Failure> {
    let (mut figures, mut took) = (Vec::new(), 0);
    for &n in sizes(extent) {
        let vault = Vault::new(n);
        let count = if extent.deep { 500 } else { 100 };
        let mut network = Play::new(&vault, series(&vault, count, 20 * MILLI, extent.seed), extent.seed).network();
        let victims = some(&mut network, faulty(n));
        victims.iter().for_each(|host| network.crash(*host, 0, None));
        open_all(&mut network, 60 * SECOND)?;
        let mut latencies: Vec<_> = asker(&network.hosts).requests.iter().filter_map(Pending::latency).collect();
        latencies.sort_unstable();
        let (p50, p99) = (latencies[latencies.len() / 2], latencies[(latencies.len() * 99).div_ceil(100) - 1]);
        let goal = if n == 16 { 300 } else { 600 } * MILLI;
        require(p99 < goal, || format!("n = {n}: p99 {} ms, where {} ms are the goal", p99 / MILLI, goal / MILLI))?;
        figures.push(format!(
            "n = {n}, {} crashed: {count} of {count}, p50 {} ms, p99 {} ms",
            victims.len(),
            p50 / MILLI,
            p99 / MILLI
        ));
        took = took.max(p99);
    }
    Ok(Measured { figures: figures.join("; "), took: Some(took) })
}

/// Every lie in turn beside others: one that makes a combination fail is always among the first t.
fn liars(extent: &Extent) -> Result<Measured, Failure> {
    let mut count = 0;
    for &n in sizes(extent) {
        let vault = Vault::new(n);
        for shift in 0..Lie::ALL.len() {
            // the first participant's share is always looked at, and is always wrong
            let others = (1..faulty(n)).map(|at| (1 + at * 3, Lie::ALL[(at + shift) % Lie::ALL.len()]));
            let lies: BTreeMap<_, _> = others.chain([(1, Lie::Wrong)]).collect();
            for seed in (0..4).map(|at| extent.seed.wrapping_add(at)) {
                let place = || format!("--seed {seed}, n = {n}, {lies:?}");
                count += lied(&vault, &lies, seed).map_err(|failure| failure.within(&place()))?;
            }
        }
    }
    Ok(Measured { figures: format!("{count} of {count} opened, every proved liar named and nobody else"), took: None })
}

fn lied(vault: &Vault, lies: &BTreeMap<usize, Lie>, seed: u64) -> Result<usize, Failure> {
    let requests = series(vault, 3, 20 * MILLI, seed);
    let play = Play { lies: lies.clone(), patience: Patience::All(SECOND), ..Play::new(vault, requests, seed) };
    let mut network = play.network();
    open_all(&mut network, 60 * SECOND)?;
    let expected: Vec<(u16, CulpritReason)> =
        lies.iter().filter_map(|(host, lie)| Some((u16::try_from(*host).expect("small"), lie.reason()?))).collect();
    for pending in &asker(&network.hosts).requests {
        let named: Vec<_> = pending.opened.iter().flat_map(|(_, culprits)| culprits).map(reason).collect();
        require(named == expected, || format!("{named:?} named, where {expected:?} lied"))?;
    }
    Ok(asker(&network.hosts).requests.len())
}

fn reason(culprit: &Culprit) -> (u16, CulpritReason) {
    (culprit.identifier.get(), culprit.reason)
}

fn down(extent: &Extent) -> Result<Measured, Failure> {
    let (mut figures, mut took) = (Vec::new(), 0);
    for &n in sizes(extent) {
        let vault = Vault::new(n);
        let mut network = Play::new(&vault, series(&vault, 10, 20 * MILLI, extent.seed), extent.seed).network();
        let victims = some(&mut network, faulty(n) + 1);
        let back = 10 * SECOND;
        for (at, victim) in victims.iter().enumerate() {
            network.crash(*victim, 0, (at == 0).then_some(back));
        }
        network.run(back - 1, all_opened);
        refused(&network, &vault, usize::from(n) - victims.len())?;
        open_all(&mut network, back + 5 * SECOND)?;
        let recovered = network.now() - back;
        figures.push(format!(
            "n = {n}: refused after {} s, opened {} ms after the return",
            TIMEOUT / SECOND,
            recovered / MILLI
        ));
        took = took.max(recovered);
    }
    Ok(Measured { figures: figures.join("; "), took: Some(took) })
}

/// Nothing is opened, and the enclave said that shares are missing, how many, and blamed nobody.
fn refused(network: &Network<Machine>, vault: &Vault, live: usize) -> Result<(), Failure> {
    let need = vault.threshold();
    let expected = CombineError::NotEnoughShares { need, have: live, culprits: Vec::new() };
    for pending in &asker(&network.hosts).requests {
        require(pending.opened.is_none(), || format!("opened with {live} participants, where {need} are needed"))?;
        let found = &pending.refused;
        require(found.as_ref() == Some(&expected), || {
            format!("at the timeout: {found:?}, where {expected:?} is right")
        })?;
    }
    Ok(())
}

fn storm(extent: &Extent) -> Result<Measured, Failure> {
    let seeds = if extent.deep { 100 } else { 2 };
    let (mut crashes, mut answers, mut first) = (0, 0, None);
    for seed in (0..seeds).map(|at| extent.seed.wrapping_add(at)) {
        let (network, kept) = stormed(seed).map_err(|failure| missed(format!("--seed {seed}: {failure}")))?;
        first.get_or_insert(network.trace());
        crashes += network.befell.crashed;
        answers += kept;
    }
    let (again, _) = stormed(extent.seed)?;
    require(first == Some(again.trace()), || format!("--seed {} does not replay", extent.seed))?;
    let trace = hex::encode(&again.trace()[..4]);
    Ok(Measured {
        figures: format!(
            "{seeds} runs from seed {}: {crashes} crashes, {answers} answers of a participant to an identifier, none to two digests; replayed, trace {trace}",
            extent.seed
        ),
        took: None,
    })
}

/// Ten honest requests and five identifiers under which two digests are asked for.
fn stormed(seed: u64) -> Result<(Network<Machine>, usize), Failure> {
    let (n, honest) = (16, 10);
    let vault = Vault::new(n);
    let mut requests = series(&vault, honest, 200 * MILLI, seed);
    for at in honest..honest + 5 {
        for (twin, deadline) in [(1, 500), (2, 700)] {
            let times = Times { deadline, ..Times::AHEAD };
            let prepared = vault.prepare(id(at), times, seed ^ (at << 20) ^ (twin << 40));
            requests.push(Pending::new(prepared, (at - honest) * 200 * MILLI));
        }
    }
    let play = Play { weather: Weather::FOUL, ..Play::new(&vault, requests, seed) };
    let mut network = play.network();
    for host in 1..=usize::from(n) {
        for _ in 0..6 {
            let (at, down) = (network.draw(8 * SECOND), 20 * MILLI + network.draw(SECOND));
            network.crash(host, at, Some(down));
        }
    }
    network.run(14 * SECOND, |_| false);
    let requests = &asker(&network.hosts).requests;
    let open = requests.iter().take(10).filter(|pending| pending.opened.is_none()).count();
    require(open == 0, || format!("{open} of {honest} honest requests not opened"))?;
    let both = requests[10..].chunks(2).filter(|pair| pair.iter().all(|pending| pending.opened.is_some())).count();
    require(both == 0, || format!("{both} identifiers opened for two digests"))?;
    let mut kept = 0;
    for (at, node) in (1..).zip(nodes(&network.hosts)) {
        let twice = node.sent.values().filter(|digests| digests.len() > 1).count();
        require(twice == 0, || format!("participant {at} sent shares for two digests of {twice} identifiers"))?;
        kept += node.sent.len();
    }
    Ok((network, kept))
}

fn skew(extent: &Extent) -> Result<Measured, Failure> {
    let (mut figures, mut took) = (Vec::new(), 0);
    for &n in sizes(extent) {
        for by in [-300_i64, 300] {
            let vault = Vault::new(n);
            // a minute to go, and a minute over
            let live = Times { attested: -1, deadline: 60 };
            let over = Times { attested: -400, deadline: -60 };
            let requests = vec![
                Pending::new(vault.prepare(id(1), live, extent.seed), 0),
                Pending::new(vault.prepare(id(2), over, extent.seed.wrapping_add(1)), 0),
            ];
            let mut network = Play::new(&vault, requests, extent.seed).network();
            let skewed = some(&mut network, faulty(n));
            skewed.iter().for_each(|host| network.skew(*host, by * 1_000_000));
            network.run(10 * SECOND, all_opened);
            let [live, over] = &asker(&network.hosts).requests[..] else {
                return Err(missed("two requests were made"));
            };
            require(live.opened.is_some(), || format!("n = {n}, {by} s: a request with a minute to go is not opened"))?;
            require(over.opened.is_none(), || format!("n = {n}, {by} s: a request that has ended is opened"))?;
            took = took.max(live.latency().unwrap_or_default());
            of_another_mind(&network, &skewed, by)?;
        }
        figures
            .push(format!("n = {n}: opened with {} clocks 5 min off either way, and not once it has ended", faulty(n)));
    }
    Ok(Measured { figures: figures.join("; "), took: Some(took) })
}

/// Whoever's clock is ahead refuses the request that has a minute to go, as ended; whoever's is behind refuses it as one of the
/// future, and answers the one that has ended. Nobody else does either.
fn of_another_mind(network: &Network<Machine>, skewed: &[usize], by: i64) -> Result<(), Failure> {
    for (at, node) in (1_usize..).zip(nodes(&network.hosts)) {
        let wrong = skewed.contains(&at);
        let about_live = |refused: &&([u8; 32], Refusal)| refused.0 == id(1);
        let refused = node.refused.iter().find(about_live).map(|(_, refusal)| refusal);
        let expected = match refused {
            None => !wrong,
            Some(Refusal::Expired { .. }) => wrong && by > 0,
            Some(Refusal::Policy(PolicyRefusal::NotGenuine(SimulatedError::Validity { not_before, now, .. }))) => {
                wrong && by < 0 && now < not_before
            }
            Some(_) => false,
        };
        require(expected, || format!("participant {at}, clock off: {wrong}, {by} s: {refused:?}"))?;
        let answered = node.sent.contains_key(&id(2));
        require(answered == (wrong && by < 0), || {
            format!("participant {at}, {by} s: answered what has ended: {answered}")
        })?;
    }
    Ok(())
}

fn full(extent: &Extent) -> Result<Measured, Failure> {
    let (mut figures, mut took) = (Vec::new(), 0);
    for &n in sizes(extent) {
        for count in [faulty(n), faulty(n) + 1] {
            let vault = Vault::new(n);
            let mut network = Play::new(&vault, series(&vault, 10, 20 * MILLI, extent.seed), extent.seed).network();
            let victims = some(&mut network, count);
            set_full(&network, &victims, true);
            if count == faulty(n) {
                open_all(&mut network, 10 * SECOND)?;
                continue;
            }
            let freed = 10 * SECOND;
            network.run(freed, all_opened);
            refused(&network, &vault, usize::from(n) - count)?;
            said_so(&network, &victims)?;
            set_full(&network, &victims, false);
            open_all(&mut network, freed + 5 * SECOND)?;
            took = took.max(network.now() - freed);
        }
        figures.push(format!("n = {n}: opened with {}, refused with {}, opened once freed", faulty(n), faulty(n) + 1));
    }
    Ok(Measured { figures: figures.join("; "), took: Some(took) })
}

fn set_full(network: &Network<Machine>, victims: &[usize], is_full: bool) {
    for (at, node) in (1..).zip(nodes(&network.hosts)) {
        if victims.contains(&at) {
            node.medium.set_full(is_full);
        }
    }
}

fn said_so(network: &Network<Machine>, victims: &[usize]) -> Result<(), Failure> {
    for (at, node) in (1_usize..).zip(nodes(&network.hosts)).filter(|(at, _)| victims.contains(at)) {
        require(node.sent.is_empty(), || format!("participant {at} sent a share that it did not keep"))?;
        require(node.refused_by_journal > 0, || format!("participant {at} did not say that its medium is full"))?;
    }
    Ok(())
}
