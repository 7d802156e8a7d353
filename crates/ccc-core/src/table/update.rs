//! From one version to the next: boundary operations, then deltas, then everything sealed anew.
//!
//! *Source*: `docs/spec/table.md`, section *Updates*. Whether a round filled, failed or was idle, the next version has
//! the same sizes and every byte of it is new.

use super::{
    AssetRule, BoundaryOperation, DataKey, Delta, Header, OpenTable, ResultCode, StructuralError, TableId, TableSuite,
    Tier,
    batch::Batch,
    boundary::RowSet,
    header::{Prefix, Roots, key_label, p1_bytes},
    key::SaltKey,
    operation::update_digest,
    row::{ROW_LEN, Status},
    rows::Rows,
    seal::{BodyCipher, CHUNK_LEN, CHUNK_ROWS, SEALED_CHUNK_LEN, body_len, leaf, number, root_of},
    sidecar,
    tree::{self, Node, Tree},
};
use crate::parallel::prelude::*;
use crate::{ciphertext::Ciphertext, epoch::Epoch, keys::MasterPublicKey, suite::digest};
use alloc::vec;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// What a table is from its first version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableParams {
    /// Which table.
    pub id: TableId,
    /// The epoch of the key sharing under which it starts.
    pub epoch: Epoch,
    /// The public capacity.
    pub tier: Tier,
    /// The cipher of the body.
    pub suite: TableSuite,
}

/// One version as it leaves the enclave.
///
/// The header goes to the chain's report and the store, body and sidecar to the store alone.
#[derive(Clone, Debug)]
pub struct SealedTable {
    /// The header.
    pub header: Header,
    /// The sealed chunks, concatenated.
    pub body: Vec<u8>,
    /// What owners need to exit.
    pub sidecar: Vec<u8>,
}

/// The next version, sealed and open.
#[derive(Debug)]
#[non_exhaustive]
pub struct Updated {
    /// What leaves the enclave.
    pub table: SealedTable,
    /// The new rows, for receipts and sums.
    pub rows: OpenTable,
    /// How the batch ended; where it was refused, the deltas changed no row.
    pub code: ResultCode,
    /// How each boundary operation ended, in order, whatever became of the batch.
    pub boundary: Vec<Result<(), ResultCode>>,
}

/// Version 1 of a table: the status row alone.
///
/// *Security*: the master key's committee MUST have t ≥ 2F+1
/// ([`Threshold::protects_tables`](crate::threshold::Threshold::protects_tables)).
///
/// # Errors
/// [`StructuralError::Wrap`].
pub fn genesis(
    params: &TableParams,
    master: &MasterPublicKey,
    rng: &mut impl CryptoRng,
) -> Result<Updated, StructuralError> {
    let TableParams { id, epoch, tier, suite } = *params;
    let prefix = Prefix { suite, id, epoch, version: 1, previous: [0; 32], tier };
    let key = DataKey::fresh(None, &prefix.to_bytes(), &update_digest(&[], &[]), rng);
    let status = Status { epoch_salt: key.epoch_salt(epoch), code: ResultCode::Done, version: 1 };
    let sealing = Sealing { prefix, key, batch: Batch::new(&[], &[]), accepted: 0 };
    let (table, rows) = sealing.seal(Rows::empty(tier, &status), master, rng)?;
    Ok(Updated { table, rows, code: ResultCode::Done, boundary: vec![] })
}

