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
use crate::form::Form;
use crate::page::{Zone, rows};
use crate::place::Buyer;
use crate::visit::Visit;

/// A call whose id is older may be admitted later than another, by less than this.
const LATE_MS: i64 = 5_000;

/// What the browser has and asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    /// Calls after this one are wanted,
    after: RequestId,
    /// except these, which are there already.
    shown: Vec<RequestId>,
    /// Calls that had not ended.
    running: Vec<RequestId>,
}

impl Question {
    /// The next question of a page that has the calls `on_page`; `end` is where looking ended early.
    fn next(
        on_page: impl Iterator<Item = RequestId>,
        running: Vec<RequestId>,
        (end, now_ms): (Option<RequestId>, i64),
    ) -> Self {
        let settled = RequestId::first_at(now_ms.saturating_sub(LATE_MS));
        let after = end.map_or(settled, |end| end.min(settled));
        Self {
            after,
            shown: on_page.filter(|id| *id > after).collect(),
            running,
        }
    }

    fn read(query: &Form) -> Option<Self> {
        let calls = |name| query.all(name).filter_map(RequestId::parse);
        Some(Self {
            after: RequestId::parse(query.get("after"))?,
            shown: calls("shown").take(2 * PAGE).collect(),
            running: calls("running").take(PAGE).collect(),
        })
    }

    /// What asks; it is replaced by each answer, so that the next question begins where that ended.
    fn markup(&self, search: &Search) -> Markup {
        let named = |name, calls: &[RequestId]| {
            let named = calls.iter().map(|id| (name, id.to_string()));
            named.collect::<Vec<_>>()
        };
        let mut more = vec![("after", self.after.to_string())];
        more.extend(named("shown", &self.shown));
        more.extend(named("running", &self.running));
        let address = search.address("/requests/newer", &more);
        html! { div id="newer" hx-get=(address) hx-trigger="every 3s" hx-swap="outerHTML" {} }
    }
}

/// What asks for the calls after those of a page.
pub(super) fn poller(search: &Search, lines: &[RequestLine], now_ms: i64) -> Markup {
    let on_page = lines.iter().map(|line| line.id);
    Question::next(on_page, running(lines.iter()), (None, now_ms)).markup(search)
}

fn running<'a>(lines: impl Iterator<Item = &'a RequestLine>) -> Vec<RequestId> {
    let running = lines.filter(|line| line.status == RequestStatus::Held);
    running.map(|line| line.id).take(PAGE).collect()
}

/// `GET /requests/newer`: nothing if nothing is new.
pub async fn newer(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let view = View::own(buyer.account());
    let asked = &visit.asked.query;
    let question = Question::read(asked).ok_or(Fault::NotFound)?;
    let mut search = Search::read(asked);
    search.query.cursor = Some(Cursor::Newer(question.after));
    let mut batch = Batch::new();
    let log = batch.step(None, search.query.statement(view));
    let known = batch.step(None, request_lines_statement(view, &question.running));
    let reply = visit.execute(&batch).await?;
    let page = search.query.read(reply.rows_of(log)?)?;
    let known = reply.rows_of(known)?.iter().map(read_request_line);
    let known: Vec<RequestLine> = known.collect::<Result<_, _>>()?;
    let ended = known
        .iter()
        .filter(|line| line.status != RequestStatus::Held);
    let ended: Vec<&RequestLine> = ended.collect();
    let new = page.lines.iter();
    let new: Vec<&RequestLine> = new
        .filter(|line| !question.shown.contains(&line.id))
        .collect();
    let end = match page.newer {
        Some(Cursor::Newer(end) | Cursor::Older(end)) => Some(end),
        None => None,
    };
    if ended.is_empty() && new.is_empty() && end.is_none() {
        return Ok(Answer::empty(204));
    }
    let on_page = question.shown.iter().copied();
    let on_page = on_page.chain(new.iter().map(|line| line.id));
    let still = running(known.iter().chain(new.iter().copied()));
    let next = Question::next(on_page, still, (end, visit.now_ms));
    let zone = Zone::named(&buyer.session.time_zone);
    let new = new.into_iter();
    let new: Vec<Vec<Markup>> = new.map(|line| cells(language, line, &zone)).collect();
    let news = language.fill("{n} new calls", &[("n", &new.len())]);
    Ok(Answer::html(html! {
        (next.markup(&search))
        @if !new.is_empty() {
            p id=(NEWS) hx-swap-oob="innerHTML" { (news) }
            tbody hx-swap-oob={ "afterbegin:#" (BODY) } { (rows(&columns(language), &new)) }
        }
        @for line in ended {
            @for cell in changing(language, line, true) { (cell) }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_793_707_200_000;

    #[test]
    fn a_call_that_was_admitted_late_is_not_missed() {
        let at = |ms: i64| RequestId::new(NOW_MS + ms, 7);
        let page = [at(-100), at(-4_000), at(-6_000)];
        let next = Question::next(page.into_iter(), vec![at(-100)], (None, NOW_MS));
        assert!(next.after < at(-4_500) && next.after > at(-5_500));
        assert_eq!(next.shown, [at(-100), at(-4_000)]);
        let asked = next.markup(&Search::default()).into_string();
        let (_, query) = asked.split_once("newer?").unwrap();
        let (query, _) = query.split_once('"').unwrap();
        let query = Form::parse(query.replace("&amp;", "&").as_bytes());
        assert_eq!(Question::read(&query), Some(next));
        // Where looking ended early, it goes on, also far back.
        let next = Question::next(page.into_iter(), Vec::new(), (Some(at(-9_000)), NOW_MS));
        assert_eq!((next.after, next.shown.len()), (at(-9_000), 3));
    }
}
