//! Formats of others, read and written for those who have data in them. None of them is used by the rest of the crate.

#[cfg(feature = "tdh2-p256")]
pub mod tdh2_p256;