impl OpenTable {
    /// A round of [`OpenTable::apply`]: boundary operations in order, each succeeding or failing alone, then the deltas, all or
    /// nothing.
    ///
    /// `k` is the public number of delta slots ([`delta_capacity`](super::delta_capacity)); `epoch` is the current one.
    ///
    /// # Errors
    /// [`StructuralError`]; the old version stays valid, and opening it again needs no new shares of a participant
    /// that answers the same request.
    ///
    /// *Timing*: depends on the tier, `k` and the number of boundary operations.
    #[expect(clippy::too_many_arguments, reason = "a round has these parts, and each is named at the call")]
    pub(super) fn update(
        mut self,
        boundary: &[BoundaryOperation],
        deltas: &[Delta],
        k: usize,
        assets: &[AssetRule],
        epoch: Epoch,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Updated, StructuralError> {
        let padded = Delta::padded(deltas, k)?;
        let prefix = self.header.next_prefix(epoch, self.header.tier())?;
        let key = DataKey::fresh(Some(&self.key), &prefix.to_bytes(), &update_digest(boundary, &padded), rng);
        let boundary = boundary.iter().map(|operation| self.rows.apply_boundary(operation, assets)).collect();
        let batch = Batch::new(&padded, assets);
        let code = batch.outcome(&self.rows);
        let (table, rows) = self.into_next(prefix, key, batch, code, master, rng)?;
        Ok(Updated { table, rows, code, boundary })
    }

    pub(super) fn into_next(
        self,
        prefix: Prefix,
        key: DataKey,
        batch: Batch,
        code: ResultCode,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<(SealedTable, Self), StructuralError> {
        let starts_epoch = prefix.epoch != self.header.epoch();
        let epoch_salt = if starts_epoch { key.epoch_salt(prefix.epoch) } else { self.status.epoch_salt };
        let mut rows = self.rows;
        rows.set_status(&Status { epoch_salt, code, version: prefix.version });
        let accepted = super::mask::from_bool(code.is_done());
        Sealing { prefix, key, batch, accepted }.seal(rows, master, rng)
    }
}

/// Everything that turns rows into a version.
pub(super) struct Sealing {
    pub(super) prefix: Prefix,
    pub(super) key: DataKey,
    pub(super) batch: Batch,
    /// All ones where the batch is applied.
    pub(super) accepted: u64,
}

impl Sealing {
    pub(super) fn seal(
        self,
        mut rows: Rows,
        master: &MasterPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<(SealedTable, OpenTable), StructuralError> {
        let p0 = self.prefix.to_bytes();
        let (keys, salts) = (self.key.body_keys(&p0), self.key.salt_key(&p0));
        let mut body = vec![0; body_len(self.prefix.tier)];
        let cipher = BodyCipher::new(self.prefix.suite, keys.body_key())?;
        let pass = Pass { sealing: &self, cipher, salts: &salts, aad: digest(&p0) };
        let (body_root, leaves) = pass.run(&mut rows, &mut body);
        let tree = Tree::new(leaves);
        let roots = Roots { body: body_root, key_commitment: keys.commitment(), state: tree.root() };
        let header = wrap(&self.prefix, roots, &self.key, master, rng)?;
        let sidecar = sidecar::build(&header, &rows, &self.key, &salts, &tree);
        let open = OpenTable::from_parts(header.clone(), self.key, rows)?;
        Ok((SealedTable { header, body, sidecar }, open))
    }
}

impl Header {
    /// P0 of the version that follows this one.
    pub(super) fn next_prefix(&self, epoch: Epoch, tier: Tier) -> Result<Prefix, StructuralError> {
        let Prefix { suite, id, epoch: least, version, .. } = *self.prefix();
        if epoch < least {
            return Err(StructuralError::Epoch { least, found: epoch });
        }
        let version = version.checked_add(1).ok_or(StructuralError::LastVersion { found: version })?;
        Ok(Prefix { suite, id, epoch, version, previous: self.hash(), tier })
    }
}

/// The header of a version whose roots are known, its data key wrapped.
pub(super) fn wrap(
    prefix: &Prefix,
    roots: Roots,
    key: &DataKey,
    master: &MasterPublicKey,
    rng: &mut impl CryptoRng,
) -> Result<Header, StructuralError> {
    let label = key_label(prefix, &p1_bytes(prefix, &roots));
    let wrapped = Ciphertext::encrypt(master, &label, key.expose(), rng)?;
    Ok(Header::new(prefix.clone(), roots, wrapped)?)
}

/// The fused pass over the chunks: apply, commit, seal, hash.
struct Pass<'a> {
    sealing: &'a Sealing,
    cipher: BodyCipher,
    salts: &'a SaltKey,
    aad: [u8; 32],
}

impl Pass<'_> {
    /// Returns the body root and the leaves of the state tree.
    fn run(&self, rows: &mut Rows, body: &mut [u8]) -> ([u8; 32], Vec<Node>) {
        let plain = rows.bytes_mut();
        let mut leaves = vec![[0; 32]; plain.len() / ROW_LEN];
        let chunks = plain.par_chunks_mut(CHUNK_LEN).zip(body.par_chunks_mut(SEALED_CHUNK_LEN));
        let hashes: Vec<_> = chunks
            .zip(leaves.par_chunks_mut(CHUNK_ROWS))
            .enumerate()
            .map(|(index, ((plain, sealed), leaves))| self.chunk(index, plain, sealed, leaves))
            .collect();
        (root_of(&hashes), leaves)
    }

    fn chunk(&self, index: usize, plain: &mut [u8], sealed: &mut [u8], leaves: &mut [Node]) -> [u8; 32] {
        let (index, rows) = (number(index), plain.as_chunks_mut().0);
        rows.iter_mut().for_each(|row| self.sealing.batch.apply(row, self.sealing.accepted));
        let numbered = (index * number(CHUNK_ROWS)..).zip(&*rows);
        tree::leaves(numbered.map(|(number, row)| (self.salts.salt(number), row)), leaves);
        self.cipher.seal(index, &self.aad, plain, sealed);
        leaf(index, sealed)
    }
}
