//! Answers, and the fields that every one of them has.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FIELDS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "geolocation=(), camera=(), microphone=()"),
];

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Asked for again with its tag.
    Tagged,
    /// A second, then with its tag.
    Second,
    /// Never.
    Never,
}

impl Keep {
    const fn field(self) -> &'static str {
        match self {
            Self::Tagged => "no-cache",
            Self::Second => "max-age=1",
            Self::Never => "no-store",
        }
    }
}

/// Sets the fields of every answer.
#[must_use]
pub fn secured(mut response: Response) -> Response {
    for (name, value) in FIELDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An answer with a body; without one where the caller has it already.
#[must_use]
pub fn bytes(asked: &HeaderMap, kind: &'static str, keep: Keep, body: impl Into<Vec<u8>>) -> Response {
    let body = body.into();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|given| given.to_str().ok());
    let same = keep != Keep::Never && known.is_some_and(|given| given.split(',').any(|given| given.trim() == tag));
    let mut response = Response::new(if same { Body::empty() } else { Body::from(body) });
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep.field()));
    if keep != Keep::Never {
        fields.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    }
    response
}

/// A JSON answer.
#[must_use]
pub fn json(asked: &HeaderMap, keep: Keep, object: &impl Serialize) -> Response {
    match serde_json::to_vec(object) {
        Ok(body) => bytes(asked, "application/json", keep, body),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written"),
    }
}

/// A refusal with its reason.
#[must_use]
pub fn refusal(status: StatusCode, reason: &str) -> Response {
    let mut response = Response::new(Body::from(json!({ "refused": reason }).to_string()));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(Keep::Never.field()));
    response
}

/// A refusal that says when to come again.
#[must_use]
pub fn later(status: StatusCode, reason: &str, seconds: u64) -> Response {
    let mut response = refusal(status, reason);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
