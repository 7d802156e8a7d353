//! The host's table of certificates beside a report.
//!
//! *Layout*: entries of GUID 16 ‖ offset u32 ‖ length u32, little-endian, the last of them zero; then the certificates.
//! *Source*: AMD, *Guest-Hypervisor Communication Block Standardization*, 56421, section 4.1.8.1.

const ENTRY: usize = 24;
/// 63da758d-e664-4564-adc5-f4b93be8accd, as text has it and as a GUID in memory has it. Which of the two a host writes is
/// not decided on here: a certificate is verified wherever it came from.
const VCEK: [[u8; 16]; 2] = [
    [0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd],
    [0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd],
];

/// The chip's certificate in a table; nothing where it has none, or is no table.
pub(super) fn vcek(table: &[u8]) -> Option<&[u8]> {
    let (entries, _) = table.as_chunks::<ENTRY>();
    let listed = entries.iter().take_while(|entry| entry.iter().any(|byte| *byte != 0));
    let mut named = listed.filter(|entry| VCEK.iter().any(|guid| entry.starts_with(guid)));
    let entry = named.next()?;
    let (offset, len) = (number(entry, 16)?, number(entry, 20)?);
    table.get(offset..offset.checked_add(len)?)
}

fn number(entry: &[u8; ENTRY], at: usize) -> Option<usize> {
    let bytes = entry.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(guid: [u8; 16], offset: u32, len: u32) -> Vec<u8> {
        let other = [&[9; 16][..], &0_u32.to_le_bytes(), &1_u32.to_le_bytes()].concat();
        let entry = [&guid[..], &offset.to_le_bytes(), &len.to_le_bytes()].concat();
        [&other[..], &entry, &[0; ENTRY], b"certificate"].concat()
    }

    #[test]
    fn the_chips_certificate_is_found_in_either_form_of_its_name() {
        for guid in VCEK {
            assert_eq!(vcek(&table(guid, 72, 11)), Some(&b"certificate"[..]));
        }
        assert_eq!(vcek(&table([8; 16], 72, 11)), None);
    }

    #[test]
    fn an_entry_that_points_outside_is_none() {
        for (offset, len) in [(72, 12), (84, 0), (u32::MAX, 1), (0, u32::MAX)] {
            assert_eq!(vcek(&table(VCEK[0], offset, len)), None, "{offset} {len}");
        }
        for short in 0..48 {
            assert_eq!(vcek(&table(VCEK[0], 72, 11)[..short]), None);
        }
    }
}
