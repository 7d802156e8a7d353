//! What `SignedReport::assemble` makes of the signatures that arrive: signers sign one fixed report, another one or an old one, and a
//! collector of this crate assembles what has reached it. The signers and the collector of a devnet are not run here.

use crate::{
    network::{Event, Host, MILLI, Message, Micros, Network, Outbox, SECOND, Weather},
    table::{Extent, Failure, Measured, Row, require},
};
use ccc_core::report::{
    Binding, Culprit, Origin, Payload, QuorumError, Report, ReportContext, ReportSigner, Signature65, SignedReport,
    SignerSet, Solvency, Statement, Verdict,
};

/// The rows of this room.
pub const ROWS: &[Row] = &[Row {
    name: "report-quorum",
    fault: "a report of f + 1 signatures that come late or not at all: F signers absent; F that sign another or an old report; all but f absent; all there",
    goal: "made; made, each wrong signature named; typed error; made",
    run: signing,
}];

/// f of 16, as a forwarder counts: more than 3 f signers.
const SIGNERS: u8 = 16;
const F: u8 = 5;
const COLLECTOR: usize = 0;
const AGAIN: Micros = 200 * MILLI;
const FORWARDER: [u8; 20] = [0xF0; 20];
const CHAIN: u64 = 31_337;
const SEQUENCE: u64 = 7;
const TIME: u64 = 1_800_000_000;

/// What a signer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    Honest,
    /// Signs another report than it was shown.
    Wrong,
    /// Sends its signature of an earlier report.
    Stale,
}

#[derive(Clone)]
enum Word {
    Shown,
    Signed(Signature65),
}

impl Message for Word {
    fn trace(&self, hash: &mut blake3::Hasher) {
        match self {
            Self::Shown => hash.update(&[0]),
            Self::Signed(signature) => hash.update(&signature.to_bytes()),
        };
    }
}

enum Machine {
    Collector(Box<Collector>),
    Signer { signer: ReportSigner, conduct: Conduct },
}

struct Collector {
    signatures: Vec<(usize, Signature65)>,
    set: SignerSet,
    made: Option<Result<SignedReport, QuorumError>>,
    timeout: Micros,
}

impl Collector {
    fn take(&mut self, event: &Event<Word>, out: &mut Outbox<Word>) {
        match event {
            Event::Message(from, Word::Signed(signature)) => {
                if !self.signatures.iter().any(|(who, _)| who == from) {
                    self.signatures.push((*from, *signature));
                }
            }
            Event::Started | Event::Timer(_) => self.ask(out),
            Event::Message(..) => {}
        }
    }

    fn ask(&mut self, out: &mut Outbox<Word>) {
        let all: Vec<_> = self.signatures.iter().map(|(_, signature)| *signature).collect();
        let assembled = assemble(&self.set, &all);
        if assembled.is_ok() || out.now >= self.timeout {
            self.made = Some(assembled);
            return;
        }
        (1..=usize::from(SIGNERS)).for_each(|signer| out.send(signer, Word::Shown));
        out.after(AGAIN, 0);
    }
}

fn report(block: u64) -> Report {
    let origin = Origin { don_id: 1, config_version: 1, workflow_id: [0; 32], workflow_owner: [8; 20] };
    let binding = Binding {
        chain: CHAIN,
        receiver: [0xA7; 20],
        epoch: 1,
        sequence: SEQUENCE,
        valid_until: TIME + 600,
        attestation: [0xAE; 32],
    };
    let statement = Solvency {
        verdict: Verdict::Solvent,
        block,
        block_time: TIME,
        header_hash: [0x4D; 32],
        envelope_digest: [0x5D; 32],
    };
    Report::new(origin, TIME, Payload { binding, statement: Statement::Solvency(statement) }).expect("a report")
}

fn context(set: &SignerSet) -> ReportContext {
    ReportContext { config_digest: set.config_digest(CHAIN, &FORWARDER), sequence: SEQUENCE }
}

fn signers() -> (SignerSet, Vec<ReportSigner>) {
    let signers: Vec<_> = (1..=SIGNERS).map(|at| ReportSigner::from_bytes(&[at; 32]).expect("a key")).collect();
    let addresses = signers.iter().map(ReportSigner::address).collect();
    (SignerSet { don_id: 1, config_version: 1, f: F, signers: addresses }, signers)
}

/// What the collector makes of its signatures.
fn assemble(set: &SignerSet, signatures: &[Signature65]) -> Result<SignedReport, QuorumError> {
    SignedReport::assemble(report(100), context(set), signatures, set, &FORWARDER)
}

impl Host for Machine {
    type Message = Word;

    fn take(&mut self, event: Event<Word>, out: &mut Outbox<Word>) {
        match self {
            Self::Collector(collector) => collector.take(&event, out),
            Self::Signer { signer, conduct } => {
                if let Event::Message(_, Word::Shown) = event {
                    out.send(COLLECTOR, Word::Signed(sign(signer, *conduct)));
                }
            }
        }
    }

