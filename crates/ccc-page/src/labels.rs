//! Calldata and events byte by byte, with the names that the contracts' own interfaces give them.

use alloy::{
    json_abi::{Event, Function, JsonAbi, Param},
    primitives::{Address, B256, hex},
};
use ccc_chain::{
    Deployment,
    bindings::{
        dark_pool::CREDarkPool, enclave_registry::EnclaveRegistry, quorum_forwarder::QuorumForwarder,
        reserve_attestation::ReserveAttestation, simulated_feed::SimulatedFeed, test_token::TestToken,
    },
    transcript::EventRecord,
};
use ccc_core::report::{FORWARDER_HEADER_LEN, Kind};

use crate::model::{Log, Part};

const WORD: usize = 32;
const SELECTOR: usize = 4;
/// Bytes of a long stretch that are shown in one part.
const SHOWN: usize = 1 << 16;

/// The header of a report: field and bytes.
const HEADER: [(&str, usize); 9] = [
    ("report: version", 1),
    ("report: execution id", 32),
    ("report: timestamp", 4),
    ("report: committee", 4),
    ("report: config version", 4),
    ("report: workflow id", 32),
    ("report: workflow name", 10),
    ("report: workflow owner", 20),
    ("report: kind", 2),
];
/// The words that every payload begins with.
const BINDING: [&str; 7] = ["chain", "receiver", "kind", "epoch", "sequence", "valid until", "attestation"];
const SOLVENCY: [&str; 5] = ["verdict", "block", "block time", "header hash", "digest of the agent's envelope"];
const ROUND: [&str; 10] = [
    "request id",
    "success",
    "version",
    "previous header hash",
    "header hash",
    "operations consumed",
    "accumulator",
    "price block",
    "price source",
    "price digest",
];

/// The names of a deployment's contracts, and their interfaces.
pub struct Names {
    contracts: Vec<(Address, String, JsonAbi)>,
}

impl Names {
    /// Those of a deployment.
    #[must_use]
    pub fn of(deployment: &Deployment) -> Self {
        let mut contracts = vec![
            (deployment.forwarder, "QuorumForwarder".to_owned(), QuorumForwarder::abi::contract()),
            (deployment.attestation, "ReserveAttestation".to_owned(), ReserveAttestation::abi::contract()),
            (deployment.pool, "CREDarkPool".to_owned(), CREDarkPool::abi::contract()),
            (deployment.feed, "SimulatedFeed".to_owned(), SimulatedFeed::abi::contract()),
        ];
        let registry = deployment.registries.map(|registries| registries.enclaves).or(deployment.enclaves);
        contracts
            .extend(registry.map(|address| (address, "EnclaveRegistry".to_owned(), EnclaveRegistry::abi::contract())));
        let tokens = deployment.tokens.iter();
        contracts.extend(
            tokens.map(|token| (token.address, format!("token {}", token.plan.symbol), TestToken::abi::contract())),
        );
        Self { contracts }
    }

    fn find(&self, address: Address) -> Option<&(Address, String, JsonAbi)> {
        self.contracts.iter().find(|(known, ..)| *known == address)
    }

    /// A contract's name; its address where it has none.
    #[must_use]
    pub fn name(&self, address: Option<Address>) -> String {
        let Some(address) = address else { return "a new contract".to_owned() };
        self.find(address).map_or_else(|| address.to_string(), |(_, name, _)| name.clone())
    }

    fn function(&self, to: Option<Address>, calldata: &[u8]) -> Option<&Function> {
        let (_, _, abi) = self.find(to?)?;
        let selector: [u8; SELECTOR] = calldata.get(..SELECTOR)?.try_into().ok()?;
        abi.functions().find(|function| function.selector() == selector)
    }

    /// The function that calldata calls, where its name is known.
    #[must_use]
    pub fn call(&self, to: Option<Address>, calldata: &[u8]) -> String {
        match (to, self.function(to, calldata)) {
            (None, _) => "deployment".to_owned(),
            (Some(_), Some(function)) => function.name.clone(),
            (Some(_), None) => "unknown function".to_owned(),
        }
    }

