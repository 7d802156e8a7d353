//! The parameters of a request.

use alloy::{eips::BlockId, rpc::json_rpc::SerializedRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::{Answer, invalid};

/// Positional parameters.
pub(super) struct Parameters(Vec<Value>);

impl Parameters {
    /// # Errors
    /// Parameters that are not an array.
    pub(super) fn of(request: &SerializedRequest) -> Answer<Self> {
        let Some(raw) = request.params() else { return Ok(Self(Vec::new())) };
        match serde_json::from_str(raw.get()).map_err(invalid)? {
            Value::Array(values) => Ok(Self(values)),
            Value::Null => Ok(Self(Vec::new())),
            _ => Err(invalid("parameters must be an array")),
        }
    }

    /// The parameter at `index`.
    pub(super) fn required<T: DeserializeOwned>(&self, index: usize) -> Answer<T> {
        self.optional(index)?.ok_or_else(|| invalid(format!("parameter {index} is missing")))
    }

    /// The parameter at `index`, unless it is absent or null.
    pub(super) fn optional<T: DeserializeOwned>(&self, index: usize) -> Answer<Option<T>> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone()).map(Some).map_err(invalid),
        }
    }

    /// The block at `index`; the newest when absent.
    pub(super) fn block(&self, index: usize) -> Answer<BlockId> {
        Ok(self.optional(index)?.unwrap_or_default())
    }
}
