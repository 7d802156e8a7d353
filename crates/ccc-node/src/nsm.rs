//! Evidence from AWS Nitro's device, the Nitro Secure Module: `/dev/nsm` inside an enclave.
//!
//! *Source*: AWS's crate `aws-nitro-enclaves-nsm-api`, which encodes the request, asks the driver and reads the answer.
//! What is asked for and what is made of each answer is here.
//!
//! **What was tested**: requests and answers of every kind against a simulated device. It was never run in an enclave, and
//! neither was the driver's call, which is the crate's.

use aws_nitro_enclaves_nsm_api::{
    api::{Request, Response},
    driver::{nsm_exit, nsm_init, nsm_process_request},
};
use ccc_core::enclave::{
    attestation::{AttestationProvider, Body, ProviderError, ProviderKind, nitro::MAX_DOCUMENT, stated},
    sealing::SealingKey,
};

/// An enclave's view of its hypervisor, through the device.
pub struct NitroNsm {
    device: Box<dyn Device + Send + Sync>,
}

/// What the device can do.
trait Device {
    fn ask(&self, request: Request) -> Response;
}

/// The device itself, by its descriptor; closed when dropped.
struct Nsm(i32);

impl Device for Nsm {
    fn ask(&self, request: Request) -> Response {
        nsm_process_request(self.0, request)
    }
}

impl Drop for Nsm {
    fn drop(&mut self) {
        nsm_exit(self.0);
    }
}

fn refused(reason: impl Into<String>) -> ProviderError {
    ProviderError::Refused(reason.into())
}

impl NitroNsm {
    /// The enclave in which this runs.
    ///
    /// # Errors
    /// [`ProviderError::Refused`]: there is no device, so this is no enclave.
    pub fn open() -> Result<Self, ProviderError> {
        match nsm_init() {
            descriptor if descriptor < 0 => Err(refused("/dev/nsm cannot be opened: this is no Nitro enclave")),
            descriptor => Ok(Self { device: Box::new(Nsm(descriptor)) }),
        }
    }

    fn document(&self, user_data: &[u8; 64], nonce: &[u8; 64]) -> Result<Vec<u8>, ProviderError> {
        let (user_data, nonce) = (Some(user_data.to_vec().into()), Some(nonce.to_vec().into()));
        match self.device.ask(Request::Attestation { user_data, nonce, public_key: None }) {
            Response::Attestation { document } if document.len() <= MAX_DOCUMENT => Ok(document),
            Response::Attestation { document } => {
                Err(refused(format!("a document of {} bytes, where at most {MAX_DOCUMENT} are read", document.len())))
            }
            Response::Error(code) => Err(refused(format!("the device says {code:?}"))),
            _ => Err(refused("the device answered another question")),
        }
    }
}

impl AttestationProvider for NitroNsm {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Nitro
    }

    /// The device's clock is in the document.
    fn attest(&self, user_data: &[u8; 64], nonce: &[u8; 64], _: u64) -> Result<Vec<u8>, ProviderError> {
        let document = self.document(user_data, nonce)?;
        let evidence = Body::Nitro { document: &document }.to_bytes().map_err(|error| refused(error.to_string()))?;
        let said = stated(&evidence).map_err(|error| refused(format!("the device's document: {error}")))?;
        if said.user_data != user_data || said.nonce.as_deref() != Some(nonce) {
            return Err(refused("the device's document is over another user data or nonce"));
        }
        Ok(evidence)
    }

    /// The device keeps no secret over a restart.
    fn sealing_key(&self, _: &[u8; 32]) -> Result<SealingKey, ProviderError> {
        let instead = "the device derives none; AWS KMS releases one to a document with the listed PCRs";
        Err(ProviderError::NoSealing { kind: ProviderKind::Nitro, instead })
    }
}

#[cfg(test)]
mod tests;
