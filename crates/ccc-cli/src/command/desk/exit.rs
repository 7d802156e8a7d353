//! `ccc exit`: out of a pool whose rounds have stopped, with the rows of an account or with a deposit that no round took.

use super::{
    super::{Context, table::proof},
    door::Desk,
    index_of,
    sending::{Step, Told},
};
use crate::{
    cli::{Digest, ExitArgs, OwnerArgs, SettingsArgs},
    error::Error,
    network::NetworkError,
    pool::hexed::Hex,
    ui::Answer,
};
use alloy::{
    network::TransactionBuilder,
    primitives::{Address, keccak256},
};
use ccc_chain::{
    ChainError, Wallet,
    calls::{self, ExitProof},
    read::Pool,
    submission,
    watch::Event,
};
use ccc_core::table::{Header, Row};
use serde_json::json;
use std::{path::Path, time::Duration};

/// The time between two looks at the chain.
const LOOK: Duration = Duration::from_secs(5);
/// Looks without an answer, one after the other, until the wait ends: about an hour.
const MOST_AWAY: u32 = 720;

/// What leaves, and who sends.
struct Leaving {
    wallet: Wallet,
    steps: Vec<Step>,
    told: Told,
    /// The version whose rows leave.
    header: Option<Header>,
}

/// What else the first exit does.
const ENDS_ROUNDS: &str = "the first exit ends the pool's rounds for ever, for everybody in it";

pub(super) async fn run(arguments: &ExitArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let owner = OwnerArgs { account_key: arguments.account_key.clone(), committee: None };
    let desk = Desk::open(&SettingsArgs { owner, ..SettingsArgs::from(&arguments.send) }, ctx)
        .await?
        .within(arguments.send.spend);
    let leaving = match (arguments.deposit, &arguments.table) {
        (Some(deposit), _) => desk.with_deposit(deposit).await?,
        (None, Some(table)) => desk.with_rows(table, arguments).await?,
        // clap asks for one of them
        (None, None) => return Err(Error::Missing { path: "exit".into(), what: "--table or --deposit" }),
    };
    let Leaving { wallet, steps, told, header } = leaving;
    if arguments.wait && !desk.node.sends(arguments.send.spend) {
        return Err(NetworkError::WaitForNothing { chain_id: desk.deployment.chain_id }.into());
    }
    let opens = desk.opens(&wallet, &steps).await?;
    match (opens, arguments.wait) {
        (None, _) => {}
        (Some(opens), true) => desk.wait(opens, &wallet, &steps, header.as_ref()).await?,
        (Some(opens), false) => {
            desk.tell_closed(opens).await?;
            return Ok(Answer::No);
        }
    }
    desk.carry_out(&wallet, arguments.send.spend, steps, &told).await
}

