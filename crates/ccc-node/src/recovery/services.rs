//! A recovery whose enclaves, participants and signers are processes of their own: they run their rounds and checks by
//! their own schedule, and this side waits for what the chain shows.

use super::{
    RecoveryError, check::Checked, report::status, round::Steps, setup, statement::StatementFetcher, world::World,
};
use crate::timeline::Timeline;
use alloy::{eips::BlockId, primitives::B256};
use ccc_chain::{
    Deployment,
    read::{Pool, RequestStatus, attestation},
};
use ccc_core::{
    enclave::attestation::Policy,
    keys::{Committee, KeyShare, ParticipantKeys},
    table::{Header, Receipts, SealedTable, TableStore},
};
use ccc_enclave::{config::EnclaveConfig, intake::CollateralRequest};
use std::{
    pin::Pin,
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// How long the services may take for one step.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often the chain is asked meanwhile.
const LOOK: Duration = Duration::from_millis(200);

/// One participant's secrets.
pub type Member = (ParticipantKeys, KeyShare);

/// What a call on services gives, some time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, RecoveryError>> + 'a>>;

/// What services are started with.
///
/// *Security*: it holds every secret of the network; each service gets its own alone.
pub struct Material<'a> {
    /// The committee.
    pub committee: &'a Committee,
    /// Its members' secrets.
    pub members: Vec<Member>,
    /// The report signers' secret scalars, in the order of the set.
    pub signers: Vec<Zeroizing<[u8; 32]>>,
    /// The seed of the key that stands for the enclave's hardware.
    pub hardware: Zeroizing<[u8; 32]>,
    /// The enclave's configuration.
    pub config: &'a EnclaveConfig,
    /// The contracts.
    pub deployment: &'a Deployment,
    /// What participants and signers accept as the enclave.
    pub policy: &'a Policy,
    /// The custodian's URL and the bearer token.
    pub custodian: (String, &'a Zeroizing<String>),
}

/// A version of the table as a host has it.
pub struct Closed {
    /// The table.
    pub table: SealedTable,
    /// What its round left for its owners; none of the first version.
    pub receipts: Option<Receipts>,
}

/// Enclaves, participants and signers elsewhere.
pub trait Services {
    /// Starts them; it returns when all of them are ready.
    fn start<'a>(&'a mut self, material: Material<'a>) -> Later<'a, ()>;
    /// The version with this header hash.
    fn closed(&mut self, header: [u8; 32]) -> Later<'_, Closed>;
    /// The agent's envelope with this digest.
    fn envelope(&mut self, digest: [u8; 32]) -> Later<'_, Vec<u8>>;
}

impl World {
    pub(super) async fn start_services(
        &mut self,
        members: Vec<Member>,
        fetcher: &StatementFetcher,
    ) -> Result<(), RecoveryError> {
        let custodian = fetcher.source().ok_or_else(|| {
            RecoveryError::Services("a statement from a file: services ask a custodian by its URL".to_owned())
        })?;
        let material = Material {
            committee: &self.committee,
            members,
            signers: setup::signer_keys(&self.randomness),
            hardware: setup::hardware_seed(&self.randomness),
            config: &self.config,
            deployment: &self.deployment,
            policy: &self.policy,
            custodian,
        };
        match &mut self.services {
            Some(services) => services.start(material).await,
            None => Ok(()),
        }
    }

    /// Waits for a round that read everything which is on the chain now.
    pub(super) async fn await_round(&mut self, steps: Steps, timeline: &mut Timeline<'_>) -> Result<(), RecoveryError> {
        timeline.step(steps.report);
        let since = self.chain.finalised_block().await?.number;
        let wait = Wait::new("a round");
        loop {
            self.take_versions().await?;
            let read = self.former.as_deref().and_then(|payload| crate::pool_log::read_block(payload).ok().flatten());
            // the first version reads nothing
            let first = self.head.as_ref().is_some_and(|head| head.version() == 1 && steps.is_genesis());
            if first || read.is_some_and(|read| read >= since) {
                return Ok(());
            }
            timeline.chain(wait.look()).await?;
        }
    }

    /// Waits for the deadline of a request, and for the round that settles it.
    pub(super) async fn await_fill(
        &mut self,
        request: &CollateralRequest,
        steps: Steps,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        timeline.step(steps.report);
        let pool = Pool::new(&self.chain, self.deployment.pool);
        let wait = Wait::new("the round of the request");
        loop {
            match pool.request(B256::from(request.submission.id), BlockId::latest()).await?.status {
                RequestStatus::Filled => return self.take_versions().await,
                RequestStatus::Failed => {
                    return Err(RecoveryError::Services("the round could not fill the request".to_owned()));
                }
                RequestStatus::Expired | RequestStatus::Cancelled => {
                    return Err(RecoveryError::Services("no round settled the request in its time".to_owned()));
                }
                RequestStatus::None | RequestStatus::Pending => timeline.chain(wait.look()).await?,
            }
        }
    }

    /// Waits for a check at a block from now on, and fetches the envelope that its report names.
    pub(super) async fn await_check(&mut self, timeline: &mut Timeline<'_>) -> Result<Checked, RecoveryError> {
        let since = self.chain.finalised_block().await?.number;
        let wait = Wait::new("a reserve check");
        let reported = loop {
            let reported = attestation(&self.chain, self.deployment.attestation, BlockId::latest()).await?;
            if reported.block >= since {
                break reported;
            }
            timeline.chain(wait.look()).await?;
        };
        timeline.show(status(reported.verdict));
        let envelope = self.services()?.envelope(reported.envelope_digest.0).await?;
        Ok(Checked { verdict: reported.verdict, report: Vec::new(), envelope })
    }

    fn services(&mut self) -> Result<&mut dyn Services, RecoveryError> {
        match &mut self.services {
            Some(services) => Ok(services.as_mut()),
            None => Err(RecoveryError::Services("there are none".to_owned())),
        }
    }

    /// Takes over every version that the chain has and this side does not.
    async fn take_versions(&mut self) -> Result<(), RecoveryError> {
        let block = self.chain.finalised_block().await?;
        let table = Pool::new(&self.chain, self.deployment.pool).table(block.id()).await?;
        let known = self.head.as_ref().map_or([0; 32], Header::hash);
        let (mut hash, mut new) = (table.header_hash.0, Vec::new());
        while hash != known && hash != [0; 32] {
            let closed = self.services()?.closed(hash).await?;
            if closed.table.header.hash() != hash {
                return Err(RecoveryError::Services("a host showed another table than it was asked for".to_owned()));
            }
            hash = closed.table.header.previous();
            new.push(closed);
        }
        if new.is_empty() {
            return Ok(());
        }
        new.into_iter().rev().try_for_each(|closed| self.take_version(closed))?;
        self.log.read_to(&block).await?;
        self.former = self.log.former(table.version).await?;
        Ok(())
    }

    fn take_version(&mut self, Closed { table, receipts }: Closed) -> Result<(), RecoveryError> {
        self.store.put(&table)?;
        let name = format!("round-{}", table.header.version());
        self.keep_table(&name, &table);
        if let Some(receipts) = receipts {
            self.hide_reports(&receipts, &table.header);
            self.keep(format!("{name}.receipts"), receipts.to_bytes());
        }
        self.head = Some(table.header);
        Ok(())
    }
}

/// How long something was waited for.
struct Wait(Instant, &'static str);

impl Wait {
    fn new(what: &'static str) -> Self {
        Self(Instant::now(), what)
    }

    async fn look(&self) -> Result<(), RecoveryError> {
        if self.0.elapsed() > PATIENCE {
            let (what, seconds) = (self.1, PATIENCE.as_secs());
            return Err(RecoveryError::Services(format!("{what} did not come within {seconds} seconds")));
        }
        tokio::time::sleep(LOOK).await;
        Ok(())
    }
}
