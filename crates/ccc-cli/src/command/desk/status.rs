//! `ccc order status`: what the chain knows of a submission, in words.

use super::{super::Context, door::Desk};
use crate::{
    cli::{OrderStatusArgs, SettingsArgs},
    error::Error,
    network::NetworkError,
    pool::hexed::Hex,
    ui::Answer,
};
use alloy::{eips::BlockId, primitives::Address};
use ccc_chain::{
    read::{Pool, RequestStatus, TableState},
    submission::{self, Closed},
    watch::{Event, Observed},
};
use ccc_core::ciphertext::Ciphertext;
use ccc_node::workflow_node::MAX_VALIDITY;
use serde_json::{Value, json};

/// What is known of a submission.
struct Known {
    kind: &'static str,
    /// One word for programs.
    state: &'static str,
    lines: Vec<String>,
    object: Value,
}

impl Known {
    fn new(kind: &'static str, state: &'static str, line: String) -> Self {
        Self { kind, state, lines: vec![line], object: json!({}) }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.object[field] = value;
        self
    }

    /// Whether it came to nothing.
    fn is_over(&self) -> bool {
        ["expired", "cancelled", "taken-back", "failed", "stranded", "unknown"].contains(&self.state)
    }
}

/// The chain around a submission.
struct Around {
    now: u64,
    /// The newest final block's time: a round judges by that of a final block, not by a clock.
    judged: u64,
    table: TableState,
    /// The versions made since its block.
    closed: Vec<Closed>,
}

impl Around {
    async fn of(desk: &Desk<'_>, block: u64) -> Result<Self, NetworkError> {
        let chain = &desk.node.chain;
        let pool = Pool::new(chain, desk.deployment.pool);
        Ok(Self {
            now: desk.node.now().await?,
            judged: desk.final_time().await?,
            table: desk.told(pool.table(Desk::NEWEST).await)?,
            closed: desk.told(submission::closed_since(chain, &desk.deployment, block).await)?,
        })
    }

    /// Whether no round can read a ciphertext any more, nor deliver that it has: a report is valid for [`MAX_VALIDITY`] at
    /// most.
    fn is_past(&self, expiry: u64) -> bool {
        expiry.saturating_add(MAX_VALIDITY) < self.judged
    }

    /// Whether a ciphertext has expired by the clock, or in a final block, and a round may have read it before.
    fn is_passing(&self, expiry: u64) -> bool {
        expiry < self.now.max(self.judged) && !self.is_past(expiry)
    }

    /// The version that took the boundary operation with this index.
    fn took(&self, index: u64) -> Option<&Closed> {
        self.closed.iter().find(|closed| closed.round.is_some_and(|round| round.count > index))
    }

    /// The first version whose round read the chain at this block or after it.
    fn read(&self, block: u64) -> Option<u64> {
        let read = |closed: &&Closed| closed.round.is_some_and(|round| round.price_block >= block);
        self.closed.iter().find(read).map(|closed| closed.version)
    }

    /// Whether versions were made of whose reports nothing is known.
    fn is_unclear(&self) -> bool {
        self.closed.iter().any(|closed| closed.round.is_none())
    }
}

pub(super) async fn run(arguments: &OrderStatusArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let desk = Desk::open(&SettingsArgs::from(&arguments.read), ctx).await?;
    let found = desk.find(arguments.id.0).await?;
    let around = Around::of(&desk, found.block).await?;
    let mut known = desk.known(&found, &around, arguments).await?;
    let from = sender(&found.event);
    if around.is_unclear() {
        known
            .lines
            .push("some versions were delivered through another contract: what they took is not told here".into());
    }
    known.lines.push(format!("submitted by {from} in block {}", found.block));
    let mut object = known.object.clone();
    object["kind"] = known.kind.into();
    object["state"] = known.state.into();
    object["id"] = json!(Hex(arguments.id.0));
    object["from"] = json!(from);
    object["block"] = json!(found.block);
    object["time"] = json!(around.now);
    object["table_version"] = json!(around.table.version);
    ctx.ui.result(&known.lines, &object);
    Ok(if known.is_over() { Answer::No } else { Answer::Done })
}

/// When what was submitted expires; bytes that are no ciphertext say nothing.
pub(super) fn expiry_of(event: &Event) -> Option<u64> {
    let (Event::Deposited { ciphertext, .. }
    | Event::WithdrawalRequested { ciphertext, .. }
    | Event::StandingOrderSubmitted { ciphertext, .. }
    | Event::CollateralRequested { ciphertext, .. }) = event
    else {
        return None;
    };
    Ciphertext::from_bytes(ciphertext).ok().map(|ciphertext| ciphertext.label().expiry)
}

