use super::*;
use ccc_core::{epoch::Epoch, vault::Mode};

pub(crate) fn made() -> Made {
    let request = Request {
        chain: 1,
        contract: [2; 20],
        id: [3; 32],
        table_header: None,
        block_hash: [4; 32],
        deadline: 5,
        mode: Mode::Sealed,
        epoch: Epoch(6),
        committee: [7; 64],
        ciphertexts: Vec::new(),
    };
    let inputs = PublicInputs { block: 1, block_time: 2, custody: 3, consumed: 4, accumulator: [5; 32] };
    let result = AttestedResult {
        payload: vec![9; 200],
        inputs,
        request: request.digest(),
        header: [8; 32],
        log: [1; 32],
        evidence: vec![7; 300],
        identity: None,
    };
    Made { payouts: vec![result.clone()], result, beside: Beside { request, header: None } }
}

#[test]
fn what_was_made_is_read_back_and_every_cut_of_it_is_refused() {
    let made = made();
    let bytes = made.to_bytes();
    assert_eq!(Made::from_bytes(&bytes).expect("read").to_bytes(), bytes);
    for length in 0..bytes.len() {
        assert!(Made::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    let mut named = made.clone();
    named.beside.request.ciphertexts.push([6; 32]);
    let read = Made::from_bytes(&named.to_bytes()).expect("read");
    assert_eq!(read.beside.request, named.beside.request);
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(Made::from_bytes(&longer).expect_err("longer"), EncodingError::Trailing { found: 1 }.into());
    let asked = judged(&made.result, &made.beside);
    let (result, beside) = read_judged(&asked).expect("read");
    assert_eq!((result, beside.request), (made.result, made.beside.request));
}

#[test]
fn checks_hashes_and_verdicts_have_one_layout() {
    let check = Check { block: [3; 32], sequence: 7 };
    assert_eq!(Check::from_bytes(&check.to_bytes()), Ok(check));
    assert!(Check::from_bytes(&check.to_bytes()[..39]).is_err());
    assert!(read_hash(&[0; 33]).is_err() && read_hash(&[0; 31]).is_err());
    let no = Err("the plan differs".to_owned());
    assert_eq!(read_verdict(&verdict(&no)), Ok(no));
    let found = Err(AttestedError::Count { what: "verdicts", most: 1, found: 2 });
    assert_eq!(read_verdict(&[2]), found);
    assert_eq!(read_verdict(&[[1].as_slice(), &[0; 65]].concat()), Err(AttestedError::Signature));
    let long = Err("x".repeat(MAX_REASON + 9));
    assert_eq!(read_verdict(&verdict(&long)).expect("read").expect_err("a reason").len(), MAX_REASON);
}
