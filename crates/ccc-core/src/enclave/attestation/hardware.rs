//! What a policy accepts of hardware, register by register.

use super::evidence::{DcapStatus, Evidence, Registers, SnpGeneration, SnpTcb, Tcb};
use super::policy::PolicyRefusal;
use super::{ProviderKind, RevocationLists};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What is accepted of real hardware: programs of each kind, how current the hardware is, and how many kinds together.
/// Nothing, where it is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hardware {
    /// Programs in AWS Nitro enclaves.
    pub nitro: Vec<NitroProgram>,
    /// Programs in AMD SEV-SNP guests.
    pub snp: Vec<SnpProgram>,
    /// Programs in Intel TDX domains.
    pub tdx: Vec<TdxProgram>,
    /// Programs in Intel SGX enclaves.
    pub sgx: Vec<SgxProgram>,
    /// Digests of the configurations that are accepted: the registers name a program, and its user data the
    /// configuration that it runs under ([`ProviderKind::user_data`]).
    pub configurations: Vec<[u8; 32]>,
    /// Least firmware of SEV-SNP, part by part, of each generation without one of its own.
    pub snp_minimum: SnpTcb,
    /// Least firmware of a generation: each numbers its versions apart.
    pub snp_generations: BTreeMap<SnpGeneration, SnpTcb>,
    /// Intel's verdicts that are accepted: [`DcapStatus::UpToDate`] alone by default.
    pub dcap_statuses: Vec<DcapStatus>,
    /// Least number of Intel's evaluation.
    pub dcap_evaluation: u32,
    /// Enclaves of how many makers have to vouch together: 1 by default.
    pub kinds: usize,
    /// What AWS and AMD took back, as far as the verifier was told.
    pub revocation: RevocationLists,
}

/// PCRs by number, 48 bytes each: 0, 1 and 2, and which others are to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NitroProgram {
    /// The PCRs that have to be equal.
    pub pcrs: BTreeMap<u8, [u8; 48]>,
}

/// A guest's launch measurement, and what else of it is to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpProgram {
    /// The guest's initial contents.
    pub measurement: [u8; 48],
    /// Family of the identity block, where it is held.
    pub family_id: Option<[u8; 16]>,
    /// Image of the identity block, where it is held.
    pub image_id: Option<[u8; 16]>,
    /// SHA-384 of the key that signed the identity block, where it is held. Without it anybody writes such a block, so
    /// a program that holds family or image holds it too.
    pub id_key_digest: Option<[u8; 48]>,
    /// What the host has to say, where it is held.
    pub host_data: Option<[u8; 32]>,
}

/// A domain's contents and all of its registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxProgram {
    /// The initial contents.
    pub mrtd: [u8; 48],
    /// The registers that the domain extends.
    pub rtmr: [[u8; 48]; 4],
}

/// An enclave by its contents, or by its signer and product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SgxProgram {
    /// MRENCLAVE.
    Enclave([u8; 32]),
    /// MRSIGNER, ISVPRODID, and the least ISVSVN.
    Signer {
        /// The signer.
        mrsigner: [u8; 32],
        /// Its number for the product.
        product: u16,
        /// The least security version.
        version: u16,
    },
}

impl Default for Hardware {
    fn default() -> Self {
        Self {
            nitro: Vec::new(),
            snp: Vec::new(),
            tdx: Vec::new(),
            sgx: Vec::new(),
            configurations: Vec::new(),
            snp_minimum: SnpTcb::default(),
            snp_generations: BTreeMap::new(),
            dcap_statuses: Vec::from([DcapStatus::UpToDate]),
            dcap_evaluation: 0,
            kinds: 1,
            revocation: RevocationLists::default(),
        }
    }
}

impl Hardware {
    /// Number of programs, of all kinds.
    #[must_use]
    pub fn programs(&self) -> usize {
        self.nitro.len() + self.snp.len() + self.tdx.len() + self.sgx.len()
    }

    /// Number of makers whose programs are listed.
    pub(super) fn makers(&self) -> usize {
        let listed = [!self.nitro.is_empty(), !self.snp.is_empty(), !self.tdx.is_empty() || !self.sgx.is_empty()];
        listed.into_iter().filter(|listed| *listed).count()
    }

    /// Refuses what could never be meant: a program without what its registers hang on, or evidence of no kind.
    pub(super) fn check(&self) -> Result<(), PolicyRefusal> {
        if self.kinds == 0 {
            return Err(PolicyRefusal::NoKinds);
        }
        if let Some(index) = self.nitro.iter().position(|program| !program.is_whole()) {
            return Err(PolicyRefusal::Incomplete { kind: ProviderKind::Nitro, missing: "PCR 0, 1 and 2", index });
        }
        match self.snp.iter().position(|program| !program.is_whole()) {
            Some(index) => Err(PolicyRefusal::Incomplete {
                kind: ProviderKind::SevSnp,
                missing: "the digest of its ID key",
                index,
            }),
            None => Ok(()),
        }
    }

