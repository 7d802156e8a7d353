//! Tables on a terminal: every column as wide as its widest cell, names to the left, numbers to the right.

use super::one_line;

/// On which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// One line of heads, then one for each row; nothing without rows.
///
/// *Security*: a cell stays in its line and has no control characters, whatever it says.
pub(crate) fn columns<const N: usize>(heads: [(&str, Side); N], rows: Vec<[String; N]>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let sides = heads.map(|(_, side)| side);
    let mut cells = vec![heads.map(|(head, _)| head.to_owned())];
    cells.extend(rows.into_iter().map(|row| row.map(|cell| one_line(&cell))));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let padded = |column: usize, text: &str| match sides[column] {
        Side::Left => format!("{text:0$}", widths[column]),
        Side::Right => format!("{text:>0$}", widths[column]),
    };
    let line = |row: &[String; N]| {
        let row: Vec<String> = row.iter().enumerate().map(|(column, text)| padded(column, text)).collect();
        row.join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

/// An amount in base units as a number with this many decimals, in groups of three before the point.
pub(crate) fn decimal(units: u128, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let digits = format!("{units:0>0$}", decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    if part.is_empty() { grouped(whole) } else { format!("{}.{part}", grouped(whole)) }
}

/// Digits with a gap every three.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A hash as a person compares it; `--json` has all of it.
pub(crate) fn short(hash: &[u8; 32]) -> String {
    hex::encode(&hash[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |name: &str, number: &str, note: &str| [name, number, note].map(str::to_owned);
        let rows = vec![row("base", "5", ""), row("a longer name", "1 000", "frozen\u{1b}[31m\n!")];
        let heads = [("asset", Side::Left), ("amount", Side::Right), ("state", Side::Left)];
        assert_eq!(
            columns(heads, rows),
            ["asset          amount  state", "base                5", "a longer name   1 000  frozen\u{fffd}[31m; !",]
        );
        assert!(columns(heads, vec![]).is_empty());
    }

    #[test]
    fn amounts_have_their_decimals() {
        for (units, decimals, text) in [
            (0, 0, "0"),
            (0, 8, "0.00000000"),
            (5, 1, "0.5"),
            (1_234_567, 0, "1 234 567"),
            (500_000_000, 8, "5.00000000"),
            (1_234_567_000_000, 6, "1 234 567.000000"),
        ] {
            assert_eq!(decimal(units, decimals), text);
        }
        assert_eq!(decimal(u128::MAX, 255).len(), 257, "as many decimals as a token may claim");
    }
}
