//! Receipts, queries and answers: what everybody can see of them. What they say, their readers alone can open.

use super::{Established, same};
use ccc_core::{
    enclave::attestation::Policy,
    table::{Header, Receipts},
    vault::Request,
};
use ccc_enclave::query::{Answers, QueryFile};

/// Receipts against the header that their round made.
pub(super) fn receipts(receipts: &Receipts, headers: &[Header]) -> Established {
    let header = headers.iter().find(|header| header.hash() == receipts.header()).ok_or("the table header differs")?;
    let (count, version) = (receipts.sealed().len(), header.version());
    let what = "receipts and reports";
    Ok(format!("{count} {what} for table version {version}, by their own word; each opens for its owner alone"))
}

/// A query against the request of its attempt.
pub(super) fn query(query: &QueryFile, requests: &[&Request]) -> Established {
    same("the request", requests.iter().any(|request| request.digest() == query.request))?;
    Ok("for this request, by its own word; the attempt's enclave alone can read it".into())
}

/// Answers against the request of their attempt and what is accepted as the enclave.
pub(super) fn answers(answers: &Answers, requests: &[&Request], policy: &Policy, at: u64) -> Established {
    let request = requests.iter().find(|request| request.digest() == answers.request);
    let request = request.ok_or("the request differs")?;
    same("the table header", request.table_header == Some(answers.header))?;
    answers.check(policy, at).map_err(|error| error.to_string())?;
    let count = answers.sealed.len();
    Ok(format!("{count} answers, attested (simulated) by the accepted enclave for this request"))
}
