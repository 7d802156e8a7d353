//! Allowances by signature: a deposit takes one transaction, and no allowance stays behind it.
//!
//! *Security*: who sees the signature may hand it in until its deadline. Where the deposit does not follow, the allowance stands:
//! of the pool, and of the amount.
//!
//! *Source*: EIP-2612, with the typed data of EIP-712.

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolValue,
};

use crate::{Chain, ChainError, Wallet, bindings::CREDarkPool};

/// What of a token permits need: functions of EIP-20, EIP-2612 and of tokens that tell their domain's version.
mod token {
    alloy::sol! {
        #[sol(rpc)]
        interface PermitToken {
            function name() external view returns (string);
            function version() external view returns (string);
            function nonces(address owner) external view returns (uint256);
            function DOMAIN_SEPARATOR() external view returns (bytes32);
        }
    }
}

use token::PermitToken;

const DOMAIN: &[u8] = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const PERMIT: &[u8] = b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";

/// The versions that tokens give their domains; few of them tell it.
const USUAL_VERSIONS: [&str; 2] = ["1", "2"];

/// A permission to take tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Who may take.
    pub spender: Address,
    /// Exactly how much.
    pub amount: U256,
    /// The last second at which the token accepts it, Unix time.
    pub deadline: u64,
}

/// Signs a permission for the token at `token`, at the wallet's next nonce there.
///
/// *Security*: what is signed names this chain and this token. The token's own word for it is compared, never signed: a node
/// that lies cannot have a permission signed for another token or another chain. Whoever sees the signature may hand it in;
/// it lets `spender` take `amount` from this wallet and nothing else.
///
/// # Errors
/// [`ChainError::NoPermit`] where the token knows no permits, or gives itself another domain.
pub async fn sign(
    chain: &Chain,
    wallet: &Wallet,
    token: Address,
    permission: &Permission,
) -> Result<CREDarkPool::Permit, ChainError> {
    let domain = domain(chain, token).await?;
    let contract = PermitToken::new(token, chain.provider());
    let nonce = contract.nonces(wallet.address()).call().await.map_err(|error| unknown(token, error))?;
    let signature = wallet.sign_hash(&digest(domain, wallet.address(), permission, nonce))?;
    Ok(CREDarkPool::Permit {
        deadline: U256::from(permission.deadline),
        v: 27 + u8::from(signature.v()),
        r: signature.r().into(),
        s: signature.s().into(),
    })
}

/// keccak256(0x1901 ‖ domain ‖ keccak256(abi.encode(type, owner, spender, value, nonce, deadline))).
fn digest(domain: B256, owner: Address, permission: &Permission, nonce: U256) -> B256 {
    let Permission { spender, amount, deadline } = *permission;
    let words = (keccak256(PERMIT), owner, spender, amount, nonce, U256::from(deadline)).abi_encode();
    keccak256([&[0x19, 0x01], domain.as_slice(), keccak256(words).as_slice()].concat())
}

/// The token's domain, as made of its name, a version, this chain and its address.
async fn domain(chain: &Chain, token: Address) -> Result<B256, ChainError> {
    let contract = PermitToken::new(token, chain.provider());
    let found = contract.DOMAIN_SEPARATOR().call().await.map_err(|error| unknown(token, error))?;
    let name = contract.name().call().await.map_err(|error| unknown(token, error))?;
    // optional, as few tokens have it
    let told = contract.version().call().await.ok();
    let versions = told.iter().map(String::as_str).chain(USUAL_VERSIONS);
    let own = versions.map(|version| separator(&name, version, chain.chain_id(), token));
    let reason =
        || ChainError::NoPermit { token, reason: "its domain is not that of its name, chain and address".into() };
    own.into_iter().find(|own| *own == found).ok_or_else(reason)
}

fn separator(name: &str, version: &str, chain_id: u64, token: Address) -> B256 {
    let (name, version) = (keccak256(name), keccak256(version));
    keccak256((keccak256(DOMAIN), name, version, U256::from(chain_id), token).abi_encode())
}

/// A contract without these functions reverts, or answers with nothing; a node that is away is another matter.
fn unknown(token: Address, error: alloy::contract::Error) -> ChainError {
    match ChainError::from(error) {
        ChainError::Rpc(error) if !crate::error::is_revert(&error) => ChainError::Rpc(error),
        ChainError::Tls(error) => ChainError::Tls(error),
        _ => ChainError::NoPermit { token, reason: "it has no permits".into() },
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{address, b256};

    use super::*;

    /// The domain that USDC on Ethereum has on chain.
    #[test]
    fn the_domain_is_that_of_a_token_that_stands() {
        let usdc = address!("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48");
        let found = separator("USD Coin", "2", 1, usdc);
        assert_eq!(found, b256!("06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335"));
    }

    #[test]
    fn each_part_of_a_permission_is_under_the_signature() {
        let permission = Permission { spender: Address::repeat_byte(1), amount: U256::from(2), deadline: 3 };
        let owner = Address::repeat_byte(4);
        let of = |permission: &Permission, nonce: u64| digest(B256::ZERO, owner, permission, U256::from(nonce));
        let all = [
            of(&permission, 0),
            of(&permission, 1),
            of(&Permission { spender: owner, ..permission }, 0),
            of(&Permission { amount: U256::from(3), ..permission }, 0),
            of(&Permission { deadline: 4, ..permission }, 0),
            digest(B256::repeat_byte(1), owner, &permission, U256::ZERO),
            digest(B256::ZERO, Address::ZERO, &permission, U256::ZERO),
        ];
        let distinct: std::collections::BTreeSet<B256> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
