//! Known answers: the digest that names a program, and what stands where in the genuine bytes.
//!
//! The digests are made by another program, from the bytes alone:
//!
//! ```python
//! u = lambda n: n.to_bytes(4, "big")
//! label = b"ccc/v1/measurement"
//! H = lambda *f: sha512(u(len(label)) + label + u(len(f)) + b"".join(u(len(x)) + x for x in f)).hexdigest()[:64]
//! nitro = H(b"\2", d[104:152], d[155:203], d[206:254])       # real-2025-01-06-eu-central-1.cose
//! snp = H(b"\3", r[0x90:0xc0])                                # report_milan.hex
//! tdx = H(b"\4", *(q[48 + a:96 + a] for a in (136, 328, 376, 424, 472)))  # tdx_quote
//! sgx = H(b"\5", q[112:144])                                  # sgx_quote
//! ```

use super::*;

fn named(expected: &str, bytes: &[u8], at: u64) -> Registers {
    let evidence = verify(bytes, at).expect("genuine evidence");
    assert_eq!(hex::encode(evidence.measurement), expected);
    assert_eq!(evidence.registers.measurement(), Some(evidence.measurement));
    evidence.registers
}

/// Every register that the digest is over, changed one at a time in its first and in its last byte.
fn altered(registers: &Registers) -> Vec<Registers> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Registers)| {
        let mut other = registers.clone();
        change(&mut other);
        all.push(other);
    };
    for (place, end) in [0, 1, 2, 3, 4].into_iter().flat_map(|place| [(place, false), (place, true)]) {
        let flip =
            |register: &mut [u8]| *if end { register.last_mut() } else { register.first_mut() }.expect("bytes") ^= 1;
        match registers {
            Registers::Simulated => {}
            Registers::Nitro { .. } if place < 3 => with(&|other| {
                let Registers::Nitro { pcrs } = other else { return };
                flip(pcrs.get_mut(&place).expect("a PCR"));
            }),
            Registers::Tdx { .. } => with(&|other| {
                let Registers::Tdx { mrtd, rtmr, .. } = other else { return };
                flip(if place == 0 { mrtd } else { &mut rtmr[usize::from(place) - 1] });
            }),
            Registers::Snp(_) if place == 0 => with(&|other| {
                let Registers::Snp(found) = other else { return };
                flip(&mut found.measurement);
            }),
            Registers::Sgx { .. } if place == 0 => with(&|other| {
                let Registers::Sgx { mrenclave, .. } = other else { return };
                flip(mrenclave);
            }),
            _ => {}
        }
    }
    all
}

#[test]
fn n098_the_digest_of_every_kind_is_known_and_over_each_of_its_registers() {
    let known = [
        (nitro(), NITRO_AT, "a6bfa19b1240869a41058cc60d1fc06f311d811df5eea378c184e37987777146", 3),
        (snp(), SNP_AT, "7394be53705a6bee4bd076fa249a52b36ed6442ef7df981168d3302875528c78", 1),
        (tdx(), TDX_AT, "d2754f9c3a8435a07a8c5e1989952c4b39d49d1287318f90a95b58a7d958a942", 5),
        (sgx(), TDX_AT, "410bbc3168252b075fd4ebe956b0743e15db39294f727ed17ab92cd5b7304223", 1),
    ];
    for (bytes, at, digest, count) in known {
        let registers = named(digest, &bytes, at);
        let altered = altered(&registers);
        assert_eq!(altered.len(), 2 * count);
        let mut digests: Vec<_> = altered.iter().chain([&registers]).map(Registers::measurement).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 2 * count + 1);
    }
}

#[test]
fn n098_one_value_names_another_program_under_every_kind() {
    let value = [7; 48];
    let mut registers = verify(&snp(), SNP_AT).expect("genuine evidence").registers;
    if let Registers::Snp(found) = &mut registers {
        found.measurement = value;
    }
    let all = [
        Registers::Nitro { pcrs: (0..3).map(|number| (number, value.to_vec())).collect() },
        Registers::Nitro { pcrs: [(0, value.to_vec())].into() },
        registers,
        Registers::Tdx { mrtd: value, rtmr: [value; 4], migratable: false },
        Registers::Sgx { mrenclave: [7; 32], mrsigner: [7; 32], product: 0, version: 0 },
    ];
    for (position, one) in all.iter().enumerate() {
        assert!(all[..position].iter().all(|other| other.measurement() != one.measurement()), "{position}");
    }
}
