//! The rounds of a repair as everybody reads them from the board.

use super::complaint::RepairComplaint;
use super::packet::{Expected, RepairPacket, Stage, seen, seen_bytes};
use super::session::RepairSession;
use super::{RepairCulprit, RepairError, RepairFault, ended};
use crate::encoding::Kind;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use curve25519_dalek::RistrettoPoint;

/// Distinct packets of one sender and stage that are looked at: two show that it said two things.
const MAX_PER_SENDER: usize = 2;

/// Every helper's split, checked in public.
pub(super) struct FirstRound {
    packets: BTreeMap<Identifier, RepairPacket>,
    seen: [u8; 32],
}

/// Every helper's sum, checked in public.
pub(super) struct SecondRound {
    packets: BTreeMap<Identifier, RepairPacket>,
}

type Culprits = BTreeMap<Identifier, RepairFault>;

impl RepairSession {
    /// digest32 of the splits, which every sum of them names; `None` unless there is one of each helper. Whether they are
    /// right, it does not say.
    #[must_use]
    pub fn digest_of_splits(&self, envelopes: &[Envelope]) -> Option<[u8; 32]> {
        let posted = collect(self, envelopes, |envelope| is_packet(envelope, Stage::Split));
        let one = |helper| match posted.get(helper).map(Vec::as_slice) {
            Some([payload]) => Some(*payload),
            _ => None,
        };
        let payloads: Vec<&[u8]> = self.helpers().iter().map(one).collect::<Option<_>>()?;
        Some(seen_bytes(self, payloads.into_iter()))
    }

    /// Whether a sum is one of other splits than those with this digest: it neither counts nor contradicts.
    #[must_use]
    pub fn is_of_other_splits(envelope: &Envelope, splits: Option<[u8; 32]>) -> bool {
        is_sum_after(envelope, |found| Some(found) != splits)
    }
}

impl FirstRound {
    /// The splits; Σ_j D_ij = λ_i·P_i for each.
    pub(super) fn read(session: &RepairSession, envelopes: &[Envelope]) -> Result<Self, RepairError> {
        let before = seen(session, core::iter::empty());
        let expected = |sender: Identifier, position: usize| Expected {
            session,
            sender,
            seen: before,
            recipients: session.helpers(),
            sum: weighted_key(session, sender, position),
        };
        let (packets, culprits) = read_stage(session, Stage::Split, envelopes, None, expected);
        ended(named(culprits))?;
        let seen = seen(session, packets.values());
        Ok(Self { packets, seen })
    }

    /// digest32 of what this round carried.
    pub(super) fn seen(&self) -> [u8; 32] {
        self.seen
    }

    pub(super) fn packets(&self) -> impl Iterator<Item = (Identifier, &RepairPacket)> {
        self.packets.iter().map(|(&sender, packet)| (sender, packet))
    }

    /// Σ_i D_ij of the helper at this place.
    fn committed_sum(&self, position: usize) -> RistrettoPoint {
        self.packets.values().filter_map(|packet| packet.commitment(position)).sum()
    }
}

impl SecondRound {
    /// The sums; σ_j·G = Σ_i D_ij for each, and nobody complains about a split.
    pub(super) fn read(
        session: &RepairSession,
        first: &FirstRound,
        envelopes: &[Envelope],
    ) -> Result<Self, RepairError> {
        let lost = [session.lost()];
        let expected = |sender: Identifier, position: usize| Expected {
            session,
            sender,
            seen: first.seen,
            recipients: &lost,
            sum: first.committed_sum(position),
        };
        let (packets, mut culprits) = read_stage(session, Stage::Sum, envelopes, Some(first.seen), expected);
        let elsewhere = read_another_board(session, first.seen, envelopes, &culprits);
        elsewhere.iter().for_each(|helper| forgive_silence(&mut culprits, *helper));
        for (accuser, complaint) in complaints(session, Stage::Split, envelopes) {
            let Some(position) = session.position(accuser) else { continue };
            let Some(packet) = first.packets.get(&complaint.sender()) else { continue };
            forgive_silence(&mut culprits, accuser);
            let (culprit, fault) = complaint.judge(session, packet, (position, accuser));
            forgive_silence(&mut culprits, culprit);
            culprits.entry(culprit).or_insert(fault);
        }
        ended(named(culprits))?;
        if elsewhere.is_empty() { Ok(Self { packets }) } else { Err(RepairError::OtherBoard { helpers: elsewhere }) }
    }

    pub(super) fn packets(&self) -> impl Iterator<Item = (Identifier, &RepairPacket)> {
        self.packets.iter().map(|(&sender, packet)| (sender, packet))
    }

    /// Who is at fault by the lost participant's complaints.
    pub(super) fn judge(&self, session: &RepairSession, envelopes: &[Envelope]) -> Vec<RepairCulprit> {
        let mut culprits = Culprits::new();
        for (accuser, complaint) in complaints(session, Stage::Sum, envelopes) {
            if accuser != session.lost() {
                continue;
            }
            let Some(packet) = self.packets.get(&complaint.sender()) else { continue };
            let (culprit, fault) = complaint.judge(session, packet, (0, accuser));
            culprits.entry(culprit).or_insert(fault);
        }
        named(culprits)
    }
}

/// The helpers of which nothing is here but sums of other splits. Somebody showed them another board, or they lie: what
/// they signed does not tell which.
fn read_another_board(
    session: &RepairSession,
    seen: [u8; 32],
    envelopes: &[Envelope],
    culprits: &Culprits,
) -> Vec<Identifier> {
    let others = collect(session, envelopes, |envelope| is_sum_after(envelope, |found| found != seen));
    others.into_keys().filter(|sender| culprits.get(sender) == Some(&RepairFault::Silent)).collect()
}

