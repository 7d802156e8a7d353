//! What genuine evidence says, typed, with nothing decided.
//!
//! *Layout* of evidence, at most 64 KiB: header 8 ‖ provider u8 ‖ body. The body of each provider stands in
//! `docs/spec/attestation.md`.

use super::ProviderKind;
use crate::suite::{digest32, domain};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Greatest length of evidence: what travels beside an attempt's keys.
pub const MAX_EVIDENCE: usize = 1 << 16;

/// What genuine evidence says.
///
/// *Units*: times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// Who made it.
    pub kind: ProviderKind,
    /// What runs: of hardware, [`Registers::measurement`].
    pub measurement: [u8; 32],
    /// What the hardware measured.
    pub registers: Registers,
    /// What the running program said; empty where it said nothing.
    pub user_data: Vec<u8>,
    /// What the verifier asked to be included: empty where the field is, and nothing where the provider has no such
    /// field.
    pub nonce: Option<Vec<u8>>,
    /// Whether the enclave can be inspected from outside.
    pub debug: bool,
    /// How current the hardware and its firmware are.
    pub tcb: Tcb,
    /// When it was made, where the provider says so.
    pub issued: Option<u64>,
    /// First second of validity, of the evidence and of everything that vouches for it.
    pub not_before: u64,
    /// Last second of validity.
    pub not_after: u64,
}

/// Registers of a platform, by their makers' names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registers {
    /// The stand-in has none.
    Simulated,
    /// AWS Nitro: the platform configuration registers by number, of 32, 48 or 64 bytes each.
    Nitro {
        /// PCR0 the image, PCR1 kernel and bootstrap, PCR2 application, PCR3 role, PCR4 instance, PCR8 signer.
        pcrs: BTreeMap<u8, Vec<u8>>,
    },
    /// AMD SEV-SNP.
    Snp(SnpRegisters),
    /// Intel TDX.
    Tdx {
        /// The initial contents of the domain.
        mrtd: [u8; 48],
        /// The registers that the domain extends.
        rtmr: [[u8; 48]; 4],
        /// Whether the domain may be moved to another platform.
        migratable: bool,
    },
    /// Intel SGX.
    Sgx {
        /// The enclave's contents.
        mrenclave: [u8; 32],
        /// Its signer.
        mrsigner: [u8; 32],
        /// The signer's number for the product.
        product: u16,
        /// The signer's security version of the product.
        version: u16,
    },
}

/// Registers of an SEV-SNP report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpRegisters {
    /// The guest's initial contents.
    pub measurement: [u8; 48],
    /// What the host said at launch.
    pub host_data: [u8; 32],
    /// Family, from the guest's identity block.
    pub family_id: [u8; 16],
    /// Image, from the guest's identity block.
    pub image_id: [u8; 16],
    /// SHA-384 of the key that signed the guest's identity block; zero where there is none.
    pub id_key_digest: [u8; 48],
    /// Security version of the guest, from its identity block.
    pub guest_svn: u32,
    /// Privilege level of who asked; 0 is the highest.
    pub vmpl: u32,
    /// Whether a migration agent may move the guest.
    pub migratable: bool,
}

/// A period. *Units*: Unix seconds, both ends in it.
#[cfg(any(feature = "nitro", feature = "snp", feature = "dcap"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) not_before: u64,
    pub(super) not_after: u64,
}

#[cfg(any(feature = "nitro", feature = "snp", feature = "dcap"))]
impl Window {
    pub(super) fn contains(self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    #[cfg(any(feature = "nitro", feature = "snp"))]
    pub(super) fn and(self, other: Self) -> Self {
        Self { not_before: self.not_before.max(other.not_before), not_after: self.not_after.min(other.not_after) }
    }
}

/// How current hardware and firmware are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tcb {
    /// The provider says nothing: simulated, and Nitro, whose maker answers for it.
    Unstated,
    /// The version that the signing key is bound to, and the one that cannot be left downwards.
    Snp {
        /// Whose versions they are.
        generation: SnpGeneration,
        /// REPORTED_TCB.
        reported: SnpTcb,
        /// COMMITTED_TCB.
        committed: SnpTcb,
    },
    /// Intel's verdict over the platform at the time of the collateral.
    Dcap {
        /// The verdict.
        status: DcapStatus,
        /// Names of the advisories that apply.
        advisories: Vec<String>,
        /// Number of Intel's evaluation.
        evaluation: u32,
    },
}

