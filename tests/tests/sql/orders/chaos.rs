//! Everything that Stripe says is said one to five times, in random order, while Workers die in the
//! middle: ledger, orders, refunds, disputes and balances end the same as when it is said once, in order
//! and without mishap. The seed is in the message of a failure.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::money::Nanos;
use tollgate_core::orders::{
    Applied, Asked, AskedRefund, Attached, Heard, Moved, Notice, Order, OrderState, Stamp,
    attach_session, leftovers_statement, read_refundable, read_waiting, refundable_statement,
};
use tollgate_core::stripe::{Cents, StripeError};
use tollgate_tests::campaign::Random;

use super::desk::{Desk, Fate, Paid, answer, id};

const SEEDS: u64 = 5;

/// Something that happens once at Stripe or at a person's desk, and is told again and again.
#[derive(Clone, Debug)]
enum Tale {
    /// The page that Stripe made is kept.
    Page { order: usize },
    /// Stripe's event about a session, whose payment was then as the word says; the session is
    /// retrieved when it is heard.
    Session { order: usize, event: String },
    /// An event that is believed as it is.
    Said { event: String, notice: Notice },
    /// A person asks for cents back once the order is paid; Stripe answers with these statuses, one
    /// after the other, or refuses.
    Back {
        order: usize,
        part: i64,
        answers: &'static [&'static str],
    },
    /// Stripe's event about a refund that was asked for here.
    Answered {
        back: usize,
        event: String,
        status: &'static str,
    },
    /// Credit that was used up by other means.
    Spent { account: usize, nanos: i64 },
}

/// What happens, the same for every telling of it.
struct Story {
    random: Random,
    run: String,
    orders: Vec<(Order, Paid, &'static str)>,
    tales: Vec<Tale>,
    asked: Vec<(usize, i64, Option<AskedRefund>)>,
    accounts: [AccountId; 4],
}

impl Story {
    /// Customers of two resellers: one whose payments are refunded at Stripe and disputed, while it and
    /// its reseller spend, and one that asks for refunds itself, which its reseller's wallet must cover.
    fn new(desk: &Desk, (seed, run): (u64, &str)) -> Self {
        let [spender, saver] = [desk.new_reseller(0, 0), desk.new_reseller(0, 0)];
        let accounts = [
            desk.customer(&spender),
            desk.customer(&saver),
            spender,
            saver,
        ];
        let mut story = Self {
            random: Random::new(seed),
            run: run.to_owned(),
            orders: Vec::new(),
            tales: Vec::new(),
            asked: Vec::new(),
            accounts,
        };
        for number in 0..story.random.between(1, 3) {
            let ends = ["paid", "paid", "paid", "expired", "failed"];
            let end = ends[story.random.between(0, 4) as usize];
            story.order(desk, (0, number), end);
            if end == "paid" {
                story.at_stripe(number as usize);
            }
        }
        let nanos = story.random.between(1, 30_000_000_000) as i64;
        story.tales.push(Tale::Spent { account: 0, nanos });
        let spent = story.random.between(1, 30_000_000_000) as i64;
        story.tales.push(Tale::Spent {
            account: 2,
            nanos: spent,
        });
        let number = story.orders.len() as u64;
        story.order(desk, (1, number), "paid");
        story.asked_here(number as usize);
        story
    }

    fn event(&mut self) -> String {
        let number = self.random.draw() % 1_000_000;
        format!("evt_{}x{number}x{}", self.run, self.tales.len())
    }

    fn order(&mut self, desk: &Desk, (account, number): (usize, u64), end: &'static str) {
        let cents = self.random.between(500, 5_000) as i64;
        let order = desk.order(&self.accounts[account], cents);
        let paid = Paid {
            card: format!("fp{}", self.run),
            ..desk.paid(&order, &format!("{}o{number}", self.run))
        };
        self.orders.push((order, paid, end));
        let order = number as usize;
        self.tales.push(Tale::Page { order });
        for _ in 0..self.random.between(1, 2) {
            let event = self.event();
            self.tales.push(Tale::Session { order, event });
        }
    }

