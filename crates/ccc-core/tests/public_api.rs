//! What users of the public types rely on beside their methods.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

use ccc_core::ciphertext::{Ciphertext, CiphertextError, DecryptionError, EncryptError, Label, VerifiedCiphertext};
use ccc_core::enclave::AttemptKeys;
use ccc_core::enclave::attestation::simulated::{SimulatedHardware, SimulatedProvider, SimulatedRoot};
use ccc_core::enclave::attestation::{Evidence, Policy, PolicyRefusal};
use ccc_core::encoding::{EncodingError, Reader};
use ccc_core::envelope::{Envelope, EnvelopeError};
use ccc_core::epoch::Epoch;
use ccc_core::identifier::Identifier;
use ccc_core::keys::board::{BoardError, MemoryBoard};
use ccc_core::keys::repair::{self, PacketError, RepairComplaint, RepairCulprit, RepairError, RepairFault};
use ccc_core::keys::repair::{RepairPacket, RepairRequest, RepairSession, RepairSessionError};
use ccc_core::keys::reshare::{Certificate, CertificateError, Handover, Reshare};
use ccc_core::keys::rounds::{self, Audited, Culprit, Fault, Posted, Posting, RoundsError, StateError};
use ccc_core::keys::{Committee, Complaint, Dealing, DealingError, KeyShare, KeyShareError, MasterPublicKey, Member};
use ccc_core::keys::{MembershipError, ParticipantKeys, PublicKeys, Roster, RosterMember, Session, SessionError};
use ccc_core::keys::{VerifiedDealing, dealer, dkg};
use ccc_core::report::{QuorumError, Report, ReportError, ReportSigner, SignatureFault, SignedReport, SignerSet};
use ccc_core::table::{BodyLeaves, ChunkProof, ChunkProofError};
use ccc_core::table::{DataKey, Header, HeaderError, OpenTable, Receipt, SealedTable, StoreError, StructuralError};
use ccc_core::threshold::{Threshold, ThresholdError};
use ccc_core::vault::{Answer, AttestedRecipient, Combination, CombineError, Combined, Opened, Partials, Recipient};
use ccc_core::vault::{Request, RequestError, SealError, SealedShare, ShareError, Shares};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// May be sent to other threads, shared with them, and moved.
macro_rules! everywhere {
    ($($type:ty),* $(,)?) => { $( const _: () = { const fn held<T: Send + Sync + Unpin>() {} held::<$type>() }; )* };
}

/// An error that a program may put in a box and send to another thread.
macro_rules! errors {
    ($($type:ty),* $(,)?) => {
        $( const _: () = { const fn held<T: core::error::Error + Send + Sync + 'static>() {} held::<$type>() }; )*
    };
}

everywhere! {
    Ciphertext, VerifiedCiphertext, Label, AttemptKeys, SimulatedHardware, SimulatedProvider, SimulatedRoot, Evidence,
    Policy, Reader<'static>, Envelope, MemoryBoard, RepairRequest, RepairSession, repair::Helper<'static>,
    repair::Receiver<'static>, RepairPacket, RepairComplaint, RepairCulprit, Complaint, Audited, Posted, Posting, Certificate, Handover, Culprit, Committee, Dealing, VerifiedDealing, KeyShare,
    MasterPublicKey, Member, ParticipantKeys, PublicKeys, Roster, RosterMember, Session, dkg::Outcome, Report,
    ReportSigner, SignedReport, SignerSet, BodyLeaves, ChunkProof, DataKey, Header, OpenTable, Receipt, SealedTable, Threshold, Answer,
    AttestedRecipient, Combination, Combined, Opened, Partials, Recipient, Request, SealedShare, Shares,
    rounds::Party<'static, dkg::Dkg>, dkg::Participant<'static>, dkg::Committed<'static>, dkg::Opened<'static>,
    dkg::Gathered<'static>, dkg::Complained<'static>, dkg::Unconfirmed<'static>, rounds::Unconfirmed<'static, Reshare>,
}

#[cfg(feature = "bls-quorum")]
mod group {
    use ccc_core::report::group::generation::{
        Committed, Complained, GroupDealing, GroupSession, Opened, Outcome, Participant, Party, Unconfirmed,
        VerifiedGroupDealing,
    };
    use ccc_core::report::group::{
        GroupCommittee, GroupError, GroupKey, GroupReport, GroupSet, GroupShare, GroupSignature, PartialFault,
        PartialSignature,
    };

    everywhere! {
        GroupCommittee, GroupKey, GroupReport, GroupSet, GroupShare, GroupSignature, PartialSignature, GroupDealing,
        VerifiedGroupDealing, GroupSession, Party<'static>, Participant<'static>, Committed<'static>, Opened<'static>,
        Complained<'static>, Unconfirmed<'static>, Outcome,
    }
    errors! { GroupError, PartialFault }
}

errors! {
    CiphertextError, DecryptionError, EncryptError, PolicyRefusal, EncodingError, EnvelopeError, BoardError, RepairError,
    RepairSessionError, PacketError, RepairFault, Fault, CertificateError, RoundsError, StateError, DealingError, KeyShareError, MembershipError,
    SessionError, dealer::DealerError, QuorumError, ReportError, SignatureFault, ChunkProofError, HeaderError, StoreError,
    StructuralError, ThresholdError, CombineError, RequestError, SealError, ShareError,
}

fn generator() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// Nobody has to name the curve's types to write down a committee and to read it: bytes go in, bytes come out.
#[test]
fn a_committee_is_taken_apart_and_put_together_in_bytes() {
    let mut rng = generator();
    let mut member = |i| {
        let keys = ParticipantKeys::generate(&mut rng).unwrap().public_keys();
        let read = PublicKeys::from_bytes(&keys.signing_key(), &keys.dealing_key()).unwrap();
        assert_eq!(read, keys);
        read.member(Identifier::new(i).unwrap())
    };
    let members = (1..=4).map(&mut member).collect();
    let roster = Roster::new(Epoch(1), Threshold::default_for(4).unwrap(), members).unwrap();
    let (committee, _) = dealer::deal(&roster, &mut rng).unwrap();
    let members = roster.members().iter().zip(committee.members());
    let members = members.map(|(line, member)| Member::new(line, &member.verification_key()).unwrap());
    let master = MasterPublicKey::from_bytes(&committee.master_public_key().to_bytes()).unwrap();
    let again = Committee::from_parts(roster.epoch(), roster.threshold(), master, members.collect());
    assert_eq!(again, Ok(committee));
}

#[test]
fn bytes_that_are_no_keys_are_refused_where_they_are_read() {
    let mut not_a_point = [0; 32];
    not_a_point[0] = 2; // neither an Edwards y-coordinate nor an even ristretto255 encoding of an element
    let keys = ParticipantKeys::generate(&mut generator()).unwrap().public_keys();
    let refused = |what| Err(EncodingError::Point { what });
    assert_eq!(PublicKeys::from_bytes(&not_a_point, &keys.dealing_key()), refused("signing key"));
    assert_eq!(PublicKeys::from_bytes(&keys.signing_key(), &not_a_point), refused("dealing key"));
    let identity = Err(EncodingError::Identity { what: "dealing key" });
    assert_eq!(PublicKeys::from_bytes(&keys.signing_key(), &[0; 32]), identity);
    assert_eq!(Recipient::new([1; 32], &[0; 32], [2; 32]), Err(EncodingError::Identity { what: "enclave key E" }));
    assert_eq!(SimulatedRoot::from_bytes(&not_a_point), Err(EncodingError::Point { what: "simulated root" }));
}
