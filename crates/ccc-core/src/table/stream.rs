//! Updates of a table that stays sealed: read from a source, written to sinks, in memory that does not grow with it.
//!
//! ```text
//!            first pass                    second pass                     entries
//! body ──► check, open, find ──► rows ──► check, open, write, commit, ──► open, seal to owners
//!                                of the   seal, hash
//!                                round      │            │                    │
//!                                           ▼            ▼                    ▼
//!                                        new body   levels of the tree     sidecar
//! ```
//!
//! The bytes are those of [`OpenTable::apply`](super::OpenTable::apply), which holds all rows open and is the slow
//! twin. *Checked*: length, key commitment, every chunk's tag, the body root, the status row, that used rows come
//! first, and that each row of the round is a row and has its key alone. The body root makes the rows those that an
//! enclave sealed; what that enclave knew of rows outside the round (well formed, no two of one account and asset)
//! still holds, because no update makes a row whose key it has found. *Source*: `docs/spec/table.md`, section *Updates*.

use super::{
    DataKey, Header, ResultCode, StructuralError, TableParams, Update,
    chunks::{ChunkSink, ChunkSource, MediumError, PlaceSink},
    entries::{self, StateCommit},
    found::{Asked, DecidedRound},
    header::{Prefix, Roots},
    key::BodyKeys,
    lookup::Lookup,
    operation::update_digest,
    passes::{Commit, New, Old, Passes},
    patch::Patches,
    row::{ROW_LEN, RowFault, Status},
    seal::BodyCipher,
    tree::Node,
    update::wrap,
    working::Working,
};
use crate::{epoch::Epoch, keys::MasterPublicKey, suite::digest};
use alloc::vec;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// Why an update of a sealed table stopped. The old version stays valid and current; what was written is no version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The table or the round is not what it must be.
    #[error(transparent)]
    Structural(#[from] StructuralError),
    /// A medium could not be read or written.
    #[error(transparent)]
    Medium(#[from] MediumError),
}

/// What an update is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The first pass: finding the rows of the round.
    Find,
    /// The second pass: writing, sealing and hashing.
    Seal,
    /// Sealing the sidecar's entries to their owners.
    Entries,
}

/// How far an update has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Chunks done in this stage.
    pub done: u32,
    /// Chunks of this stage.
    pub of: u32,
}

/// Where a version goes, and who is told how far it has come.
pub struct Outputs<'a, B, P> {
    /// The sealed chunks.
    pub body: &'a mut B,
    /// What owners need to exit.
    pub sidecar: &'a mut P,
    /// Called after every few chunks, from the calling thread.
    pub progress: &'a mut dyn FnMut(Progress),
}

/// A version that has left the enclave.
///
/// *Security*: body and sidecar MUST be durable before the header goes to the chain.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// The header.
    pub header: Header,
    /// How the batch ended; where it was refused, the deltas changed no row.
    pub code: ResultCode,
    /// How each boundary operation ended, in order, whatever became of the batch.
    pub boundary: Vec<Result<(), ResultCode>>,
}

/// The current version, sealed.
///
/// *Security*: the caller has compared the header with the chain ([`Header::current`]).
pub struct SealedBody<'a, S> {
    /// The header.
    pub header: &'a Header,
    /// Its data key.
    pub key: &'a DataKey,
    /// Its body.
    pub body: &'a mut S,
}

/// Version 1 of a table, written to sinks: the bytes of [`genesis`](super::genesis).
///
/// # Errors
/// [`StreamError`].
pub fn genesis_to<B: ChunkSink, P: PlaceSink>(
    params: &TableParams,
    master: &MasterPublicKey,
    outputs: Outputs<'_, B, P>,
    rng: &mut impl CryptoRng,
) -> Result<Streamed, StreamError> {
    let TableParams { id, epoch, tier, suite } = *params;
    let prefix = Prefix { suite, id, epoch, version: 1, previous: [0; 32], tier };
    let key = DataKey::fresh(None, &prefix.to_bytes(), &update_digest(&[], &[]), rng);
    let status = Status { epoch_salt: key.epoch_salt(epoch), code: ResultCode::Done, version: 1 };
    let mut nothing: &[u8] = &[];
    let passes = Passes::new(&mut nothing, None, tier)?;
    let made = Made { prefix, key, status, patches: Patches::none() };
    let header = made.write(passes, outputs, master, rng)?;
    Ok(Streamed { header, code: ResultCode::Done, boundary: vec![] })
}