    /// Whether a program of this kind has these registers.
    pub(super) fn lists(&self, registers: &Registers) -> bool {
        match registers {
            Registers::Simulated => false,
            Registers::Nitro { pcrs } => self.nitro.iter().any(|program| program.matches(pcrs)),
            Registers::Snp(found) => self.snp.iter().any(|program| program.matches(found)),
            Registers::Tdx { mrtd, rtmr, .. } => {
                self.tdx.iter().any(|program| program.mrtd == *mrtd && program.rtmr == *rtmr)
            }
            Registers::Sgx { .. } => self.sgx.iter().any(|program| program.matches(registers)),
        }
    }

    /// Privilege level, migration and versions.
    pub(super) fn check_platform(&self, evidence: &Evidence) -> Result<(), PolicyRefusal> {
        match &evidence.registers {
            Registers::Snp(found) if found.vmpl != 0 => Err(PolicyRefusal::Privilege { found: found.vmpl }),
            Registers::Snp(found) if found.migratable => Err(PolicyRefusal::Migratable),
            Registers::Tdx { migratable: true, .. } => Err(PolicyRefusal::Migratable),
            _ => self.check_tcb(&evidence.tcb),
        }
    }

    fn check_tcb(&self, tcb: &Tcb) -> Result<(), PolicyRefusal> {
        match tcb {
            Tcb::Unstated => Ok(()),
            Tcb::Snp { generation, reported, .. } => self.check_firmware(*generation, *reported),
            Tcb::Dcap { status, .. } if !self.dcap_statuses.contains(status) => {
                Err(PolicyRefusal::Status { found: *status })
            }
            Tcb::Dcap { evaluation, .. } if *evaluation < self.dcap_evaluation => {
                Err(PolicyRefusal::Evaluation { found: *evaluation, minimum: self.dcap_evaluation })
            }
            Tcb::Dcap { .. } => Ok(()),
        }
    }
}

impl Hardware {
    /// Whether any least firmware of SEV-SNP is stated, and none of a generation that any firmware reaches.
    pub(super) fn states_firmware(&self) -> bool {
        let (zero, mut own) = (SnpTcb::default(), self.snp_generations.values());
        own.all(|minimum| *minimum != zero) && (self.snp_minimum != zero || !self.snp_generations.is_empty())
    }

    /// Whether every firmware of a generation reaches its least one.
    pub(super) fn takes_any_firmware(&self, generation: SnpGeneration) -> bool {
        self.least_firmware(generation) == Some(SnpTcb::default())
    }

    /// The least firmware of a generation: its own, or the one of all. Nothing where others have their own, and
    /// neither is stated.
    fn least_firmware(&self, generation: SnpGeneration) -> Option<SnpTcb> {
        let own = self.snp_generations.get(&generation).copied();
        let of_all = self.snp_generations.is_empty() || self.snp_minimum != SnpTcb::default();
        own.or_else(|| of_all.then_some(self.snp_minimum))
    }

    fn check_firmware(&self, generation: SnpGeneration, found: SnpTcb) -> Result<(), PolicyRefusal> {
        match self.least_firmware(generation) {
            None => Err(PolicyRefusal::Generation { found: generation }),
            Some(minimum) if found.at_least(&minimum) => Ok(()),
            Some(minimum) => Err(PolicyRefusal::Firmware { found, minimum }),
        }
    }
}

impl NitroProgram {
    fn is_whole(&self) -> bool {
        (0..=2).all(|code| self.pcrs.contains_key(&code))
    }

    fn matches(&self, pcrs: &BTreeMap<u8, Vec<u8>>) -> bool {
        self.is_whole() && self.pcrs.iter().all(|(number, value)| pcrs.get(number).is_some_and(|found| *found == value))
    }
}

impl SnpProgram {
    /// Whoever launches a guest writes its family and image: they say something under a key that is held alone.
    fn is_whole(&self) -> bool {
        self.id_key_digest.is_some() || (self.family_id.is_none() && self.image_id.is_none())
    }

    fn matches(&self, found: &super::evidence::SnpRegisters) -> bool {
        self.is_whole()
            && self.measurement == found.measurement
            && self.id_key_digest.is_none_or(|digest| digest == found.id_key_digest)
            && self.family_id.is_none_or(|family| family == found.family_id)
            && self.image_id.is_none_or(|image| image == found.image_id)
            && self.host_data.is_none_or(|data| data == found.host_data)
    }
}

impl SgxProgram {
    fn matches(&self, registers: &Registers) -> bool {
        let Registers::Sgx { mrenclave, mrsigner: signer, product: found, version: current } = registers else {
            return false;
        };
        match self {
            Self::Enclave(expected) => expected == mrenclave,
            Self::Signer { mrsigner, product, version } => mrsigner == signer && product == found && current >= version,
        }
    }
}
