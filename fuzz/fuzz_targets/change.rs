//! A sample of which some bytes are changed.

use arbitrary::Arbitrary;

/// So many bytes at a place give way to others.
#[derive(Arbitrary, Debug)]
pub(crate) struct Change<'a> {
    at: u16,
    taken: u8,
    put: &'a [u8],
}

impl Change<'_> {
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        let from = usize::from(self.at) % (bytes.len() + 1);
        let to = bytes.len().min(from + usize::from(self.taken));
        bytes.splice(from..to, self.put.iter().copied());
    }
}
