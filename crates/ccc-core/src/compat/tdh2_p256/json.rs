//! One flat JSON object of named fields, read strictly and written as Go's encoder writes it.
//!
//! Unknown fields are skipped, as the format's own reader does. That reader also ignores case, and takes the last of two
//! fields with one name; here both are refused, so that no two readers see different objects in the same bytes.

use super::error::FormatError;
use super::{base64, group::GROUP};
use crate::identifier::MAX_PARTICIPANTS;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

const TEXT: &str = "a text";
const NUMBER: &str = "a number that is a positive integer or zero";
const LIST: &str = "a list of texts";

/// What a field holds.
enum Value {
    Text(Zeroizing<String>),
    Number(u64),
    List(Vec<Zeroizing<String>>),
}

/// The known fields of an object, each at most once.
pub(super) struct Object {
    names: &'static [&'static str],
    values: Vec<Option<Value>>,
}

/// What went wrong inside the parser, which has only texts for it.
#[derive(Default)]
struct Trace {
    field: Option<&'static str>,
    fault: Option<FormatError>,
}

impl Object {
    /// Reads one object of at most `limit` bytes.
    pub(super) fn read(
        what: &'static str,
        bytes: &[u8],
        limit: usize,
        names: &'static [&'static str],
    ) -> Result<Self, FormatError> {
        if bytes.len() > limit {
            return Err(FormatError::TooLong { what, limit, found: bytes.len() });
        }
        let mut trace = Trace::default();
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let values = deserializer.deserialize_map(Fields { names, trace: &mut trace });
        match values.and_then(|values| deserializer.end().map(|()| values)) {
            Ok(values) => Ok(Self { names, values }),
            Err(error) => Err(trace.explain(what, &error)),
        }
    }

    /// The group's name must be `P256`.
    pub(super) fn group(&mut self) -> Result<(), FormatError> {
        if self.text("Group")?.as_str() == GROUP { Ok(()) } else { Err(FormatError::Group) }
    }

    /// A base64 field of any length.
    pub(super) fn bytes(&mut self, field: &'static str) -> Result<Zeroizing<Vec<u8>>, FormatError> {
        base64::decode(&self.text(field)?).ok_or(FormatError::Base64 { field })
    }

    /// A base64 field of exactly `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<Zeroizing<[u8; N]>, FormatError> {
        exactly(field, &self.bytes(field)?)
    }

    /// A list of base64 texts of exactly `N` bytes each.
    pub(super) fn arrays<const N: usize>(&mut self, field: &'static str) -> Result<Vec<[u8; N]>, FormatError> {
        let Value::List(texts) = self.take(field)? else { return Err(FormatError::Type { field, expected: LIST }) };
        let decode = |text: &Zeroizing<String>| {
            let bytes = base64::decode(text).ok_or(FormatError::Base64 { field })?;
            exactly(field, &bytes).map(|array| *array)
        };
        texts.iter().map(decode).collect()
    }

    /// A participant's index.
    pub(super) fn index(&mut self) -> Result<u16, FormatError> {
        let field = "Index";
        let Value::Number(found) = self.take(field)? else { return Err(FormatError::Type { field, expected: NUMBER }) };
        match u16::try_from(found) {
            Ok(index) if index < MAX_PARTICIPANTS => Ok(index),
            _ => Err(FormatError::Range { field, found, range: "0 to 1023" }),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<Zeroizing<String>, FormatError> {
        match self.take(field)? {
            Value::Text(text) => Ok(text),
            _ => Err(FormatError::Type { field, expected: TEXT }),
        }
    }

    fn take(&mut self, field: &'static str) -> Result<Value, FormatError> {
        let value = self.names.iter().zip(&mut self.values).find(|(name, _)| **name == field);
        value.and_then(|(_, value)| value.take()).ok_or(FormatError::Missing { field })
    }
}

fn exactly<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<Zeroizing<[u8; N]>, FormatError> {
    let array: [u8; N] =
        bytes.try_into().map_err(|_| FormatError::Length { field, expected: N, found: bytes.len() })?;
    Ok(Zeroizing::new(array))
}

impl Trace {
    fn explain(self, what: &'static str, error: &serde_json::Error) -> FormatError {
        match (self.fault, self.field) {
            (Some(fault), _) => fault,
            (None, Some(field)) if error.is_data() => FormatError::Type { field, expected: expected(field) },
            _ => FormatError::Json { what, line: error.line(), column: error.column() },
        }
    }

    fn fail<E: Error>(&mut self, fault: FormatError) -> E {
        let error = E::custom(&fault);
        self.fault = Some(fault);
        error
    }
}

fn expected(field: &str) -> &'static str {
    match field {
        "Index" => NUMBER,
        "HArray" => LIST,
        _ => TEXT,
    }
}