    /// The calldata in order; put together, the parts are the calldata. One above 64 KiB is cut, and ends with `…`.
    #[must_use]
    pub fn calldata(&self, to: Option<Address>, calldata: &[u8]) -> Vec<Part> {
        if to.is_none() {
            return vec![part("code and arguments", calldata)];
        }
        let Some(function) = self.function(to, calldata) else { return vec![part("calldata", calldata)] };
        let (selector, arguments) = calldata.split_at(SELECTOR);
        let mut parts = vec![part(&format!("selector of {}", function.signature()), selector)];
        parts.extend(words(&function.inputs, arguments));
        parts
    }

    /// An event, byte by byte.
    #[must_use]
    pub fn log(&self, record: &EventRecord) -> Log {
        let abi = self.find(record.contract).map(|(_, _, abi)| abi);
        let known = |topic: &B256| abi.and_then(|abi| abi.events().find(|event| event.selector() == *topic));
        let event = record.topics.first().and_then(known);
        let mut parts = topics(event, &record.topics);
        let inputs: Vec<Param> = event.into_iter().flat_map(plain_inputs).collect();
        parts.extend(words(&inputs, &record.data));
        let name = event.map_or_else(|| "unknown event".to_owned(), |event| event.name.clone());
        Log { contract: self.name(Some(record.contract)), name, parts }
    }
}

fn plain_inputs(event: &Event) -> impl Iterator<Item = Param> {
    let plain = event.inputs.iter().filter(|input| !input.indexed);
    plain.map(|input| Param {
        name: input.name.clone(),
        ty: input.ty.clone(),
        components: Vec::new(),
        internal_type: None,
    })
}

fn topics(event: Option<&Event>, topics: &[B256]) -> Vec<Part> {
    let indexed: Vec<&str> = event
        .into_iter()
        .flat_map(|event| event.inputs.iter().filter(|input| input.indexed).map(|input| input.name.as_str()))
        .collect();
    let label = |place: usize| match place.checked_sub(1) {
        None => "topic 0: the event".to_owned(),
        Some(at) => format!("topic {place}: {}", indexed.get(at).unwrap_or(&"unnamed")),
    };
    topics.iter().enumerate().map(|(place, topic)| part(&label(place), topic.as_slice())).collect()
}

fn part(label: &str, bytes: &[u8]) -> Part {
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    let shown = &bytes[..bytes.len().min(SHOWN)];
    Part { label: label.to_owned(), hex: format!("0x{}{more}", hex::encode(shown)) }
}

/// Whether a type takes one word in the head.
fn is_one_word(kind: &str) -> bool {
    !kind.starts_with('(') && !kind.starts_with("tuple") && !kind.ends_with(']') || kind.ends_with("[]")
}

