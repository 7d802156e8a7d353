//! What every command of a desk begins with: settings, contracts, keys, and what names a submission.

use super::{super::Context, BASE, QUOTE};
use crate::{
    cli::{Digest, SettingsArgs, SpendArgs},
    error::Error,
    network::{NetworkError, Node, Settings, open_key, read_deployment},
    pool::{account, random, read_committee},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
};
use ccc_chain::{
    ChainError, Deployment, Wallet, deploy,
    deploy::DeployedToken,
    read, submission,
    watch::{Event, Observed},
};
use ccc_core::keys::MasterPublicKey;
use ccc_enclave::intake::{PoolId, submission_id};
use ccc_node::maker::TableOwner;
use rand_core::CryptoRng;

/// A pool on a chain that answers.
pub(in crate::command) struct Desk<'a> {
    pub(in crate::command) node: Node,
    pub(in crate::command) deployment: Deployment,
    settings: Settings,
    pub(super) ctx: &'a Context<'a>,
}

/// What names a submission to the pool, and in its label.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) id: [u8; 32],
    pub(super) salt: [u8; 32],
    pub(super) who: [u8; 20],
}

impl Name {
    /// As a person or a log keeps it.
    pub(super) fn in_words(&self) -> String {
        format!("id {}, --salt {}", hex::encode(self.id), hex::encode(self.salt))
    }
}

impl<'a> Desk<'a> {
    /// Reads the settings and finds the contracts.
    ///
    /// # Errors
    /// [`NetworkError`]: no deployment, no node, another chain, contracts that are not there or not the deployment's.
    pub(in crate::command) async fn open(flags: &SettingsArgs, ctx: &'a Context<'a>) -> Result<Self, Error> {
        let settings = Settings::read(flags)?;
        let deployment = read_deployment(settings.deployment()?)?;
        let node = Node::connect(&settings).await?;
        let desk = Self { node, deployment, settings, ctx };
        desk.told(deploy::check_pool(&desk.node.chain, &desk.deployment).await)?;
        Ok(desk)
    }

    /// The same desk, whose transactions cost no more than told.
    pub(super) fn within(self, spend: SpendArgs) -> Self {
        Self { node: self.node.within(spend), ..self }
    }

    /// A chain's answer, with its error in words.
    pub(super) fn told<T>(&self, answer: Result<T, ChainError>) -> Result<T, NetworkError> {
        answer.map_err(|error| self.node.error(&error))
    }

    /// The pool that every label names.
    pub(super) fn pool(&self) -> PoolId {
        PoolId { chain: self.deployment.chain_id, contract: self.deployment.pool.0.0 }
    }

    /// Who sends.
    ///
    /// # Errors
    /// No key, or one that does not open.
    pub(in crate::command) fn wallet(&self) -> Result<Wallet, Error> {
        open_key(self.settings.key()?, &self.ctx.passphrases)
    }

    /// The table account's owner.
    ///
    /// # Errors
    /// No key file, or one that does not open.
    pub(super) fn owner(&self) -> Result<TableOwner, Error> {
        account::open(self.settings.account_key()?, &self.ctx.passphrases)
    }

    /// The table account's owner, and the account as a sender: its file is opened once.
    ///
    /// # Errors
    /// As [`Self::owner`].
    pub(super) fn account(&self) -> Result<(TableOwner, Wallet), Error> {
        account::with_wallet(self.settings.account_key()?, &self.ctx.passphrases)
    }

    /// What is encrypted to: the committee's key, which must be that of the vault that the pool itself names.
    ///
    /// # Errors
    /// [`NetworkError::NoCommittee`], [`NetworkError::OtherVault`], [`NetworkError::NoVault`], and the errors of reading.
    pub(in crate::command) async fn master_key(&self) -> Result<MasterPublicKey, Error> {
        let committee = read_committee(self.settings.committee()?)?;
        let key = *committee.master_public_key();
        let pool = read::Pool::new(&self.node.chain, self.deployment.pool);
        let Some(vault) = self.told(pool.vault(Self::NEWEST).await)? else {
            if !self.node.is_local() {
                return Err(NetworkError::NoVault { pool: self.deployment.pool.to_string() }.into());
            }
            self.ctx.ui.note("the pool names no vault: nothing here says that this committee holds its key");
            return Ok(key);
        };
        let expected = self.told(read::master_key(&self.node.chain, vault).await)?;
        let found = B256::from(key.to_bytes());
        if expected == found {
            return Ok(key);
        }
        let (expected, found) = (expected.to_string(), found.to_string());
        Err(NetworkError::OtherVault { expected, found }.into())
    }

    /// A token of the pool.
    ///
    /// # Errors
    /// An asset that the deployment has not, or with other decimal places than an enclave counts with.
    pub(super) fn token(&self, asset: u32) -> Result<&DeployedToken, Error> {
        let found = usize::try_from(asset).ok().and_then(|at| self.deployment.tokens.get(at));
        let found = found.ok_or(Error::Terms { what: "the asset", reason: "the deployment has none at this place" })?;
        match (asset, found.plan.decimals) {
            (BASE, 8) | (QUOTE, 6) => Ok(found),
            _ => Err(Error::Terms { what: "the asset", reason: "base has 8 decimals and quote 6" }),
        }
    }

    /// The name of what `sender` submits: of this salt, or a fresh one.
    pub(super) fn name(&self, sender: Address, salt: Option<Digest>, rng: &mut impl CryptoRng) -> Name {
        let (who, salt) = (sender.0.0, salt.map_or_else(|| random(rng), |Digest(salt)| salt));
        Name { id: submission_id(self.pool(), &who, &salt), salt, who }
    }

    /// What the pool has already under a salt that an earlier run told.
    ///
    /// # Errors
    /// [`NetworkError::OtherSubmission`] where it is not `expected`.
    pub(super) async fn sent_before(
        &self,
        name: &Name,
        salt: Option<Digest>,
        expected: &'static str,
        is_it: impl Fn(&Event) -> bool,
    ) -> Result<Option<Observed>, NetworkError> {
        if salt.is_none() {
            return Ok(None);
        }
        let found = self.told(submission::find(&self.node.chain, &self.deployment, name.id.into()).await)?;
        match found {
            Some(found) if !is_it(&found.event) => {
                Err(NetworkError::OtherSubmission { id: hex::encode(name.id), expected, found: "another submission" })
            }
            found => Ok(found),
        }
    }

    /// What the pool took under an id.
    ///
    /// # Errors
    /// [`NetworkError::UnknownSubmission`].
    pub(super) async fn find(&self, id: [u8; 32]) -> Result<Observed, NetworkError> {
        let found = self.told(submission::find(&self.node.chain, &self.deployment, id.into()).await)?;
        found.ok_or_else(|| NetworkError::UnknownSubmission { id: hex::encode(id) })
    }

    /// Tells the person what everybody will see, where the account itself sends.
    pub(super) fn warn_of_sender(&self, wallet: &Wallet, owner: &TableOwner) {
        if wallet.address().0.0 == owner.account() {
            self.ctx.ui.note("the sender is the table account itself: everybody sees whose submission this is");
        }
    }

    /// The time that rounds judge expiries by, or a later round's: the newest final block's; zero before there is one.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) async fn final_time(&self) -> Result<u64, NetworkError> {
        match self.node.chain.finalised_block().await {
            Ok(block) => Ok(block.time),
            Err(ChainError::NoBlock { .. }) => Ok(0),
            Err(error) => Err(self.node.error(&error)),
        }
    }

    /// The newest block.
    pub(super) const NEWEST: BlockId = BlockId::latest();
}
