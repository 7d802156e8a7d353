//! Rust types of the contracts, generated from the committed artifacts.

#![expect(missing_docs, reason = "the macro's items are documented in the Solidity sources")]

/// The forwarder.
pub mod quorum_forwarder {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        QuorumForwarder,
        "../../contracts/artifacts/QuorumForwarder.json"
    );
}

/// The reserve's public status.
pub mod reserve_attestation {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        ReserveAttestation,
        "../../contracts/artifacts/ReserveAttestation.json"
    );
}

/// The pool.
pub mod dark_pool {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        CREDarkPool,
        "../../contracts/artifacts/CREDarkPool.json"
    );
}

/// The committees of the vault.
pub mod vault_registry {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        VaultRegistry,
        "../../contracts/artifacts/VaultRegistry.json"
    );
}

/// Where participants post the messages of a ceremony.
pub mod vault_board {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        VaultBoard,
        "../../contracts/artifacts/VaultBoard.json"
    );
}

/// The enclaves that the committee trusts.
pub mod enclave_registry {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        EnclaveRegistry,
        "../../contracts/artifacts/EnclaveRegistry.json"
    );
}

/// OpenZeppelin's manager of roles and delays.
pub mod access_manager {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        AccessManager,
        "../../contracts/artifacts/AccessManager.json"
    );
}

/// A token that anybody may mint.
#[expect(clippy::too_many_arguments, reason = "a permit of EIP-2612 has seven, and the binding the contract")]
pub mod test_token {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        TestToken,
        "../../contracts/artifacts/TestToken.json"
    );
}

/// A price feed whose owner pushes the answers.
pub mod simulated_feed {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        SimulatedFeed,
        "../../contracts/artifacts/SimulatedFeed.json"
    );
}

/// A pool with the interfaces of Uniswap V3, for chains that have no Uniswap.
pub mod simulated_exchange {
    alloy::sol!(
        #[sol(rpc, abi)]
        #[derive(Debug)]
        SimulatedExchange,
        "../../contracts/artifacts/SimulatedExchange.json"
    );
}

/// What the direct route uses of Uniswap V3: one interface for its contracts and for the simulated exchange.
pub mod uniswap {
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug)]
        IUniswapFactory,
        "../../contracts/artifacts/IUniswapFactory.json"
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug)]
        IUniswapPool,
        "../../contracts/artifacts/IUniswapPool.json"
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug)]
        IUniswapPositions,
        "../../contracts/artifacts/IUniswapPositions.json"
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug)]
        IUniswapQuoter,
        "../../contracts/artifacts/IUniswapQuoter.json"
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug)]
        IUniswapRouter,
        "../../contracts/artifacts/IUniswapRouter.json"
    );
}

pub use access_manager::AccessManager;
pub use dark_pool::CREDarkPool;
pub use enclave_registry::EnclaveRegistry;
pub use quorum_forwarder::QuorumForwarder;
pub use reserve_attestation::ReserveAttestation;
pub use simulated_exchange::SimulatedExchange;
pub use simulated_feed::SimulatedFeed;
pub use test_token::TestToken;
pub use vault_board::VaultBoard;
pub use vault_registry::VaultRegistry;
