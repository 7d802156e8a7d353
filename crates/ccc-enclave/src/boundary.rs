//! From what the chain logged to the table's boundary operations, and from those that succeeded to payouts.

use crate::{
    attempt::OpenedAttempt,
    authorisation,
    instruction::{DepositInstruction, WithdrawalInstruction},
    intake::{BoundaryEvent, RoundPlan},
    planned::{Planned, Withdrawn},
    reserve::{Validity, binding},
    result::AttestedResult,
    round::{PAYOUTS_LONGER, RoundError, RoundInput},
    submission,
};
use ccc_core::{
    report::{OperationKind, Payload, Payout, Statement as PayloadStatement},
    table::{AccountId, AssetId, BoundaryOperation, Header, ResultCode},
};
use rand_core::CryptoRng;

impl OpenedAttempt<'_> {
    /// Deposits and withdrawals in the log's order, then what new submissions ask.
    pub(crate) fn boundary_operations(&self, plan: &RoundPlan, rng: &mut impl CryptoRng) -> Vec<Planned> {
        let mut planned = Vec::new();
        for (index, (event, position)) in plan.log.boundary.iter().zip(&plan.positions.boundary).enumerate() {
            match event.kind {
                OperationKind::Deposit => {
                    let booked = self.deposit(plan, event, *position, rng);
                    planned.extend(booked.into_iter().map(|operation| Planned::booking(operation, index)));
                }
                OperationKind::Withdrawal => {
                    planned.push(self.withdrawal(plan, event, *position).unwrap_or_else(unread_withdrawal));
                }
            }
        }
        let new = plan
            .positions
            .new_orders
            .iter()
            .flatten()
            .filter_map(|index| Some((self.submission(plan, *index)?, plan.digests.get(*index)?)));
        planned.extend(
            new.map(|((label, plain), digest)| submission::planned(self.session.config, label, plain, *digest)),
        );
        planned
    }

    /// A deposit credits the account that its instruction names, with rows for every other asset; without a
    /// valid instruction it credits the address that paid.
    fn deposit(
        &self,
        plan: &RoundPlan,
        event: &BoundaryEvent,
        position: Option<usize>,
        rng: &mut impl CryptoRng,
    ) -> Vec<BoundaryOperation> {
        let instruction = self.opened(plan, position).and_then(|(label, plain)| {
            let instruction = DepositInstruction::from_bytes(plain).ok()?;
            authorisation::check(&instruction.account, label, &instruction.unsigned(), &instruction.signature).ok()?;
            Some((instruction.account, instruction.reading_key))
        });
        let mut unread = [0; 32];
        rng.fill_bytes(&mut unread);
        let (account, reading_key) = instruction.unwrap_or((event.submission.who, unread));
        let account = AccountId(account);
        let asset = AssetId(event.asset);
        let deposit = BoundaryOperation::Deposit { account, asset, amount: event.amount, reading_key };
        let assets = 0..u32::try_from(self.session.config.assets.len()).unwrap_or(u32::MAX);
        let others = assets.filter(|other| *other != event.asset).map(AssetId);
        std::iter::once(deposit).chain(others.map(|asset| BoundaryOperation::Open { account, asset })).collect()
    }

    /// What the account that signed asks for. Where nothing may be paid it asks for zero, which the table refuses, and its
    /// receipt says so.
    fn withdrawal(&self, plan: &RoundPlan, event: &BoundaryEvent, position: Option<usize>) -> Option<Planned> {
        let (label, plain) = self.opened(plan, position)?;
        let instruction = WithdrawalInstruction::from_bytes(plain).ok()?;
        authorisation::check(&instruction.account, label, &instruction.unsigned(), &instruction.signature).ok()?;
        let WithdrawalInstruction { account, asset, amount, recipient: to, .. } = instruction;
        let may_receive = to != [0; 20] && to != self.session.config.pool;
        let token = self.session.config.asset(asset).ok().map(|asset| asset.token).filter(|_| may_receive);
        let payout = token.map(|token| Payout { withdrawal_id: event.submission.id, to, token, amount, version: 0 });
        let operation = BoundaryOperation::Withdraw {
            account: AccountId(account),
            asset: AssetId(asset),
            amount: payout.map_or(0, |payout| payout.amount),
        };
        let digest = position.and_then(|position| plan.digests.get(position).copied()).unwrap_or_default();
        let withdrawn = Some(Withdrawn { signer: Some(account), digest, asset });
        Some(Planned { payout, withdrawn, ..Planned::silent(operation) })
    }

    pub(crate) fn payouts(
        &self,
        plan: &RoundPlan,
        (planned, results): (&[Planned], &[Result<(), ResultCode>]),
        input: &RoundInput<'_>,
        header: &Header,
    ) -> Result<Vec<AttestedResult>, RoundError> {
        let log = plan.log_digest();
        let succeeded = planned.iter().zip(results).filter(|(_, result)| result.is_ok());
        let payouts = succeeded.filter_map(|(planned, _)| planned.payout);
        payouts
            .zip(input.payout_sequence..)
            .map(|(payout, sequence)| {
                let valid_until = input.validity.valid_until.saturating_add(PAYOUTS_LONGER);
                let validity = Validity { sequence, valid_until };
                let payload = Payload {
                    binding: binding(&self.session, self.session.config.pool, validity),
                    statement: PayloadStatement::Payout(Payout { version: header.version(), ..payout }),
                };
                let inputs = input.inputs.clone();
                Ok(AttestedResult::attest(&self.session, payload.to_bytes(), inputs, header.hash(), log)?)
            })
            .collect()
    }
}

/// A withdrawal that nobody signed has a receipt that nobody opens, so that the number is that of the requests.
fn unread_withdrawal() -> Planned {
    Planned { withdrawn: Some(Withdrawn::default()), ..Planned::nothing() }
}
