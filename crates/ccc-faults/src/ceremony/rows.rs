//! The rows of key generation, refresh and reshare.

use super::{
    Ended, Scenario, Settled,
    cast::Cast,
    lies::{Liar, Lie},
    run,
};
use crate::{
    guards,
    network::{Befell, Cut, MILLI, Micros, SECOND, Weather},
    table::{Extent, Failure, Measured, Row, require},
};
use ccc_core::keys::{
    Committee, Protocol,
    rounds::{Fault, Role, RoundsError, Step},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use std::collections::BTreeSet;

use super::member::MemberError;

/// The rows of this room.
pub const ROWS: &[Row] = &[
    Row { name: "dkg", fault: "key generation, all up", goal: "< 5 s at 16, < 60 s at 100", run: all_up },
    Row {
        name: "dkg-silent",
        fault: "key generation, F silent; F + 1; all back",
        goal: "< 15 s at 16, < 180 s at 100, exactly F named; typed error; works again",
        run: silent,
    },
    Row {
        name: "dkg-storm",
        fault: "key generation: loss, delay, reordering, copies, cuts, crashes after every step",
        goal: "all agree, no honest member named for a lie",
        run: |extent| storms(Protocol::Dkg, extent),
    },
    Row {
        name: "refresh-storm",
        fault: "refresh under the same",
        goal: "as before, and the master key stays",
        run: |extent| storms(Protocol::Refresh, extent),
    },
    Row {
        name: "reshare-storm",
        fault: "reshare to another committee under the same",
        goal: "as before, and the master key stays",
        run: |extent| storms(Protocol::Reshare, extent),
    },
    Row {
        name: "reshare-unheard",
        fault: "reshare: F receivers are never heard; F + 1; none",
        goal: "handed over; nobody hands over; handed over",
        run: unheard,
    },
    Row {
        name: "dkg-liars",
        fault: "key generation: wrong, stale, copied, oversized, half-finished, equivocating messages, F liars at once",
        goal: "all honest agree, the liars are named for their lies and nobody else; copies do no harm",
        run: |extent| liars(Protocol::Dkg, extent),
    },
    Row {
        name: "refresh-liars",
        fault: "refresh with the same liars",
        goal: "as before",
        run: |extent| liars(Protocol::Refresh, extent),
    },
    Row {
        name: "reshare-liars",
        fault: "reshare with the same liars",
        goal: "as before",
        run: |extent| liars(Protocol::Reshare, extent),
    },
];

type Named = Vec<(Role, u16, Fault)>;

fn cast(protocol: Protocol, n: u16) -> Cast {
    match protocol {
        Protocol::Refresh => Cast::refresh(n),
        Protocol::Reshare => Cast::reshare(n),
        _ => Cast::dkg(n),
    }
}

fn play<'k>(cast: &'k Cast, scenario: &Scenario<'k>) -> Ended {
    match cast.session.protocol() {
        Protocol::Dkg => run(&cast.session, cast.generators(), scenario),
        _ => run(&cast.session, cast.heirs(), scenario),
    }
}

fn faulty(n: u16) -> u16 {
    (n - 1) / 3
}

fn sizes(extent: &Extent) -> &'static [u16] {
    if extent.deep { &[16, 100] } else { &[16] }
}

fn missed(why: impl Into<String>) -> Failure {
    Failure::Missed(why.into())
}

fn seconds(took: Micros) -> String {
    format!("{}.{:02} s", took / SECOND, took % SECOND / 10_000)
}

