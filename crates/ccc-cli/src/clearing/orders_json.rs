//! Orders as JSON: a list of objects whose members have the names of the columns. Read one at a time.

use super::{
    Book,
    columns::{COLUMNS, Cells, Column, MAX_TEXT},
    error::{OrdersError, Wrong},
};
use crate::error::Error;
use darkpool_matcher::Market;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{fmt, io::BufRead, path::Path};

/// As much of JSON's own sentence as an error repeats: it holds texts of the file.
const MAX_REASON: usize = 200;

/// Reads every order into the book.
pub(super) fn read(source: impl BufRead, path: &Path, market: &Market, book: &mut Book) -> Result<(), Error> {
    let mut reading = Reading { market, book, order: 0, refused: None };
    let mut json = serde_json::Deserializer::from_reader(source);
    let result = reading.list(&mut json).and_then(|()| json.end());
    let Err(error) = result else { return Ok(()) };
    if error.is_io() {
        return Err(Error::Read { path: path.into(), source: error.into() });
    }
    let (line, column) = (error.line(), error.column());
    let refused = reading.refused.take();
    let source = refused.unwrap_or_else(|| OrdersError::Json { line, column, reason: reason(&error) });
    Err(Error::Orders { path: path.into(), source })
}

/// JSON's own sentence; it ends with the place, which the error has beside it.
fn reason(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    text.strip_suffix(&place).unwrap_or(&text).chars().take(MAX_REASON).collect()
}

/// What the visitors share. The reason of a refusal waits here: JSON's own errors carry text alone.
struct Reading<'a> {
    market: &'a Market,
    book: &'a mut Book,
    order: usize,
    refused: Option<OrdersError>,
}

impl Reading<'_> {
    fn list<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(List(self))
    }

    fn refuse<E: serde::de::Error>(&mut self, error: OrdersError) -> E {
        let text = error.to_string();
        self.refused = Some(error);
        E::custom(text)
    }

    fn add(&mut self, texts: &[Option<String>; COLUMNS]) -> Result<(), OrdersError> {
        let (order, given) = (self.order, |column: Column| texts.get(column as usize).is_some_and(Option::is_some));
        if let Some(column) = Column::ALL.into_iter().find(|&column| column.required() && !given(column)) {
            return Err(OrdersError::NoValue { order, column: column.name() });
        }
        let mut cells = [""; COLUMNS];
        for (cell, text) in cells.iter_mut().zip(texts) {
            *cell = text.as_deref().unwrap_or_default();
        }
        let entry = Cells { order, texts: cells }.entry(self.market)?;
        self.book.add(&entry)
    }
}

struct List<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of orders")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            self.0.order += 1;
            if list.next_element_seed(Object(&mut *self.0))?.is_none() {
                return Ok(());
            }
        }
    }
}

struct Object<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an order: an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let reading = self.0;
        let order = reading.order;
        let mut texts = [const { None }; COLUMNS];
        while let Some(Text(name)) = members.next_key_seed(OfText(MAX_TEXT))? {
            let name = name.unwrap_or_default();
            let column = Column::of(&name, order).map_err(|error| reading.refuse::<A::Error>(error))?;
            let Text(text) = members.next_value_seed(OfText(column.longest()))?;
            let Some(cell) = texts.get_mut(column as usize) else { continue };
            if cell.is_some() {
                let again = OrdersError::RepeatedColumn { order, column: column.name() };
                return Err(reading.refuse(again));
            }
            *cell = text;
            long(cell.as_deref(), column, order).map_err(|error| reading.refuse::<A::Error>(error))?;
        }
        reading.add(&texts).map_err(|error| reading.refuse(error))
    }
}

fn long(text: Option<&str>, column: Column, order: usize) -> Result<(), OrdersError> {
    let greatest = column.longest();
    match text.filter(|text| text.len() > greatest) {
        None => Ok(()),
        Some(text) => {
            let wrong = Wrong::new(format!("at most {greatest} bytes"), text);
            Err(OrdersError::Value { order, column: column.name(), wrong })
        }
    }
}

/// A text, a number or a flag as it would stand in a cell; nothing for null.
struct Text(Option<String>);

/// Keeps a text of so many bytes.
#[derive(Clone, Copy)]
struct OfText(usize);

impl<'de> DeserializeSeed<'de> for OfText {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Text, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for OfText {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false or null")
    }

