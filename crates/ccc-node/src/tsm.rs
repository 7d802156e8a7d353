//! Evidence from the guest's kernel: AMD SEV-SNP and Intel TDX through configfs-tsm.
//!
//! *Source*: Linux, `Documentation/ABI/testing/configfs-tsm-report`: a directory is made under the report's, `inblob` is
//! written, `outblob` and `auxblob` are read, and `generation` says whether somebody else wrote in between.
//!
//! **What was tested**: the order of reads and writes against a simulated kernel, and reports and quotes of genuine
//! bytes. It was never run on hardware.

mod table;

use ccc_core::enclave::{
    attestation::{AttestationProvider, Body, ProviderError, ProviderKind, dcap},
    sealing::SealingKey,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Where a kernel has its reports.
pub const REPORTS: &str = "/sys/kernel/config/tsm/report";

/// Greatest length of what the kernel answers with.
const MAX_BLOB: usize = 1 << 15;
/// Greatest length of a number or a name that the kernel shows.
const MAX_TEXT: usize = 64;
/// How many names of entries may be taken before none is made.
const MAX_TAKEN: usize = 64;

/// A guest's view of its hardware, through files of the kernel.
pub struct ConfigfsTsm {
    kernel: Box<dyn Kernel + Send + Sync>,
    kind: ProviderKind,
    beside: Vec<u8>,
    entries: AtomicU64,
}

/// What the kernel's files can do: each entry is a directory of attributes.
trait Kernel {
    fn make(&self, entry: &str) -> io::Result<()>;
    fn remove(&self, entry: &str) -> io::Result<()>;
    fn write(&self, entry: &str, attribute: &str, bytes: &[u8]) -> io::Result<()>;
    fn read(&self, entry: &str, attribute: &str, max: usize) -> io::Result<Vec<u8>>;
}

/// The files themselves.
struct Files(PathBuf);

impl Kernel for Files {
    fn make(&self, entry: &str) -> io::Result<()> {
        fs::create_dir(self.0.join(entry))
    }

    fn remove(&self, entry: &str) -> io::Result<()> {
        fs::remove_dir(self.0.join(entry))
    }

    fn write(&self, entry: &str, attribute: &str, bytes: &[u8]) -> io::Result<()> {
        fs::write(self.0.join(entry).join(attribute), bytes)
    }

    fn read(&self, entry: &str, attribute: &str, max: usize) -> io::Result<Vec<u8>> {
        let (mut bytes, limit) = (Vec::new(), u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1));
        File::open(self.0.join(entry).join(attribute))?.take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }
}

/// One entry of the report's directory, removed when it goes.
struct Entry<'a> {
    kernel: &'a dyn Kernel,
    name: String,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // an entry that stays costs the kernel a page, and no report depends on it
        let _ = self.kernel.remove(&self.name);
    }
}

impl<'a> Entry<'a> {
    fn make(kernel: &'a dyn Kernel, name: String) -> io::Result<Self> {
        kernel.make(&name)?;
        Ok(Self { kernel, name })
    }

    fn read(&self, attribute: &'static str, max: usize) -> Result<Vec<u8>, ProviderError> {
        self.kernel.read(&self.name, attribute, max).map_err(|error| refused(attribute, &error))
    }

    fn text(&self, attribute: &'static str) -> Result<String, ProviderError> {
        let bytes = self.read(attribute, MAX_TEXT)?;
        let text = str::from_utf8(&bytes).map_err(|error| refused(attribute, &error))?;
        Ok(text.trim_end().into())
    }

    fn generation(&self) -> Result<u64, ProviderError> {
        self.text("generation")?.parse::<u64>().map_err(|error| refused("generation", &error))
    }

    /// Whose guest this is.
    fn kind(&self) -> Result<ProviderKind, ProviderError> {
        match self.text("provider")?.as_str() {
            "sev_guest" => Ok(ProviderKind::SevSnp),
            "tdx_guest" => Ok(ProviderKind::Tdx),
            _ => Err(ProviderError::Refused("provider: neither sev_guest nor tdx_guest".into())),
        }
    }

