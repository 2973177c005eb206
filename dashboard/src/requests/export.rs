//! The log as a file, written while it is read: one part of the calls after the other, so that any range
//! fits.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt};
use tollgate_core::accounts::View;
use tollgate_core::hrana::Batch;
use tollgate_core::ids::AccountId;
use tollgate_core::request_log::{Export, Format};
use tollgate_edge::turso::Turso;

use super::search::Search;
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::Zone;
use crate::place::Buyer;
use crate::visit::Visit;

/// `GET /requests/export`, with the filters of the list and `format`, `csv` or `json`.
pub async fn download(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let (format, media_type) = match visit.asked.query.get("format") {
        "csv" => (Format::Csv, "text/csv; charset=utf-8"),
        "json" => (Format::Json, "application/json"),
        _ => return Err(Fault::NotFound),
    };
    let search = Search::read(&visit.asked.query);
    if !search.is_complete() {
        // The list says what of it cannot be read.
        return Ok(Answer::see_other(search.address("/requests", &[])));
    }
    let mut writing = Writing {
        database: Turso::new(&visit.config.turso_url, &visit.config.turso_token),
        account: buyer.account().clone(),
        export: Export::new(search.query.filter, format),
        ready: VecDeque::new(),
    };
    // The first part is read before the answer begins: if that fails, there is a page that says so.
    if let Some(piece) = writing.read().await? {
        writing.ready.push_back(piece);
    }
    let pieces = stream::try_unfold(writing, |mut writing| async {
        let piece = match writing.ready.pop_front() {
            Some(piece) => Some(piece),
            None => writing.read().await.map_err(broken)?,
        };
        Ok(piece.map(|piece| (piece.into_bytes(), writing)))
    });
    let day = Zone::named("UTC").date(visit.now_ms);
    let ending = match format {
        Format::Csv => "csv",
        Format::Json => "json",
    };
    let file = format!("requests-{day}.{ending}");
    Ok(Answer::download(&file, media_type, pieces.boxed_local()))
}

/// A file that is being written.
struct Writing {
    database: Turso,
    account: AccountId,
    export: Export,
    /// A piece that was read and not sent.
    ready: VecDeque<String>,
}

impl Writing {
    /// The next piece; `None` when the file is complete.
    async fn read(&mut self) -> Outcome<Option<String>> {
        let view = View::own(&self.account);
        let Some(statement) = self.export.statement(view) else {
            return Ok(None);
        };
        let mut batch = Batch::new();
        let step = batch.step(None, statement);
        let reply = match self.database.execute(&batch).await {
            Ok(reply) => reply,
            Err(_) => self.database.execute(&batch).await?,
        };
        let piece = self.export.take(view, reply.rows_of(step)?)?;
        Ok(Some(piece))
    }
}

/// Breaks the download off, so that nobody takes a part of the file for the whole.
fn broken(fault: Fault) -> worker::Error {
    worker::console_error!(
        "{}",
        serde_json::json!({ "level": "error", "fault": fault.to_string() })
    );
    worker::Error::RustError("the export broke off".to_owned())
}
