//! A sealed chunk is shown to stand in a body, and no other bytes, place, tier or proof are.

use super::super::{
    BodyLeaves, ChunkProof, ChunkProofError, FileSource, Header, SEALED_CHUNK_LEN, StreamError, StructuralError, Tier,
    body_len, body_root,
    header::{Prefix, Roots},
};
use super::{
    funded,
    vectors::{array, bytes, file, list, number},
};
use std::io::Cursor;

/// A body whose chunks are their index, four bytes at a time: what proofs are made over needs no rows.
fn body(tier: Tier) -> Vec<u8> {
    (0..tier.chunks()).flat_map(|index| index.to_be_bytes().repeat(SEALED_CHUNK_LEN / 4)).collect()
}

fn header(tier: Tier, body_root: [u8; 32]) -> Header {
    let header = funded().table.header;
    let roots = Roots { body: body_root, key_commitment: header.key_commitment(), state: header.state_root() };
    let prefix = Prefix { tier, ..header.prefix().clone() };
    Header::new(prefix, roots, header.wrapped().clone()).expect("a table key")
}

/// A version of this tier, its body, and what proofs are made of.
fn version(log2: u8) -> (Header, Vec<u8>, BodyLeaves) {
    let tier = Tier::new(log2).expect("a tier");
    let body = body(tier);
    let header = header(tier, body_root(&body));
    let leaves = BodyLeaves::read(&header, &mut &body[..]).expect("its body");
    (header, body, leaves)
}

fn chunk(body: &[u8], index: u32) -> &[u8] {
    body.chunks(SEALED_CHUNK_LEN).nth(index as usize).expect("a chunk")
}

#[test]
fn every_chunk_of_a_body_is_proved() {
    for (log2, expected) in [(10, 0), (12, 96), (14, 480), (16, 1_024), (18, 1_088)] {
        let (header, body, leaves) = version(log2);
        assert_eq!(ChunkProof::len(header.tier()), expected);
        for (index, sealed) in (0..).zip(body.chunks(SEALED_CHUNK_LEN)) {
            let proof = ChunkProof::make(&leaves, index).expect("a chunk");
            assert_eq!(proof.verify(&header, index, sealed), Ok(()), "chunk {index} of tier 2^{log2}");
            let bytes = proof.to_bytes();
            assert_eq!(bytes.len(), expected);
            assert_eq!(ChunkProof::from_bytes(header.tier(), &bytes), Ok(proof));
        }
        let chunks = header.tier().chunks();
        assert_eq!(ChunkProof::make(&leaves, chunks), Err(ChunkProofError::Index { chunks, found: chunks }));
    }
    assert_eq!(ChunkProof::len(Tier::LARGEST), 1_280);
}

#[test]
fn leaves_are_read_from_a_file_and_of_the_headers_body_alone() {
    let (header, mut body, leaves) = version(12);
    let read = |body: &[u8]| BodyLeaves::read(&header, &mut FileSource::new(Cursor::new(body)));
    assert_eq!(read(&body).ok(), Some(leaves));
    let refused = |body: &[u8]| match read(body) {
        Err(StreamError::Structural(error)) => error,
        _ => panic!("not refused"),
    };
    let expected = body_len(header.tier());
    assert_eq!(refused(&body[1..]), StructuralError::Length { expected, found: expected - 1 });
    body[70_000] ^= 1;
    let found = body_root(&body);
    assert_eq!(refused(&body), StructuralError::BodyRoot { expected: header.body_root(), found });
}

#[test]
fn an_altered_proof_chunk_or_place_leads_to_another_root() {
    for log2 in [12, 16, 18] {
        let (header, body, leaves) = version(log2);
        let (tier, index) = (header.tier(), 3);
        let sealed = chunk(&body, index).to_vec();
        let good = ChunkProof::make(&leaves, index).expect("a chunk");
        let leads_elsewhere = |proof: &ChunkProof, index, sealed: &[u8]| match proof.verify(&header, index, sealed) {
            Err(ChunkProofError::Root { expected, found }) => expected == header.body_root() && expected != found,
            _ => false,
        };
        for at in (0..ChunkProof::len(tier)).step_by(31) {
            let mut bytes = good.to_bytes();
            bytes[at] ^= 1;
            let altered = ChunkProof::from_bytes(tier, &bytes).expect("the tier's length");
            assert!(leads_elsewhere(&altered, index, &sealed), "byte {at} of tier 2^{log2}");
        }
        for at in [0, 4_000, SEALED_CHUNK_LEN - 1] {
            let mut sealed = sealed.clone();
            sealed[at] ^= 1;
            assert!(leads_elsewhere(&good, index, &sealed), "byte {at} of the chunk, tier 2^{log2}");
        }
        assert!(leads_elsewhere(&good, index, chunk(&body, index - 1)));
        for other in (0..tier.chunks()).filter(|other| *other != index) {
            assert!(leads_elsewhere(&good, other, &sealed), "chunk {index} as {other}, tier 2^{log2}");
            assert!(leads_elsewhere(&good, other, chunk(&body, other)), "proof of {index} for {other}, tier 2^{log2}");
        }
    }
}

#[test]
fn proofs_and_chunks_of_another_size_are_refused() {
    let (small, _, _) = version(14);
    let (header, body, leaves) = version(16);
    let good = ChunkProof::make(&leaves, 3).expect("a chunk");
    let sealed = chunk(&body, 3);
    let bytes = good.to_bytes();
    for len in [0, 480, 1_023, 1_025, 1_088] {
        let found = ChunkProof::from_bytes(header.tier(), &[&bytes[..], &[0; 64]].concat()[..len]);
        assert_eq!(found, Err(ChunkProofError::Length { expected: 1_024, found: len }));
    }
    let of_other_tier = Err(ChunkProofError::Length { expected: 480, found: 1_024 });
    assert_eq!(good.verify(&small, 3, sealed), of_other_tier);
    let short = Err(ChunkProofError::ChunkLength { expected: 65_552, found: 65_551 });
    assert_eq!(good.verify(&header, 3, &sealed[1..]), short);
    for found in [64, u32::MAX] {
        assert_eq!(good.verify(&header, found, sealed), Err(ChunkProofError::Index { chunks: 64, found }));
    }
}

#[test]
fn chunk_proofs_are_reproduced() {
    for vector in list(&file()["chunk_proofs"]) {
        let tier = Tier::new(u8::try_from(number(&vector["tier"])).expect("a tier")).expect("a tier");
        let body = body(tier);
        let header = header(tier, array(&vector["body_root"]));
        let leaves = BodyLeaves::read(&header, &mut &body[..]).expect("the vector's body");
        for (index, proof) in list(&vector["indices"]).iter().zip(list(&vector["proofs"])) {
            let index = u32::try_from(number(index)).expect("an index");
            let made = ChunkProof::make(&leaves, index).expect("a chunk");
            assert_eq!(made.to_bytes(), bytes(proof), "chunk {index} of tier {tier}");
            assert_eq!(made.verify(&header, index, chunk(&body, index)), Ok(()));
        }
    }
}
