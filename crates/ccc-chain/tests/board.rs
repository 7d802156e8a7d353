//! A key generation of four over a board on the embedded chain.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails ends its test")]

mod common;

use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{B256, Bytes, U256},
    rpc::types::TransactionRequest,
    sol_types::{SolEvent, SolValue},
};
use ccc_chain::{
    Chain, ChainError, Finality, Wallet,
    bindings::{VaultBoard, VaultRegistry},
    board::{self, Ceremony, ChainBoard, CheckedCeremony, Opening},
    handover,
};
use ccc_core::{
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{
        ParticipantKeys, Protocol, Roster, Session,
        board::{Board, BoardError, Round},
        dealer, dkg,
        rounds::{Culprit, Fault, Participant, Role},
    },
    threshold::Threshold,
};
use common::{embedded_chain, refusal, wallet};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::runtime::Builder;

type Keys = Vec<(Identifier, ParticipantKeys)>;

const STEP: u64 = 10_000;

struct Circle {
    chain: Chain,
    ceremony: Ceremony,
    opening: Opening,
    roster: Roster,
    keys: Keys,
}

fn identifier(number: u16) -> Identifier {
    Identifier::new(number).unwrap()
}

fn account(number: u16) -> Wallet {
    wallet(u8::try_from(number).unwrap())
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A board with an open ceremony of the members 1 to 4.
fn circle() -> Circle {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keys: Keys = (1..=4).map(|i| (identifier(i), ParticipantKeys::generate(&mut rng).unwrap())).collect();
    let members = keys.iter().map(|(i, keys)| keys.public(*i)).collect();
    let roster = Roster::new(Epoch(1), Threshold::default_for(4).unwrap(), members).unwrap();
    let chain = embedded_chain();
    let (ceremony, opening) = wait(async {
        for number in 1..=5 {
            chain.fund(account(number).address()).await.unwrap();
        }
        let contract = board::create(&chain, &account(1)).await.unwrap();
        let opening = opening(&chain, 1).await;
        (board::open(&chain, &account(1), contract, &opening).await.unwrap(), opening)
    });
    Circle { chain, ceremony, opening, roster, keys }
}

async fn opening(chain: &Chain, salt: u8) -> Opening {
    let now = chain.block(BlockId::latest()).await.unwrap().time;
    let members = (1..=4).map(|number| account(number).address()).collect();
    Opening { members, ends: [1, 2, 3, 4].map(|round| now + round * STEP), salt: B256::repeat_byte(salt) }
}

impl Circle {
    /// As a participant, or whoever restarts, finds it; all wallets are here.
    fn board(&self) -> ChainBoard {
        let board = self.read(&self.ceremony, &self.opening).unwrap();
        (1..=4).fold(board, |board, number| board.with_wallet(identifier(number), account(number)))
    }

    fn read(&self, ceremony: &Ceremony, agreed: &Opening) -> Result<ChainBoard, BoardError> {
        ChainBoard::new(self.chain.clone(), *ceremony, agreed, account(1).address())
    }

    fn over(&self, board: &ChainBoard, round: Round) {
        wait(self.chain.advance_time(board.end(round) + 1)).unwrap();
    }

    /// So many blocks more, a second apart.
    fn blocks(&self, count: u64) {
        for _ in 0..count {
            let time = wait(self.chain.block(BlockId::latest())).unwrap().time;
            wait(self.chain.advance_time(time + 1)).unwrap();
        }
    }

    fn session(&self) -> Session {
        Session::new(Protocol::Dkg, None, self.roster.clone(), &self.ceremony.nonce.0)
    }

    /// What member `number` commits to when it draws with this seed.
    fn commitment(&self, number: u16, seed: u64) -> Envelope {
        let (own, keys) = &self.keys[usize::from(number) - 1];
        let party = dkg::Party::new(self.session(), *own, keys).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let committed = Participant::join(party, &mut rng).unwrap().commit().unwrap();
        committed.outgoing()[0].clone()
    }
}

/// A board that is made anew for every call, as by a command that ends; time passes before a round is closed, and a member
/// may say a second thing in the first round.
struct Restarting<'a> {
    circle: &'a Circle,
    also: Option<Envelope>,
}

