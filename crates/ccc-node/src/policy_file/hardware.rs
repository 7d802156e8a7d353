//! Sections of a policy file for real hardware, by the makers' names of their registers.

use super::{PolicyFile, PolicyFileError};
use ccc_core::enclave::attestation::{
    DcapStatus, Hardware, NitroProgram, SgxProgram, SnpGeneration, SnpProgram, SnpTcb, TdxProgram,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// PCRs of 48 bytes: those of the code, and which others are to be held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NitroFile {
    pcr0: String,
    pcr1: String,
    pcr2: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcr3: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcr4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcr8: Option<String>,
}

/// A guest's launch measurement of 48 bytes, and what else is to be held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnpFile {
    measurement: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_key_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_data: Option<String>,
}

/// Least versions of SEV-SNP firmware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SnpTcbFile {
    fmc: u8,
    boot_loader: u8,
    tee: u8,
    snp: u8,
    microcode: u8,
}

/// Least versions of every generation without its own, and those of generations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SnpMinimumFile {
    fmc: u8,
    boot_loader: u8,
    tee: u8,
    snp: u8,
    microcode: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    milan: Option<SnpTcbFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genoa: Option<SnpTcbFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turin: Option<SnpTcbFile>,
}

/// A domain's registers of 48 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TdxFile {
    mrtd: String,
    rtmr0: String,
    rtmr1: String,
    rtmr2: String,
    rtmr3: String,
}

/// An enclave by its contents, or by its signer, product and least version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SgxFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    mrenclave: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mrsigner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u16>,
}

/// Intel's verdicts that are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DcapFile {
    statuses: Vec<String>,
    evaluation: u32,
}

impl Default for DcapFile {
    fn default() -> Self {
        Self::from(&Hardware::default())
    }
}

impl From<&Hardware> for DcapFile {
    fn from(hardware: &Hardware) -> Self {
        let statuses = hardware.dcap_statuses.iter().map(|status| status.name().into()).collect();
        Self { statuses, evaluation: hardware.dcap_evaluation }
    }
}

impl From<&NitroProgram> for NitroFile {
    fn from(program: &NitroProgram) -> Self {
        let pcr = |number: u8| program.pcrs.get(&number).map(hex::encode);
        let code = |number| pcr(number).unwrap_or_default();
        Self { pcr0: code(0), pcr1: code(1), pcr2: code(2), pcr3: pcr(3), pcr4: pcr(4), pcr8: pcr(8) }
    }
}

impl From<&SnpProgram> for SnpFile {
    fn from(program: &SnpProgram) -> Self {
        Self {
            measurement: hex::encode(program.measurement),
            family_id: program.family_id.map(hex::encode),
            image_id: program.image_id.map(hex::encode),
            id_key_digest: program.id_key_digest.map(hex::encode),
            host_data: program.host_data.map(hex::encode),
        }
    }
}

impl From<SnpTcb> for SnpTcbFile {
    fn from(SnpTcb { fmc, boot_loader, tee, snp, microcode }: SnpTcb) -> Self {
        Self { fmc, boot_loader, tee, snp, microcode }
    }
}

impl From<SnpTcbFile> for SnpTcb {
    fn from(SnpTcbFile { fmc, boot_loader, tee, snp, microcode }: SnpTcbFile) -> Self {
        Self { fmc, boot_loader, tee, snp, microcode }
    }
}

impl From<&Hardware> for SnpMinimumFile {
    fn from(hardware: &Hardware) -> Self {
        let SnpTcb { fmc, boot_loader, tee, snp, microcode } = hardware.snp_minimum;
        let own = |generation| hardware.snp_generations.get(&generation).copied().map(SnpTcbFile::from);
        let (milan, genoa, turin) = (own(SnpGeneration::Milan), own(SnpGeneration::Genoa), own(SnpGeneration::Turin));
        Self { fmc, boot_loader, tee, snp, microcode, milan, genoa, turin }
    }
}

impl SnpMinimumFile {
    fn of_all(self) -> SnpTcb {
        let Self { fmc, boot_loader, tee, snp, microcode, .. } = self;
        SnpTcb { fmc, boot_loader, tee, snp, microcode }
    }

    fn of_generations(self) -> BTreeMap<SnpGeneration, SnpTcb> {
        let own = [
            (SnpGeneration::Milan, self.milan),
            (SnpGeneration::Genoa, self.genoa),
            (SnpGeneration::Turin, self.turin),
        ];
        own.into_iter().filter_map(|(generation, minimum)| Some((generation, minimum?.into()))).collect()
    }
}

impl From<&TdxProgram> for TdxFile {
    fn from(program: &TdxProgram) -> Self {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = program.rtmr.map(hex::encode);
        Self { mrtd: hex::encode(program.mrtd), rtmr0, rtmr1, rtmr2, rtmr3 }
    }
}

impl From<&SgxProgram> for SgxFile {
    fn from(program: &SgxProgram) -> Self {
        let none = Self { mrenclave: None, mrsigner: None, product: None, version: None };
        match program {
            SgxProgram::Enclave(mrenclave) => Self { mrenclave: Some(hex::encode(mrenclave)), ..none },
            SgxProgram::Signer { mrsigner, product, version } => {
                Self { mrsigner: Some(hex::encode(mrsigner)), product: Some(*product), version: Some(*version), ..none }
            }
        }
    }
}

