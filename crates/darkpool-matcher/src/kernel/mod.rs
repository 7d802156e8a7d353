//! The speed: masks, division by steps, and the passes over the columns.

pub(crate) mod columns;
pub(crate) mod division;
mod equal;
pub(crate) mod mask;
pub(crate) mod scalar;
#[cfg(test)]
mod trace;
