//! The one door of a workflow node: another signer shows a result, this one signs it or says why not.

use super::signer::Signer;
use crate::{
    application::{Application, Body, Denied, Door, Said, audited},
    attested::{SIGN, read_judged, verdict},
    audit::Auditor,
    follow::Followed,
};
use std::sync::Arc;
use tokio::runtime::Handle;

pub(crate) const DOORS: [Door; 1] = [SIGN];

/// A signer behind its door.
pub struct Rooms {
    pub(super) signer: Arc<Signer>,
    pub(super) followed: Followed,
    pub(super) audit: Auditor,
}

impl Application for Rooms {
    fn doors(&self) -> &'static [Door] {
        &DOORS
    }

    fn ready(&self) -> Result<(), String> {
        self.followed.snapshot().map(|_| ()).map_err(|reason| reason.to_string())
    }

    fn answer(&self, door: &Door, peer: &str, body: &mut dyn Body) -> Result<Said, Denied> {
        audited(&self.audit, (door, peer), body, |body| self.judge(peer, body))
    }

    fn settle(&self) {
        self.audit.sync();
    }
}

impl Rooms {
    /// The reason of a refusal is said: all of it is public, and the other signer's operator has to know it.
    fn judge(&self, peer: &str, body: &dyn Body) -> Result<Said, Denied> {
        let (result, beside) = read_judged(body.bytes()).map_err(|error| Denied::Malformed(error.to_string()))?;
        self.followed.snapshot().map_err(|_| Denied::NotReady)?;
        let signed = Handle::current().block_on(self.signer.sign_shown(&result, &beside));
        let word = signed.map(|signed| signed.signature).map_err(|error| error.to_string());
        let outcome = match &word {
            Ok(_) => {
                tracing::info!(target: "ccc_server::workflow", peer, block = result.inputs.block, "signed");
                "given"
            }
            Err(reason) => {
                tracing::warn!(target: "ccc_server::workflow", peer, "not signed: {reason}");
                "refused"
            }
        };
        Ok(Said { body: verdict(&word), outcomes: vec![outcome], held: false })
    }
}
