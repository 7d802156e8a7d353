//! Simulated attestation: an Ed25519 key stands for the hardware. It proves nothing about an enclave, and a policy in
//! mode production refuses it.

use super::{AttestationProvider, Evidence, ProviderError, ProviderKind, Registers, Stated, Tcb};
use crate::enclave::sealing::SealingKey;
use crate::encoding::{EncodingError, Kind, Reader, header};
use crate::suite::{domain, hash};
use alloc::vec::Vec;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

/// Seconds for which simulated evidence is valid.
pub const LIFETIME: u64 = 3600;

/// The secret that stands for the hardware's: an Ed25519 key, erased when dropped.
pub struct SimulatedHardware(SigningKey);

impl SimulatedHardware {
    /// The key with this seed (RFC 8032).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What verifies its evidence.
    #[must_use]
    pub fn root(&self) -> SimulatedRoot {
        SimulatedRoot(self.0.verifying_key())
    }
}

/// The public key that stands for the hardware maker's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedRoot(VerifyingKey);

impl SimulatedRoot {
    /// Reads an Ed25519 public key in its canonical encoding.
    ///
    /// # Errors
    /// [`EncodingError::Point`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, EncodingError> {
        Reader::new(bytes).signing_key("simulated root").map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

/// The stand-in for an enclave's view of the hardware.
pub struct SimulatedProvider {
    hardware: SimulatedHardware,
    measurement: [u8; 32],
    debug: bool,
}

/// Why simulated evidence is not genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatedError {
    /// Bytes that are not simulated evidence.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Another root signed it, or its bytes were altered.
    #[error("the evidence is not signed by this simulated root")]
    Signature,
    /// Outside of its validity.
    #[error("the evidence is valid from {not_before} to {not_after}, and it is {now}")]
    Validity {
        /// First second.
        not_before: u64,
        /// Last second.
        not_after: u64,
        /// The time given.
        now: u64,
    },
}

impl SimulatedProvider {
    /// A stand-in on this hardware, running a program with this measurement.
    #[must_use]
    pub fn new(hardware: SimulatedHardware, measurement: [u8; 32]) -> Self {
        Self { hardware, measurement, debug: false }
    }

    /// The same, in debug mode: for tests of policies.
    #[must_use]
    pub fn in_debug_mode(mut self) -> Self {
        self.debug = true;
        self
    }

    /// The measurement that its evidence carries.
    #[must_use]
    pub fn measurement(&self) -> [u8; 32] {
        self.measurement
    }

    /// The key that verifies its evidence.
    #[must_use]
    pub fn root(&self) -> SimulatedRoot {
        self.hardware.root()
    }
}

impl AttestationProvider for SimulatedProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Simulated
    }

    fn attest(&self, user_data: &[u8; 64], nonce: &[u8; 64], now: u64) -> Result<Vec<u8>, ProviderError> {
        let not_after = now.checked_add(LIFETIME).ok_or(ProviderError::Time { now })?;
        let statement = Statement {
            measurement: self.measurement,
            user_data: *user_data,
            nonce: *nonce,
            debug: self.debug,
            not_before: now,
            not_after,
        };
        let mut out = encode(&statement);
        let signature = self.hardware.0.sign(&message(&out));
        out.extend_from_slice(&signature.to_bytes());
        Ok(out)
    }

    /// From the secret that stands for the hardware's, and the measurement.
    fn sealing_key(&self, configuration: &[u8; 32]) -> Result<SealingKey, ProviderError> {
        let secret = Zeroizing::new(self.hardware.0.to_bytes());
        Ok(SealingKey::derive(&*secret, &self.measurement, configuration))
    }
}

/// Checks signature and validity; whether the code is accepted, a policy decides.
///
/// *Layout*: header 8 ‖ provider u8 = 1 ‖ measurement 32 ‖ user data 64 ‖ nonce 64 ‖ debug u8 ‖ not-before u64 ‖
/// not-after u64 ‖ signature 64 over H("evidence"; everything before it).
///
/// # Errors
/// [`SimulatedError`].
pub fn verify(bytes: &[u8], root: &SimulatedRoot, now: u64) -> Result<Evidence, SimulatedError> {
    let (statement, signed, signature) = decode(bytes)?;
    let signature = Signature::from_bytes(&signature);
    root.0.verify_strict(&message(signed), &signature).map_err(|_| SimulatedError::Signature)?;
    let Statement { not_before, not_after, .. } = statement;
    if now < not_before || now > not_after {
        return Err(SimulatedError::Validity { not_before, not_after, now });
    }
    Ok(statement.into())
}