impl Board for Restarting<'_> {
    fn nonce(&self) -> [u8; 32] {
        self.circle.board().nonce()
    }

    fn post(&mut self, round: Round, envelope: Envelope) -> Result<(), BoardError> {
        self.circle.board().post(round, envelope.clone())?;
        if let Some(also) = self.also.take() {
            self.circle.board().post(round, also)?;
        }
        // the same again is sent once
        self.circle.board().post(round, envelope)
    }

    fn close(&mut self, round: Round) -> Result<Vec<Envelope>, BoardError> {
        let mut board = self.circle.board();
        assert_eq!(board.close(round), Err(BoardError::Early { round }), "before its end");
        self.circle.over(&board, round);
        let closed = board.close(round)?;
        assert_eq!(self.circle.board().close(round)?, closed, "everybody reads the same");
        Ok(closed)
    }
}

/// The committee that all of them made, and who was at fault.
fn run(circle: &Circle, keys: &[(Identifier, ParticipantKeys)], also: Option<Envelope>) -> Vec<Culprit> {
    let mut board = Restarting { circle, also };
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let outcomes = dkg::run_in_process(&circle.roster, keys, &mut board, &mut rng).unwrap();
    let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome.unwrap()).collect();
    assert_eq!(outcomes.len(), keys.len());
    for outcome in &outcomes {
        assert_eq!(outcome.committee.to_bytes(), outcomes[0].committee.to_bytes());
        outcome.key_share.matches(&outcome.committee).unwrap();
        assert_eq!(outcome.culprits, outcomes[0].culprits);
    }
    outcomes[0].culprits.clone()
}

#[test]
fn four_make_a_vault_over_the_chain_and_every_message_is_there_once() {
    let circle = circle();
    assert_eq!(run(&circle, &circle.keys, None), []);
    let closed = [Round::Commit, Round::Open, Round::Confirm].map(|round| circle.board().close(round).unwrap().len());
    assert_eq!(closed, [4, 4, 4]);
}

#[test]
fn n020_one_that_is_silent_on_the_chain_is_named_and_the_others_finish() {
    let circle = circle();
    let culprits = run(&circle, &circle.keys[..3], None);
    assert!(culprits.iter().all(|culprit| (culprit.identifier, &culprit.fault) == (identifier(4), &Fault::Silent)));
    assert!(culprits.iter().any(|culprit| culprit.role == Role::Dealer));
}

/// Both messages are events of one transaction history: nobody reads only one of them.
#[test]
fn n013_one_that_says_two_things_on_the_chain_is_named_by_everybody() {
    let circle = circle();
    let culprits = run(&circle, &circle.keys, Some(circle.commitment(2, 99)));
    assert!(!culprits.is_empty());
    assert!(culprits.iter().all(|culprit| culprit.identifier == identifier(2)), "{culprits:?}");
    assert!(culprits.iter().any(|culprit| culprit.fault.is_proved()), "by its own signatures: {culprits:?}");
}

#[test]
fn n019_what_is_early_late_or_a_strangers_is_not_posted() {
    let circle = circle();
    let message = circle.commitment(1, 3);
    let mut board = circle.board();
    assert_eq!(board.post(Round::Open, message.clone()), Err(BoardError::Early { round: Round::Open }));
    let stranger = circle.read(&circle.ceremony, &circle.opening).unwrap();
    let mut stranger = stranger.with_wallet(identifier(1), account(5));
    match stranger.post(Round::Commit, message.clone()) {
        Err(BoardError::Unreachable(reason)) => assert!(reason.contains("NotMember"), "{reason}"),
        other => panic!("{other:?}"),
    }
    circle.over(&board, Round::Commit);
    assert_eq!(board.post(Round::Commit, message), Err(BoardError::Late { round: Round::Commit }));
    assert_eq!(board.close(Round::Commit), Ok(Vec::new()));
}

/// Two ceremonies on one contract: sessions differ, and so does what is read.
#[test]
fn n022_two_ceremonies_on_one_chain_do_not_mix() {
    let circle = circle();
    let (other, agreed) = wait(async {
        let opening = opening(&circle.chain, 2).await;
        (board::open(&circle.chain, &account(1), circle.ceremony.board, &opening).await.unwrap(), opening)
    });
    assert_ne!(other.nonce, circle.ceremony.nonce);
    let message = circle.commitment(1, 3);
    let mut board = circle.board();
    board.post(Round::Commit, message.clone()).unwrap();
    let mut beside = circle.read(&other, &agreed).unwrap();
    circle.over(&beside, Round::Commit);
    assert_eq!(board.close(Round::Commit).unwrap(), [message]);
    assert_eq!(beside.close(Round::Commit).unwrap(), []);
}

