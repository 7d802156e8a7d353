//! An enclave on hardware: what it has attested, and which measurement its keys name.
//!
//! The report is a genuine one of SEV-SNP with the program's user data put in, so nobody's signature is under it: what
//! the enclave reads of its own report is tested here, and what a verifier makes of one is tested in `ccc-core`.

mod support;

use ccc_core::{
    enclave::{
        attestation::{AttestationProvider, Body, EvidenceError, ProviderError, ProviderKind, stated},
        identity::{IdentityKey, IdentityOver},
        sealing::SealingKey,
    },
    table::Header,
};
use ccc_enclave::{
    attempt::{AttemptError, Enclave},
    config::EnclaveConfig,
};
use std::{fs, path::Path};
use support::World;

/// A guest whose device answers with a report over the user data.
struct Guest {
    report: [u8; 1184],
    vcek: Vec<u8>,
}

impl Guest {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/attestation/snp");
        let report = fs::read(folder.join("go-sev-guest-attestation.bin")).expect("a report");
        let vcek = fs::read(folder.join("go-sev-guest-vcek.der")).expect("a certificate");
        Self { report: report.try_into().expect("1184 bytes"), vcek }
    }
}

impl AttestationProvider for Guest {
    fn kind(&self) -> ProviderKind {
        ProviderKind::SevSnp
    }

    fn attest(&self, user_data: &[u8; 64], _: &[u8; 64], _: u64) -> Result<Vec<u8>, ProviderError> {
        let mut report = self.report;
        report[0x50..0x90].copy_from_slice(user_data);
        Ok(Body::Snp { report: &report, vcek: &self.vcek }.to_bytes().expect("short"))
    }

    fn sealing_key(&self, _: &[u8; 32]) -> Result<SealingKey, ProviderError> {
        Err(ProviderError::NoSealing { kind: self.kind(), instead: "nothing in a test" })
    }
}

/// A device that answers with something else than evidence.
struct Broken;

impl AttestationProvider for Broken {
    fn kind(&self) -> ProviderKind {
        ProviderKind::SevSnp
    }

    fn attest(&self, _: &[u8; 64], _: &[u8; 64], _: u64) -> Result<Vec<u8>, ProviderError> {
        Ok(b"none".to_vec())
    }

    fn sealing_key(&self, _: &[u8; 32]) -> Result<SealingKey, ProviderError> {
        Err(ProviderError::NoSealing { kind: self.kind(), instead: "nothing in a test" })
    }
}

/// Measurement of the keys, evidence for them, and what it vouches for.
type Made = ([u8; 32], Vec<u8>, [u8; 64]);

fn card(world: &mut World, config: &EnclaveConfig, provider: &dyn AttestationProvider) -> Result<Made, AttemptError> {
    let plan = world.plan(world.log(None));
    let head = world.header().map(Header::hash);
    let request = world.vault_request(head, plan.digests());
    let digest = request.digest();
    let enclave = Enclave::new(config.clone(), provider).expect("a configuration");
    let attempt = enclave.attempt(request, world.time, &mut world.rng)?;
    let card = attempt.card();
    Ok((card.recipient.measurement, card.evidence.clone(), card.recipient.user_data(&digest)))
}

#[test]
fn n106_keys_on_hardware_name_its_registers_and_carry_the_configuration() {
    let (mut world, _) = World::with_makers(31);
    let (config, guest) = (world.config.clone(), Guest::new());
    let (measurement, evidence, said) = card(&mut world, &config, &guest).expect("an attempt");
    let stated = stated(&evidence).expect("evidence");
    assert_eq!(Some(measurement), stated.registers.measurement());
    assert_ne!(measurement, config.measurement());
    assert_eq!(stated.user_data, ProviderKind::SevSnp.user_data(&said, &config.digest()));
    let other = EnclaveConfig { reserve: [9; 20], ..config.clone() };
    assert_ne!(stated.user_data, ProviderKind::SevSnp.user_data(&said, &other.digest()));
}

/// One image under two configurations has one measurement: it is the user data that differs.
#[test]
fn n106_the_configuration_is_in_the_user_data_and_not_in_the_measurement() {
    let (mut world, _) = World::with_makers(32);
    let (config, guest) = (world.config.clone(), Guest::new());
    let other = EnclaveConfig { reserve: [9; 20], ..config.clone() };
    let (one, _, _) = card(&mut world, &config, &guest).expect("an attempt");
    let (two, evidence, said) = card(&mut world, &other, &guest).expect("an attempt");
    assert_eq!(one, two);
    let user_data = stated(&evidence).expect("evidence").user_data;
    assert_eq!(user_data, ProviderKind::SevSnp.user_data(&said, &other.digest()));
    assert_ne!(user_data, ProviderKind::SevSnp.user_data(&said, &config.digest()));
}

#[test]
fn n106_a_result_on_hardware_carries_the_configuration() {
    let (mut world, _) = World::with_makers(34);
    let job = world.job(None);
    let result = world.run_on(&Guest::new(), &job).expect("a round").result;
    let expected = ProviderKind::SevSnp.user_data(&result.user_data(), &world.config.digest());
    assert_eq!(stated(&result.evidence).expect("evidence").user_data, expected);
}

#[test]
fn n106_an_identity_on_hardware_carries_the_enclaves_own_configuration() {
    let (mut world, guest) = (World::empty(35), Guest::new());
    let enclave = Enclave::new(world.config.clone(), &guest).expect("a configuration");
    let key = IdentityKey::generate(7, world.time + 60, &mut world.rng).expect("a key");
    let attested = enclave.attest_identity(&key, &[8; 64], world.time).expect("evidence");
    let said = key.identity().user_data(&[8; 64]);
    let expected = ProviderKind::SevSnp.user_data(&said, &world.config.digest());
    assert_eq!(
        (attested.identity, stated(&attested.evidence).expect("evidence").user_data.as_slice()),
        (*key.identity(), &expected[..])
    );
}

/// The enclave's identity signs what the evidence vouches for; one whose time is over makes no attempt.
#[test]
fn an_enclave_with_an_identity_signs_its_results_until_the_expiry() {
    let (mut world, _) = World::with_makers(36);
    let (config, now, guest) = (world.config.clone(), world.time, Guest::new());
    let key = IdentityKey::generate(7, now, &mut world.rng).expect("a key");
    let enclave = Enclave::new(config, &guest).expect("a configuration").with_identity(&key);
    let job = world.job(None);
    let result = world.run_in(&enclave, &job).expect("a round").result;
    let signed = result.identity.expect("signed");
    assert_eq!(signed.signer(&result.user_data()), Ok(key.identity().signer));
    let request = world.vault_request(None, &[]);
    let late = enclave.attempt(request, now + 1, &mut world.rng).err();
    let over = IdentityOver::Expired { not_after: now, now: now + 1 };
    assert!(matches!(late, Some(AttemptError::Identity(found)) if found == over), "{late:?}");
}

#[test]
fn a_device_without_evidence_makes_no_attempt() {
    let (mut world, _) = World::with_makers(33);
    let config = world.config.clone();
    let refused = card(&mut world, &config, &Broken).err();
    assert!(matches!(refused, Some(AttemptError::Evidence(EvidenceError::Encoding(_)))), "{refused:?}");
}