/// What simulated evidence says, its form read, and nothing verified.
///
/// # Errors
/// [`EncodingError`].
pub(super) fn stated(bytes: &[u8]) -> Result<Stated, EncodingError> {
    let (statement, ..) = decode(bytes)?;
    let Evidence { kind, measurement, registers, user_data, nonce, debug, tcb, issued, not_before, not_after } =
        statement.into();
    let (tcb, validity) = (Some(tcb), Some((not_before, not_after)));
    let (certificates, collateral) = (Vec::new(), Vec::new());
    Ok(Stated {
        kind,
        measurement,
        registers,
        user_data,
        nonce,
        debug,
        tcb,
        issued,
        validity,
        certificates,
        collateral,
    })
}

/// What the key signs.
struct Statement {
    measurement: [u8; 32],
    user_data: [u8; 64],
    nonce: [u8; 64],
    debug: bool,
    not_before: u64,
    not_after: u64,
}

impl From<Statement> for Evidence {
    fn from(statement: Statement) -> Self {
        let Statement { measurement, user_data, nonce, debug, not_before, not_after } = statement;
        Self {
            kind: ProviderKind::Simulated,
            measurement,
            registers: Registers::Simulated,
            user_data: user_data.to_vec(),
            nonce: Some(nonce.to_vec()),
            debug,
            tcb: Tcb::Unstated,
            issued: Some(not_before),
            not_before,
            not_after,
        }
    }
}

fn encode(statement: &Statement) -> Vec<u8> {
    let mut out = Vec::with_capacity(250);
    out.extend_from_slice(&header(Kind::Evidence));
    out.push(ProviderKind::Simulated as u8);
    out.extend_from_slice(&statement.measurement);
    out.extend_from_slice(&statement.user_data);
    out.extend_from_slice(&statement.nonce);
    out.push(u8::from(statement.debug));
    out.extend_from_slice(&statement.not_before.to_be_bytes());
    out.extend_from_slice(&statement.not_after.to_be_bytes());
    out
}

fn decode(bytes: &[u8]) -> Result<(Statement, &[u8], [u8; 64]), EncodingError> {
    let mut reader = Reader::new(bytes);
    reader.header(Kind::Evidence)?;
    match ProviderKind::from_byte(reader.u8("attestation provider")?)? {
        ProviderKind::Simulated => {}
        other => {
            let found = u64::from(other as u8);
            return Err(EncodingError::Range { what: "attestation provider", found, range: "1" });
        }
    }
    let statement = Statement {
        measurement: reader.array("measurement")?,
        user_data: reader.array("user data")?,
        nonce: reader.array("nonce")?,
        debug: read_flag(&mut reader)?,
        not_before: reader.u64("not before")?,
        not_after: reader.u64("not after")?,
    };
    let signed = &bytes[..bytes.len() - reader.remaining()];
    let signature = reader.array("signature")?;
    reader.finish()?;
    Ok((statement, signed, signature))
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, EncodingError> {
    match reader.u8("debug flag")? {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(EncodingError::Range { what: "debug flag", found: found.into(), range: "0 or 1" }),
    }
}

fn message(signed: &[u8]) -> [u8; 64] {
    hash(domain::EVIDENCE, &[signed])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields read from the snapshot, written again, are the snapshot.
    #[test]
    fn evidence_is_written_back_as_it_was() {
        let wire = crate::support::snapshot("evidence");
        let (statement, signed, signature) = decode(&wire).unwrap();
        assert_eq!(encode(&statement), signed);
        assert_eq!([signed, &signature].concat(), wire);
        assert_eq!((statement.measurement, statement.nonce, statement.debug), ([7; 32], [3; 64], false));
    }
}
