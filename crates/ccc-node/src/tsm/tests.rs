//! A simulated kernel: entries in memory, whose report is made when `inblob` is written.

use super::*;
use ccc_core::enclave::attestation::{Registers, stated};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

fn vector(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/attestation");
    fs::read(folder.join(name)).expect("a sample")
}

/// Generation and user data of each entry.
type Entries = BTreeMap<String, (u64, Vec<u8>)>;

#[derive(Default)]
struct Simulated {
    provider: &'static str,
    out: Vec<u8>,
    /// Where the user data stands in what is answered.
    at: Option<usize>,
    aux: Option<Vec<u8>>,
    /// Writes by somebody else, between ours and our reading.
    others: u64,
    entries: Arc<Mutex<Entries>>,
}

impl Kernel for Simulated {
    fn make(&self, entry: &str) -> io::Result<()> {
        match self.entries.lock().expect("a lock").insert(entry.into(), (0, Vec::new())) {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn remove(&self, entry: &str) -> io::Result<()> {
        self.entries.lock().expect("a lock").remove(entry).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn write(&self, entry: &str, attribute: &str, bytes: &[u8]) -> io::Result<()> {
        assert_eq!(attribute, "inblob");
        let mut entries = self.entries.lock().expect("a lock");
        let (generation, inblob) = entries.get_mut(entry).ok_or(io::ErrorKind::NotFound)?;
        (*generation, *inblob) = (*generation + 1 + self.others, bytes.to_vec());
        Ok(())
    }

    fn read(&self, entry: &str, attribute: &str, max: usize) -> io::Result<Vec<u8>> {
        let entries = self.entries.lock().expect("a lock");
        let (generation, inblob) = entries.get(entry).ok_or(io::ErrorKind::NotFound)?;
        let found = match attribute {
            "provider" => format!("{}\n", self.provider).into_bytes(),
            "generation" => format!("{generation}\n").into_bytes(),
            "auxblob" => self.aux.clone().ok_or(io::ErrorKind::NotFound)?,
            _ => {
                let mut out = self.out.clone();
                if let Some(at) = self.at {
                    out[at..at + inblob.len()].copy_from_slice(inblob);
                }
                out
            }
        };
        if found.len() > max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(found) }
    }
}

fn guest() -> Simulated {
    let out = vector("snp/go-sev-guest-attestation.bin");
    Simulated { provider: "sev_guest", out, at: Some(0x50), ..Simulated::default() }
}

fn attest(kernel: Simulated) -> Result<Vec<u8>, ProviderError> {
    let beside = vector("snp/go-sev-guest-vcek.der");
    ConfigfsTsm::over(Box::new(kernel), beside)?.attest(&[7; 64], &[8; 64], 9)
}

fn is_refused(kernel: Simulated, what: &str) {
    match attest(kernel) {
        Err(ProviderError::Refused(reason)) => assert!(reason.starts_with(what), "{reason}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_guests_report_is_over_the_user_data_and_its_entry_is_removed() {
    let kernel = guest();
    let entries = Arc::clone(&kernel.entries);
    let stated = stated(&attest(kernel).expect("evidence")).expect("evidence");
    assert_eq!((stated.kind, stated.user_data), (ProviderKind::SevSnp, vec![7; 64]));
    assert!(entries.lock().expect("a lock").is_empty());
}

/// Names that somebody else has are passed over, and theirs stay; where all are taken there is no evidence.
#[test]
fn entries_of_others_are_left_alone() {
    let taken = |count: usize| {
        let entry = |number| (format!("ccc-{}-{number}", std::process::id()), (0, Vec::new()));
        Arc::new(Mutex::new((0..count).map(entry).collect::<Entries>()))
    };
    let entries = taken(3);
    attest(Simulated { entries: Arc::clone(&entries), ..guest() }).expect("evidence");
    assert_eq!(*entries.lock().expect("a lock"), *taken(3).lock().expect("a lock"));
    is_refused(Simulated { entries: taken(MAX_TAKEN), ..guest() }, "no entry can be made");
}

#[test]
fn the_hosts_certificate_goes_before_the_one_that_is_given() {
    let vcek = vector("snp/go-sev-guest-vcek.der");
    let guid = [0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd];
    let len = u32::try_from(vcek.len()).expect("short");
    let table = [&guid[..], &48_u32.to_le_bytes(), &len.to_le_bytes(), &[0; 24], &vcek].concat();
    let device = ConfigfsTsm::over(Box::new(Simulated { aux: Some(table), ..guest() }), b"none".to_vec());
    let evidence = device.expect("a guest").attest(&[7; 64], &[8; 64], 9).expect("evidence");
    assert!(stated(&evidence).is_ok());
}

#[test]
fn a_domains_quote_is_cut_where_its_lengths_end() {
    let kernel = Simulated { provider: "tdx_guest", out: vector("dcap/tdx_quote"), ..Simulated::default() };
    let device = ConfigfsTsm::over(Box::new(kernel), vector("dcap/tdx_quote_collateral.json")).expect("a domain");
    assert_eq!(device.kind(), ProviderKind::Tdx);
    let stated = stated(&device.attest(&[7; 64], &[8; 64], 9).expect("evidence")).expect("evidence");
    assert!(matches!(stated.registers, Registers::Tdx { .. }));
}

#[test]
fn a_report_that_another_process_may_have_asked_for_is_refused() {
    is_refused(Simulated { others: 1, ..guest() }, "generation");
    is_refused(Simulated { others: u64::MAX - 1, ..guest() }, "generation");
}

#[test]
fn answers_that_are_none_are_refused() {
    is_refused(Simulated { provider: "arm_cca_guest", ..guest() }, "provider");
    is_refused(Simulated { out: vec![0; MAX_BLOB + 1], ..guest() }, "outblob");
    is_refused(Simulated { out: vec![0; 1183], ..guest() }, "outblob");
}

/// The files themselves, on a plain directory: what is read is bounded, and what is missing is an error.
#[test]
fn files_are_read_to_a_bound() {
    let root = std::env::temp_dir().join(format!("ccc-tsm-{}", std::process::id()));
    fs::create_dir_all(&root).expect("a directory");
    let files = Files(root.clone());
    files.make("one").expect("made");
    assert!(files.make("one").is_err());
    files.write("one", "inblob", &[1; 64]).expect("written");
    assert_eq!(files.read("one", "inblob", 64).expect("read"), [1; 64]);
    assert_eq!(files.read("one", "inblob", 63).map_err(|error| error.kind()), Err(io::ErrorKind::FileTooLarge));
    assert!(ConfigfsTsm::open(&root, Vec::new()).is_err(), "a plain directory has no attributes");
    fs::remove_file(root.join("one/inblob")).expect("removed");
    files.remove("one").expect("removed");
    assert!(ConfigfsTsm::open(Path::new("/nowhere"), Vec::new()).is_err());
    fs::remove_dir_all(root).expect("removed");
}