/// Generations of AMD's processors: which authority signs their keys, and how they number their versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SnpGeneration {
    /// Processor family 19h, third generation.
    Milan,
    /// Processor family 19h, fourth generation: Genoa, and Bergamo and Siena under the same authority.
    Genoa,
    /// Processor family 1Ah, fifth generation.
    Turin,
}

impl core::fmt::Display for SnpGeneration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        })
    }
}

/// Security versions of SEV-SNP firmware. The first is of Turin and later; elsewhere it is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnpTcb {
    /// The bootloader of the chip's security processor's own firmware.
    pub fmc: u8,
    /// Bootloader.
    pub boot_loader: u8,
    /// Operating system of the security processor.
    pub tee: u8,
    /// SNP firmware.
    pub snp: u8,
    /// Microcode.
    pub microcode: u8,
}

impl SnpTcb {
    /// Whether no part is older than the other's.
    #[must_use]
    pub fn at_least(&self, minimum: &Self) -> bool {
        self.fmc >= minimum.fmc
            && self.boot_loader >= minimum.boot_loader
            && self.tee >= minimum.tee
            && self.snp >= minimum.snp
            && self.microcode >= minimum.microcode
    }
}

impl core::fmt::Display for SnpTcb {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { fmc, boot_loader, tee, snp, microcode } = self;
        write!(f, "fmc {fmc}, bootloader {boot_loader}, tee {tee}, snp {snp}, microcode {microcode}")
    }
}

/// Intel's verdicts over a platform, by their names in TCB information. A revoked platform is not genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DcapStatus {
    /// Current.
    UpToDate,
    /// Current; the software has to be hardened.
    SwHardeningNeeded,
    /// Current; the platform has to be configured.
    ConfigurationNeeded,
    /// Both.
    ConfigurationAndSwHardeningNeeded,
    /// Old.
    OutOfDate,
    /// Old, and has to be configured.
    OutOfDateConfigurationNeeded,
    /// The domain was started on old firmware, and runs on current one.
    TdRelaunchAdvised,
    /// So, and the platform has to be configured.
    TdRelaunchAdvisedConfigurationNeeded,
}

impl DcapStatus {
    /// Every verdict.
    pub const ALL: [Self; 8] = [
        Self::UpToDate,
        Self::SwHardeningNeeded,
        Self::ConfigurationNeeded,
        Self::ConfigurationAndSwHardeningNeeded,
        Self::OutOfDate,
        Self::OutOfDateConfigurationNeeded,
        Self::TdRelaunchAdvised,
        Self::TdRelaunchAdvisedConfigurationNeeded,
    ];

    /// Intel's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UpToDate => "UpToDate",
            Self::SwHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSwHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::TdRelaunchAdvised => "TDRelaunchAdvised",
            Self::TdRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
        }
    }

    /// The verdict of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl core::fmt::Display for DcapStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl Registers {
    /// digest32 H("measurement"; provider u8, registers): Nitro PCR0, PCR1, PCR2; SNP the launch measurement; TDX
    /// MRTD, RTMR0 to RTMR3; SGX MRENCLAVE. Nothing for the stand-in, whose evidence carries its measurement.
    ///
    /// *Security*: it names the code alone. What else a policy pins (a role, a signer, a family) it compares register
    /// by register.
    #[must_use]
    pub fn measurement(&self) -> Option<[u8; 32]> {
        let (kind, fields): (ProviderKind, Vec<&[u8]>) = match self {
            Self::Simulated => return None,
            Self::Nitro { pcrs } => {
                let code = (0..=2).map(|number| pcrs.get(&number).map_or(&[][..], Vec::as_slice));
                (ProviderKind::Nitro, code.collect())
            }
            Self::Snp(registers) => (ProviderKind::SevSnp, Vec::from([&registers.measurement[..]])),
            Self::Tdx { mrtd, rtmr, .. } => {
                let code = core::iter::once(mrtd).chain(rtmr).map(<[u8; 48]>::as_slice);
                (ProviderKind::Tdx, code.collect())
            }
            Self::Sgx { mrenclave, .. } => (ProviderKind::Sgx, Vec::from([&mrenclave[..]])),
        };
        let kind = [kind as u8];
        let all: Vec<&[u8]> = core::iter::once(&kind[..]).chain(fields).collect();
        Some(digest32(domain::MEASUREMENT, &all))
    }
}
