//! Exports of the log, the oldest call first, as one file that is written piece by piece while it is read
//! part by part. Amounts are US dollars as exact decimals.

use super::line::RequestLine;
use super::stretch::{Filter, Stretch};
use crate::accounts::View;
use crate::calendar::rfc3339;
use crate::csv::{self, Cell};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::RequestId;
use crate::json::ObjectWriter;
use crate::money::Nanos;

/// How many calls a part has at most.
const PART: usize = 1_000;

/// How many calls are looked at for a part with a filter.
const SCAN: usize = 5_000;

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A CSV file with a header.
    Csv,
    /// One JSON array with an object for each call.
    Json,
}

/// An export that is being written. It begins with nothing; as long as there is a
/// [`Export::statement`], its rows go to [`Export::take`], which returns the next piece of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    filter: Filter,
    format: Format,
    place: Place,
    has_lines: bool,
}

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Beginning,
    After(RequestId),
    End,
}

impl Export {
    /// An export of the account's own calls with this filter.
    #[must_use]
    pub const fn new(filter: Filter, format: Format) -> Self {
        Self {
            filter,
            format,
            place: Place::Beginning,
            has_lines: false,
        }
    }

    /// Reads the next part; `None` when the file is complete.
    #[must_use]
    pub fn statement(&self, view: View<'_>) -> Option<Statement> {
        let stretch = self.stretch()?;
        Some(stretch.statement(view))
    }

    /// The next piece of the file, which may be empty. An account that the reader may not see has no
    /// calls.
    pub fn take(&mut self, view: View<'_>, rows: &[Row]) -> Result<String, HranaFault> {
        let Some(stretch) = self.stretch() else {
            return Ok(String::new());
        };
        let found = stretch.read(rows)?;
        let mut piece = match (self.place, self.format) {
            (Place::Beginning, Format::Csv) => csv_header(view),
            (Place::Beginning, Format::Json) => "[".to_owned(),
            (Place::After(_) | Place::End, Format::Csv | Format::Json) => String::new(),
        };
        for line in found.lines {
            match self.format {
                Format::Csv => piece.push_str(&line.to_csv(view)),
                Format::Json => {
                    piece.push_str(if self.has_lines { ",\n" } else { "\n" });
                    piece.push_str(&line.to_json(view));
                }
            }
            self.has_lines = true;
        }
        self.place = found.end.map_or(Place::End, Place::After);
        if (self.place, self.format) == (Place::End, Format::Json) {
            piece.push_str("\n]\n");
        }
        Ok(piece)
    }

    fn stretch(&self) -> Option<Stretch<'_>> {
        let (from, to) = self.filter.ids();
        let from = match self.place {
            Place::Beginning => from,
            Place::After(id) => from.max(id.get().saturating_add(1)),
            Place::End => return None,
        };
        Some(Stretch {
            filter: &self.filter,
            ids: (from, to),
            ascending: true,
            most: PART,
            scan: SCAN,
        })
    }
}

/// The columns of an export, in this order for good: new ones come last.
const NAMES: [&str; 20] = [
    "id",
    "time",
    "key_id",
    "key_name",
    "model",
    "status",
    "http_status",
    "error_code",
    "finish_reason",
    "streamed",
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "estimated",
    "held_usd",
    "charge_usd",
    "first_byte_ms",
    "total_ms",
];

/// The columns that a seller's export has besides.
const SELLER_NAMES: [&str; 2] = ["base_usd", "margin_usd"];

fn csv_header(view: View<'_>) -> String {
    let seller: &[&str] = if view.is_seller() { &SELLER_NAMES } else { &[] };
    csv::header(&[&NAMES[..], seller].concat())
}

impl RequestLine {
    fn to_csv(&self, view: View<'_>) -> String {
        let mut cells = self.cells();
        if view.is_seller() {
            cells.extend([usd(self.base), usd(self.margin())]);
        }
        csv::line(&cells)
    }

    /// The call as a JSON object with the names of the columns. Moments and amounts are strings, what is
    /// not known is null.
    #[must_use]
    pub fn to_json(&self, view: View<'_>) -> String {
        let mut object = ObjectWriter::new();
        let mut cells: Vec<(&str, Cell)> = NAMES.into_iter().zip(self.cells()).collect();
        if view.is_seller() {
            let seller = [usd(self.base), usd(self.margin())];
            cells.extend(SELLER_NAMES.into_iter().zip(seller));
        }
        for (name, cell) in cells {
            match cell {
                Cell::Text(text) => object.string(name, &text),
                Cell::Number(number) if name == "time" || name.ends_with("_usd") => {
                    object.string(name, &number);
                }
                Cell::Number(number) => object.raw(name, &number),
                Cell::Empty => object.raw(name, "null"),
            }
        }
        object.end()
    }

    /// In the order of `NAMES`.
    fn cells(&self) -> Vec<Cell> {
        let tokens = self.tokens;
        let ended = self.charge.is_some();
        vec![
            Cell::Text(self.id.to_string()),
            Cell::number(rfc3339(self.created_at_ms)),
            Cell::Text(self.key.to_string()),
            Cell::Text(self.key_name.clone()),
            Cell::Text(self.model.clone()),
            Cell::text(Some(self.status.as_str())),
            Cell::number(self.http_status),
            Cell::text(self.error_code.as_deref()),
            Cell::text(self.finish_reason.as_deref()),
            Cell::number(Some(self.streamed)),
            Cell::number(tokens.map(|tokens| tokens.prompt)),
            Cell::number(tokens.map(|tokens| tokens.cached)),
            Cell::number(tokens.map(|tokens| tokens.cache_write)),
            Cell::number(tokens.map(|tokens| tokens.completion)),
            Cell::number(tokens.map(|tokens| tokens.reasoning)),
            Cell::number(ended.then_some(self.estimated)),
            usd((!ended).then_some(self.hold)),
            usd(self.charge),
            Cell::number(self.first_byte_ms),
            Cell::number(self.total_ms),
        ]
    }
}

fn usd(amount: Option<Nanos>) -> Cell {
    Cell::number(amount.map(Nanos::to_usd))
}