impl<S: ChunkSource> SealedBody<'_, S> {
    /// The next version: the bytes of [`OpenTable::apply`](super::OpenTable::apply).
    ///
    /// # Errors
    /// [`StreamError`]; the old version stays valid. The structural ones are those of
    /// [`OpenTable::apply`](super::OpenTable::apply).
    ///
    /// *Security*: `master` MUST be the key of the committee of the new version's epoch.
    /// *Timing*: depends on the tier and, for a round, on `k` and the numbers of boundary operations and assets.
    pub fn apply<B: ChunkSink, P: PlaceSink>(
        self,
        update: &Update<'_>,
        master: &MasterPublicKey,
        outputs: Outputs<'_, B, P>,
        rng: &mut impl CryptoRng,
    ) -> Result<Streamed, StreamError> {
        let decided = self.make(update, Some(master), outputs.progress, rng)?;
        decided.seal(master, outputs, rng).map(|(streamed, _)| streamed)
    }

    /// The two passes alone, without state tree, header and sidecar: what benches compare with the cipher and the
    /// hash. What it writes is no version. Returns the body root.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn passes_alone<B: ChunkSink>(
        self,
        update: &Update<'_>,
        body: &mut B,
        rng: &mut impl CryptoRng,
    ) -> Result<[u8; 32], StreamError> {
        let (mut passes, made) = self.make(update, None, &mut |_| (), rng)?.into_parts();
        passes.reseal(&made.sealing(&made.keys())?, body, &Nothing, |_, _| Ok(()), &mut |_| ())
    }
}

impl<'a, S: ChunkSource> SealedBody<'a, S> {
    /// Everything before the second pass; `master` is the key that the next version is wrapped for, if it is one.
    fn make(
        self,
        update: &Update<'_>,
        master: Option<&MasterPublicKey>,
        progress: &mut dyn FnMut(Progress),
        rng: &mut impl CryptoRng,
    ) -> Result<DecidedRound<'a, S>, StreamError> {
        let next = update.after(self.header)?;
        master.map_or(Ok(()), |master| update.check_key(self.header, master))?;
        Ok(self.look_for(Asked::of(&next), progress)?.decide_next(&next, rng)?)
    }

    /// The first pass: the status row and the rows that are asked for.
    pub(super) fn survey(
        self,
        asked: &Asked,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Passes<'a, S>, Status, Working), StreamError> {
        let Self { header, key, body } = self;
        let keys = key.body_keys(&header.p0());
        let cipher = BodyCipher::new(header.suite(), keys.body_key()).map_err(StructuralError::from)?;
        let old = Old { header, cipher, aad: header.chunk_aad() };
        let mut passes = Passes::new(body, Some(old), header.tier())?;
        if !keys.commits_to(&header.key_commitment()) {
            return Err(StructuralError::KeyCommitment.into());
        }
        let [lookup_seed, patch_seed] = key.scan_seeds(&header.p0());
        let lookup = Lookup::new(asked.unique(), lookup_seed);
        let survey = passes.survey(&lookup, &asked.assets, progress)?;
        let status = current_status(survey.first.as_ref(), header.version())?;
        let working = Working::new(&lookup, &survey, asked, header.tier().rows(), patch_seed)?;
        Ok((passes, status, working))
    }
}

fn current_status(first: Option<&[u8; ROW_LEN]>, version: u64) -> Result<Status, StructuralError> {
    let status = first.map(Status::from_bytes).and_then(Result::ok).filter(|status| status.version == version);
    status.ok_or(StructuralError::Row { index: 0, fault: RowFault::Status })
}

impl Status {
    /// The status row of the next version; `epoch` is that of this one.
    pub(super) fn follow(&self, prefix: &Prefix, key: &DataKey, epoch: Epoch, code: ResultCode) -> Self {
        let starts_epoch = prefix.epoch != epoch;
        let epoch_salt = if starts_epoch { key.epoch_salt(prefix.epoch) } else { self.epoch_salt };
        Self { epoch_salt, code, version: prefix.version }
    }
}

/// A version before its roots are known.
pub(super) struct Made {
    pub(super) prefix: Prefix,
    pub(super) key: DataKey,
    pub(super) status: Status,
    pub(super) patches: Patches,
}

impl Made {
    fn keys(&self) -> BodyKeys {
        self.key.body_keys(&self.prefix.to_bytes())
    }

    fn sealing(&self, keys: &BodyKeys) -> Result<New<'_>, StructuralError> {
        let Self { prefix, status, patches, .. } = self;
        let cipher = BodyCipher::new(prefix.suite, keys.body_key())?;
        Ok(New { tier: prefix.tier, cipher, aad: digest(&prefix.to_bytes()), status: status.clone(), patches })
    }

    /// The second pass, the header and the sidecar.
    pub(super) fn write<S: ChunkSource, B: ChunkSink, P: PlaceSink>(
        &self,
        mut passes: Passes<'_, S>,
        outputs: Outputs<'_, B, P>,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Header, StreamError> {
        let (keys, tier) = (self.keys(), self.prefix.tier);
        let (new, salts) = (self.sealing(&keys)?, self.key.salt_key(&self.prefix.to_bytes()));
        let Outputs { body, sidecar, progress } = outputs;
        let mut levels = entries::Levels::new(tier, sidecar);
        let commit = StateCommit { salts: &salts };
        let body = passes.reseal(&new, body, &commit, |first, nodes| levels.take(first, nodes), progress)?;
        let roots = Roots { body, key_commitment: keys.commitment(), state: levels.finish()? };
        let header = wrap(&self.prefix, roots, &self.key, master, rng)?;
        entries::write(&mut passes, &new, &header, (&self.key, &salts), sidecar, progress)?;
        Ok(header)
    }
}

/// No commitments.
struct Nothing;

impl Commit for Nothing {
    const NODES: usize = 1;

    fn commit(&self, _first: u32, _rows: &[[u8; ROW_LEN]], _nodes: &mut [Node]) {}
}