    /// Refunds and a dispute that begin at Stripe.
    fn at_stripe(&mut self, order: usize) {
        let paid = self.orders[order].1.clone();
        let mut left = paid.cents;
        for number in 0..self.random.between(0, 3) {
            let cents = self.random.between(1, left.max(1) as u64) as i64;
            let ways: [&[&str]; 4] = [
                &["succeeded"],
                &["pending", "succeeded"],
                &["pending", "failed"],
                &["succeeded", "failed"],
            ];
            let way = ways[self.random.between(0, 3) as usize];
            let failed = way.last() == Some(&"failed");
            if cents > left {
                continue;
            }
            if !failed {
                left -= cents;
            }
            let name = format!("{}r{number}", paid.name);
            for status in way {
                let event = self.event();
                let notice = paid.refund(&name, (status, cents));
                self.tales.push(Tale::Said { event, notice });
            }
        }
        let disputes: [&[(&str, Moved)]; 5] = [
            &[],
            &[
                ("needs_response", Moved::No),
                ("needs_response", Moved::Withdrawn),
                ("lost", Moved::No),
            ],
            &[
                ("needs_response", Moved::No),
                ("needs_response", Moved::Withdrawn),
                ("won", Moved::No),
                ("won", Moved::Reinstated),
            ],
            &[
                ("warning_needs_response", Moved::No),
                ("warning_closed", Moved::No),
            ],
            &[
                ("needs_response", Moved::No),
                ("under_review", Moved::Withdrawn),
            ],
        ];
        for (status, moved) in disputes[self.random.between(0, 4) as usize] {
            let event = self.event();
            let notice = paid.dispute((status, paid.cents), *moved);
            self.tales.push(Tale::Said { event, notice });
        }
    }

    /// Refunds that the customer asks for.
    fn asked_here(&mut self, order: usize) {
        let cents = self.orders[order].1.cents;
        let ways: [&'static [&'static str]; 4] = [
            &["succeeded"],
            &["pending", "succeeded"],
            &["pending", "failed"],
            &[],
        ];
        for _ in 0..self.random.between(1, 3) {
            let part = self.random.between(1, (cents / 3) as u64) as i64;
            let answers = ways[self.random.between(0, 3) as usize];
            let back = self.asked.len();
            self.asked.push((order, part, None));
            self.tales.push(Tale::Back {
                order,
                part,
                answers,
            });
            for status in answers {
                let event = self.event();
                self.tales.push(Tale::Answered {
                    back,
                    event,
                    status,
                });
            }
        }
    }
}

/// Says one tale; whether it was taken in, so that nobody has to say it again.
fn tell(desk: &Desk, story: &mut Story, (tale, fate): (&Tale, &mut dyn FnMut() -> Fate)) -> bool {
    match tale {
        Tale::Page { order } => keep_page(desk, &story.orders[*order], fate),
        Tale::Session { order, event } => {
            let (_, paid, end) = &story.orders[*order];
            // Some hear of it early, and have to be told again.
            let early = match (fate(), *end) {
                (Fate::Arrives, _) => None,
                (Fate::NeverSent, "paid" | "failed") => Some("pending"),
                (Fate::NeverSent | Fate::ReplyLost, _) => Some("open"),
            };
            let state = early.unwrap_or(end);
            let told = hear(desk, (event, Notice::Payment(paid.payment(state))), fate);
            told && early.is_none()
        }
        Tale::Said { event, notice } => hear(desk, (event, notice.clone()), fate),
        Tale::Back { .. } => ask_back(desk, story, (tale, fate)),
        Tale::Answered {
            back,
            event,
            status,
        } => {
            // Stripe cannot tell of a refund that it does not know.
            let Some(asked) = story.asked[*back].2.clone() else {
                return false;
            };
            let name = format!("{}b{back}", story.run);
            hear(desk, (event, answer(&asked, &name, status)), fate)
        }
        Tale::Spent { account, nanos } => {
            let account = &story.accounts[*account];
            let entry = LedgerEntry {
                account: account.clone(),
                kind: EntryKind::Adjustment,
                amount: Nanos::new(-nanos),
                reference: format!("adjustment:{account}"),
                reason: "test".to_owned(),
            };
            let _ = desk.post(&entry);
            true
        }
    }
}