/// Whether a reader that ignores case, by Unicode's simple folding, takes one name for the other.
fn same_but_for_case(name: &str, known: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(known.chars().map(fold))
}

struct Fields<'t> {
    names: &'static [&'static str],
    trace: &'t mut Trace,
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Vec<Option<Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { names, trace } = self;
        let mut values: Self::Value = names.iter().map(|_| None).collect();
        while let Some(place) = map.next_key_seed(Name { names, trace })? {
            let Some((name, value)) = place.and_then(|i| names.get(i).zip(values.get_mut(i))) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if value.is_some() {
                return Err(trace.fail(FormatError::Repeated { field: name }));
            }
            trace.field = Some(name);
            *value = Some(map.next_value_seed(AnyValue { field: name, trace })?);
            trace.field = None;
        }
        Ok(values)
    }
}

/// The place of a known name; `None` for an unknown one.
struct Name<'t> {
    names: &'static [&'static str],
    trace: &'t mut Trace,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let place = self.names.iter().position(|known| *known == name);
        match self.names.iter().find(|known| place.is_none() && same_but_for_case(name, known)) {
            Some(field) => Err(self.trace.fail(FormatError::Spelling { field })),
            None => Ok(place),
        }
    }
}

/// A text, a number or a list of texts.
struct AnyValue<'t> {
    field: &'static str,
    trace: &'t mut Trace,
}

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let most = usize::from(MAX_PARTICIPANTS);
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<String>()? {
            if list.len() == most {
                let found = list.len() as u64 + 1;
                let range = "1 to 1024 entries";
                return Err(self.trace.fail(FormatError::Range { field: self.field, found, range }));
            }
            list.push(Zeroizing::new(item));
        }
        Ok(Value::List(list))
    }
}

/// Writes one object, field by field, without spaces.
pub(super) struct Writer(Zeroizing<String>);

impl Writer {
    /// Starts an object with room for `capacity` bytes, so that no copy of a secret is left behind.
    pub(super) fn new(capacity: usize) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(capacity));
        text.push('{');
        Self(text)
    }

    /// `"Group":"P256"`.
    pub(super) fn group(mut self) -> Self {
        self.name("Group");
        self.0.push('"');
        self.0.push_str(GROUP);
        self.0.push('"');
        self
    }

    /// Bytes in base64.
    pub(super) fn bytes(mut self, name: &str, bytes: &[u8]) -> Self {
        self.name(name);
        self.quoted(bytes);
        self
    }

    /// A list of bytes in base64.
    pub(super) fn list<'b>(mut self, name: &str, items: impl Iterator<Item = &'b [u8]>) -> Self {
        self.name(name);
        self.0.push('[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.0.push(',');
            }
            self.quoted(item);
        }
        self.0.push(']');
        self
    }

    /// A participant's index.
    pub(super) fn index(mut self, index: u16) -> Self {
        self.name("Index");
        self.0.push_str(&index.to_string());
        self
    }

    /// The whole object.
    pub(super) fn finish(mut self) -> Zeroizing<String> {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn quoted(&mut self, bytes: &[u8]) {
        self.0.push('"');
        base64::encode(bytes, &mut self.0);
        self.0.push('"');
    }
}
