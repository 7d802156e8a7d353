//! Orders as CSV: a line of names, then one line per order. A line has a greatest length, and memory for no more.

use super::{
    Book,
    columns::{COLUMNS, Cells, Column},
    error::OrdersError,
};
use crate::error::Error;
use csv_core::{ReadRecordResult, Reader};
use darkpool_matcher::Market;
use std::{io::BufRead, path::Path};

/// The most bytes of one line, without its commas.
const MAX_LINE: usize = 1 << 10;

/// Lines from a source, each in the same memory.
struct Lines<'a, R> {
    source: R,
    path: &'a Path,
    core: Reader,
    text: [u8; MAX_LINE],
    ends: [usize; COLUMNS],
    /// The number of the line that is read: 0 for the names.
    order: usize,
}

/// Reads every order into the book.
pub(super) fn read(source: impl BufRead, path: &Path, market: &Market, book: &mut Book) -> Result<(), Error> {
    let refused = |source| Error::Orders { path: path.into(), source };
    let core = Reader::new();
    let mut lines = Lines { source, path, core, text: [0; MAX_LINE], ends: [0; COLUMNS], order: 0 };
    let Some(names) = lines.next()? else {
        return Err(refused(OrdersError::NoColumn { column: Column::Id.name() }));
    };
    let columns = columns(&lines.cells(names).map_err(refused)?).map_err(refused)?;
    loop {
        lines.order += 1;
        let Some(cells) = lines.next()? else { return Ok(()) };
        let cells = lines.cells(cells).and_then(|texts| arranged(&columns, &texts, lines.order));
        let entry = cells.and_then(|cells| cells.entry(market)).map_err(refused)?;
        book.add(&entry).map_err(refused)?;
    }
}

impl<R: BufRead> Lines<'_, R> {
    /// Reads a line; the number of its cells, or none at the end.
    fn next(&mut self) -> Result<Option<usize>, Error> {
        let (mut used, mut cells) = (0, 0);
        loop {
            let input = self.source.fill_buf().map_err(|source| Error::Read { path: self.path.into(), source })?;
            let (text, ends) = (self.text.get_mut(used..), self.ends.get_mut(cells..));
            let (result, read, written, ended) =
                self.core.read_record(input, text.unwrap_or_default(), ends.unwrap_or_default());
            self.source.consume(read);
            used += written;
            cells += ended;
            let order = self.order;
            let error = match result {
                ReadRecordResult::InputEmpty => continue,
                ReadRecordResult::Record => return Ok(Some(cells)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::OutputFull => OrdersError::LongLine { order, greatest: MAX_LINE },
                ReadRecordResult::OutputEndsFull => OrdersError::ManyCells { order, greatest: COLUMNS },
            };
            return Err(Error::Orders { path: self.path.into(), source: error });
        }
    }

    /// The cells of the line that was read last.
    fn cells(&self, number: usize) -> Result<Vec<&str>, OrdersError> {
        let mut start = 0;
        let ends = self.ends.iter().take(number);
        ends.map(|&end| {
            let cell = self.text.get(start..end).unwrap_or_default();
            start = end;
            std::str::from_utf8(cell).map_err(|_| OrdersError::NotText { order: self.order })
        })
        .collect()
    }
}

/// Which column each cell of a line belongs to.
fn columns(names: &[&str]) -> Result<Vec<Column>, OrdersError> {
    let mut columns = Vec::with_capacity(COLUMNS);
    for name in names {
        let column = Column::of(name, 0)?;
        if columns.contains(&column) {
            return Err(OrdersError::RepeatedColumn { order: 0, column: column.name() });
        }
        columns.push(column);
    }
    match Column::ALL.into_iter().find(|column| column.required() && !columns.contains(column)) {
        Some(column) => Err(OrdersError::NoColumn { column: column.name() }),
        None => Ok(columns),
    }
}

fn arranged<'a>(columns: &[Column], cells: &[&'a str], order: usize) -> Result<Cells<'a>, OrdersError> {
    if cells.len() != columns.len() {
        return Err(OrdersError::Cells { order, expected: columns.len(), found: cells.len() });
    }
    let mut texts = [""; COLUMNS];
    for (column, cell) in columns.iter().zip(cells) {
        if let Some(text) = texts.get_mut(*column as usize) {
            *text = cell;
        }
    }
    Ok(Cells { order, texts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Book, OrdersError> {
        let (mut book, market) = (Book::new(3), Market::new(1).expect("a market"));
        match super::read(text.as_bytes(), Path::new("-"), &market, &mut book) {
            Ok(()) => Ok(book),
            Err(Error::Orders { source, .. }) => Err(source),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn columns_come_in_any_order_and_lines_end_either_way() {
        let book = read("\u{feff}size,spread,owner,id\r\n5,7,m,\"a\"\r\n\r\n6,8,m,b").expect("two orders");
        let sizes: Vec<u64> = book.orders.iter().map(|order| order.size.get()).collect();
        assert_eq!((sizes, book.ids[1].text().as_str()), (vec![5, 6], "b"));
        assert_eq!(read("id,owner,spread,size\n").expect("no orders").len(), 0);
    }

    #[test]
    fn the_line_of_names_is_checked() {
        assert_eq!(read("").map(|_| ()), Err(OrdersError::NoColumn { column: "id" }));
        assert_eq!(read("id,owner,spread\n").map(|_| ()), Err(OrdersError::NoColumn { column: "size" }));
        let again = OrdersError::RepeatedColumn { order: 0, column: "id" };
        assert_eq!(read("id,owner,id,spread,size\n").map(|_| ()), Err(again));
        assert!(matches!(read("id,owner,spread,Size\n"), Err(OrdersError::UnknownColumn { order: 0, .. })));
        let many = "id,".repeat(COLUMNS + 1);
        assert_eq!(read(&many).map(|_| ()), Err(OrdersError::ManyCells { order: 0, greatest: COLUMNS }));
    }

    #[test]
    fn lines_have_as_many_cells_as_names() {
        let names = "id,owner,spread,size\n";
        let error = OrdersError::Cells { order: 2, expected: 4, found: 3 };
        assert_eq!(read(&format!("{names}a,m,1,1\nb,m,1\n")).map(|_| ()), Err(error));
        let error = OrdersError::Cells { order: 1, expected: 4, found: 5 };
        assert_eq!(read(&format!("{names}a,m,1,1,1\n")).map(|_| ()), Err(error));
    }

    #[test]
    fn a_line_has_a_greatest_length() {
        let long = format!("id,owner,spread,size\na,m,1,{}\n", "9".repeat(MAX_LINE));
        assert_eq!(read(&long).map(|_| ()), Err(OrdersError::LongLine { order: 1, greatest: MAX_LINE }));
        let open = format!("id,owner,spread,size\na,m,1,\"{}", "\n".repeat(MAX_LINE));
        assert_eq!(read(&open).map(|_| ()), Err(OrdersError::LongLine { order: 1, greatest: MAX_LINE }));
    }

    #[test]
    fn a_book_takes_no_more_than_its_slots() {
        let names = "id,owner,spread,size\n";
        assert_eq!(read(&format!("{names}a,m,1,1\nb,m,1,1\nc,m,1,1\n")).map(|book| book.len()), Ok(3));
        let four = format!("{names}a,m,1,1\nb,m,1,1\nc,m,1,1\nd,m,1,1\n");
        assert_eq!(read(&four).map(|_| ()), Err(OrdersError::TooMany { slots: 3 }));
    }
}
