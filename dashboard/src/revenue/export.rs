//! The revenue as a CSV file, written part by part while it is read, so that its size is not limited by
//! memory.

use futures_util::StreamExt;
use futures_util::stream::unfold;
use tollgate_core::csv::{Cell, header, line};
use tollgate_core::hrana::{Batch, HranaFault};
use tollgate_core::ids::AccountId;
use tollgate_core::selling::{Days, EXPORT_HEADER, ExportLine, export_statement, read_export_line};
use tollgate_edge::turso::Turso;
use worker::Error;

use super::range::Range;
use crate::answer::Answer;
use crate::fault::Outcome;
use crate::place::Seller;
use crate::visit::Visit;

/// How many rows are read at once.
const PART: u32 = 1_000;

/// How many columns at the beginning hold text that people chose; the rest are numbers.
const TEXT_COLUMNS: usize = 4;

struct Export {
    database: Turso,
    seller: AccountId,
    days: Days,
    after: Option<ExportLine>,
    begun: bool,
    ended: bool,
}

/// `GET /revenue/export`.
pub async fn export(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let range = Range::of(&visit.asked.query, visit.now_ms);
    let export = Export {
        // The stream outlives the visit, so it has a connection of its own.
        database: Turso::new(&visit.config.turso_url, &visit.config.turso_token),
        seller: seller.account().clone(),
        days: range.days,
        after: None,
        begun: false,
        ended: false,
    };
    let parts = unfold(export, |mut export| async move {
        if export.ended {
            return None;
        }
        let part = export.part().await;
        export.ended |= part.is_err();
        // A file that breaks off is told by the connection, so that nobody takes it for a whole one.
        Some((part, export))
    });
    let file = format!("revenue-{}-{}.csv", range.from(), range.to());
    Ok(Answer::download(
        &file,
        "text/csv; charset=utf-8",
        parts.boxed_local(),
    ))
}

impl Export {
    async fn part(&mut self) -> worker::Result<Vec<u8>> {
        let mut batch = Batch::new();
        let page = (self.after.as_ref(), PART);
        let step = batch.step(None, export_statement(&self.seller, self.days, page));
        let failed = |error: String| Error::RustError(error);
        let reply = match self.database.execute(&batch).await {
            Ok(reply) => reply,
            Err(_) => self
                .database
                .execute(&batch)
                .await
                .map_err(|fault| failed(fault.to_string()))?,
        };
        let rows = reply
            .rows_of(step)
            .map_err(|fault| failed(fault.to_string()))?;
        let lines: Vec<ExportLine> = rows
            .iter()
            .map(read_export_line)
            .collect::<Result<_, HranaFault>>()
            .map_err(|fault| failed(fault.to_string()))?;
        let mut text = String::new();
        if !self.begun {
            text.push_str(&header(&EXPORT_HEADER));
            self.begun = true;
        }
        for each in &lines {
            text.push_str(&line(&cells(each)));
        }
        self.ended = u32::try_from(lines.len()).is_ok_and(|read| read < PART);
        self.after = lines.into_iter().next_back();
        Ok(text.into_bytes())
    }
}

/// A spreadsheet must not take a customer's name for a formula, nor a loss for text.
fn cells(row: &ExportLine) -> Vec<Cell> {
    let cells = row.cells().into_iter().enumerate();
    cells
        .map(|(at, text)| {
            if at < TEXT_COLUMNS {
                Cell::Text(text)
            } else {
                Cell::Number(text)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::money::Nanos;
    use tollgate_core::selling::Earnings;

    #[test]
    fn a_name_is_no_formula_and_a_loss_is_a_number() {
        let row = ExportLine {
            day: 20_779,
            customer: AccountId::from_random([0; 10]),
            name: "=1+1".to_owned(),
            model: "a/b".to_owned(),
            earnings: Earnings {
                calls: 2,
                cost: Nanos::new(1_000_000_000),
                ..Earnings::default()
            },
        };
        assert_eq!(
            line(&cells(&row)),
            "2026-11-22,acc_0000000000000000,'=1+1,a/b,2,0,0,0,1,-1\r\n"
        );
    }
}
