//! The bytes of an attestation report.
//!
//! *Source*: AMD, *SEV Secure Nested Paging Firmware ABI Specification*, 56860 revision 1.58, tables 3, 10, 23 and 24.

use super::super::evidence::{SnpRegisters, SnpTcb};
use super::{Generation, SnpError};

/// Bytes of a report.
pub const REPORT_LEN: usize = 1184;
/// Bytes that are signed.
const SIGNED_LEN: usize = 672;
/// Versions of the layout that are read.
const VERSIONS: core::ops::RangeInclusive<u32> = 2..=5;
const ECDSA_P384_SHA384: u32 = 1;
/// Least version with the processor's family, and least with vectors of mitigations.
const WITH_CPUID: u32 = 3;
const WITH_MITIGATIONS: u32 = 5;

/// Bits of the guest's policy.
mod policy {
    pub(super) const RESERVED_ONE: u64 = 1 << 17;
    pub(super) const MIGRATE: u64 = 1 << 18;
    pub(super) const DEBUG: u64 = 1 << 19;
    /// Bits 26 to 63.
    pub(super) const RESERVED_ZERO: u64 = !0 << 26;
}

/// A report whose reserved bytes are zero. Its signature is not checked.
pub(super) struct Report<'a> {
    bytes: &'a [u8; REPORT_LEN],
}

impl<'a> Report<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, SnpError> {
        let found = bytes.len();
        let bytes = bytes.try_into().map_err(|_| SnpError::Length { expected: REPORT_LEN, found })?;
        let report = Self { bytes };
        let version = report.version();
        if !VERSIONS.contains(&version) {
            return Err(SnpError::Version { found: version });
        }
        match report.u32(0x34) {
            ECDSA_P384_SHA384 => {}
            found => return Err(SnpError::Algorithm { found }),
        }
        report.check_reserved()?;
        report.check_key()?;
        Ok(report)
    }

    fn check_reserved(&self) -> Result<(), SnpError> {
        let policy = self.policy();
        if policy & policy::RESERVED_ONE == 0 || policy & policy::RESERVED_ZERO != 0 {
            return Err(SnpError::Reserved { what: "policy" });
        }
        let mut fields = alloc::vec::Vec::from([
            ("platform information", 0x41, 0x48),
            ("key information", 0x4c, 0x50),
            ("after the processor's family", 0x18b, 0x1a0),
            ("current version", 0x1eb, 0x1ec),
            ("committed version", 0x1ef, 0x1f0),
            ("before the signature", 0x208, SIGNED_LEN),
            ("padding of R", 0x2a0 + 48, 0x2e8),
            ("padding of S", 0x2e8 + 48, 0x330),
            ("after the signature", 0x330, REPORT_LEN),
        ]);
        if self.version() < WITH_CPUID {
            fields.push(("the processor's family", 0x188, 0x18b));
        }
        if self.version() < WITH_MITIGATIONS {
            fields.push(("mitigations", 0x1f8, 0x208));
        }
        match fields.into_iter().find(|(_, from, to)| self.bytes[*from..*to].iter().any(|byte| *byte != 0)) {
            Some((what, ..)) => Err(SnpError::Reserved { what }),
            None => Ok(()),
        }
    }

    /// Signed by the chip's own key, with the chip named.
    fn check_key(&self) -> Result<(), SnpError> {
        let information = self.u32(0x48);
        if information >> 5 != 0 {
            return Err(SnpError::Reserved { what: "key information" });
        }
        match information >> 2 & 0b111 {
            0 => {}
            found => return Err(SnpError::SigningKey { found }),
        }
        if information & 0b10 != 0 { Err(SnpError::ChipMasked) } else { Ok(()) }
    }

    pub(super) fn version(&self) -> u32 {
        self.u32(0)
    }

    fn policy(&self) -> u64 {
        u64::from_le_bytes(self.array(8))
    }

    pub(super) fn debug(&self) -> bool {
        self.policy() & policy::DEBUG != 0
    }

    pub(super) fn report_data(&self) -> [u8; 64] {
        self.array(0x50)
    }

    pub(super) fn chip(&self) -> [u8; 64] {
        self.array(0x1a0)
    }

    pub(super) fn registers(&self) -> SnpRegisters {
        SnpRegisters {
            measurement: self.array(0x90),
            host_data: self.array(0xc0),
            family_id: self.array(0x10),
            image_id: self.array(0x20),
            id_key_digest: self.array(0xe0),
            guest_svn: self.u32(4),
            vmpl: self.u32(0x30),
            migratable: self.policy() & policy::MIGRATE != 0,
        }
    }

    /// The processor's family, where the report says it.
    pub(super) fn family(&self) -> Option<u8> {
        (self.version() >= WITH_CPUID).then(|| self.bytes[0x188])
    }

    /// REPORTED_TCB and COMMITTED_TCB; the two others have to be in their form.
    pub(super) fn tcb(&self, generation: Generation) -> Result<(SnpTcb, SnpTcb), SnpError> {
        let at = |what, offset| generation.tcb(self.array(offset)).ok_or(SnpError::Reserved { what });
        at("current TCB", 0x38)?;
        at("launch TCB", 0x1f0)?;
        Ok((at("reported TCB", 0x180)?, at("committed TCB", 0x1e0)?))
    }

    pub(super) fn signed(&self) -> &'a [u8] {
        &self.bytes[..SIGNED_LEN]
    }

    /// R and S, big-endian.
    pub(super) fn signature(&self) -> [u8; 96] {
        let mut out = [0; 96];
        let (r, s) = out.split_at_mut(48);
        for (half, offset) in [(r, 0x2a0), (s, 0x2e8)] {
            half.copy_from_slice(&self.bytes[offset..offset + 48]);
            half.reverse();
        }
        out
    }

    fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.array(offset))
    }

    fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[offset..offset + N]);
        out
    }
}
