//! A culprit in nine bytes: role u8 ‖ number u16 ‖ fault u8 ‖ detail u8 ‖ two u16, zero where the fault has none.

use super::StateError;
use crate::encoding::Reader;
use crate::identifier::Identifier;
use crate::keys::dealing::{DealingError, ShareFault};
use crate::keys::rounds::{Culprit, Fault, Role};

pub(super) const CULPRIT_LEN: usize = 9;

/// Fault and detail, then what the detail is about.
type Code = (u8, u8, u16, u16);

pub(super) fn encode(culprit: &Culprit) -> [u8; CULPRIT_LEN] {
    let [i0, i1] = culprit.identifier.to_bytes();
    let (fault, detail, a, b) = code(&culprit.fault);
    let ([a0, a1], [b0, b1]) = (a.to_be_bytes(), b.to_be_bytes());
    [culprit.role as u8, i0, i1, fault, detail, a0, a1, b0, b1]
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Culprit, StateError> {
    let written = reader.clone().array::<CULPRIT_LEN>("culprit")?;
    let what = "culprit";
    let role = match reader.u8("role")? {
        1 => Role::Dealer,
        2 => Role::Receiver,
        _ => return Err(StateError::Canonical { what }),
    };
    let identifier = Identifier::new(reader.u16("number")?)?;
    let code = (reader.u8("fault")?, reader.u8("detail")?, reader.u16("detail")?, reader.u16("detail")?);
    let culprit = Culprit { role, identifier, fault: fault(code).ok_or(StateError::Canonical { what })? };
    if encode(&culprit) == written { Ok(culprit) } else { Err(StateError::Canonical { what }) }
}

fn code(fault: &Fault) -> Code {
    match fault {
        Fault::Silent => (1, 0, 0, 0),
        Fault::Equivocation => (2, 0, 0, 0),
        Fault::NotAsCommitted => (3, 0, 0, 0),
        Fault::Malformed | Fault::Dealing(DealingError::Encoding(_)) => (4, 0, 0, 0),
        Fault::Dealing(error) => dealing_code(error),
        Fault::RepeatedPoint => (6, 0, 0, 0),
        Fault::Share(fault) => (7, share_code(*fault), 0, 0),
        Fault::FalseComplaint => (8, 0, 0, 0),
        Fault::Disagreement => (9, 0, 0, 0),
    }
}

/// Numbers of commitments and shares are at most 1024: they were read from a dealing's wire.
fn dealing_code(error: &DealingError) -> Code {
    let small = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    match *error {
        DealingError::Encoding(_) => (4, 0, 0, 0),
        DealingError::Session => (5, 1, 0, 0),
        DealingError::Dealer { found } => (5, 2, found, 0),
        DealingError::Degree { expected, found } => (5, 3, expected, small(found)),
        DealingError::ZeroCommitment { index } => (5, 4, small(index), 0),
        DealingError::Constant { dealer } => (5, 5, dealer, 0),
        DealingError::Shares { expected, found } => (5, 6, expected, small(found)),
        DealingError::Possession => (5, 7, 0, 0),
        DealingError::Proof => (5, 8, 0, 0),
    }
}

fn share_code(fault: ShareFault) -> u8 {
    match fault {
        ShareFault::NotARecipient => 1,
        ShareFault::Tag => 2,
        ShareFault::Scalar => 3,
        ShareFault::Commitment => 4,
    }
}

fn fault(code: Code) -> Option<Fault> {
    let (a, b) = (code.2, code.3);
    Some(match (code.0, code.1) {
        (1, _) => Fault::Silent,
        (2, _) => Fault::Equivocation,
        (3, _) => Fault::NotAsCommitted,
        (4, _) => Fault::Malformed,
        (5, 1) => Fault::Dealing(DealingError::Session),
        (5, 2) => Fault::Dealing(DealingError::Dealer { found: a }),
        (5, 3) => Fault::Dealing(DealingError::Degree { expected: a, found: b.into() }),
        (5, 4) => Fault::Dealing(DealingError::ZeroCommitment { index: a.into() }),
        (5, 5) => Fault::Dealing(DealingError::Constant { dealer: a }),
        (5, 6) => Fault::Dealing(DealingError::Shares { expected: a, found: b.into() }),
        (5, 7) => Fault::Dealing(DealingError::Possession),
        (5, 8) => Fault::Dealing(DealingError::Proof),
        (6, _) => Fault::RepeatedPoint,
        (7, 1) => Fault::Share(ShareFault::NotARecipient),
        (7, 2) => Fault::Share(ShareFault::Tag),
        (7, 3) => Fault::Share(ShareFault::Scalar),
        (7, 4) => Fault::Share(ShareFault::Commitment),
        (8, _) => Fault::FalseComplaint,
        (9, _) => Fault::Disagreement,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_one_form() {
        let mut read_back = 0;
        for (fault_byte, detail) in (0..=255u8).flat_map(|f| (0..=255u8).map(move |d| (f, d))) {
            for (a, b) in [(0, 0), (3, 0), (3, 4)] {
                let mut wire = vec![1, 0, 7, fault_byte, detail];
                wire.extend([u16::to_be_bytes(a), u16::to_be_bytes(b)].concat());
                match read(&mut Reader::new(&wire)) {
                    Ok(culprit) => {
                        assert_eq!(encode(&culprit).as_slice(), wire);
                        read_back += 1;
                    }
                    Err(error) => assert_eq!(error, StateError::Canonical { what: "culprit" }),
                }
            }
        }
        // Fourteen faults without a number, three with one of two values, two with two of three pairs.
        assert_eq!(read_back, 14 + 3 * 2 + 2 * 3);
    }
}