/// Arguments as the ABI lays them out: a head of words, then what they point at.
fn words(inputs: &[Param], bytes: &[u8]) -> Vec<Part> {
    let head = inputs.len() * WORD;
    if bytes.is_empty() {
        return Vec::new();
    }
    if bytes.len() < head || !inputs.iter().all(|input| is_one_word(&input.ty)) {
        return vec![part("arguments", bytes)];
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut tails: Vec<(usize, &Param)> = Vec::new();
    for (input, word) in inputs.iter().zip(bytes.chunks(WORD)) {
        let dynamic = ["bytes", "string"].contains(&input.ty.as_str()) || input.ty.ends_with("[]");
        let offset = offset(word).filter(|offset| dynamic && *offset >= head && offset % WORD == 0);
        let label = if dynamic { format!("where {} begins", input.name) } else { input.name.clone() };
        parts.push(part(&label, word));
        tails.extend(offset.map(|offset| (offset, input)));
    }
    tails.sort_by_key(|(offset, _)| *offset);
    let mut at = head;
    for (index, (start, input)) in tails.iter().enumerate() {
        let end = tails.get(index + 1).map_or(bytes.len(), |(next, _)| *next);
        if *start < at || *start > bytes.len() || end > bytes.len() {
            break;
        }
        if *start > at {
            parts.push(part("between", &bytes[at..*start]));
        }
        parts.extend(tail(input, &bytes[*start..end]));
        at = end;
    }
    if at < bytes.len() {
        parts.push(part("rest", &bytes[at..]));
    }
    parts
}

fn offset(word: &[u8]) -> Option<usize> {
    let (zeros, number) = word.split_at_checked(WORD - 8)?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    if zeros.iter().all(|byte| *byte == 0) { usize::try_from(number).ok() } else { None }
}

/// Length, bytes, padding; of an array count and the rest.
fn tail(input: &Param, bytes: &[u8]) -> Vec<Part> {
    let Some((count, rest)) = bytes.split_at_checked(WORD) else { return vec![part(&input.name, bytes)] };
    let length = offset(count).filter(|length| input.ty == "bytes" && *length <= rest.len());
    let Some(length) = length else {
        return vec![part(&format!("count or length of {}", input.name), count), part(&input.name, rest)];
    };
    let (value, padding) = rest.split_at(length);
    let mut parts = vec![part(&format!("length of {}", input.name), count)];
    match input.name.as_str() {
        "rawReport" => parts.extend(report(value)),
        name => parts.push(part(name, value)),
    }
    if !padding.is_empty() {
        parts.push(part("padding", padding));
    }
    parts
}

/// A raw report by its layout, `docs/spec/report.md`.
fn report(raw: &[u8]) -> Vec<Part> {
    let Some((mut header, payload)) = raw.split_at_checked(FORWARDER_HEADER_LEN) else {
        return vec![part("rawReport", raw)];
    };
    let mut parts = Vec::new();
    for (label, length) in HEADER {
        let (field, rest) = header.split_at(length);
        parts.push(part(label, field));
        header = rest;
    }
    let kind = payload.get(3 * WORD - 1).copied().and_then(|kind| Kind::try_from(kind).ok());
    let own: &[&str] = match kind {
        Some(Kind::Solvency) => &SOLVENCY,
        Some(Kind::Round) => &ROUND,
        _ => &[],
    };
    for (place, word) in payload.chunks(WORD).enumerate() {
        let name = BINDING.iter().chain(own).nth(place).copied().unwrap_or("field");
        parts.push(part(&format!("payload: {name}"), word));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(parts: &[Part]) -> Vec<u8> {
        parts.iter().flat_map(|part| hex::decode(&part.hex).expect("hexadecimal")).collect()
    }

    fn param(name: &str, ty: &str) -> Param {
        Param { name: name.into(), ty: ty.into(), components: Vec::new(), internal_type: None }
    }

    #[test]
    fn the_header_and_the_payloads_have_the_lengths_of_the_layout() {
        assert_eq!(HEADER.iter().map(|(_, length)| length).sum::<usize>(), FORWARDER_HEADER_LEN);
        assert_eq!((BINDING.len() + SOLVENCY.len()) * WORD, Kind::Solvency.payload_length());
        assert_eq!((BINDING.len() + ROUND.len()) * WORD, Kind::Round.payload_length());
    }

    #[test]
    fn put_together_the_parts_are_the_bytes_whatever_they_say() {
        let inputs = [param("a", "uint256"), param("b", "bytes"), param("c", "bytes[]")];
        let word = |number: u8| [vec![0; 31], vec![number]].concat();
        let huge = vec![0xff; WORD];
        let cases = [
            [word(7), word(96), word(160), word(3), word(9), word(1), word(2)].concat(),
            [word(7), huge.clone(), word(96), word(0)].concat(),
            [word(7), word(96), word(96), word(200)].concat(),
            [word(7), word(160), word(96), huge, word(1), word(2), word(0)].concat(),
            vec![1; 95],
            vec![1; 96],
            vec![],
        ];
        for bytes in cases {
            assert_eq!(together(&words(&inputs, &bytes)), bytes);
        }
        for length in [0, 108, 109, 110, 493] {
            let raw = vec![2; length];
            assert_eq!(together(&report(&raw)), raw);
        }
    }
}