fn is_packet(envelope: &Envelope, stage: Stage) -> bool {
    envelope.kind() == Kind::RepairPacket && RepairPacket::stage_of(envelope.unverified_payload()) == Some(stage)
}

/// Whether an envelope claims to be a sum of splits with such a digest.
fn is_sum_after(envelope: &Envelope, seen: impl Fn([u8; 32]) -> bool) -> bool {
    let found = (envelope.kind() == Kind::RepairPacket).then(|| RepairPacket::after(envelope.unverified_payload()));
    matches!(found.flatten(), Some((Stage::Sum, found)) if seen(found))
}

/// Who complains is not silent, and a proved fault is named before silence.
fn forgive_silence(culprits: &mut Culprits, accuser: Identifier) {
    if culprits.get(&accuser) == Some(&RepairFault::Silent) {
        culprits.remove(&accuser);
    }
}

fn named(culprits: Culprits) -> Vec<RepairCulprit> {
    culprits.into_iter().map(|(identifier, fault)| RepairCulprit { identifier, fault }).collect()
}

/// λ_i·P_i.
fn weighted_key(session: &RepairSession, helper: Identifier, position: usize) -> RistrettoPoint {
    let key = session.committee().member(helper).map(|member| member.verification_key);
    key.unwrap_or_default() * session.weight(position)
}

/// The packets of a stage, and who sent none that counts.
fn read_stage<'a>(
    session: &'a RepairSession,
    stage: Stage,
    envelopes: &[Envelope],
    seen: Option<[u8; 32]>,
    expected: impl Fn(Identifier, usize) -> Expected<'a>,
) -> (BTreeMap<Identifier, RepairPacket>, Culprits) {
    // sums of other splits are of a board that this one is not: they neither count nor contradict
    let posted = collect(session, envelopes, |envelope| {
        let fits = stage == Stage::Split || !RepairSession::is_of_other_splits(envelope, seen);
        is_packet(envelope, stage) && fits
    });
    let (mut packets, mut culprits) = (BTreeMap::new(), Culprits::new());
    for (position, &helper) in session.helpers().iter().enumerate() {
        match read_one(posted.get(&helper), &expected(helper, position)) {
            Ok(packet) => drop(packets.insert(helper, packet)),
            Err(fault) => drop(culprits.insert(helper, fault)),
        }
    }
    culprits.extend(repeated_points(&packets).map(|sender| (sender, RepairFault::RepeatedPoint)));
    (packets, culprits)
}

fn read_one(posted: Option<&Vec<&[u8]>>, expected: &Expected<'_>) -> Result<RepairPacket, RepairFault> {
    match posted.map(Vec::as_slice) {
        Some([bytes]) => {
            let packet = RepairPacket::from_bytes(bytes).map_err(|error| RepairFault::Packet(error.into()))?;
            packet.verify_vartime(expected).map_err(RepairFault::Packet)?;
            Ok(packet)
        }
        Some([_, _, ..]) => Err(RepairFault::Equivocation),
        Some([]) | None => Err(RepairFault::Silent),
    }
}

/// Who uses the ephemeral point of another.
fn repeated_points(packets: &BTreeMap<Identifier, RepairPacket>) -> impl Iterator<Item = Identifier> {
    let mut senders: BTreeMap<[u8; 32], Vec<Identifier>> = BTreeMap::new();
    for (sender, packet) in packets {
        senders.entry(*packet.r().bytes()).or_default().push(*sender);
    }
    senders.into_values().filter(|same| same.len() > 1).flatten()
}

/// Complaints about packets of this stage, the first of each accuser about each sender. What cannot be read counts for
/// nothing.
fn complaints(session: &RepairSession, stage: Stage, envelopes: &[Envelope]) -> Vec<(Identifier, RepairComplaint)> {
    let mut found: BTreeMap<(Identifier, Identifier), RepairComplaint> = BTreeMap::new();
    for envelope in envelopes.iter().filter(|e| e.kind() == Kind::RepairComplaint && e.topic() == session.id()) {
        let Ok(complaint) = RepairComplaint::from_bytes(envelope.unverified_payload()) else { continue };
        let key = (envelope.identifier(), complaint.sender());
        if complaint.stage() != stage || found.contains_key(&key) || session.position(key.1).is_none() {
            continue;
        }
        if envelope.verify(session.committee()).is_ok() {
            found.insert(key, complaint);
        }
    }
    found.into_iter().map(|((accuser, _), complaint)| (accuser, complaint)).collect()
}

/// The distinct payloads that helpers signed for this session, per sender. Whatever is not signed counts for nothing.
fn collect<'e>(
    session: &RepairSession,
    envelopes: &'e [Envelope],
    wanted: impl Fn(&Envelope) -> bool,
) -> BTreeMap<Identifier, Vec<&'e [u8]>> {
    let mut collected: BTreeMap<Identifier, Vec<&[u8]>> = BTreeMap::new();
    for envelope in envelopes.iter().filter(|e| e.topic() == session.id() && wanted(e)) {
        let known = collected.get(&envelope.identifier());
        if known.is_some_and(|all| all.len() >= MAX_PER_SENDER || all.contains(&envelope.unverified_payload())) {
            continue;
        }
        if let Ok(payload) = envelope.verify(session.committee()) {
            collected.entry(envelope.identifier()).or_default().push(payload);
        }
    }
    collected
}
