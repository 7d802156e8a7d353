//! Queries and answers as files.
//!
//! *Layout* of a query, 239 bytes: header (kind 28) ‖ request digest 64 ‖ sealed query 167. Of answers: header (kind
//! 29) ‖ request digest 64 ‖ table header hash 32 ‖ count u32 ‖ bytes of each u32 ‖ count × answer ‖ LP(evidence).

use super::{Answers, GREATEST_QUERIES, SEALED_QUERY_LEN};
use ccc_core::{
    encoding::{EncodingError, Kind, Reader, header},
    suite,
};

/// The most bytes of one answer: more assets than a pool names.
const GREATEST_ANSWER: usize = 1 << 20;
/// The most bytes of evidence.
const GREATEST_EVIDENCE: usize = 1 << 16;

/// A sealed query with the request to which it was made, so that a host can tell whose it is not.
///
/// *Security*: the digest is nobody's word; a query that was sealed for another request does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFile {
    /// Digest of the request of the attempt.
    pub request: [u8; 64],
    /// What [`ask`](super::ask) gives.
    pub sealed: [u8; SEALED_QUERY_LEN],
}

impl QueryFile {
    /// The bytes of the layout above.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&header(Kind::Query)[..], &self.request, &self.sealed].concat()
    }

    /// Reads exactly the layout above.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Query)?;
        let query = Self { request: reader.array("request digest")?, sealed: reader.array("sealed query")? };
        reader.finish()?;
        Ok(query)
    }
}

impl Answers {
    /// The bytes of the layout above.
    ///
    /// # Errors
    /// [`EncodingError::Range`] for answers that [`Self::from_bytes`] would not read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodingError> {
        let count = bounded("number of answers", self.sealed.len(), GREATEST_QUERIES)?;
        let each = self.sealed.first().map_or(0, Vec::len);
        let other = self.sealed.iter().map(Vec::len).find(|len| *len != each);
        if let Some(found) = other {
            let range = "the length of the first answer";
            return Err(EncodingError::Range { what: "length of an answer", found: found as u64, range });
        }
        let length = bounded("length of an answer", each, GREATEST_ANSWER)?;
        bounded("evidence", self.evidence.len(), GREATEST_EVIDENCE)?;
        let mut out = [&header(Kind::Answers)[..], &self.request, &self.header, &count, &length].concat();
        self.sealed.iter().for_each(|answer| out.extend_from_slice(answer));
        suite::length_prefixed(&mut out, &self.evidence);
        Ok(out)
    }

    /// Reads exactly the layout above; [`Self::check`] tells whether the evidence vouches for it.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Answers)?;
        let (request, header) = (reader.array("request digest")?, reader.array("table header hash")?);
        let (count, each) = (reader.u32("number of answers")? as usize, reader.u32("length of an answer")? as usize);
        bounded("number of answers", count, GREATEST_QUERIES)?;
        bounded("length of an answer", each, if count == 0 { 0 } else { GREATEST_ANSWER })?;
        let sealed = (0..count).map(|_| reader.bytes("answer", each).map(<[u8]>::to_vec)).collect::<Result<_, _>>()?;
        let evidence = reader.length_prefixed("evidence", GREATEST_EVIDENCE)?.to_vec();
        reader.finish()?;
        Ok(Self { sealed, request, header, evidence })
    }
}

/// A length as it stands in the file, if it is within its bound.
fn bounded(what: &'static str, found: usize, most: usize) -> Result<[u8; 4], EncodingError> {
    let refused = EncodingError::Range { what, found: found as u64, range: "the field's bound" };
    match u32::try_from(found) {
        Ok(number) if found <= most => Ok(number.to_be_bytes()),
        _ => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(name: &str) -> Vec<u8> {
        let text = match name {
            "query" => include_str!("../../../../vectors/snapshots/query.hex"),
            _ => include_str!("../../../../vectors/snapshots/answers.hex"),
        };
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("digits");
        digits.chunks(2).map(byte).collect()
    }

    fn range(what: &'static str, found: u64) -> EncodingError {
        EncodingError::Range { what, found, range: "the field's bound" }
    }

    #[test]
    fn a_query_is_the_written_layout() {
        let query = QueryFile { request: [6; 64], sealed: [7; SEALED_QUERY_LEN] };
        let wire = query.to_bytes();
        assert_eq!(wire, [&b"CC\x01\x1c\x00\x01\x00\x00"[..], &[6; 64], &[7; 167]].concat());
        assert_eq!(wire, snapshot("query"));
        assert_eq!(QueryFile::from_bytes(&wire), Ok(query));
        for len in 0..wire.len() {
            assert!(matches!(QueryFile::from_bytes(&wire[..len]), Err(EncodingError::Truncated { .. })), "{len}");
        }
        let longer = [&wire[..], &[0]].concat();
        assert_eq!(QueryFile::from_bytes(&longer), Err(EncodingError::Trailing { found: 1 }));
    }

    #[test]
    fn answers_are_the_written_layout() {
        let (sealed, evidence) = (vec![vec![8; 5], vec![9; 5]], vec![10; 3]);
        let answers = Answers { sealed, request: [6; 64], header: [7; 32], evidence };
        let wire = answers.to_bytes().expect("within bounds");
        let lengths = [0, 0, 0, 2, 0, 0, 0, 5];
        let fields: [&[u8]; 7] =
            [b"CC\x01\x1d\x00\x01\x00\x00", &[6; 64], &[7; 32], &lengths, &[8; 5], &[9; 5], &[0, 0, 0, 3, 10, 10, 10]];
        assert_eq!(wire, fields.concat());
        assert_eq!(wire, snapshot("answers"));
        assert_eq!(Answers::from_bytes(&wire), Ok(answers));
        for len in 0..wire.len() {
            assert!(matches!(Answers::from_bytes(&wire[..len]), Err(EncodingError::Truncated { .. })), "{len}");
        }
        let longer = [&wire[..], &[0]].concat();
        assert_eq!(Answers::from_bytes(&longer), Err(EncodingError::Trailing { found: 1 }));
    }

    #[test]
    fn answers_beyond_their_bounds_are_neither_written_nor_read() {
        let answers = |sealed| Answers { sealed, request: [6; 64], header: [7; 32], evidence: Vec::new() };
        let none = answers(Vec::new()).to_bytes().expect("none");
        assert_eq!(Answers::from_bytes(&none), Ok(answers(Vec::new())));
        let with = |count: u32, each: u32| {
            let mut bent = none.clone();
            bent[104..108].copy_from_slice(&count.to_be_bytes());
            bent[108..112].copy_from_slice(&each.to_be_bytes());
            Answers::from_bytes(&bent).err()
        };
        assert_eq!(with(65, 1), Some(range("number of answers", 65)));
        assert_eq!(with(0, 1), Some(range("length of an answer", 1)));
        assert_eq!(with(1, 1 << 21), Some(range("length of an answer", 1 << 21)));
        assert_eq!(answers(vec![vec![0; 4]; 65]).to_bytes(), Err(range("number of answers", 65)));
        let uneven = answers(vec![vec![0; 4], vec![0; 3]]).to_bytes();
        let range = "the length of the first answer";
        assert_eq!(uneven, Err(EncodingError::Range { what: "length of an answer", found: 3, range }));
    }
}