fn hear(desk: &Desk, (event, notice): (&str, Notice), fate: &mut dyn FnMut() -> Fate) -> bool {
    let heard = Heard {
        stamp: Some(Stamp {
            id: id(event),
            kind: "test".to_owned(),
            created_at_ms: desk.now_ms,
        }),
        notice,
        now_ms: desk.now_ms,
    };
    match desk.hear(heard, fate) {
        None | Some(Applied::Busy) => false,
        Some(Applied::Unmatched(mismatch)) => panic!("{event}: {mismatch:?}"),
        Some(_) => true,
    }
}

fn keep_page(
    desk: &Desk,
    (order, paid, _): &(Order, Paid, &str),
    fate: &mut dyn FnMut() -> Fate,
) -> bool {
    let session = paid.session("open");
    let attach = attach_session(&order.account, &order.id, &session);
    if fate() == Fate::NeverSent {
        return false;
    }
    let reply = desk.database.execute(&attach.batch);
    let attached = attach.read(&session, &reply).unwrap();
    !matches!(attached, Attached::NoOrder)
}

/// The whole way of a refund that a person asks for: the credit first, then Stripe. Whoever dies
/// half-way is followed by the cron, which asks Stripe again by the same id.
fn ask_back(
    desk: &Desk,
    story: &mut Story,
    (tale, fate): (&Tale, &mut dyn FnMut() -> Fate),
) -> bool {
    let Tale::Back {
        order,
        part,
        answers,
    } = tale
    else {
        return true;
    };
    let mut places = story.asked.iter();
    let back = places.position(|(of, cents, _)| (of, cents) == (order, part));
    let back = back.unwrap();
    let order = story.orders[*order].0.clone();
    if desk.read(&order).state != OrderState::Paid {
        return false;
    }
    if story.asked[back].2.is_none() {
        let reply = desk
            .database
            .run(refundable_statement(&order.account, &order.id));
        let refundable = read_refundable(&reply.rows(0)[0]).unwrap();
        let named = format!("rfd_{}b{back}", story.run);
        let refund = tollgate_core::ids::RefundId::parse(&named).unwrap();
        let ask = refundable.ask(&refund, Cents::new(*part), &desk.change());
        let ask = ask.unwrap();
        let fate = fate();
        if fate == Fate::NeverSent {
            return false;
        }
        let reply = desk.database.execute(&ask.batch);
        assert!(matches!(ask.read(&reply), Asked::Now | Asked::Before));
        // The cron finds what was asked even if the reply was lost.
        story.asked[back].2 = Some(ask.refund);
        if fate == Fate::ReplyLost {
            return false;
        }
    }
    let asked = story.asked[back].2.clone().unwrap();
    if fate() == Fate::NeverSent {
        return false;
    }
    match answers.first() {
        None => {
            let (batch, _) = asked.give_up(&StripeError::Disputed, desk.now_ms);
            let _ = desk.database.execute(&batch);
            true
        }
        Some(status) => {
            let name = format!("{}b{back}", story.run);
            let heard = desk.heard(None, answer(&asked, &name, status));
            !matches!(desk.hear(heard, fate), None | Some(Applied::Busy))
        }
    }
}

/// The cron: applies what a crash left waiting.
fn tidy_up(desk: &Desk) {
    loop {
        let reply = desk.database.run(leftovers_statement(100));
        let rows = reply.rows(0).iter();
        let waiting: Vec<Heard> = rows
            .map(|row| read_waiting(row, desk.now_ms).unwrap())
            .collect();
        if waiting.is_empty() {
            return;
        }
        for heard in waiting {
            let applied = desk.hear(heard.clone(), || Fate::Arrives);
            assert_ne!(applied, Some(Applied::Waits), "{heard:?} waits for ever");
        }
    }
}

