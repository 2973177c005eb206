//! What keeps the list of calls current: the browser asks every few seconds for calls newer than the
//! first and for those that were still running, and htmx puts them where they belong.

use maud::{Markup, html};
use tollgate_core::accounts::View;
use tollgate_core::hrana::Batch;
use tollgate_core::ids::RequestId;
use tollgate_core::request_log::{
    Cursor, PAGE, RequestLine, RequestStatus, read_request_line, request_lines_statement,
};

use super::list::{BODY, NEWS, cells, changing, columns};
use super::search::Search;
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{Zone, rows};
use crate::place::Buyer;
use crate::visit::Visit;

/// What asks; it is replaced by each answer, so that the next question begins where that ended.
pub(super) fn poller(search: &Search, lines: &[RequestLine]) -> Markup {
    let running = lines
        .iter()
        .filter(|line| line.status == RequestStatus::Held);
    let running: Vec<RequestId> = running.map(|line| line.id).collect();
    match lines.first() {
        Some(first) => asking(search, first.id, &running),
        None => html! {},
    }
}

fn asking(search: &Search, after: RequestId, running: &[RequestId]) -> Markup {
    let mut more = vec![("after", after.to_string())];
    let running = running.iter().take(PAGE);
    more.extend(running.map(|id| ("running", id.to_string())));
    let address = search.address("/requests/newer", &more);
    html! { div id="newer" hx-get=(address) hx-trigger="every 3s" hx-swap="outerHTML" {} }
}

/// `GET /requests/newer`: nothing if nothing is new.
pub async fn newer(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let view = View::own(buyer.account());
    let asked = &visit.asked.query;
    let after = RequestId::parse(asked.get("after")).ok_or(Fault::NotFound)?;
    let running: Vec<RequestId> = asked
        .all("running")
        .filter_map(RequestId::parse)
        .take(PAGE)
        .collect();
    let mut search = Search::read(asked);
    search.query.cursor = Some(Cursor::Newer(after));
    let mut batch = Batch::new();
    let log = batch.step(None, search.query.statement(view));
    let known = batch.step(None, request_lines_statement(view, &running));
    let reply = visit.execute(&batch).await?;
    let page = search.query.read(reply.rows_of(log)?)?;
    let known = reply.rows_of(known)?.iter().map(read_request_line);
    let known: Vec<RequestLine> = known.collect::<Result<_, _>>()?;
    let ended = known
        .iter()
        .filter(|line| line.status != RequestStatus::Held);
    let ended: Vec<&RequestLine> = ended.collect();
    // Where looking ended, the next question goes on.
    let first = match (page.newer, page.lines.first()) {
        (Some(Cursor::Newer(end)), _) => end,
        (_, Some(line)) => line.id,
        _ => after,
    };
    if ended.is_empty() && first == after {
        return Ok(Answer::empty(204));
    }
    let still = known.iter().chain(&page.lines);
    let still = still.filter(|line| line.status == RequestStatus::Held);
    let still: Vec<RequestId> = still.map(|line| line.id).collect();
    let zone = Zone::named(&buyer.session.time_zone);
    let new = page.lines.iter();
    let new: Vec<Vec<Markup>> = new.map(|line| cells(language, line, &zone)).collect();
    let news = language.fill("{n} new calls", &[("n", &new.len())]);
    Ok(Answer::html(html! {
        (asking(&search, first, &still))
        @if !new.is_empty() {
            p id=(NEWS) hx-swap-oob="innerHTML" { (news) }
            tbody hx-swap-oob={ "afterbegin:#" (BODY) } { (rows(&columns(language), &new)) }
        }
        @for line in ended {
            @for cell in changing(language, line, true) { (cell) }
        }
    }))
}
