//! What runs every minute: it asks Stripe about everything that is not finished, so that nothing is lost
//! that no event told of, tops accounts up, and clears away what sign-ins left. A step that fails is
//! logged; the others take place all the same.

use serde_json::json;
use tollgate_core::hrana::{Batch, Reply, Statement};
use tollgate_core::ids::OrderId;
use tollgate_core::orders::{
    DueTopUp, Order, Payment, Question, Unfinished, asked_refunds_statement, due_top_ups_statement,
    forget_waiting_statement, give_up_top_up, leftovers_statement, list_since, read_asked_refund,
    read_due_top_up, read_unfinished, read_untold, read_waiting, stuck_refunds_statement,
    unfinished_statement, untold_statement,
};
use tollgate_core::sign_in::cleanup_batch;
use tollgate_core::stripe::{SessionsSince, StripeId, StripeRequest, read_page, read_session};
use tollgate_edge::clock::random_bytes;

use super::{
    apply, ask_payment_intent, fulfil_session, heard_payment, send_back, stopped_top_ups, terms,
};
use crate::billing::receipt_name;
use crate::fault::{Fault, Outcome};
use crate::log;
use crate::stripe_client::{ask, unanswered};
use crate::visit::Visit;

/// How much of each kind one run takes on: a Worker may send a thousand requests.
const MOST: u32 = 100;

/// How many pages of sessions one run reads, of a hundred each.
const MOST_PAGES: u32 = 30;

/// How long an order is left to the person who pays it before Stripe is asked, in milliseconds.
const REST_MS: i64 = 60_000;

/// Runs everything.
pub async fn run(visit: &Visit) {
    let steps = [
        ("scheduled: refunds", refunds(visit).await),
        ("scheduled: orders", orders(visit).await),
        ("scheduled: waiting events", leftovers(visit).await),
        ("scheduled: top-ups", top_ups(visit).await),
        (
            "scheduled: stopped top-ups",
            stopped_top_ups::tell(visit).await,
        ),
        ("scheduled: sign-ins", sign_ins(visit).await),
    ];
    for (step, outcome) in steps {
        if let Err(fault) = outcome {
            log::fault(visit, step, &fault);
        }
    }
}

/// One of many: its failure is logged, and the next one gets its turn.
fn tell<T>(visit: &Visit, at: &str, outcome: Outcome<T>) {
    if let Err(fault) = outcome {
        log::fault(visit, at, &fault);
    }
}

async fn read(visit: &Visit, statement: Statement) -> Outcome<Reply> {
    let mut batch = Batch::new();
    batch.step(None, statement);
    visit.execute(&batch).await
}

async fn orders(visit: &Visit) -> Outcome<()> {
    let before_ms = visit.now_ms.saturating_sub(REST_MS);
    let reply = read(visit, unfinished_statement(before_ms, MOST)).await?;
    let rows = reply.rows_of(0)?.iter();
    let unfinished: Vec<Unfinished> = rows.map(read_unfinished).collect::<Result<_, _>>()?;
    // First the sessions that nobody kept: an order that has one is not given up.
    let listed = match list_since(&unfinished) {
        Some(since_ms) => untold(visit, since_ms).await,
        None => Ok(true),
    };
    let all_listed = listed.as_ref().is_ok_and(|complete| *complete);
    tell(visit, "scheduled: sessions", listed);
    for each in &unfinished {
        tell(
            visit,
            "scheduled: order",
            finish(visit, each, all_listed).await,
        );
    }
    Ok(())
}

async fn finish(visit: &Visit, unfinished: &Unfinished, all_listed: bool) -> Outcome<()> {
    let order = &unfinished.order;
    let name = receipt_name(order.credit);
    match unfinished.question(&name, visit.now_ms) {
        Question::Session(request) => {
            let session = ask(visit, request, read_session).await;
            let session = session.map_err(|error| unanswered(&error))?;
            let payment = Payment::from_session(&session);
            heard_payment(visit, None, payment).await?;
        }
        Question::PaymentIntent(request) => charge(visit, order, request).await?,
        Question::Listed => {}
        Question::NeverMade(batch) if all_listed => {
            visit.execute(&batch).await?;
        }
        Question::NeverMade(_) => {}
        Question::GiveUp(batch) => {
            visit.execute(&batch).await?;
        }
    }
    Ok(())
}