/// Code that says, while it is deployed, what a board says when member `number` posts in the first round.
fn forged(nonce: B256, number: u8, message: &Envelope) -> Bytes {
    let data = (Bytes::from(message.to_bytes()),).abi_encode_params();
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let topics = [B256::with_last_byte(number), B256::with_last_byte(1), nonce, VaultBoard::Posted::SIGNATURE_HASH];
    let pushed = topics.iter().flat_map(|topic| [vec![0x7f], topic.to_vec()].concat());
    let mut code = vec![0x61, length[0], length[1], 0x61, 0, 148, 0x60, 0, 0x39];
    code.extend(pushed);
    code.extend([0x61, length[0], length[1], 0x60, 0, 0xa4, 0x00]);
    assert_eq!(code.len(), 148, "the data begins behind it");
    [code, data].concat().into()
}

/// Anybody may have a contract that says what the board says.
#[test]
fn n022_what_another_contract_says_under_a_ceremonys_nonce_is_not_read() {
    let circle = circle();
    let (message, theirs) = (circle.commitment(1, 3), circle.commitment(2, 4));
    let mut board = circle.board();
    board.post(Round::Commit, message.clone()).unwrap();
    let code = forged(circle.ceremony.nonce, 2, &theirs);
    wait(circle.chain.send(&account(5), TransactionRequest::default().with_deploy_code(code))).unwrap();
    circle.over(&board, Round::Commit);
    assert_eq!(board.close(Round::Commit).unwrap(), [message]);
}