/// Everything that counts in the end, with the names of the run taken out.
fn ends(desk: &Desk, story: &Story) -> Vec<String> {
    let mut lines = Vec::new();
    let queries = [
        "SELECT id, balance_nanos, debt_nanos, status FROM accounts WHERE id = ?1",
        "SELECT account_id || kind, amount_nanos, reference, reason FROM ledger_entries WHERE account_id = ?1 \
         ORDER BY reference",
        "SELECT id, refunded_cents, state || coalesce(failure, ''), \
           coalesce(session_id, '') || coalesce(payment_intent_id, '') || coalesce(paid_at_ms, '') \
         FROM orders WHERE account_id = ?1 ORDER BY id",
        "SELECT id, credit_nanos, state, coalesce(stripe_id, '') || order_id FROM refunds \
         WHERE account_id = ?1 ORDER BY id",
        "SELECT id, credit_nanos, state, order_id || serious || withdrawn || returned FROM disputes \
         WHERE account_id = ?1 ORDER BY id",
    ];
    for (account, query) in story
        .accounts
        .iter()
        .flat_map(|account| queries.map(|query| (account, query)))
    {
        let reply = desk
            .database
            .run(Statement::new(query).bind(account.as_str()));
        for row in reply.rows(0) {
            let text = |column| {
                let number = row.get::<i64>(column).map(|number| number.to_string());
                number.or_else(|_| row.get::<String>(column)).unwrap()
            };
            let line = format!("{} {} {} {}", text(0), text(1), text(2), text(3));
            lines.push(without_names(story, line));
        }
    }
    lines.sort();
    lines
}

fn without_names(story: &Story, mut line: String) -> String {
    for (number, (order, _, _)) in story.orders.iter().enumerate() {
        line = line.replace(order.id.as_str(), &format!("ORDER{number}"));
    }
    for (number, account) in story.accounts.iter().enumerate() {
        line = line.replace(account.as_str(), &format!("ACCOUNT{number}"));
    }
    line.replace(&story.run, "RUN")
}

/// Everything once, in order, without mishap.
fn told_plainly(desk: &Desk, seed: u64) -> Vec<String> {
    let mut story = Story::new(desk, (seed, &format!("p{seed}q")));
    for tale in story.tales.clone() {
        assert!(
            tell(desk, &mut story, (&tale, &mut || Fate::Arrives)),
            "{tale:?}"
        );
    }
    ends(desk, &story)
}

/// Everything one to five times, in random order, while Workers die.
fn told_wildly(desk: &Desk, seed: u64, luck: u64) -> Vec<String> {
    let mut story = Story::new(desk, (seed, &format!("w{seed}v{luck}q")));
    let mut luck = Random::new(seed.wrapping_mul(1_000).wrapping_add(luck));
    let mut queue: Vec<Tale> = Vec::new();
    for tale in story.tales.clone() {
        let times = match tale {
            Tale::Spent { .. } => 1,
            _ => luck.between(1, 5),
        };
        queue.extend((0..times).map(|_| tale.clone()));
    }
    let mut steps = 0;
    while !queue.is_empty() {
        steps += 1;
        assert!(steps < 20_000, "never ends: {queue:?}");
        let next = luck.between(0, queue.len() as u64 - 1) as usize;
        let tale = queue.swap_remove(next);
        let mut fates = luck.fork(steps);
        let mut fate = || match fates.between(0, 9) {
            0 => Fate::NeverSent,
            1 => Fate::ReplyLost,
            _ => Fate::Arrives,
        };
        if !tell(desk, &mut story, (&tale, &mut fate)) {
            queue.push(tale);
        }
    }
    tidy_up(desk);
    ends(desk, &story)
}

#[test]
fn money_ends_the_same_however_often_and_in_whatever_order_stripe_tells() {
    let desk = Desk::new();
    let first = std::env::var("ORDERS_SEED").map_or(1, |seed| seed.parse().unwrap());
    for seed in first..first + SEEDS {
        let plain = told_plainly(&desk, seed);
        for luck in 0..2 {
            let wild = told_wildly(&desk, seed, luck);
            assert_eq!(plain, wild, "ORDERS_SEED={seed}, luck {luck}");
        }
    }
    let open = "SELECT count(*) FROM stripe_events WHERE waits_for IS NOT NULL AND ?1 = ?1";
    assert_eq!(desk.number(open, ""), 0);
}
