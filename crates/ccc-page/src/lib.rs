//! The page on which one sees a reserve heal.
//!
//! Two pages with two sources. The public one shows the [`board`]: what the chain shows, when it was true, and measured spans.
//! The operator's shows the [`desk`]: figures, fills, the agent's choice. Nothing goes from the desk to the board, and a test
//! searches every public byte for every secret number of a run.
//!
//! ```text
//! recovery in this process ─┐                        ┌─► /v1/…, /v1/events ─► public page
//! deployment on a chain ────┴─► look ─► board ─► hub ┴─► webhook
//! run's figures, agent's files ─► desk ─► /v1/operator/… ─► session ─► operator's page
//! ```

#![forbid(unsafe_code)]

pub mod agent_files;
pub mod answer;
pub mod assets;
pub mod board;
pub mod chain;
pub mod clock;
pub mod decision;
pub mod desk;
pub mod feed;
pub mod hub;
pub mod labels;
pub mod limits;
pub mod look;
pub mod model;
pub mod page;
pub mod routes;
pub mod server;
pub mod session;
pub mod simulation;
pub mod webhook;
