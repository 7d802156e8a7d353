use super::*;
use rayon::prelude::*;

const TODAY: u64 = 1_795_305_600; // 2026-11-22
const DAY: u64 = 86_400;
const OTHER_ROOT: &[u8] = include_bytes!("../../../../../../vectors/attestation/dcap/other-root.der");

struct Sample {
    quote: &'static [u8],
    collateral: &'static [u8],
    at: u64,
    kind: ProviderKind,
    status: DcapStatus,
}

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../../../../../vectors/attestation/dcap/", $name))
    };
}

/// Every genuine quote whose platform Intel's collateral has a verdict over, at an hour of that collateral.
fn samples() -> [Sample; 3] {
    [
        Sample {
            quote: vector!("sgx_quote"),
            collateral: vector!("sgx_quote_collateral.json"),
            at: 1_750_334_400,
            kind: ProviderKind::Sgx,
            status: DcapStatus::ConfigurationAndSwHardeningNeeded,
        },
        Sample {
            quote: without_padding(vector!("tdx_quote")),
            collateral: vector!("tdx_quote_collateral.json"),
            at: 1_750_334_400,
            kind: ProviderKind::Tdx,
            status: DcapStatus::UpToDate,
        },
        Sample {
            quote: vector!("tdx_quote_td15ex"),
            collateral: vector!("tdx_quote_td15ex_collateral.json"),
            at: 1_791_450_000,
            kind: ProviderKind::Tdx,
            status: DcapStatus::UpToDate,
        },
    ]
}

impl Sample {
    fn verify(&self, quote: &[u8]) -> Result<Evidence, DcapError> {
        verify(quote, self.collateral, ROOT, self.at)
    }
}

#[test]
fn genuine_quotes_verify_at_the_time_of_their_collateral() {
    for sample in samples() {
        let found = sample.verify(sample.quote).expect("a genuine quote");
        assert_eq!((found.kind, found.debug, found.nonce, found.issued), (sample.kind, false, None, None));
        let Tcb::Dcap { status, evaluation, .. } = found.tcb else { panic!("a verdict") };
        assert_eq!(status, sample.status);
        assert!(evaluation >= 17 && found.not_before <= sample.at && sample.at <= found.not_after);
    }
}

#[test]
fn n103_advisories_are_told_with_the_verdict() {
    let [sgx, ..] = samples();
    let found = sgx.verify(sgx.quote).expect("a genuine quote");
    let Tcb::Dcap { advisories, .. } = found.tcb else { panic!("a verdict") };
    assert_eq!(advisories, ["INTEL-SA-00289", "INTEL-SA-00615"]);
}

#[test]
fn n103_a_quote_whose_platform_no_level_fits_is_refused() {
    let quote: &[u8] = vector!("tdx_quote_outdated");
    let collateral: &[u8] = vector!("tdx_quote_outdated_collateral.json");
    for at in [1_771_412_400, TODAY] {
        assert!(matches!(verify(quote, collateral, ROOT, at), Err(DcapError::Refused(_))));
    }
}

#[test]
fn n093_n094_n104_quotes_are_refused_today_and_a_day_before() {
    for sample in samples() {
        let genuine = sample.verify(sample.quote).expect("a genuine quote");
        for now in [sample.at - DAY, genuine.not_before - 1, genuine.not_after + 1, TODAY] {
            let refused = verify(sample.quote, sample.collateral, ROOT, now);
            assert!(matches!(refused, Err(DcapError::Refused(_) | DcapError::Validity { .. })), "{now}: {refused:?}");
        }
        assert!(verify(sample.quote, sample.collateral, ROOT, genuine.not_before).is_ok());
    }
}

#[test]
fn n104_n109_collateral_of_another_platform_and_without_its_lists_is_refused() {
    let [sgx, tdx, _] = samples();
    let other = verify(sgx.quote, tdx.collateral, ROOT, sgx.at);
    assert!(matches!(other, Err(DcapError::Refused(_))), "{other:?}");
    for list in ["root_ca_crl", "pck_crl"] {
        let mut value: serde_json::Value = serde_json::from_slice(sgx.collateral).expect("JSON");
        value[list] = "".into();
        let missing = verify(sgx.quote, value.to_string().as_bytes(), ROOT, sgx.at);
        assert!(matches!(missing, Err(DcapError::Refused(_))), "{missing:?}");
        value.as_object_mut().expect("an object").remove(list);
        let missing = verify(sgx.quote, value.to_string().as_bytes(), ROOT, sgx.at);
        assert!(matches!(missing, Err(DcapError::Collateral(_))), "{missing:?}");
    }
    let huge = vec![b' '; MAX_COLLATERAL + 1];
    let length = DcapError::Length { found: huge.len(), max: MAX_COLLATERAL };
    assert_eq!(verify(sgx.quote, &huge, ROOT, sgx.at), Err(length));
}

/// Bytes of the collateral that are signed: TCB information, QE identity, their signatures and the two lists.
#[test]
fn n104_altered_collateral_is_refused() {
    let [sgx, ..] = samples();
    let value: serde_json::Value = serde_json::from_slice(sgx.collateral).expect("JSON");
    for field in ["tcb_info", "qe_identity", "tcb_info_signature", "qe_identity_signature", "root_ca_crl", "pck_crl"] {
        let text = value[field].as_str().expect("text");
        for at in (0..text.len()).step_by(97) {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let mut bad = value.clone();
            bad[field] = String::from_utf8(bytes).expect("ASCII").into();
            assert!(verify(sgx.quote, bad.to_string().as_bytes(), ROOT, sgx.at).is_err(), "{field} {at}");
        }
    }
}