/// Whoever joins says what was agreed on, and the chain has it: nobody reads from another block, board or ceremony.
#[test]
fn n022_a_ceremony_that_is_not_the_one_agreed_on_is_refused() {
    let circle = circle();
    let refused = |ceremony: &Ceremony, agreed: &Opening, opener: u16| {
        let read = ChainBoard::new(circle.chain.clone(), *ceremony, agreed, account(opener).address());
        match read.err() {
            Some(BoardError::Unreachable(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    let (ceremony, agreed) = (circle.ceremony, circle.opening.clone());
    let another = "not the one of these members, ends, salt and opener";
    let mut fewer = agreed.clone();
    fewer.members.pop();
    let mut later = agreed.clone();
    later.ends[3] += 1;
    let salted = Opening { salt: B256::repeat_byte(9), ..agreed.clone() };
    for other in [&fewer, &later, &salted] {
        assert!(refused(&ceremony, other, 1).contains(another));
        // a nonce that fits, of a ceremony that nobody opened
        let nonce = other.nonce(circle.chain.chain_id(), ceremony.board, account(1).address());
        assert!(refused(&Ceremony { nonce, ..ceremony }, other, 1).contains("was not opened in the block"));
    }
    assert!(refused(&ceremony, &agreed, 2).contains(another));
    assert!(refused(&Ceremony { nonce: B256::repeat_byte(9), ..ceremony }, &agreed, 1).contains(another));
    let earlier = Ceremony { first_block: ceremony.first_block - 1, ..ceremony };
    assert!(refused(&earlier, &agreed, 1).contains("was not opened in the block"));
    let ahead = Ceremony { first_block: ceremony.first_block + 1, ..ceremony };
    assert!(refused(&ahead, &agreed, 1).contains("not open by a final block"));
    let board = account(4).address();
    let nonce = agreed.nonce(circle.chain.chain_id(), board, account(1).address());
    assert!(refused(&Ceremony { board, nonce, ..ceremony }, &agreed, 1).contains("on no board"));
}

/// Blocks that nobody calls final may be taken back: neither an opening nor a round counts by them.
#[test]
fn what_is_not_final_opens_no_ceremony_and_ends_no_round() {
    let mut circle = circle();
    circle.chain = circle.chain.with_finality(Finality::Confirmations(2));
    let refused = circle.read(&circle.ceremony, &circle.opening).err();
    assert!(matches!(refused, Some(BoardError::Unreachable(reason)) if reason.contains("not open by a final block")));
    circle.blocks(2);
    let mut board = circle.board();
    let message = circle.commitment(1, 3);
    board.post(Round::Commit, message.clone()).unwrap();
    circle.over(&board, Round::Commit);
    assert_eq!(board.close(Round::Commit), Err(BoardError::Early { round: Round::Commit }));
    circle.blocks(1);
    assert_eq!(board.close(Round::Commit), Err(BoardError::Early { round: Round::Commit }));
    circle.blocks(1);
    assert_eq!(board.close(Round::Commit).unwrap(), [message]);
}

#[test]
fn a_ceremony_whose_rounds_do_not_follow_is_refused() {
    let circle = circle();
    let refused = wait(async {
        let mut opening = opening(&circle.chain, 3).await;
        opening.ends[2] = opening.ends[1];
        board::open(&circle.chain, &account(1), circle.ceremony.board, &opening).await
    });
    assert_eq!(refusal(refused), (circle.ceremony.board, "EndNotLater".to_owned()));
}

/// Of what members may post after the rounds, the contract's one form by somebody in office counts, once of each.
#[test]
fn n084_signatures_that_the_registry_would_refuse_do_not_count() {
    let circle = circle();
    let committee = dealer::deal(&circle.roster, &mut ChaCha20Rng::seed_from_u64(7)).unwrap().0;
    let accounts: Vec<_> = (1..=4).map(|number| account(number).address()).collect();
    let few = handover::entry(&committee, &accounts[..3]).err();
    assert!(matches!(few, Some(ChainError::OutOfRange { field: "accounts of the committee", .. })), "{few:?}");
    let first = handover::entry(&committee, &accounts).unwrap();
    let mut next = first.clone();
    next.epoch += 1;
    wait(async {
        let (chain, until) = (&circle.chain, circle.chain.block(BlockId::latest()).await.unwrap().time + 100);
        let registry = handover::create(chain, &account(1), first.clone()).await.unwrap();
        let office = handover::in_office(chain, registry, BlockId::latest()).await.unwrap();
        assert_eq!((office.epoch, office.quorum), (1, 3));
        assert_eq!((office.digest, office.root), (handover::digest_of(&first), first.verificationRoot));
        let digest = handover::signed_digest(chain.chain_id(), registry, office.digest, &next, until);
        let contract = VaultRegistry::new(registry, chain.provider());
        assert_eq!(contract.handoverDigest(next.clone(), until).call().await.unwrap(), digest);

        let good = |number| handover::sign(&account(number), &digest).unwrap();
        let mut other_v = good(2);
        other_v[64] += 27;
        let wrong = handover::sign(&account(3), &B256::repeat_byte(1)).unwrap();
        let signatures = [other_v, high_s(good(2)), wrong, good(5), good(1), good(1)];
        let counted = handover::that_count(chain, registry, &office, &digest, &signatures).await.unwrap();
        assert_eq!(counted, [Bytes::copy_from_slice(&good(1))]);
        let signatures = [other_v, good(4), wrong, good(2), good(1), good(3)];
        let mut counted = handover::that_count(chain, registry, &office, &digest, &signatures).await.unwrap();
        assert_eq!(counted.len(), 4);
        counted.truncate(office.quorum);
        handover::deliver(chain, &account(5), registry, (next.clone(), until), counted).await.unwrap();
        let office = handover::in_office(chain, registry, BlockId::latest()).await.unwrap();
        assert_eq!((office.epoch, office.digest), (2, handover::digest_of(&next)));
    });
}

/// The other signature with the same meaning, which the contract refuses.
fn high_s(signature: [u8; 65]) -> [u8; 65] {
    let order: U256 = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse().unwrap();
    let s = U256::from_be_slice(&signature[32..64]);
    let mut other = signature;
    other[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
    other[64] ^= 1;
    other
}

/// The place for signatures opens when the rounds are over, takes members alone, and what is there is not sent twice.
#[test]
fn n084_members_sign_once_the_rounds_are_over() {
    let circle = circle();
    let (signature, opener) = ([7; 65], account(1).address());
    let checked = wait(CheckedCeremony::check(circle.chain.clone(), circle.ceremony, &circle.opening, opener)).unwrap();
    let refused = |outcome: Result<bool, BoardError>| match outcome {
        Err(BoardError::Unreachable(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(refused(wait(checked.sign(&signature, &account(1)))).contains("RoundNotRunning"));
    circle.over(&circle.board(), Round::Confirm);
    assert!(refused(wait(checked.sign(&signature, &account(5)))).contains("NotMember"));
    assert_eq!(wait(checked.sign(&signature, &account(1))), Ok(true));
    assert_eq!(wait(checked.sign(&signature, &account(1))), Ok(false));
    assert_eq!(wait(checked.signatures()), Ok(vec![signature]));
}