impl Desk<'_> {
    async fn with_rows(&self, directory: &Path, arguments: &ExitArgs) -> Result<Leaving, Error> {
        let (owner, wallet) = self.account()?;
        let (header, rows) = proof::of_version(directory, &owner, self.ctx)?;
        self.check_current(&header).await?;
        let wanted = arguments.asset.map(index_of);
        let mut steps = Vec::new();
        let mut told = Vec::new();
        for (row, proof) in rows.into_iter().filter(|(row, _)| wanted.is_none_or(|asset| asset == row.asset.0)) {
            if let Some(step) = self.step(wallet.address(), &row, &proof).await? {
                told.push(json!({ "asset": row.asset.0, "amount": row.amount.to_string(), "index": proof.index }));
                steps.push(step);
            }
        }
        if steps.is_empty() {
            return Err(Error::NoRows { version: header.version() });
        }
        let object = json!({ "version": header.version(), "header_hash": Hex(header.hash()), "rows": told });
        let then = format!("the tokens are at {}; the pool's rounds have ended for ever", wallet.address());
        let told = Told { kind: "exit", name: None, then, warning: Some(ENDS_ROUNDS), object };
        Ok(Leaving { wallet, steps, told, header: Some(header) })
    }

    /// The call for one row; none for a row without an amount, or with which the account has left already.
    async fn step(&self, account: Address, row: &Row, proof: &ExitProof) -> Result<Option<Step>, NetworkError> {
        let (chain, pool, asset) = (&self.node.chain, self.deployment.pool, row.asset.0);
        if row.amount == 0 {
            return Ok(None);
        }
        if row.flags.refuses() {
            self.ctx.ui.note(&format!("the row of asset {asset} is frozen and does not leave"));
            return Ok(None);
        }
        if self.told(submission::has_left(chain, pool, account, asset, Self::NEWEST).await)? {
            self.ctx.ui.note(&format!("the account has left with asset {asset} before"));
            return Ok(None);
        }
        let what = if asset == super::BASE { "the row of the base asset" } else { "the row of the quote asset" };
        Ok(Some(Step::new(what, calls::exit(pool, proof))))
    }

    /// That the files are of the version that the pool holds: no other proves anything to it.
    async fn check_current(&self, header: &Header) -> Result<(), NetworkError> {
        let table = self.told(Pool::new(&self.node.chain, self.deployment.pool).table(Self::NEWEST).await)?;
        if table.header_hash.0 == header.hash() {
            return Ok(());
        }
        let (expected, hash) = (table.version, table.header_hash.to_string());
        Err(NetworkError::OtherVersion { expected, hash, found: header.version() })
    }

    async fn with_deposit(&self, Digest(id): Digest) -> Result<Leaving, Error> {
        let wallet = self.wallet()?;
        let found = self.find(id).await?;
        let Event::Deposited { index, from, asset, amount, ciphertext, .. } = &found.event else {
            let found = "another submission";
            return Err(NetworkError::OtherSubmission { id: hex::encode(id), expected: "a deposit", found }.into());
        };
        if *from != wallet.address() {
            let (expected, found) = (from.to_string(), wallet.address().to_string());
            return Err(NetworkError::OtherSender { expected, found }.into());
        }
        let token = self.token(*asset)?.address;
        let request = calls::reclaim(self.deployment.pool, *index, token, *amount, keccak256(ciphertext));
        let object = json!({ "deposit": Hex(id), "asset": asset, "amount": amount.to_string() });
        let then = format!("the tokens are at {from}; the pool's rounds have ended for ever");
        let told = Told { kind: "deposit taken back", name: None, then, warning: Some(ENDS_ROUNDS), object };
        Ok(Leaving { wallet, steps: vec![Step::new("the deposit", request)], told, header: None })
    }

    /// When exits open, if they are not open yet.
    ///
    /// *Security*: the contract is asked, as its time is the next block's; the machine's clock alone would say yes too soon.
    async fn opens(&self, wallet: &Wallet, steps: &[Step]) -> Result<Option<u64>, NetworkError> {
        let newest = self.told(self.node.chain.block(Self::NEWEST).await)?;
        let opens = self.told(submission::exit_opens(&self.node.chain, self.deployment.pool, newest).await)?;
        let Some(step) = steps.first() else { return Ok(None) };
        let request = step.request.clone().with_from(wallet.address());
        match self.node.chain.simulate(&request).await {
            Err(ChainError::Refused(refusal)) if refusal.name == "ExitNotOpen" => Ok(Some(opens)),
            // another refusal is told by who sends it
            Ok(_) | Err(ChainError::Refused(_)) => Ok(None),
            Err(error) => Err(self.node.error(&error)),
        }
    }

    /// Waits until exits are open. A node that is away for a moment does not end a wait of days; a round that closes does,
    /// as the proofs are of the version before it.
    async fn wait(
        &self,
        opens: u64,
        wallet: &Wallet,
        steps: &[Step],
        header: Option<&Header>,
    ) -> Result<(), NetworkError> {
        let bar = self.ctx.ui.working("waiting until exits open");
        self.ctx.ui.note(&format!("exits open at {opens}, unless a round closes before; {ENDS_ROUNDS}"));
        let mut away = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            match self.look(wallet, steps, header).await {
                Ok(true) => break,
                Ok(false) => away = 0,
                Err(NetworkError::Node { .. }) if away < MOST_AWAY => away += 1,
                Err(error) => return Err(error),
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Whether exits are open now, for proofs that still hold.
    async fn look(&self, wallet: &Wallet, steps: &[Step], header: Option<&Header>) -> Result<bool, NetworkError> {
        if let Some(header) = header {
            self.check_current(header).await?;
        }
        Ok(self.opens(wallet, steps).await?.is_none())
    }

    async fn tell_closed(&self, opens: u64) -> Result<(), NetworkError> {
        let now = self.node.now().await?;
        let left = opens.saturating_sub(now);
        let lines = [
            format!("exits are not open: they open at {opens}, in {left} s, unless a round closes before"),
            "nothing was sent; --wait waits for it".to_owned(),
        ];
        self.ctx
            .ui
            .result(&lines, &json!({ "kind": "exit", "sent": false, "open": false, "opens": opens, "time": now }));
        Ok(())
    }
}
