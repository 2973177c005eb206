//! "Download my data": a file that is written while it is sent, however much there is.

use futures_util::StreamExt;
use futures_util::stream::try_unfold;
use tollgate_core::hrana::Batch;
use tollgate_core::personal_data::Download;
use tollgate_edge::turso::Turso;

use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::place::Person;
use crate::visit::Visit;

/// `GET /settings/data`.
pub async fn download(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let database = Turso::new(&visit.config.turso_url, &visit.config.turso_token);
    let begun = Download::new(
        person.account().clone(),
        person.session.person.as_str().to_owned(),
    );
    let pieces = try_unfold((database, begun), |(database, mut download)| async move {
        let piece = next_piece(&database, &mut download).await;
        // A file that breaks off is seen to be broken: it is no JSON.
        let piece = piece.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        Ok(piece.map(|piece| (piece.into_bytes(), (database, download))))
    });
    Ok(Answer::download(
        "my-data.json",
        "application/json",
        pieces.boxed_local(),
    ))
}

/// The next part of the document; `None` at its end.
async fn next_piece(database: &Turso, download: &mut Download) -> Result<Option<String>, Fault> {
    let Some(statement) = download.statement() else {
        return Ok(None);
    };
    let mut batch = Batch::new();
    let rows = batch.step(None, statement);
    let reply = database.execute(&batch).await?;
    Ok(Some(download.take(reply.rows_of(rows)?)?))
}
