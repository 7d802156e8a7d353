//! Arbitrary bytes before the readers of this crate, which the fuzz targets leave out, as those are built without alloy and
//! an EVM: no input makes one panic, and what is read is kept whole.

#![allow(missing_docs, reason = "a test crate exports nothing")]
#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolInterface,
};
use ccc_chain::{
    Refusal,
    bindings::{
        dark_pool::CREDarkPool::CREDarkPoolErrors, quorum_forwarder::QuorumForwarder::QuorumForwarderErrors,
        reserve_attestation::ReserveAttestation::ReserveAttestationErrors,
    },
    transcript::{EventRecord, RevertRecord, StorageRecord, StorageWord, TransactionRecord, Transcript},
};
use proptest::prelude::*;

/// Selectors of the contracts' errors, and of Solidity's own.
fn selectors() -> Vec<[u8; 4]> {
    let own = [[0x08, 0xc3, 0x79, 0xa0], [0x4e, 0x48, 0x7b, 0x71]];
    let pool = CREDarkPoolErrors::selectors();
    let others = QuorumForwarderErrors::selectors().chain(ReserveAttestationErrors::selectors());
    pool.chain(others).chain(own).collect()
}

/// Words as an encoder writes them, mostly small, so that offsets and lengths lead somewhere.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        (0u64..256).prop_map(|small| U256::from(small).to_be_bytes::<32>()),
        any::<[u8; 32]>(),
        Just([0xff; 32]),
    ];
    (proptest::collection::vec(word, 0..8), 0..32usize).prop_map(|(words, cut)| {
        let bytes = words.concat();
        bytes[..bytes.len().saturating_sub(cut)].to_vec()
    })
}

fn sample() -> Transcript {
    let (account, hash, data) = (Address::repeat_byte(1), B256::repeat_byte(2), Bytes::from_static(&[3; 5]));
    let refusal = Refusal::decode(account, data.clone());
    Transcript {
        chain_id: 31337,
        first_block: 1,
        last_block: 2,
        transactions: vec![TransactionRecord {
            hash,
            block: 1,
            time: 5,
            from: account,
            to: None,
            calldata: data.clone(),
            gas_used: 21_000,
            success: true,
            created: Some(account),
        }],
        events: vec![EventRecord { contract: account, block: 1, log_index: 0, topics: vec![hash], data: data.clone() }],
        reverts: vec![RevertRecord { from: account, to: Some(account), calldata: data, refusal }],
        storage: StorageRecord::Words { words: vec![StorageWord { contract: account, key: hash, value: hash }] },
    }
}

#[test]
fn a_transcript_is_read_back_as_it_was_written() {
    let text = serde_json::to_vec(&sample()).unwrap();
    assert_eq!(serde_json::from_slice::<Transcript>(&text).unwrap(), sample());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_revert_data_is_read_or_unknown_and_kept(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        let refusal = Refusal::decode(Address::ZERO, data.clone().into());
        prop_assert_eq!(refusal.data.as_ref(), data.as_slice());
        prop_assert!(refusal.name != "Unknown" || refusal.arguments.is_empty());
    }

    #[test]
    fn any_arguments_of_a_known_error_are_read_or_unknown(at in any::<proptest::sample::Index>(), words in words()) {
        let data = [&at.get(&selectors())[..], &words].concat();
        let refusal = Refusal::decode(Address::ZERO, data.clone().into());
        prop_assert_eq!(refusal.data.as_ref(), data.as_slice());
        for argument in &refusal.arguments {
            prop_assert!(refusal.argument(&argument.name).is_some());
        }
        prop_assert!(refusal.to_string().starts_with(&refusal.name));
    }

    #[test]
    fn an_altered_transcript_is_refused_or_read_as_what_is_written_again(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut text = serde_json::to_vec(&sample()).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(read) = serde_json::from_slice::<Transcript>(&text) {
            let again = serde_json::to_vec(&read).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Transcript>(&again).unwrap(), read.clone());
            prop_assert!(read.byte_strings().count() > 0);
        }
    }

    #[test]
    fn any_bytes_as_a_transcript_or_a_deployment_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(serde_json::from_slice::<Transcript>(&bytes).is_err());
        prop_assert!(serde_json::from_slice::<ccc_chain::Deployment>(&bytes).is_err());
    }
}
