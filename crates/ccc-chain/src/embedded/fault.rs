//! JSON-RPC refusals.

use std::fmt::Display;

use alloy::{primitives::Bytes, rpc::json_rpc::ErrorPayload};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// The answer to a request, or its refusal.
pub(super) type Answer<T> = Result<T, ErrorPayload>;

/// What an answer is made of: text, written once.
pub(super) type Told = Box<RawValue>;

/// A value as it is told.
pub(super) fn told(value: &(impl Serialize + ?Sized)) -> Answer<Told> {
    to_raw_value(value).map_err(unavailable)
}

const EXECUTION_REVERTED: i64 = 3;
const SERVER: i64 = -32000;
const TRANSACTION_REJECTED: i64 = -32003;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMETERS: i64 = -32602;

fn refusal(code: i64, message: String) -> ErrorPayload {
    ErrorPayload { code, message: message.into(), data: None }
}

/// The parameters are not what the method takes.
pub(super) fn invalid(reason: impl Display) -> ErrorPayload {
    refusal(INVALID_PARAMETERS, reason.to_string())
}

/// The transaction cannot be part of a block.
pub(super) fn rejected(reason: impl Display) -> ErrorPayload {
    refusal(TRANSACTION_REJECTED, reason.to_string())
}

/// The request is understood and cannot be served.
pub(super) fn unavailable(reason: impl Display) -> ErrorPayload {
    refusal(SERVER, reason.to_string())
}

/// The method is not one of this chain's.
pub(super) fn unknown_method(name: &str) -> ErrorPayload {
    refusal(METHOD_NOT_FOUND, format!("the embedded chain has no method {name}"))
}

/// The call reverted; the revert data travel as a quoted hexadecimal string, which is what clients decode.
pub(super) fn reverted(data: &Bytes) -> ErrorPayload {
    let data = RawValue::from_string(format!("\"{data}\"")).ok();
    ErrorPayload { code: EXECUTION_REVERTED, message: "execution reverted".into(), data }
}
