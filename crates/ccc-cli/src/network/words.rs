//! A contract's refusal in a sentence.

use ccc_chain::Refusal;

/// What the refusal says; errors without a sentence of their own keep the contract's words.
pub(crate) fn words_of(refusal: &Refusal) -> String {
    let argument = |name: &str| refusal.argument(name).unwrap_or("?").to_owned();
    match refusal.name.as_str() {
        "StaleSequence" => {
            format!(
                "a report of this kind with sequence {} was accepted, this one has {}",
                argument("last"),
                argument("found")
            )
        }
        "ReportExpired" => {
            format!("the report was valid until {}, it is {}", argument("validUntil"), argument("timestamp"))
        }
        "WrongEpoch" => format!("the vault is in epoch {}, found epoch {}", argument("expected"), argument("found")),
        "WrongChain" => {
            format!("this is chain {}, the report is for chain {}", argument("expected"), argument("found"))
        }
        "WrongReceiver" => format!("the report is for {}, not for this contract", argument("found")),
        "InvalidConfig" => format!("the forwarder has no signer set with the id {}", argument("configId")),
        "ConfigDigestMismatch" => "the report was signed for another signer set".to_owned(),
        "InvalidSigner" => format!("{} signed and is not in the signer set", argument("signer")),
        "DuplicateSigner" => format!("{} is twice in the signer set or among the signatures", argument("signer")),
        "InvalidSignatureCount" => {
            format!("{} signatures are needed, found {}", argument("expected"), argument("received"))
        }
        "AlreadyAttempted" => "this report was delivered before".to_owned(),
        "VersionMismatch" => {
            format!("the next table version is {}, the report closes {}", argument("expected"), argument("found"))
        }
        "PreviousHeaderMismatch" => "the report builds on another table than the chain's".to_owned(),
        "RequestNotPending" => format!("request {} is not pending", argument("id")),
        "Halted" => "the pool's rounds have ended for ever".to_owned(),
        "EnforcedPause" => "the pool is paused".to_owned(),
        "TooFewParticipants" => {
            format!("the committee needs {} participants, found {}", argument("min"), argument("found"))
        }
        "AccessManagedUnauthorized" | "OwnableUnauthorizedAccount" => "the sender has not the role for it".to_owned(),
        _ => of_money(refusal).unwrap_or_else(|| refusal.to_string()),
    }
}

/// What the pool and its tokens say to those who bring and take tokens.
fn of_money(refusal: &Refusal) -> Option<String> {
    let argument = |name: &str| refusal.argument(name).unwrap_or("?").to_owned();
    Some(match refusal.name.as_str() {
        "IdUsed" => format!("the pool has {} already", argument("id")),
        "ExitNotOpen" => {
            format!("exits open at {}, it is {}", argument("opens"), argument("timestamp"))
        }
        "NotAccount" => format!("the row belongs to {}, and {} sends", argument("account"), argument("found")),
        "AlreadyExited" => format!("{} has left with asset {}", argument("account"), argument("asset")),
        "DepositConsumed" => "a round took the deposit: it is in the table".to_owned(),
        "UnknownDeposit" => "the sender did not make this deposit".to_owned(),
        "AlreadyReclaimed" => "the deposit was taken back before".to_owned(),
        "NotWholeLots" => {
            format!("the amount {} is not a whole number of lots of {}", argument("found"), argument("lot"))
        }
        "AmountTooLarge" => format!("at most {} fits, found {}", argument("max"), argument("found")),
        "ERC20InsufficientBalance" => {
            format!("{} holds {}, and {} are needed", argument("sender"), argument("balance"), argument("needed"))
        }
        "ERC20InsufficientAllowance" => {
            format!("{} may take {}, and {} are needed", argument("spender"), argument("allowance"), argument("needed"))
        }
        _ => return None,
    })
}