fn sender(event: &Event) -> String {
    match event {
        Event::Deposited { from, .. } | Event::WithdrawalRequested { from, .. } => from.to_string(),
        Event::StandingOrderSubmitted { maker, .. } => maker.to_string(),
        Event::CollateralRequested { requester, .. } => requester.to_string(),
        _ => "nobody".to_owned(),
    }
}

impl Desk<'_> {
    async fn known(&self, found: &Observed, around: &Around, arguments: &OrderStatusArgs) -> Result<Known, Error> {
        let alone = |known: Known| match arguments.cancellation {
            None => Ok(known),
            Some(_) => Err(Error::NotRead { purpose: known.kind, what: "--cancellation" }),
        };
        let expiry = expiry_of(&found.event);
        match &found.event {
            Event::Deposited { index, asset, amount, .. } => {
                let known = self.deposit(*index, (expiry, &sender(&found.event)), around).await?;
                alone(known.with("asset", json!(asset)).with("amount", json!(amount.to_string())))
            }
            Event::WithdrawalRequested { index, .. } => alone(self.withdrawal(arguments.id.0, *index, around).await?),
            Event::StandingOrderSubmitted { maker, .. } => {
                let order = standing(found.block, expiry, around);
                match arguments.cancellation {
                    Some(id) => Ok(self.cancelled(order, (found.block, expiry, *maker), id.0, around).await?),
                    None => Ok(order),
                }
            }
            _ => alone(self.request(arguments.id.0, around).await?),
        }
    }

    async fn deposit(
        &self,
        index: u64,
        (expiry, from): (Option<u64>, &str),
        around: &Around,
    ) -> Result<Known, NetworkError> {
        let pool = self.deployment.pool;
        let reclaimed = submission::is_reclaimed(&self.node.chain, pool, index, Self::NEWEST).await;
        let known = if self.told(reclaimed)? {
            Known::new("deposit", "taken-back", "it was taken back by who made it".to_owned())
        } else if index < around.table.consumed {
            self.taken(around.took(index), (expiry, from)).await?
        } else if around.table.halted {
            let line = "the rounds ended before one took it: `ccc exit --deposit ID` takes it back".to_owned();
            Known::new("deposit", "stranded", line)
        } else if expiry.is_none_or(|expiry| around.is_past(expiry)) {
            let line = format!(
                "no round took it in time: the next one credits the row of {from}, who paid, and not the account that it names"
            );
            Known::new("deposit", "expired", line).with("credits", json!(from))
        } else if let Some(expiry) = expiry.filter(|expiry| around.is_passing(*expiry)) {
            let line = format!(
                "it expired at {expiry}: a round that read an earlier block credits its account, a later one {from}, who paid"
            );
            Known::new("deposit", "expiring", line)
        } else {
            Known::new("deposit", "waiting", "it waits for the next round".to_owned())
        };
        Ok(known.with("index", json!(index)).with("expiry", json!(expiry)))
    }

    /// A deposit that a version took: in time, or as nobody's but the payer's.
    async fn taken(&self, by: Option<&Closed>, (expiry, from): (Option<u64>, &str)) -> Result<Known, NetworkError> {
        let version = by.map(|closed| closed.version);
        let who = version.map_or_else(|| "a version".to_owned(), |version| format!("version {version}"));
        let read = match by.and_then(|closed| closed.round) {
            Some(round) => Some(self.told(self.node.chain.block(BlockId::number(round.price_block)).await)?.time),
            None => None,
        };
        let late = match (expiry, read) {
            (None, _) => Some(true),
            (Some(expiry), Some(read)) => Some(expiry < read),
            (Some(_), None) => None,
        };
        let line = match late {
            Some(true) => {
                format!("{who} of the table took it after it had expired: it credited the row of {from}, who paid")
            }
            Some(false) => format!("{who} of the table took it; the account's own balance tells what it was credited"),
            None => {
                format!("{who} of the table took it: if it had expired then, it credited the row of {from}, who paid")
            }
        };
        let known = Known::new("deposit", "taken", line).with("version", json!(version)).with("late", json!(late));
        Ok(if late == Some(true) { known.with("credits", json!(from)) } else { known })
    }

    async fn withdrawal(&self, id: [u8; 32], index: u64, around: &Around) -> Result<Known, NetworkError> {
        let payout = self.told(submission::payout(&self.node.chain, &self.deployment, id.into()).await)?;
        let version = around.took(index).map(|closed| closed.version);
        let known = match payout.map(|paid| paid.event) {
            Some(Event::WithdrawalPaid { to, token, amount, .. }) => {
                Known::new("withdrawal", "paid", format!("it was paid: {amount} of {token} to {to}"))
                    .with("amount", json!(amount.to_string()))
                    .with("token", json!(token))
                    .with("to", json!(to))
            }
            _ if index < around.table.consumed => {
                let by = version.map_or_else(|| "a version".to_owned(), |version| format!("version {version}"));
                let line = format!("{by} of the table took it and no payout has come: the account's receipt says why");
                Known::new("withdrawal", "taken", line)
            }
            _ if around.table.halted => {
                let line = "the rounds ended before one took it: `ccc exit` leaves with the rows themselves".to_owned();
                Known::new("withdrawal", "stranded", line)
            }
            _ => Known::new("withdrawal", "waiting", "it waits for the next round".to_owned()),
        };
        Ok(known.with("index", json!(index)).with("version", json!(version)))
    }

    async fn request(&self, id: [u8; 32], around: &Around) -> Result<Known, NetworkError> {
        let pool = Pool::new(&self.node.chain, self.deployment.pool);
        let request = self.told(pool.request(id.into(), Self::NEWEST).await)?;
        let (state, line) = match request.status {
            RequestStatus::Pending if request.deadline > around.now => ("waiting", "it waits for its deadline"),
            RequestStatus::Pending => ("waiting", "its deadline has passed and no round has settled it yet"),
            RequestStatus::Filled => ("filled", "a round filled it"),
            RequestStatus::Failed => ("failed", "a round could not fill it"),
            RequestStatus::Expired => ("expired", "no round came in time"),
            RequestStatus::Cancelled => ("cancelled", "it was taken back before its deadline"),
            RequestStatus::None => ("unknown", "the pool does not know it"),
        };
        Ok(Known::new("collateral request", state, line.to_owned()).with("deadline", json!(request.deadline)))
    }

    /// An order with a submission behind it that is said to cancel it. What that one says stands in its ciphertext alone, so
    /// nothing here calls the order cancelled.
    async fn cancelled(
        &self,
        order: Known,
        (block, expiry, maker): (u64, Option<u64>, Address),
        id: [u8; 32],
        around: &Around,
    ) -> Result<Known, NetworkError> {
        let cancellation = self.standing_order(id).await?;
        let mut order = order.with("cancellation", json!(Hex(id)));
        if cancellation.block < block || expiry.is_some_and(|expiry| cancellation.expiry < expiry) {
            order.lines.push("the other submission is no cancellation of it: it is older, or expires before it".into());
            return Ok(order);
        }
        if cancellation.maker != maker {
            let line =
                format!("the other submission is of {}: only its account's signature makes it one", cancellation.maker);
            order.lines.push(line);
            return Ok(order);
        }
        let read = around.read(cancellation.block);
        order.object["cancellation_version"] = json!(read);
        match read {
            Some(version) => {
                order.state = if order.state == "stands" { "cancellation-read" } else { order.state };
                order.lines.push(format!(
                    "version {version} read the other submission: if it cancels this order, it stood in no round after that"
                ));
            }
            None => order.lines.push("no round has read the cancellation yet: it stands in the next one".into()),
        }
        Ok(order)
    }
}

fn standing(block: u64, expiry: Option<u64>, around: &Around) -> Known {
    let read = around.read(block);
    let by = |read: Option<u64>| {
        read.map_or_else(String::new, |version| format!("; version {version} was the first to read it"))
    };
    let (state, line) = match (expiry, read) {
        (None, _) => ("expired", "its bytes are no ciphertext: no round reads it".to_owned()),
        (Some(expiry), _) if around.is_past(expiry) => ("expired", format!("it expired at {expiry}{}", by(read))),
        _ if around.table.halted => ("stranded", format!("the pool's rounds have ended for ever{}", by(read))),
        (Some(expiry), _) if around.is_passing(expiry) => {
            let line = "a round that read an earlier block may still fill it";
            ("expiring", format!("it expired at {expiry}: {line}{}", by(read)))
        }
        (Some(expiry), None) => ("waiting", format!("it waits for the next round, and expires at {expiry}")),
        (Some(expiry), Some(_)) => {
            ("stands", format!("it stands until {expiry} unless it was filled or taken back{}", by(read)))
        }
    };
    Known::new("standing order", state, line).with("expiry", json!(expiry)).with("version", json!(read))
}