/// Everybody but the hosts left out ended with the same result, whose shares fit, which an auditor of the board computes
/// as well; who is named, by what everybody says.
fn agreed(cast: &Cast, ended: &Ended, left_out: &[usize]) -> Result<Named, Failure> {
    let mut settled = Vec::new();
    for (at, outcome) in live(ended, left_out) {
        match outcome {
            None => return Err(missed(format!("member {} did not end", at + 1))),
            Some(Err(error)) => return Err(missed(format!("member {} ended with: {error}", at + 1))),
            Some(Ok(one)) => settled.push((at + 1, one)),
        }
    }
    let (_, first) = *settled.first().ok_or_else(|| missed("nobody ended"))?;
    for (host, one) in settled {
        require(alike(first, one), || "two honest members disagree".to_owned())?;
        let fits = match &one.key_share {
            Some(share) => cast.receives(host) && share.matches(&one.committee) == Ok(()),
            None => !cast.receives(host),
        };
        require(fits, || format!("member {host}: no share where it gets one, or one that does not fit"))?;
    }
    if let Some(old) = cast.session.old() {
        let kept = old.master_public_key() == first.committee.master_public_key();
        require(kept, || "another master key".to_owned())?;
    }
    match &ended.audited {
        Some(Ok(audited)) if audited.transcript == first.transcript && audited.culprits == first.culprits => {}
        Some(Err(error)) => return Err(missed(format!("the board's auditor says: {error}"))),
        _ => return Err(missed("the board's auditor comes to another result")),
    }
    Ok(first.culprits.iter().map(|culprit| (culprit.role, culprit.identifier.get(), culprit.fault.clone())).collect())
}

/// Everybody but the hosts left out, by place.
fn live<'e>(
    ended: &'e Ended,
    left_out: &[usize],
) -> impl Iterator<Item = (usize, &'e Option<Result<Settled, MemberError>>)> {
    ended.outcomes.iter().enumerate().filter(|(at, _)| !left_out.contains(&(at + 1)))
}

fn alike(one: &Settled, other: &Settled) -> bool {
    one.committee == other.committee && one.transcript == other.transcript && one.culprits == other.culprits
}

fn all_up(extent: &Extent) -> Result<Measured, Failure> {
    let mut measured = Measured::default();
    for &n in sizes(extent) {
        let cast = Cast::dkg(n);
        let ended = play(&cast, &Scenario::fair(extent.seed));
        let named = agreed(&cast, &ended, &[])?;
        require(named.is_empty(), || format!("n = {n}: {named:?} named, and nobody is at fault"))?;
        within(&mut measured, n, ended.took, if n == 16 { 5 } else { 60 })?;
    }
    Ok(measured)
}

fn within(measured: &mut Measured, n: u16, took: Micros, goal: u64) -> Result<(), Failure> {
    require(took < goal * SECOND, || format!("n = {n}: {} where {goal} s are the goal", seconds(took)))?;
    let separator = if measured.figures.is_empty() { "" } else { "; " };
    measured.figures += &format!("{separator}n = {n}: {}", seconds(took));
    measured.took = Some(took);
    Ok(())
}

fn silent(extent: &Extent) -> Result<Measured, Failure> {
    let mut measured = Measured::default();
    for &n in sizes(extent) {
        let (cast, f) = (Cast::dkg(n), faulty(n));
        let last = |count: u16| (n - count + 1..=n).map(usize::from).collect::<Vec<_>>();
        let ended = play(&cast, &Scenario { silent: last(f), ..Scenario::fair(extent.seed) });
        let named = agreed(&cast, &ended, &last(f))?;
        let expected: Named = (n - f + 1..=n).map(|number| (Role::Dealer, number, Fault::Silent)).collect();
        require(named == expected, || format!("n = {n}: {named:?} named, where the last {f} were silent"))?;
        within(&mut measured, n, ended.took, if n == 16 { 15 } else { 180 })?;
        one_too_many(&cast, n, &last(f + 1), extent.seed)?;
        let back = play(&cast, &Scenario::fair(extent.seed.wrapping_add(1)));
        let named = agreed(&cast, &back, &[])?;
        require(named.is_empty(), || format!("n = {n}: all are back, and {named:?} named"))?;
    }
    measured.figures += "; F + 1: refused by everybody, by name; all back: done";
    Ok(measured)
}

fn one_too_many(cast: &Cast, n: u16, silent: &[usize], seed: u64) -> Result<(), Failure> {
    let ended = play(cast, &Scenario { silent: silent.to_vec(), ..Scenario::fair(seed) });
    let (need, have) = (usize::from(n - faulty(n)), usize::from(n) - silent.len());
    for outcome in ended.outcomes.iter().take(have) {
        let refused = matches!(outcome, Some(Err(MemberError::Rounds(RoundsError::TooFewDealers { need: a, have: b, culprits })))
            if *a == need && *b == have && culprits.iter().map(|one| usize::from(one.identifier.get())).eq(silent.iter().copied()));
        require(refused, || format!("n = {n}, {} silent: no typed refusal", silent.len()))?;
    }
    Ok(())
}

