//! `ccc receipt open`: one's own receipts of a round, under a header that the chain took.

use super::{
    super::{
        Context,
        receipts::{self, Units},
        reports::{self, References, Reports},
    },
    BASE, QUOTE,
    door::Desk,
};
use crate::{
    artifact::{ArtifactError, instead},
    cli::{OwnerArgs, ReceiptOpenArgs, SettingsArgs},
    error::Error,
    files,
    network::NetworkError,
    pool::hexed::Hex,
    ui::Answer,
};
use alloy::primitives::B256;
use ccc_chain::submission;
use ccc_core::table::{Header, Receipt, Receipts};
use serde_json::json;
use std::path::Path;

const MAX_HEADER: u64 = 4096;
const MAX_RECEIPTS: u64 = 1 << 25;

pub(super) async fn open(arguments: &ReceiptOpenArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let owner = OwnerArgs { account_key: arguments.account_key.clone(), committee: None };
    let flags = SettingsArgs { owner, ..SettingsArgs::from(&arguments.read) };
    let header = read_header(&arguments.header)?;
    let receipts = read_receipts(&arguments.file, &header)?;
    let desk = Desk::open(&flags, ctx).await?;
    let owner = desk.owner()?;
    desk.check_closed(&header).await?;
    let key = owner.reading_key();
    let opened = receipts.open(key, &header);
    let reports = receipts.reports(key, &header);
    desk.tell(&header, &opened, &reports)?;
    Ok(if opened.is_empty() { Answer::No } else { Answer::Done })
}

fn read_header(path: &Path) -> Result<Header, Error> {
    let header = Header::from_bytes(&files::read(path, MAX_HEADER)?);
    header.map_err(|error| Error::Artifact { path: path.into(), source: ArtifactError::TableHeader(error) })
}

fn read_receipts(path: &Path, header: &Header) -> Result<Receipts, Error> {
    let bytes = files::read(path, MAX_RECEIPTS)?;
    let receipts = Receipts::from_bytes(&bytes);
    let receipts = receipts
        .map_err(|source| instead(path, bytes, "sealed receipts", Error::Encoding { path: path.into(), source }))?;
    if receipts.header() == header.hash() {
        return Ok(receipts);
    }
    Err(Error::NotVerified { path: path.into(), reason: "they are the receipts of another version".into() })
}

impl Desk<'_> {
    /// That the pool made this header the one of its version: a host could show an owner a table of its own.
    async fn check_closed(&self, header: &Header) -> Result<(), NetworkError> {
        let (version, hash) = (header.version(), B256::from(header.hash()));
        let closed = submission::was_closed(&self.node.chain, &self.deployment, version, hash).await;
        if self.told(closed)? { Ok(()) } else { Err(NetworkError::NotClosed { version, hash: hash.to_string() }) }
    }

    fn tell(&self, header: &Header, opened: &[(u32, Receipt)], opened_reports: &Reports) -> Result<(), Error> {
        let decimals = self.deployment.tokens.iter().map(|token| token.plan.decimals).collect();
        let units = Units { decimals, base: BASE, quote: QUOTE, order_slots: None };
        let (lot, version) = (self.token(BASE)?.plan.lot, header.version());
        let references = References::new(lot, std::iter::once((version, opened_reports)));
        let notional = |slot: u32| opened.iter().find(|(found, _)| *found == slot).map_or(0, |(_, r)| r.notional);
        let mut lines = match opened {
            [] => vec![format!("version {version} has no receipt for this account")],
            opened => receipts::lines(opened.iter().map(|receipt| receipts::cells(&units, header, receipt)).collect()),
        };
        lines.extend(opened_reports.iter().flat_map(|r| reports::lines(&references, version, r, notional(r.0))));
        let objects = |list: &Reports| -> Vec<_> {
            list.iter().map(|r| reports::object(&references, version, r, notional(r.0))).collect()
        };
        let object = json!({
            "version": version, "header_hash": Hex(header.hash()),
            "receipts": opened.iter().map(|receipt| receipts::object(&units, receipt)).collect::<Vec<_>>(),
            "reports": objects(opened_reports),
        });
        self.ctx.ui.result(&lines, &object);
        Ok(())
    }
}
