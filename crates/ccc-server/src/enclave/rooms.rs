//! The doors of a host, who may use which, and the other hosts, which may have a table that this one lacks.

use super::host::{Host, HostError};
use crate::{
    application::{Application, Body, Denied, Door, Said, audited},
    attested::{Check, ENVELOPE, PAYOUTS, RESERVE, ROUND, TABLE, read_hash, read_version},
    audit::Auditor,
    client::Connection,
    follow::Followed,
    identity::Identity,
};
use ccc_node::recovery::Closed;
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
use tokio::{runtime::Handle, time::timeout};

/// How long another host may take for a table.
const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const DOORS: [Door; 5] = [RESERVE, ROUND, PAYOUTS, TABLE, ENVELOPE];

/// Another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// What logs call it.
    pub name: String,
    /// Its key.
    pub key: [u8; 32],
    /// Where it is.
    pub address: SocketAddr,
}

/// A host behind its doors.
pub struct Rooms {
    pub(super) host: Host,
    pub(super) followed: Followed,
    /// Who may have programs run; others that are known may read what is sealed.
    pub(super) workflow: BTreeSet<String>,
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
        audited(&self.audit, (door, peer), body, |body| self.judge(door, peer, body))
    }

    fn settle(&self) {
        self.audit.sync();
    }
}

impl Rooms {
    fn judge(&self, door: &Door, peer: &str, body: &dyn Body) -> Result<Said, Denied> {
        let malformed = |error: crate::attested::AttestedError| Denied::Malformed(error.to_string());
        if !may(door, peer, &self.workflow) {
            tracing::warn!(target: "ccc_server::enclave", peer, path = door.path, "refused: no workflow node");
            return Err(Denied::Refused);
        }
        self.followed.snapshot().map_err(|_| Denied::NotReady)?;
        let made = if *door == RESERVE {
            let check = Check::from_bytes(body.bytes()).map_err(malformed)?;
            Handle::current().block_on(self.host.reserve(check)).map(Some)
        } else {
            let hash = read_hash(body.bytes()).map_err(malformed)?;
            match *door {
                ROUND => Handle::current().block_on(self.host.round(hash)).map(Some),
                // nothing is an answer too, and one that need not wait
                PAYOUTS => Ok(Some(self.host.payouts(&hash).unwrap_or_default())),
                TABLE => self.host.version(&hash),
                _ => Ok(self.host.envelope(&hash)),
            }
        };
        said(peer, door, made)
    }
}

/// Programs run for workflow nodes alone; what is sealed may be read by everybody known.
fn may(door: &Door, peer: &str, workflow: &BTreeSet<String>) -> bool {
    ![RESERVE, ROUND, PAYOUTS].contains(door) || workflow.contains(peer)
}

fn said(peer: &str, door: &Door, made: Result<Option<Vec<u8>>, HostError>) -> Result<Said, Denied> {
    let path = door.path;
    match made {
        Ok(Some(body)) => {
            tracing::info!(target: "ccc_server::enclave", peer, path, bytes = body.len(), "answered");
            Ok(Said { body, outcomes: vec!["given"], held: false })
        }
        Ok(None) => Err(Denied::Refused),
        Err(error) => {
            tracing::warn!(target: "ccc_server::enclave", peer, path, "refused: {error}");
            Err(Denied::Refused)
        }
    }
}

/// A version of the table from the first host that has it, whole and with this header.
pub(super) async fn fetch_table(identity: &Identity, hosts: &[Neighbour], header: [u8; 32]) -> Option<Closed> {
    for host in hosts {
        match timeout(PATIENCE, ask(identity, host, header)).await {
            Ok(Ok(closed)) => return Some(closed),
            Ok(Err(reason)) => {
                tracing::warn!(target: "ccc_server::enclave", host = host.name, "no table: {reason}");
            }
            Err(_) => tracing::warn!(target: "ccc_server::enclave", host = host.name, "no table in time"),
        }
    }
    None
}

async fn ask(identity: &Identity, host: &Neighbour, header: [u8; 32]) -> Result<Closed, String> {
    let connection = Connection::open(identity, host.address, host.key).await.map_err(|error| error.to_string())?;
    let bytes = connection.call(TABLE.path, TABLE.asks, header.to_vec()).await.map_err(|error| error.to_string())?;
    let closed = read_version(&bytes).map_err(|error| error.to_string())?;
    check(&closed, header)?;
    Ok(closed)
}

/// The header is the chain's, and body and sidecar are those that it names.
fn check(closed: &Closed, header: [u8; 32]) -> Result<(), String> {
    let Closed { table, receipts } = closed;
    if table.header.hash() != header {
        return Err("the header of another version".to_owned());
    }
    if receipts.as_ref().is_some_and(|receipts| receipts.header() != header) {
        return Err("the receipts of another version".to_owned());
    }
    if table.body.len() != ccc_core::table::body_len(table.header.tier())
        || ccc_core::table::body_root(&table.body) != table.header.body_root()
    {
        return Err("a body that the header does not name".to_owned());
    }
    ccc_core::table::Sidecar::parse(&table.sidecar, &table.header).map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_run_for_workflow_nodes_alone() {
        let workflow = BTreeSet::from(["workflow-1".to_owned()]);
        let doors = |peer: &str| DOORS.map(|door| may(&door, peer, &workflow));
        assert_eq!(doors("workflow-1"), [true; 5]);
        for other in ["reader", "enclave-2", "workflow-10", ""] {
            assert_eq!(doors(other), [false, false, false, true, true], "{other}");
        }
    }
}