/// Asks for the payment of a top-up, and ends the top-up if Stripe finally refuses.
async fn charge(visit: &Visit, order: &Order, request: StripeRequest) -> Outcome<()> {
    match ask_payment_intent(visit, request).await {
        Ok(payment) => {
            heard_payment(visit, None, payment).await?;
            Ok(())
        }
        Err(error) if error.is_final() => {
            let (batch, _) = give_up_top_up(&order.account, &order.id, &error, visit.now_ms);
            visit.execute(&batch).await?;
            Ok(())
        }
        // The next run sends the same request.
        Err(error) => Err(unanswered(&error)),
    }
}

/// Finds sessions of which the database knows less than Stripe, and fulfils them. Whether all were found
/// and fulfilled.
async fn untold(visit: &Visit, since_ms: i64) -> Outcome<bool> {
    let mut after: Option<StripeId> = None;
    let mut all_fulfilled = true;
    for _ in 0..MOST_PAGES {
        let request = SessionsSince {
            created_at_ms: since_ms,
            after: after.as_ref(),
        };
        let page = ask(visit, request.to_request(), read_page).await;
        let page = page.map_err(|error| unanswered(&error))?;
        let reply = read(visit, untold_statement(&page)).await?;
        for row in reply.rows_of(0)? {
            let session = read_untold(row)?;
            let fulfilled = fulfil_session(visit, &session, None).await;
            all_fulfilled &= fulfilled.is_ok();
            tell(visit, "scheduled: session", fulfilled);
        }
        after = page.data.last().map(|session| session.id.clone());
        if !page.has_more || after.is_none() {
            return Ok(all_fulfilled);
        }
    }
    Ok(false)
}

async fn leftovers(visit: &Visit) -> Outcome<()> {
    let mut batch = Batch::new();
    batch.step(None, forget_waiting_statement(visit.now_ms));
    let found = batch.step(None, leftovers_statement(MOST));
    let reply = visit.execute(&batch).await?;
    for row in reply.rows_of(found)? {
        let heard = read_waiting(row, visit.now_ms)?;
        let applied = apply(visit, heard.stamp, heard.notice).await;
        tell(visit, "scheduled: waiting event", applied);
    }
    Ok(())
}

async fn refunds(visit: &Visit) -> Outcome<()> {
    let mut batch = Batch::new();
    let asked = batch.step(None, asked_refunds_statement(visit.now_ms, MOST));
    let stuck = batch.step(None, stuck_refunds_statement(visit.now_ms, MOST));
    let reply = visit.execute(&batch).await?;
    for row in reply.rows_of(asked)? {
        let sent = send_back(visit, &read_asked_refund(row)?).await;
        tell(visit, "scheduled: refund", sent);
    }
    for row in reply.rows_of(stuck)? {
        let refund = read_asked_refund(row)?;
        let more = json!({ "refund": refund.id.as_str() });
        log::alarm(visit, "refund_stuck", &more);
        let raised = visit.execute(&refund.stuck().to_batch(visit.now_ms)).await;
        tell(visit, "scheduled: stuck refund", raised);
    }
    Ok(())
}

async fn top_ups(visit: &Visit) -> Outcome<()> {
    let due = due_top_ups_statement(&terms(visit)?, visit.now_ms, MOST);
    let reply = read(visit, due).await?;
    for row in reply.rows_of(0)? {
        let begun = top_up(visit, &read_due_top_up(row)?).await;
        tell(visit, "scheduled: top-up", begun);
    }
    Ok(())
}

async fn top_up(visit: &Visit, due: &DueTopUp) -> Outcome<()> {
    let id = OrderId::from_random(random_bytes()?);
    let begin = due.begin(&id, &terms(visit)?, visit.now_ms);
    // Sent once: if the reply is lost, the next run finds the order unfinished and goes on with it.
    let reply = visit.database.execute(&begin.batch).await?;
    let Some(order) = begin.read(&reply)? else {
        return Ok(());
    };
    let request = due.to_request(&order, &receipt_name(order.credit));
    charge(visit, &order, request).await
}

async fn sign_ins(visit: &Visit) -> Outcome<()> {
    let reply = visit.execute(&cleanup_batch(visit.now_ms)).await?;
    reply.rows_of(0).map(|_| ()).map_err(Fault::from)
}