/// Every byte, also of the certificates' text, which stands in its one form. `CCC_FLIP_STRIDE` thins the text of the
/// certificates alone: what the quote's own keys sign is flipped byte by byte in any case.
#[test]
fn n095_a_quote_with_any_byte_flipped_is_refused() {
    let stride: usize = std::env::var("CCC_FLIP_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for sample in samples() {
        let text = sample.quote.windows(5).position(|window| window == b"-----").expect("certificates");
        let bytes: Vec<usize> = (0..text).chain((text..sample.quote.len()).step_by(stride)).collect();
        let accepted = bytes.par_iter().filter(|byte| {
            let mut bad = sample.quote.to_vec();
            bad[**byte] ^= 1;
            sample.verify(&bad).is_ok()
        });
        let accepted: Vec<&usize> = accepted.collect();
        println!("dcap: {} of {} flips refused", bytes.len() - accepted.len(), bytes.len());
        assert_eq!(accepted, Vec::<&usize>::new());
    }
}

#[test]
fn n105_trailing_bytes_and_truncated_quotes_are_refused() {
    for sample in samples() {
        for found in [1, 64] {
            let long = [sample.quote, &vec![0; found]].concat();
            assert_eq!(sample.verify(&long), Err(DcapError::Trailing { found }));
        }
        for len in 0..sample.quote.len() {
            let refused = sample.verify(&sample.quote[..len]);
            assert!(matches!(refused, Err(DcapError::Truncated { .. })), "{len}: {refused:?}");
        }
    }
    let padded: &[u8] = vector!("tdx_quote");
    let [_, tdx, _] = samples();
    assert_eq!(tdx.verify(padded), Err(DcapError::Trailing { found: 70 }));
    assert_eq!(without_padding(padded).len() + 70, padded.len());
    let mut other = padded.to_vec();
    other[5005] = 1;
    assert_eq!(without_padding(&other), other);
}

#[test]
fn n105_reserved_bytes_and_other_layouts_are_refused() {
    let [sgx, tdx, v5] = samples();
    let with = |sample: &Sample, at: usize, value: u8| {
        let mut bad = sample.quote.to_vec();
        bad[at] = value;
        sample.verify(&bad)
    };
    for at in [48 + 20, 48 + 96, 48 + 191, 48 + 303] {
        assert_eq!(with(&sgx, at, 1), Err(DcapError::Reserved { what: "report" }));
    }
    assert_eq!(with(&tdx, 8, 1), Err(DcapError::Reserved { what: "header" }));
    assert_eq!(with(&sgx, 0, 4), Err(DcapError::Version { version: 4, tee: 0 }));
    assert_eq!(with(&tdx, 0, 3), Err(DcapError::Version { version: 3, tee: 0x81 }));
    assert_eq!(with(&v5, 48, 3), Err(DcapError::Body { kind: 3, found: 885 }));
    let kind = sgx.quote.windows(5).position(|window| window == b"-----").expect("certificates") - 6;
    let certification = DcapError::Certification { expected: 5, found: 3 };
    assert_eq!(with(&sgx, kind, 3), Err(certification));
    let huge = vec![0; MAX_QUOTE + 1];
    assert_eq!(sgx.verify(&huge), Err(DcapError::Length { found: huge.len(), max: MAX_QUOTE }));
}

#[test]
fn n100_a_root_of_our_own_with_the_same_name_is_refused() {
    let [sgx, ..] = samples();
    assert_eq!(verify(sgx.quote, sgx.collateral, OTHER_ROOT, TODAY), Err(DcapError::Root));
    // with our root in the place of the quote's last certificate, what it issued does not verify
    let text = core::str::from_utf8(&sgx.quote[sgx.quote.len() - 3548..]).expect("PEM");
    let ours = der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, OTHER_ROOT).expect("PEM");
    let start = sgx.quote.len() - 3548 + text.rfind("-----BEGIN").expect("a certificate");
    let mut swapped = [&sgx.quote[..start], ours.as_bytes(), &[0]].concat();
    let shift = |at: usize, bytes: &mut Vec<u8>| {
        let len = u32::try_from(bytes.len() - at - 4).expect("a length").to_le_bytes();
        bytes[at..at + 4].copy_from_slice(&len);
    };
    shift(48 + 384, &mut swapped);
    shift(sgx.quote.len() - 3548 - 4, &mut swapped);
    let refused = verify(&swapped, sgx.collateral, OTHER_ROOT, sgx.at);
    assert!(matches!(refused, Err(DcapError::Refused(_))), "{refused:?}");
    assert_eq!(verify(&swapped, sgx.collateral, ROOT, sgx.at), Err(DcapError::Root));
}

/// Quotes without collateral: their form is read, the padding of one is not zero, and nothing vouches for them.
#[test]
fn quotes_without_collateral_are_read_and_vouch_for_nothing() {
    let v5: &[u8] = vector!("go-tdx-guest-quote-v5-sample.dat");
    assert!(Quote::parse(v5, ROOT).is_ok());
    let text: &[u8] = vector!("go-tdx-guest-prod-quote-spr-e4.dat");
    assert!(matches!(Quote::parse(text, ROOT), Err(DcapError::Trailing { found: 39 })));
    assert!(Quote::parse(&text[..text.len() - 39], ROOT).is_ok());
    let [_, tdx, _] = samples();
    assert!(matches!(tdx.verify(v5), Err(DcapError::Refused(_))));
}
