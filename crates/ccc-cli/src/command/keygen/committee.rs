//! `ccc keygen dealer` and `ccc keygen dkg`.

use super::Context;
use crate::{
    cli::CommitteeKeygen,
    error::Error,
    files::{
        self, Audience, Replace,
        sealed::Content,
        secret::{self, Secrets},
    },
    pool::random,
    ui::Answer,
};
use ccc_core::{
    enclave::attestation::OperatingMode,
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys, Roster, board::MemoryBoard, dealer, dkg},
    threshold::Threshold,
};
use ccc_node::production::{Configuration, Sharing};
use rand::rngs::StdRng;
use std::path::{Path, PathBuf};

/// A vault that came out of a key generation.
struct Generated {
    committee: Committee,
    shares: Vec<KeyShare>,
    participants: Vec<(Identifier, ParticipantKeys)>,
}

pub(super) fn dealer(arguments: &CommitteeKeygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let plan = Plan::new(arguments, true, &[])?;
    ctx.ui.note("a dealer knows the master key; use `ccc keygen dkg` for anything but tests and migration");
    let mut rng = ctx.rng()?;
    let (roster, participants) = plan.roster(&mut rng)?;
    let (committee, shares) = dealer::deal(&roster, &mut rng)?;
    plan.write(&Generated { committee, shares, participants }, &mut rng, ctx)
}

pub(super) fn dkg(arguments: &CommitteeKeygen, ctx: &Context<'_>) -> Result<Answer, Error> {
    let plan = Plan::new(arguments, false, &["the separation of the participants"])?;
    ctx.ui.note("all participants run in this process over a board in memory; on their own machines each runs alone");
    let mut rng = ctx.rng()?;
    let (roster, participants) = plan.roster(&mut rng)?;
    let mut board = MemoryBoard::new(random(&mut rng));
    let outcomes = dkg::run_in_process(&roster, &participants, &mut board, &mut rng)?;
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect::<Result<Vec<_>, _>>()?;
    let committee = outcomes.first().map(|outcome| outcome.committee.clone()).ok_or(Error::EmptyCommittee)?;
    let shares = outcomes.into_iter().map(|outcome| outcome.key_share).collect();
    plan.write(&Generated { committee, shares, participants }, &mut rng, ctx)
}

/// Sizes and files, checked before anything is made.
struct Plan {
    threshold: Threshold,
    directory: PathBuf,
    replace: Replace,
}

impl Plan {
    fn new(arguments: &CommitteeKeygen, dealt: bool, simulated: &[&'static str]) -> Result<Self, Error> {
        let n = arguments.participants;
        let threshold = match arguments.threshold {
            Some(t) => Threshold::new(t, n)?,
            None => Threshold::default_for(n)?,
        };
        let mode = if arguments.production { OperatingMode::Production } else { OperatingMode::Simulation };
        Configuration { mode, seeded: false, dealt, sharing: Sharing::Sizes(threshold), policy: None, simulated }
            .check()?;
        let plan = Self { threshold, directory: arguments.out.clone(), replace: Replace::from_flag(arguments.force) };
        plan.targets().try_for_each(|path| files::check_target(&path, plan.replace))?;
        Ok(plan)
    }

    fn targets(&self) -> impl Iterator<Item = PathBuf> + '_ {
        (1..=self.threshold.n()).map(|i| self.participant(i)).chain([self.committee()])
    }

    fn committee(&self) -> PathBuf {
        self.directory.join("committee.ccc")
    }

    fn participant(&self, i: u16) -> PathBuf {
        self.directory.join(format!("participant-{i}.ccc"))
    }

    fn roster(&self, rng: &mut StdRng) -> Result<(Roster, Vec<(Identifier, ParticipantKeys)>), Error> {
        let mut keys = Vec::new();
        for i in 1..=self.threshold.n() {
            let identifier = Identifier::new(i).map_err(|error| Error::Membership(error.into()))?;
            keys.push((identifier, ParticipantKeys::generate(rng)?));
        }
        let members = keys.iter().map(|(identifier, keys)| keys.public(*identifier)).collect();
        Ok((Roster::new(Epoch(1), self.threshold, members)?, keys))
    }

    fn write(&self, generated: &Generated, rng: &mut StdRng, ctx: &Context<'_>) -> Result<Answer, Error> {
        files::directory(&self.directory)?;
        let bar = ctx.ui.progress(generated.shares.len() as u64, "sealing");
        let mut sealed = Vec::with_capacity(generated.shares.len());
        for (share, (_, keys)) in generated.shares.iter().zip(&generated.participants) {
            let path = self.participant(share.identifier().get());
            let secrets = Secrets::new(&[&share.to_bytes(), &keys.to_bytes()]);
            sealed.push((secret::encode(&path, Content::Participant, &secrets, &ctx.passphrases, rng)?, path));
            bar.inc(1);
        }
        bar.finish_and_clear();
        for (bytes, path) in &sealed {
            files::write(path, bytes, Audience::Owner, self.replace)?;
        }
        let committee = self.committee();
        files::write(&committee, &generated.committee.to_bytes(), Audience::Everyone, self.replace)?;
        self.report(&generated.committee, &committee, ctx);
        Ok(Answer::Done)
    }

    fn report(&self, committee: &Committee, path: &Path, ctx: &Context<'_>) {
        let (t, n) = (self.threshold.t(), self.threshold.n());
        let digest = hex::encode(&committee.digest()[..32]);
        let lines = [format!("committee of {n}, any {t} open: {}", path.display())];
        let object = serde_json::json!({
            "committee": path, "participants": n, "threshold": t, "committee_digest": digest,
            "master_public_key": hex::encode(committee.master_public_key().to_bytes()),
            "files": self.targets().collect::<Vec<_>>(),
        });
        ctx.ui.result(&lines, &object);
    }
}
