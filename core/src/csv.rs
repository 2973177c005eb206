//! CSV as RFC 4180 has it, for files that people open in a spreadsheet. A line is a text without state;
//! what the columns are belongs to the features. (A writer crate would bring buffers and I/O errors to a
//! rule of three lines; the tests read the result with one.)

/// A cell of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text that anybody may have made up. A spreadsheet must not take it for a formula, so it gets an
    /// apostrophe in front when it begins like one.
    Text(String),
    /// A number or a moment that this program wrote; it stays as it is, also below zero.
    Number(String),
    /// Nothing.
    Empty,
}

impl Cell {
    /// Text, or nothing.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    /// A number, or nothing.
    #[must_use]
    pub fn number(number: Option<impl ToString>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.to_string()))
    }
}

/// A line with its end, CR LF.
#[must_use]
pub fn line(cells: &[Cell]) -> String {
    let mut out = String::new();
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match cell {
            Cell::Text(text) if begins_a_formula(text) => {
                push_quoted(&mut out, &format!("'{text}"))
            }
            Cell::Text(text) => push_quoted(&mut out, text),
            Cell::Number(number) => out.push_str(number),
            Cell::Empty => {}
        }
    }
    out.push_str("\r\n");
    out
}

/// The line of a header.
#[must_use]
pub fn header(names: &[&str]) -> String {
    let cells: Vec<Cell> = names.iter().map(|name| Cell::text(Some(name))).collect();
    line(&cells)
}

/// What spreadsheets read as the beginning of a formula (OWASP, "CSV Injection").
fn begins_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

fn push_quoted(out: &mut String, text: &str) {
    if text.contains([',', '"', '\r', '\n']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reader_reads_every_cell_back() {
        let check = |text: &str, expect: &str| {
            let cells = [Cell::text(Some(text)), Cell::number(Some(-5)), Cell::Empty];
            let line = line(&cells);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(line.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            assert_eq!(rows.len(), 1, "{line:?}");
            assert_eq!(
                rows[0].iter().collect::<Vec<_>>(),
                [expect, "-5", ""],
                "{line:?}"
            );
        };
        for same in [
            "", "plain", "a,b", "a\"b", "\"", "a\r\nb", "a\nb", "é", "a=b", " =b", "'", "1e5",
        ] {
            check(same, same);
        }
        check("=1+1", "'=1+1");
        check("+1", "'+1");
        check("-1", "'-1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\tx", "'\tx");
        check("\rx", "'\rx");
        check("=cmd|'/c calc'!A1, \"x\"", "'=cmd|'/c calc'!A1, \"x\"");
    }

    #[test]
    fn lines_end_as_the_standard_says() {
        assert_eq!(header(&["id", "a b"]), "id,a b\r\n");
        assert_eq!(line(&[]), "\r\n");
    }
}