    /// One character more than a cell may have tells that a text is too long.
    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.chars().take(self.0 + 1).collect())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(Some(format!("{number:e}"))))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Text, E> {
        Ok(Text(Some(flag.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Book, OrdersError> {
        let (mut book, market) = (Book::new(2), Market::new(1).expect("a market"));
        match super::read(text.as_bytes(), Path::new("-"), &market, &mut book) {
            Ok(()) => Ok(book),
            Err(Error::Orders { source, .. }) => Err(source),
            Err(other) => panic!("{other}"),
        }
    }

    fn order(more: &str) -> String {
        format!(r#"[{{"id":"a","owner":"m","spread":25,"size":"100"{more}}}]"#)
    }

    fn value(column: &'static str, expected: &str, found: &str) -> OrdersError {
        OrdersError::Value { order: 1, column, wrong: Wrong::new(expected, found) }
    }

    #[test]
    fn numbers_and_texts_are_the_same() {
        let book = read(&order(r#","frozen":true,"expiry":18446744073709551615,"cap":null"#)).expect("an order");
        assert_eq!((book.orders[0].size.get(), book.orders[0].frozen), (100, true));
        assert_eq!(read("[]").map(|book| book.len()), Ok(0));
    }

    #[test]
    fn numbers_that_are_not_whole_are_refused() {
        let expected = "a whole number from 0 to 2251799813685247";
        for (text, found) in [("1.5", "1.5e0"), ("1e9", "1e9"), ("-5", "-5"), ("true", "true"), ("\" 1\"", " 1")] {
            let refused = read(&order(&format!(r#","minimum":{text}"#)));
            assert_eq!(refused.map(|_| ()), Err(value("minimum", expected, found)));
        }
        let long = "9".repeat(MAX_TEXT + 1);
        let refused = read(&order(&format!(r#","minimum":"{long}""#)));
        assert_eq!(refused.map(|_| ()), Err(value("minimum", "at most 64 bytes", &long)));
    }

    #[test]
    fn a_list_may_be_longer_than_other_texts() {
        let list = |names: usize| vec![format!("0x{}", "b".repeat(40)); names].join("+");
        let book = read(&order(&format!(r#","counterparties":"allow:{}""#, list(8)))).expect("an order");
        assert_eq!(book.lists.iter().map(|list| list.names().len()).collect::<Vec<_>>(), [8]);
        let long = format!("allow:{}", list(9));
        let refused = read(&order(&format!(r#","counterparties":"{long}""#)));
        assert_eq!(refused.map(|_| ()), Err(value("counterparties", "at most 349 bytes", &long)));
    }

    #[test]
    fn an_error_is_short_whatever_the_file_holds() {
        let long = "x".repeat(1 << 16);
        let Err(OrdersError::Json { reason, .. }) = read(&format!("[\"{long}\"]")) else { panic!("no order") };
        assert_eq!(reason.chars().count(), MAX_REASON);
        let Ok(Text(Some(kept))) = OfText(MAX_TEXT).visit_str::<serde::de::value::Error>(&long) else {
            panic!("a text")
        };
        assert_eq!(kept.len(), MAX_TEXT + 1);
    }

    #[test]
    fn members_are_columns_each_once() {
        let again = OrdersError::RepeatedColumn { order: 1, column: "id" };
        assert_eq!(read(&order(r#","id":"b""#)).map(|_| ()), Err(again));
        assert!(matches!(read(&order(r#","price":1"#)), Err(OrdersError::UnknownColumn { order: 1, .. })));
        let missing = OrdersError::NoValue { order: 1, column: "size" };
        assert_eq!(read(r#"[{"id":"a","owner":"m","spread":1}]"#).map(|_| ()), Err(missing));
    }

    #[test]
    fn the_list_ends_where_the_file_ends() {
        for text in ["{}", "[", "[{}", "[NaN]", "[[]]", "[] x", "", "[{\"id\":[1]}]"] {
            assert!(matches!(read(text), Err(OrdersError::Json { .. } | OrdersError::NoValue { .. })), "{text}");
        }
        let one = r#"{"id":"a","owner":"m","spread":1,"size":1}"#;
        let three = format!("[{one},{one},{one}]");
        assert_eq!(read(&three).map(|_| ()), Err(OrdersError::TooMany { slots: 2 }));
    }
}