    /// What the hardware answers over the user data, and what the host put beside it.
    fn answer(&self, user_data: &[u8; 64]) -> Result<(Vec<u8>, Vec<u8>), ProviderError> {
        let before = self.generation()?;
        self.kernel.write(&self.name, "inblob", user_data).map_err(|error| refused("inblob", &error))?;
        let out = self.read("outblob", MAX_BLOB)?;
        // of a host that puts nothing there it cannot be read
        let beside = self.read("auxblob", MAX_BLOB).unwrap_or_default();
        match self.generation()? {
            after if Some(after) == before.checked_add(1) => Ok((out, beside)),
            _ => Err(ProviderError::Refused("generation: somebody else wrote to the report's entry".into())),
        }
    }
}

fn refused(what: &str, error: &dyn core::fmt::Display) -> ProviderError {
    ProviderError::Refused(format!("{what}: {error}"))
}

impl ConfigfsTsm {
    /// The guest whose kernel has its reports under `reports`, [`REPORTS`] for one.
    ///
    /// `beside` vouches for its reports: of SEV-SNP the VCEK certificate in DER, which the one of the kernel's table goes
    /// before, of TDX the collateral in JSON.
    ///
    /// # Errors
    /// [`ProviderError::Refused`]: no entry can be made, or of neither kind.
    pub fn open(reports: &Path, beside: Vec<u8>) -> Result<Self, ProviderError> {
        Self::over(Box::new(Files(reports.into())), beside)
    }

    fn over(kernel: Box<dyn Kernel + Send + Sync>, beside: Vec<u8>) -> Result<Self, ProviderError> {
        let mut device = Self { kernel, kind: ProviderKind::SevSnp, beside, entries: AtomicU64::new(0) };
        let kind = device.entry()?.kind()?;
        device.kind = kind;
        Ok(device)
    }

    /// An entry that no other process and no other thread has. A name may be taken: by another container whose process
    /// has the same number, or by one that ended before it removed its entry.
    fn entry(&self) -> Result<Entry<'_>, ProviderError> {
        let process = std::process::id();
        let mut made = Err(io::ErrorKind::AlreadyExists.into());
        for _ in 0..MAX_TAKEN {
            let number = self.entries.fetch_add(1, Ordering::Relaxed);
            made = Entry::make(&*self.kernel, format!("ccc-{process}-{number}"));
            if !matches!(&made, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        made.map_err(|error| refused("no entry can be made", &error))
    }

    fn snp(&self, report: &[u8], table: &[u8]) -> Result<Vec<u8>, ProviderError> {
        let report = <&[u8; 1184]>::try_from(report).map_err(|error| refused("outblob", &error))?;
        let vcek = table::vcek(table).unwrap_or(&self.beside);
        Body::Snp { report, vcek }.to_bytes().map_err(|error| refused("evidence", &error))
    }

    fn instead_of_sealing(&self) -> &'static str {
        match self.kind {
            ProviderKind::SevSnp => "the firmware derives one through /dev/sev-guest, which this provider does not ask",
            _ => "a TDX module derives none; a key service releases one to evidence",
        }
    }

    fn tdx(&self, buffer: &[u8]) -> Result<Vec<u8>, ProviderError> {
        let body = Body::Tdx { quote: dcap::without_padding(buffer), collateral: &self.beside };
        body.to_bytes().map_err(|error| refused("evidence", &error))
    }
}

impl AttestationProvider for ConfigfsTsm {
    fn kind(&self) -> ProviderKind {
        self.kind
    }

    /// Neither kind has a nonce or says its time: the user data is over the request's digest.
    fn attest(&self, user_data: &[u8; 64], _: &[u8; 64], _: u64) -> Result<Vec<u8>, ProviderError> {
        let entry = self.entry()?;
        if entry.kind()? != self.kind {
            return Err(ProviderError::Refused("provider: another one than before".into()));
        }
        let (out, table) = entry.answer(user_data)?;
        if self.kind == ProviderKind::Tdx { self.tdx(&out) } else { self.snp(&out, &table) }
    }

    /// configfs-tsm makes reports and no keys.
    fn sealing_key(&self, _: &[u8; 32]) -> Result<SealingKey, ProviderError> {
        Err(ProviderError::NoSealing { kind: self.kind, instead: self.instead_of_sealing() })
    }
}

#[cfg(test)]
mod tests;
