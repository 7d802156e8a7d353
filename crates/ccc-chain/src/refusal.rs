//! A contract's refusal, decoded.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use alloy::{
    dyn_abi::{DynSolValue, ErrorExt},
    json_abi,
    primitives::{Address, Bytes, Selector},
    sol_types::{Panic, Revert, SolError},
};
use serde::{Deserialize, Serialize};

use crate::bindings::{
    access_manager, dark_pool, enclave_registry, quorum_forwarder, reserve_attestation, simulated_exchange,
    simulated_feed, test_token, vault_board, vault_registry,
};

/// Why a contract refused: the name and arguments of its custom error.
///
/// Made from revert data, by whichever call met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The contract that was called.
    pub by: Address,
    /// The error's name; `Error` and `Panic` are Solidity's own, `Unknown` is none of the project's.
    pub name: String,
    /// The error's arguments in order.
    pub arguments: Vec<Argument>,
    /// The revert data.
    pub data: Bytes,
}

/// One argument of an error: numbers in decimal, everything else in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// The argument's name in the contract.
    pub name: String,
    /// Its value.
    pub value: String,
}

type Errors = BTreeMap<Selector, json_abi::Error>;

static ERRORS: LazyLock<Errors> = LazyLock::new(|| {
    let contracts = [
        quorum_forwarder::QuorumForwarder::abi::errors(),
        reserve_attestation::ReserveAttestation::abi::errors(),
        dark_pool::CREDarkPool::abi::errors(),
        vault_registry::VaultRegistry::abi::errors(),
        vault_board::VaultBoard::abi::errors(),
        enclave_registry::EnclaveRegistry::abi::errors(),
        access_manager::AccessManager::abi::errors(),
        test_token::TestToken::abi::errors(),
        simulated_feed::SimulatedFeed::abi::errors(),
        simulated_exchange::SimulatedExchange::abi::errors(),
    ];
    let errors = contracts.into_iter().flat_map(BTreeMap::into_values).flatten();
    errors.map(|error| (error.selector(), error)).collect()
});

impl Refusal {
    /// Reads revert data of a call to `by`.
    #[must_use]
    pub fn decode(by: Address, data: Bytes) -> Self {
        let (name, arguments) = custom(&data).or_else(|| built_in(&data)).unwrap_or(("Unknown".into(), Vec::new()));
        Self { by, name, arguments, data }
    }

    /// The value of the argument with this name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|argument| argument.name == name).map(|argument| argument.value.as_str())
    }
}

fn custom(data: &[u8]) -> Option<(String, Vec<Argument>)> {
    let selector = Selector::from(*data.first_chunk::<4>()?);
    let error = ERRORS.get(&selector)?;
    let values = error.decode_error(data).ok()?.body;
    let named = error.inputs.iter().zip(values);
    let arguments = named.map(|(input, value)| Argument { name: input.name.clone(), value: shown(&value) });
    Some((error.name.clone(), arguments.collect()))
}

fn built_in(data: &[u8]) -> Option<(String, Vec<Argument>)> {
    let one = |name: &str, argument: &str, value: String| {
        (name.to_owned(), vec![Argument { name: argument.to_owned(), value }])
    };
    let reason = Revert::abi_decode(data).map(|revert| one("Error", "reason", revert.reason));
    let code = || Panic::abi_decode(data).map(|panic| one("Panic", "code", panic.code.to_string()));
    reason.or_else(|_| code()).ok()
}

fn shown(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => Bytes::copy_from_slice(word.get(..*size).unwrap_or(&[])).to_string(),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Function(function) => function.to_string(),
        DynSolValue::Bytes(bytes) => Bytes::copy_from_slice(bytes).to_string(),
        DynSolValue::String(text) => text.clone(),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(|a| format!("{} = {}", a.name, a.value)).collect();
        write!(f, "{}({})", self.name, arguments.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::bindings::{CREDarkPool, QuorumForwarder};

    #[test]
    fn custom_error_gives_name_and_arguments() {
        let data = CREDarkPool::VersionMismatch { expected: U256::from(2), found: 5 }.abi_encode();
        let refusal = Refusal::decode(Address::ZERO, data.into());
        assert_eq!(refusal.to_string(), "VersionMismatch(expected = 2, found = 5)");
        assert_eq!(refusal.argument("found"), Some("5"));
    }

    #[test]
    fn reason_and_panic_are_read() {
        let reason = Revert { reason: "no".into() }.abi_encode();
        assert_eq!(Refusal::decode(Address::ZERO, reason.into()).to_string(), "Error(reason = no)");
        let panic = Panic { code: U256::from(0x11) }.abi_encode();
        assert_eq!(Refusal::decode(Address::ZERO, panic.into()).to_string(), "Panic(code = 17)");
    }

    #[test]
    fn data_that_is_cut_or_foreign_stays_unknown() {
        let whole = QuorumForwarder::InvalidSigner { signer: Address::ZERO }.abi_encode();
        for length in 0..whole.len() {
            let cut = Bytes::copy_from_slice(&whole[..length]);
            assert_eq!(Refusal::decode(Address::ZERO, cut).name, "Unknown");
        }
    }
}