/// Crashes and cuts of at most F members, drawn from a seed.
fn storm(n: u16, members: usize, seed: u64) -> (Scenario<'static>, BTreeSet<usize>) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut draw = |bound: u64| rng.next_u64() % bound;
    let mut victims = BTreeSet::new();
    while victims.len() < usize::from(faulty(n)) {
        victims.insert(1 + usize::try_from(draw(members as u64)).expect("small"));
    }
    let mut scenario =
        Scenario { weather: Weather::FOUL, stores: guards::stands("stored-state"), ..Scenario::fair(seed) };
    for &victim in &victims {
        // spread over a session, so that every step of it is met
        for third in 0..3 {
            let at = third * 5 * SECOND / 2 + draw(5 * SECOND / 2);
            scenario.crashes.push((victim, at, 20 * MILLI + draw(SECOND)));
        }
    }
    // between joining and committing
    let first = *victims.first().expect("F is not zero");
    scenario.crashes.push((first, 500, 20 * MILLI));
    let half = victims.iter().copied().take(victims.len().div_ceil(2)).collect();
    let from = draw(3 * SECOND);
    scenario.cuts.push(Cut { hosts: half, from, until: from + 100 * MILLI + draw(2 * SECOND) });
    (scenario, victims)
}

fn storms(protocol: Protocol, extent: &Extent) -> Result<Measured, Failure> {
    let (mut total, mut steps, mut runs, mut took) = (Befell::default(), BTreeSet::new(), 0, 0);
    let seeds = if extent.deep { 200 } else { 4 };
    let mut sweep: Vec<_> = (0..seeds).map(|at| (16, extent.seed.wrapping_add(at))).collect();
    if extent.deep {
        sweep.push((100, extent.seed));
    }
    let mut first = None;
    for (n, seed) in sweep {
        let ended = weather(protocol, n, seed).map_err(|failure| failure.within(&format!("--seed {seed}, n = {n}")))?;
        (runs, took) = (runs + 1, took.max(ended.took));
        steps.extend(ended.crashed_in.iter().copied());
        add(&mut total, ended.befell);
        first.get_or_insert(ended.trace);
    }
    let again = weather(protocol, 16, extent.seed)?;
    require(first == Some(again.trace), || format!("--seed {} does not replay", extent.seed))?;
    let all = [Step::Joined, Step::Committed, Step::Opened, Step::Complained, Step::Unconfirmed];
    let unstruck: Vec<_> = all.iter().filter(|step| !steps.contains(step)).collect();
    if !unstruck.is_empty() {
        return Err(Failure::NotRun(format!("no crash in the steps {unstruck:?}: this seed tries too little")));
    }
    let Befell { delivered, lost, doubled, overtaken, crashed } = total;
    let trace = hex::encode(&again.trace[..4]);
    let figures = format!(
        "{runs} runs from seed {}: {delivered} delivered, {lost} lost, {doubled} doubled, {overtaken} overtaken, \
         {crashed} crashes in all 5 steps; replayed, trace {trace}",
        extent.seed
    );
    Ok(Measured { figures, took: Some(took) })
}

fn add(total: &mut Befell, one: Befell) {
    total.delivered += one.delivered;
    total.lost += one.lost;
    total.doubled += one.doubled;
    total.overtaken += one.overtaken;
    total.crashed += one.crashed;
}

fn weather(protocol: Protocol, n: u16, seed: u64) -> Result<Ended, Failure> {
    let cast = cast(protocol, n);
    let members = cast.members();
    let (scenario, victims) = storm(n, members, seed);
    let ended = play(&cast, &scenario);
    let named = agreed(&cast, &ended, &[])?;
    let hosts: BTreeSet<u16> = victims.iter().map(|host| cast.number(*host)).collect();
    let unjust = named.iter().find(|(_, number, fault)| *fault != Fault::Silent || !hosts.contains(number));
    require(unjust.is_none(), || format!("honest and named: {unjust:?}"))?;
    let Befell { lost, doubled, overtaken, crashed, .. } = ended.befell;
    if lost * doubled * overtaken * crashed == 0 {
        return Err(Failure::NotRun("a fault never struck: this seed tries too little".to_owned()));
    }
    Ok(ended)
}

