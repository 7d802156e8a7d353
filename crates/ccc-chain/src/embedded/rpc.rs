//! The methods of the chain.

use alloy::{
    primitives::{Address, Bytes, U64, U256},
    rpc::{
        json_rpc::{Response, ResponsePayload, SerializedRequest},
        types::Filter,
    },
};

use super::{
    BASE_FEE,
    fault::{Answer, Told, told, unknown_method},
    node::{Node, World},
    parameters::Parameters,
    queries::quantity,
};

/// What the chain calls itself; the provider tells by it that time can be set and accounts funded.
pub(crate) const CLIENT_VERSION: &str = concat!("ccc-embedded/", env!("CARGO_PKG_VERSION"));

impl Node {
    /// Answers one request.
    pub(super) fn answer(&mut self, request: &SerializedRequest) -> Response {
        let answer = Parameters::of(request).and_then(|parameters| self.serve(request.method(), &parameters));
        let payload = match answer {
            Ok(value) => ResponsePayload::Success(value),
            Err(fault) => ResponsePayload::Failure(fault),
        };
        Response { id: request.id().clone(), payload }
    }

    fn serve(&mut self, method: &str, parameters: &Parameters<'_>) -> Answer<Told> {
        match method {
            "evm_snapshot" => self.snapshot().and_then(|id| told(&id)),
            "evm_revert" => told(&self.revert(parameters.required(0)?)),
            _ => match self.world.question(method, parameters) {
                Some(answer) => answer,
                None => self.world.command(method, parameters),
            },
        }
    }
}

/// What is told where there is nothing to tell.
fn nothing() -> Answer<Told> {
    told(&())
}

impl World {
    /// Methods that change nothing.
    fn question(&self, method: &str, parameters: &Parameters<'_>) -> Option<Answer<Told>> {
        Some(match method {
            "web3_clientVersion" => told(&CLIENT_VERSION),
            "net_version" => told(&self.chain_id.to_string()),
            "net_listening" => told(&true),
            // it keeps no keys, and nothing is ahead of it
            "eth_accounts" => told(&Vec::<Address>::new()),
            "eth_syncing" => told(&false),
            "eth_chainId" => quantity(self.chain_id),
            "eth_blockNumber" => quantity(self.height()),
            "eth_gasPrice" => quantity(BASE_FEE),
            "eth_maxPriorityFeePerGas" => quantity(0),
            "eth_feeHistory" => self.fee_history(parameters),
            "eth_getTransactionCount" => self.nonce(parameters),
            "eth_getBalance" => self.balance(parameters),
            "eth_getCode" => self.code(parameters),
            "eth_getStorageAt" => self.storage(parameters),
            "eth_call" => self.call(parameters),
            "eth_estimateGas" => self.estimate(parameters),
            "eth_getBlockReceipts" => self.block_receipts(parameters),
            "eth_getTransactionReceipt" => parameters.required(0).and_then(|hash| self.receipt(hash)),
            "eth_getTransactionByHash" => self.transaction(parameters),
            "eth_getBlockByNumber" => self.block_by_number(parameters),
            "eth_getBlockByHash" => self.block_by_hash(parameters),
            "eth_getLogs" => self.logs(parameters),
            "eth_getFilterLogs" => parameters.required(0).and_then(|id| self.filters.all(id, &self.blocks)),
            "ccc_dumpStorage" => self.storage_dump(parameters),
            _ => return None,
        })
    }

    /// Methods that move the chain or its filters.
    fn command(&mut self, method: &str, parameters: &Parameters<'_>) -> Answer<Told> {
        match method {
            "eth_sendRawTransaction" => self.send(&parameters.required::<Bytes>(0)?).and_then(|hash| told(&hash)),
            "eth_sendRawTransactionSync" => {
                self.send(&parameters.required::<Bytes>(0)?).and_then(|hash| self.receipt(hash))
            }
            "eth_newFilter" => {
                let filter: Filter = parameters.required(0)?;
                self.filters.install(Some(filter), self.blocks.len())
            }
            "eth_newBlockFilter" => self.filters.install(None, self.blocks.len()),
            "eth_getFilterChanges" => self.filters.changes(parameters.required(0)?, &self.blocks),
            "eth_uninstallFilter" => told(&self.filters.uninstall(parameters.required(0)?)),
            "evm_setNextBlockTimestamp" => {
                self.set_next_timestamp(parameters.required::<U256>(0)?.saturating_to()).and_then(|()| nothing())
            }
            "evm_increaseTime" => self.increase_time(parameters),
            "evm_mine" => self.mine(parameters),
            "anvil_setBalance" => self.fund(parameters),
            "anvil_setNonce" => self.set_nonce(parameters),
            _ => Err(unknown_method(method)),
        }
    }

    /// Moves the next block's time; answers with its new distance from the newest block's.
    fn increase_time(&mut self, parameters: &Parameters<'_>) -> Answer<Told> {
        let seconds: u64 = parameters.required::<U256>(0)?.saturating_to();
        self.set_next_timestamp(self.next_timestamp().saturating_add(seconds))?;
        quantity(self.next_timestamp().saturating_sub(self.head().header.timestamp))
    }

    fn mine(&mut self, parameters: &Parameters<'_>) -> Answer<Told> {
        if let Some(time) = parameters.optional::<U64>(0)? {
            self.set_next_timestamp(time.to())?;
        }
        self.mine_empty();
        quantity(0)
    }

    fn fund(&mut self, parameters: &Parameters<'_>) -> Answer<Told> {
        let (address, balance) = (parameters.required::<Address>(0)?, parameters.required::<U256>(1)?);
        let undo = self.state.set_balance(address, balance);
        self.pending_undo.extend(undo);
        nothing()
    }

    fn set_nonce(&mut self, parameters: &Parameters<'_>) -> Answer<Told> {
        let (address, nonce) = (parameters.required::<Address>(0)?, parameters.required::<U64>(1)?);
        let undo = self.state.set_nonce(address, nonce.to());
        self.pending_undo.extend(undo);
        nothing()
    }
}