    /// A signer keeps nothing.
    fn crash(&mut self) {}
}

fn sign(signer: &ReportSigner, conduct: Conduct) -> Signature65 {
    let (set, _) = signers();
    let shown = match conduct {
        Conduct::Honest => 100,
        Conduct::Wrong => 101,
        Conduct::Stale => 99,
    };
    signer.sign(&report(shown), &context(&set))
}

/// How a collection ended: the report, and the positions that are named when all signatures are examined.
struct Collected {
    made: Result<SignedReport, QuorumError>,
    named: usize,
    wrong: usize,
    trace: [u8; 32],
}

fn collect(conduct: impl Fn(usize) -> Conduct, crashed: &[usize], seed: u64) -> Result<Collected, Failure> {
    let (set, keys) = signers();
    let timeout = 5 * SECOND;
    let mut machines =
        vec![Machine::Collector(Box::new(Collector { signatures: Vec::new(), set: set.clone(), made: None, timeout }))];
    for (at, signer) in (1..).zip(keys) {
        machines.push(Machine::Signer { signer, conduct: conduct(at) });
    }
    let mut network = Network::new(machines, Weather::FOUL, seed);
    crashed.iter().for_each(|host| network.crash(*host, 0, None));
    network.run(
        10 * SECOND,
        |machines| matches!(&machines[COLLECTOR], Machine::Collector(collector) if collector.made.is_some()),
    );
    let trace = network.trace();
    let not_ended = || Failure::Missed("the collector did not end".to_owned());
    let Some(Machine::Collector(collector)) = network.hosts.into_iter().next() else { return Err(not_ended()) };
    let Collector { signatures, made, .. } = *collector;
    let made = made.ok_or_else(not_ended)?;
    let wrong = signatures.iter().filter(|(from, _)| conduct(*from) != Conduct::Honest).count();
    let all: Vec<_> = signatures.iter().map(|(_, signature)| *signature).collect();
    let digest = report(100).signing_digest(&context(&set));
    let culprits = set.examine(&digest, &all).culprits;
    let just = culprits.iter().all(|Culprit { position, .. }| conduct(signatures[*position].0) != Conduct::Honest);
    require(just, || "an honest signature is named".to_owned())?;
    Ok(Collected { made, named: culprits.len(), wrong, trace })
}

fn signed(collected: &Collected) -> Result<(), Failure> {
    let (set, _) = signers();
    let signed = collected.made.as_ref().map_err(|error| Failure::Missed(format!("no report: {error}")))?;
    let verified = signed.verify(&set, &FORWARDER);
    require(verified.is_ok(), || format!("a report that does not verify: {verified:?}"))?;
    let Collected { named, wrong, .. } = collected;
    require(named == wrong, || format!("{named} signatures named, where {wrong} were wrong"))
}

fn signing(extent: &Extent) -> Result<Measured, Failure> {
    let (runs, f, mut named) = (if extent.deep { 1_000 } else { 5 }, usize::from(F), 0);
    let last = |count: usize| (usize::from(SIGNERS) - count + 1..=usize::from(SIGNERS)).collect::<Vec<_>>();
    for seed in (0..runs).map(|at| extent.seed.wrapping_add(at)) {
        let with_seed = |failure| Failure::Missed(format!("--seed {seed}: {failure}"));
        signed(&collect(|_| Conduct::Honest, &last(f), seed)?).map_err(with_seed)?;
        let conduct = |at: usize| match at {
            1 | 4 | 7 => Conduct::Wrong,
            10 | 13 => Conduct::Stale,
            _ => Conduct::Honest,
        };
        let lied = collect(conduct, &[], seed)?;
        signed(&lied).map_err(with_seed)?;
        named += lied.named;
        let few = collect(|_| Conduct::Honest, &last(usize::from(SIGNERS) - f), seed)?.made;
        let expected = QuorumError::BelowThreshold { needed: f + 1, found: f, culprits: Vec::new() };
        require(few == Err(expected), || format!("--seed {seed}: {f} signatures, and no typed refusal"))?;
        signed(&collect(|_| Conduct::Honest, &[], seed)?).map_err(with_seed)?;
    }
    let trace = |seed| Ok::<_, Failure>(collect(|_| Conduct::Honest, &[], seed)?.trace);
    let first = trace(extent.seed)?;
    require(first == trace(extent.seed)?, || "a seed does not replay".to_owned())?;
    if named == 0 {
        return Err(Failure::NotRun("no wrong signature arrived: this seed tries too little".to_owned()));
    }
    let trace = hex::encode(&first[..4]);
    let figures = format!(
        "{runs} seeds: made of f + 1 of {SIGNERS}; {named} wrong signatures named; {f} make no report; trace {trace}"
    );
    Ok(Measured { figures, took: None })
}
