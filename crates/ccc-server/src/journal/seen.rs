//! What a node has seen of its chain, remembered over a restart: the newest finalised block and the table's version. A
//! participant has it beside its answers, a host and a signer in records of their own.
//!
//! *Layout*: the value `seen-<chain>-<pool>` of the participant's records is number u64 ‖ hash 32 ‖ time u64 ‖ version u64 ‖
//! HMAC-SHA-512(journal key; "ccc/v1/seen" ‖ name ‖ the fields before) 64, or nothing where the operator had it forgotten.

use super::lines::{JournalKey, authenticator};
use crate::follow::{Memory, Seen};
use alloy::primitives::Address;
use ccc_core::keys::ParticipantKeys;
use ccc_store::{Change, RecordStore};
use std::sync::Arc;

const LABEL: &[u8] = b"ccc/v1/seen";
const FIELDS: usize = 8 + 32 + 8 + 8;

/// What one node has seen of one deployment.
pub struct SeenRecord {
    store: Arc<dyn RecordStore>,
    key: JournalKey,
    name: String,
}

impl SeenRecord {
    pub(super) fn new(store: Arc<dyn RecordStore>, key: JournalKey, chain: u64, pool: &Address) -> Self {
        Self { store, key, name: format!("seen-{chain}-{}", hex::encode(pool)) }
    }

    /// What the node with these keys keeps in a store of its own.
    #[must_use]
    pub fn of(store: Arc<dyn RecordStore>, keys: &ParticipantKeys, chain: u64, pool: &Address) -> Self {
        Self::new(store, JournalKey::of(keys), chain, pool)
    }

    /// Forgets what was seen: whatever the chain's endpoint says next is believed, as at a first start. The answers stay.
    ///
    /// # Errors
    /// A sentence.
    pub fn forget(&self) -> Result<(), String> {
        self.put(&[])
    }

    fn put(&self, value: &[u8]) -> Result<(), String> {
        let change = Change { values: &[(&self.name, value)], ..Change::default() };
        self.store.commit(&change).map_err(|error| error.to_string())
    }

    fn mac(&self, fields: &[u8]) -> [u8; 64] {
        authenticator(self.key.bytes(), &[LABEL, self.name.as_bytes(), fields])
    }

    fn read(&self, bytes: &[u8]) -> Option<Seen> {
        let (fields, mac) = bytes.split_at_checked(FIELDS)?;
        let (number, rest) = fields.split_first_chunk()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (time, version) = rest.split_first_chunk()?;
        let number_of = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        let (number, time, version) = (number_of(number), number_of(time), number_of(version.try_into().ok()?));
        (self.mac(fields) == mac).then_some(Seen { number, hash: *hash, time, version })
    }
}

impl Memory for SeenRecord {
    fn last(&self) -> Result<Option<Seen>, String> {
        let stored = self.store.value(&self.name).map_err(|error| error.to_string())?;
        let stored = stored.filter(|bytes| !bytes.is_empty());
        let seen = stored.map(|bytes| self.read(&bytes).ok_or_else(|| "it is not what this node wrote".to_owned()));
        seen.transpose()
    }

    fn keep(&self, seen: &Seen) -> Result<(), String> {
        let [number, time, version] = [seen.number, seen.time, seen.version].map(u64::to_be_bytes);
        let fields = [number.as_slice(), &seen.hash, &time, &version].concat();
        let value = [fields.as_slice(), &self.mac(&fields)].concat();
        self.put(&value)
    }
}
