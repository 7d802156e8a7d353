//! The parameters of a request.

use alloy::{eips::BlockId, rpc::json_rpc::SerializedRequest};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::fault::{Answer, invalid};

/// Positional parameters, each read when it is asked for.
pub(super) struct Parameters<'a>(Vec<&'a RawValue>);

impl<'a> Parameters<'a> {
    /// # Errors
    /// Parameters that are not an array.
    pub(super) fn of(request: &'a SerializedRequest) -> Answer<Self> {
        let Some(raw) = request.params() else { return Ok(Self(Vec::new())) };
        let read: Result<Option<Vec<&RawValue>>, _> = serde_json::from_str(raw.get());
        Ok(Self(read.map_err(|_| invalid("parameters must be an array"))?.unwrap_or_default()))
    }

    /// The parameter at `index`.
    pub(super) fn required<T: DeserializeOwned>(&self, index: usize) -> Answer<T> {
        self.optional(index)?.ok_or_else(|| invalid(format!("parameter {index} is missing")))
    }

    /// The parameter at `index`, unless it is absent or null.
    pub(super) fn optional<T: DeserializeOwned>(&self, index: usize) -> Answer<Option<T>> {
        match self.0.get(index) {
            None => Ok(None),
            // null is absent
            Some(value) => serde_json::from_str(value.get()).map_err(invalid),
        }
    }

    /// The block at `index`; the newest when absent.
    pub(super) fn block(&self, index: usize) -> Answer<BlockId> {
        Ok(self.optional(index)?.unwrap_or_default())
    }
}