/// Whose field is read, to name it where it is malformed.
#[derive(Clone, Copy)]
struct Place {
    section: &'static str,
    index: usize,
}

impl Place {
    fn bytes<const N: usize>(self, what: &'static str, text: &str) -> Result<[u8; N], PolicyFileError> {
        let Self { section, index } = self;
        let mut bytes = [0; N];
        let malformed = PolicyFileError::Field { section, index, what, digits: 2 * N };
        hex::decode_to_slice(text, &mut bytes).map(|()| bytes).map_err(|_| malformed)
    }

    fn optional<const N: usize>(
        self,
        what: &'static str,
        text: Option<&String>,
    ) -> Result<Option<[u8; N]>, PolicyFileError> {
        text.map(|text| self.bytes(what, text)).transpose()
    }
}

impl NitroFile {
    fn program(&self, index: usize) -> Result<NitroProgram, PolicyFileError> {
        let place = Place { section: "nitro", index };
        let pcrs = [
            (0, "pcr0", Some(&self.pcr0)),
            (1, "pcr1", Some(&self.pcr1)),
            (2, "pcr2", Some(&self.pcr2)),
            (3, "pcr3", self.pcr3.as_ref()),
            (4, "pcr4", self.pcr4.as_ref()),
            (8, "pcr8", self.pcr8.as_ref()),
        ];
        let held = pcrs.into_iter().filter_map(|(number, what, text)| Some((number, what, text?)));
        let pcrs = held.map(|(number, what, text)| Ok((number, place.bytes(what, text)?)));
        Ok(NitroProgram { pcrs: pcrs.collect::<Result<_, PolicyFileError>>()? })
    }
}

impl SnpFile {
    fn program(&self, index: usize) -> Result<SnpProgram, PolicyFileError> {
        let place = Place { section: "snp", index };
        Ok(SnpProgram {
            measurement: place.bytes("measurement", &self.measurement)?,
            family_id: place.optional("family_id", self.family_id.as_ref())?,
            image_id: place.optional("image_id", self.image_id.as_ref())?,
            id_key_digest: place.optional("id_key_digest", self.id_key_digest.as_ref())?,
            host_data: place.optional("host_data", self.host_data.as_ref())?,
        })
    }
}

impl TdxFile {
    fn program(&self, index: usize) -> Result<TdxProgram, PolicyFileError> {
        let place = Place { section: "tdx", index };
        let rtmr = [
            place.bytes("rtmr0", &self.rtmr0)?,
            place.bytes("rtmr1", &self.rtmr1)?,
            place.bytes("rtmr2", &self.rtmr2)?,
            place.bytes("rtmr3", &self.rtmr3)?,
        ];
        Ok(TdxProgram { mrtd: place.bytes("mrtd", &self.mrtd)?, rtmr })
    }
}

impl SgxFile {
    fn program(&self, index: usize) -> Result<SgxProgram, PolicyFileError> {
        let place = Place { section: "sgx", index };
        match self {
            Self { mrenclave: Some(contents), mrsigner: None, product: None, version: None } => {
                Ok(SgxProgram::Enclave(place.bytes("mrenclave", contents)?))
            }
            Self { mrenclave: None, mrsigner: Some(signer), product: Some(product), version: Some(version) } => {
                let mrsigner = place.bytes("mrsigner", signer)?;
                Ok(SgxProgram::Signer { mrsigner, product: *product, version: *version })
            }
            _ => Err(PolicyFileError::Sgx { index }),
        }
    }
}

impl PolicyFile {
    /// The sections for hardware.
    pub(super) fn hardware(&self) -> Result<Hardware, PolicyFileError> {
        let configuration = |(index, text)| super::bytes(text).ok_or(PolicyFileError::Configuration { index });
        let status = |(index, name): (usize, &String)| DcapStatus::named(name).ok_or(PolicyFileError::Status { index });
        let mut hardware = Hardware::default();
        hardware.nitro = programs(&self.nitro, NitroFile::program)?;
        hardware.snp = programs(&self.snp, SnpFile::program)?;
        hardware.tdx = programs(&self.tdx, TdxFile::program)?;
        hardware.sgx = programs(&self.sgx, SgxFile::program)?;
        hardware.configurations =
            self.configurations.iter().enumerate().map(configuration).collect::<Result<_, _>>()?;
        hardware.snp_minimum = self.snp_minimum.of_all();
        hardware.snp_generations = self.snp_minimum.of_generations();
        hardware.dcap_statuses = self.dcap.statuses.iter().enumerate().map(status).collect::<Result<_, _>>()?;
        hardware.dcap_evaluation = self.dcap.evaluation;
        hardware.kinds = self.kinds;
        Ok(hardware)
    }
}

fn programs<F, P>(
    files: &[F],
    read: impl Fn(&F, usize) -> Result<P, PolicyFileError>,
) -> Result<Vec<P>, PolicyFileError> {
    files.iter().enumerate().map(|(index, file)| read(file, index)).collect()
}