fn unheard(extent: &Extent) -> Result<Measured, Failure> {
    let mut figures = Vec::new();
    for &n in sizes(extent) {
        let cast = Cast::reshare(n);
        let receivers = |count: u16| -> Vec<usize> {
            // the last of the roster are hosts of their own
            let members = cast.members();
            (members - usize::from(count) + 1..=members).collect()
        };
        for (count, done) in [(faulty(n), true), (faulty(n) + 1, false), (0, true)] {
            let scenario = Scenario { silent: receivers(count), ..Scenario::fair(extent.seed) };
            let ended = play(&cast, &scenario);
            let outcome = if done {
                agreed(&cast, &ended, &receivers(count)).map(drop)
            } else {
                refused(&ended, n, &receivers(count))
            };
            outcome.map_err(|failure| missed(format!("n = {n}, {count} unheard: {failure}")))?;
        }
        figures.push(format!("n = {n}: {} handed over, {} refused, 0 handed over", faulty(n), faulty(n) + 1));
    }
    Ok(Measured { figures: figures.join("; "), took: None })
}

/// Everybody who is there was refused, by type.
fn refused(ended: &Ended, n: u16, silent: &[usize]) -> Result<(), Failure> {
    let (need_all, have_all) = (usize::from(n - faulty(n)), usize::from(n) - silent.len());
    for (at, outcome) in live(ended, silent) {
        let typed = matches!(outcome, Some(Err(MemberError::Rounds(RoundsError::NotConfirmed { need, have, .. })))
            if *need == need_all && *have == have_all);
        require(typed, || format!("member {}: no typed refusal", at + 1))?;
    }
    Ok(())
}

fn liars(protocol: Protocol, extent: &Extent) -> Result<Measured, Failure> {
    // pairs among 7, of whom F are 2, so that every lie stands beside another
    for at in 0..Lie::ALL.len() {
        let pair = [Lie::ALL[at], Lie::ALL[(at + 5) % Lie::ALL.len()]];
        lied(protocol, 7, &pair, extent.seed).map_err(|failure| missed(format!("{pair:?} among 7: {failure}")))?;
    }
    let n = 16;
    let many = &Lie::ALL[..usize::from(faulty(n))];
    lied(protocol, n, many, extent.seed).map_err(|failure| missed(format!("{many:?} among {n}: {failure}")))?;
    let figures = format!(
        "{} lies, in pairs among 7 and {} at once among {n}: named as they lied, nobody else",
        Lie::ALL.len(),
        many.len()
    );
    Ok(Measured { figures, took: None })
}

/// One session in which the members from the second on tell these lies.
fn lied(protocol: Protocol, n: u16, lies: &[Lie], seed: u64) -> Result<(), Failure> {
    let cast = cast(protocol, n);
    let (mut scenario, mut expected) = (Scenario::fair(seed), Named::new());
    for (at, &lie) in (1..).zip(lies) {
        let (identifier, keys, own) = cast.dealer(at);
        let liar = Liar::new(lie, cast.session.clone(), identifier, keys, own, cast.dealer(0).0);
        scenario.liars.push((at + 1, liar));
        expected.extend(lie.fault().map(|fault| (lie.role(), identifier.get(), fault)));
        if lie == Lie::Stale && cast.session.old().map(Committee::epoch).is_some() {
            expected.push((Role::Receiver, identifier.get(), Fault::Silent));
        }
    }
    let hosts: Vec<_> = scenario.liars.iter().map(|(host, _)| *host).collect();
    let ended = play(&cast, &scenario);
    let named = agreed(&cast, &ended, &hosts)?;
    for (host, liar) in &scenario.liars {
        require(liar.was_carried(&ended.carried), || format!("the lie of member {host} did not reach the board"))?;
    }
    expected.sort_by_key(|(role, number, _)| (*role, *number));
    require(named == expected, || format!("{named:?} named, where {expected:?} lied"))
}
