//! A desk where orders are made and where what Stripe says comes in, over one database.

use std::ops::Deref;

use serde_json::json;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, OrderId, RefundId};
use tollgate_core::limits::Limits;
use tollgate_core::orders::{
    Application, Applied, AskedRefund, Created, Heard, Item, Moved, NewOrder, Notice, Order,
    Payment, Progress, Stamp, Terms, order_statement, read_order, save_customer,
};
use tollgate_core::stripe::{
    Cents, Dispute, Refund, Session, StripeId, read_payment_intent, read_refund, read_session,
};

use crate::world::{NOW_MS, World};

/// A world with sales.
pub struct Desk {
    pub world: World,
    pub terms: Terms,
    pub now_ms: i64,
}

/// What happens to a batch on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// The Worker dies before it is sent.
    NeverSent,
    /// The Worker dies before the reply is there.
    ReplyLost,
}

/// A payment as the stand-in for Stripe shows it.
#[derive(Clone, Debug)]
pub struct Paid {
    pub order: OrderId,
    pub name: String,
    pub customer: String,
    pub cents: i64,
    pub card: String,
}

impl Deref for Desk {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

pub fn id(text: &str) -> StripeId {
    StripeId::parse(text).unwrap()
}

impl Desk {
    pub fn new() -> Self {
        Self {
            world: World::new(),
            terms: Terms::default(),
            now_ms: NOW_MS,
        }
    }

    /// A customer below `parent` that Stripe knows, older than a week.
    pub fn customer(&self, parent: &AccountId) -> AccountId {
        let account = self.caller(parent, 0, Limits::default()).account;
        self.made_at(&account, NOW_MS - 8 * 86_400_000);
        let customer = id(&format!("cus_{}", &account.as_str()[4..]));
        let (batch, step) = save_customer(&account, &customer, NOW_MS);
        let reply = self.database.execute(&batch);
        assert_eq!(reply.rows(step).len(), 1);
        account
    }

    pub fn made_at(&self, account: &AccountId, at_ms: i64) {
        let update = Statement::new("UPDATE accounts SET created_at_ms = ?2 WHERE id = ?1");
        let _ = self.database.run(update.bind(account.as_str()).bind(at_ms));
    }

    pub fn item(&self, cents: i64) -> Item {
        Item {
            pack: None,
            price: Cents::new(cents),
            credit: Cents::new(cents).to_nanos().unwrap(),
        }
    }

    pub fn order_id(&self) -> OrderId {
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.draw().to_le_bytes());
        OrderId::from_random(random)
    }

    pub fn refund_id(&self) -> RefundId {
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.draw().to_le_bytes());
        RefundId::from_random(random)
    }

    pub fn create(&self, account: &AccountId, item: Item) -> Created {
        let new = NewOrder {
            id: self.order_id(),
            account: account.clone(),
            person: None,
            item,
            saves_card: false,
            expires_at_ms: self.now_ms + 3_600_000,
            now_ms: self.now_ms,
        };
        self.create_as(&new)
    }

    pub fn create_as(&self, new: &NewOrder<'_>) -> Created {
        let create = new.to_batch(&self.terms);
        let reply = self.database.execute(&create.batch);
        create.read(new, &reply).unwrap()
    }

    /// An order that must be possible.
    pub fn order(&self, account: &AccountId, cents: i64) -> Order {
        match self.create(account, self.item(cents)) {
            Created::Now(order) => *order,
            other => panic!("{other:?}"),
        }
    }

    pub fn read(&self, order: &Order) -> Order {
        let reply = self
            .database
            .run(order_statement(&order.account, &order.id));
        read_order(&reply.rows(0)[0]).unwrap()
    }

    /// Hears something; `None` when the Worker died over it.
    pub fn hear(&self, heard: Heard, mut fate: impl FnMut() -> Fate) -> Option<Applied> {
        let (mut application, mut batch) = Application::new(heard, self.terms);
        loop {
            let fate = fate();
            if fate == Fate::NeverSent {
                return None;
            }
            let reply = self.database.execute(&batch);
            if fate == Fate::ReplyLost {
                return None;
            }
            match application.next(&reply).unwrap() {
                Progress::Run(next) => batch = next,
                Progress::Done(applied) => return Some(applied),
            }
        }
    }

    pub fn heard(&self, event: Option<(&str, &str)>, notice: Notice) -> Heard {
        Heard {
            stamp: event.map(|(event, kind)| Stamp {
                id: id(event),
                kind: kind.to_owned(),
                created_at_ms: self.now_ms,
            }),
            notice,
            now_ms: self.now_ms,
        }
    }

    /// Hears something by an event, without any mishap.
    pub fn say(&self, event: &str, notice: Notice) -> Applied {
        let heard = self.heard(Some((event, "test")), notice);
        self.hear(heard, || Fate::Arrives).unwrap()
    }

    pub fn number(&self, sql: &'static str, subject: &str) -> i64 {
        self.row(Statement::new(sql).bind(subject)).get(0).unwrap()
    }

    pub fn alarms(&self) -> Vec<String> {
        let reply = self
            .database
            .run(Statement::new("SELECT kind FROM alarms ORDER BY kind"));
        let rows = reply.rows(0).iter();
        rows.map(|row| row.get(0).unwrap()).collect()
    }

    /// `(balance, debt)` of an account.
    pub fn credit(&self, account: &AccountId) -> (i64, i64) {
        let (balance, _, debt, _) = self.wallet(account);
        (balance, debt)
    }

    /// What Stripe shows of the payment of an order, whose ids end in `name`.
    pub fn paid(&self, order: &Order, name: &str) -> Paid {
        Paid {
            order: order.id.clone(),
            name: name.to_owned(),
            customer: format!("cus_{}", &order.account.as_str()[4..]),
            cents: order.price.get(),
            card: "fp1".to_owned(),
        }
    }

    /// An order that is made and paid.
    pub fn bought(&self, account: &AccountId, cents: i64, name: &str) -> Order {
        let order = self.order(account, cents);
        let payment = self.paid(&order, name).payment("paid");
        let applied = self.say(&format!("evt_{name}"), Notice::Payment(payment));
        assert!(matches!(applied, Applied::Granted { .. }), "{applied:?}");
        self.read(&order)
    }
}

impl Paid {
    pub fn intent_id(&self) -> String {
        format!("pi_{}", self.name)
    }

    fn intent(&self, status: &str, metadata: serde_json::Value) -> serde_json::Value {
        json!({
            "id": self.intent_id(), "object": "payment_intent", "amount": self.cents,
            "amount_received": if status == "succeeded" { self.cents } else { 0 },
            "currency": "usd", "status": status, "customer": self.customer, "metadata": metadata,
            "payment_method": format!("pm_{}", self.name), "last_payment_error": null,
            "setup_future_usage": null, "livemode": false,
            "latest_charge": {"id": format!("ch_{}", self.name),
                "receipt_url": format!("https://stripe.example/{}", self.name),
                "payment_method_details": {"type": "card", "card":
                    {"brand": "visa", "last4": "4242", "fingerprint": self.card}}},
        })
    }

    /// The session as Stripe shows it when it is `open`, `expired`, `pending`, `failed` or `paid`.
    pub fn session(&self, state: &str) -> Session {
        let (status, payment, intent) = match state {
            "open" => ("open", "unpaid", None),
            "expired" => ("expired", "unpaid", None),
            "pending" => ("complete", "unpaid", Some("processing")),
            "failed" => ("complete", "unpaid", Some("requires_payment_method")),
            _ => ("complete", "paid", Some("succeeded")),
        };
        let order = json!({"order_id": self.order.as_str()});
        let session = json!({
            "id": format!("cs_{}", self.name), "object": "checkout.session",
            "url": (status == "open").then_some("https://checkout.example/x"),
            "status": status, "payment_status": payment,
            "client_reference_id": self.order.as_str(), "amount_total": self.cents,
            "currency": "usd", "customer": self.customer,
            "payment_intent": intent.map(|status| self.intent(status, order)),
            "invoice": {"id": "in_1", "hosted_invoice_url": "https://invoice.example/x"},
            "livemode": false, "created": NOW_MS / 1_000, "expires_at": NOW_MS / 1_000 + 3_600,
        });
        read_session(200, session.to_string().as_bytes()).unwrap()
    }

    pub fn payment(&self, state: &str) -> Payment {
        Payment::from_session(&self.session(state)).unwrap()
    }

    /// The payment of an automatic top-up.
    pub fn top_up(&self, status: &str) -> Payment {
        let words = json!({"order_id": self.order.as_str(), "kind": "auto_topup"});
        let intent = self.intent(status, words).to_string();
        let intent = read_payment_intent(200, intent.as_bytes()).unwrap();
        Payment::from_intent(&intent).unwrap()
    }

    pub fn dispute(&self, (status, cents): (&str, i64), moved: Moved) -> Notice {
        let dispute = json!({"id": format!("dp_{}", self.name), "amount": cents, "currency": "usd",
            "status": status, "reason": "fraudulent", "payment_intent": self.intent_id()});
        let dispute: Dispute = serde_json::from_value(dispute).unwrap();
        Notice::Dispute { dispute, moved }
    }

    /// A refund that was made in Stripe's own pages.
    pub fn refund(&self, name: &str, (status, cents): (&str, i64)) -> Notice {
        let refund = json!({"id": format!("re_{name}"), "amount": cents, "currency": "usd",
            "status": status, "payment_intent": self.intent_id(), "metadata": {}});
        Notice::Refund(read_refund(200, refund.to_string().as_bytes()).unwrap())
    }
}

/// What Stripe says of a refund that was asked for.
pub fn answer(asked: &AskedRefund, name: &str, status: &str) -> Notice {
    let refund = json!({"id": format!("re_{name}"), "amount": asked.amount.get(),
        "currency": "usd", "status": status, "payment_intent": asked.payment_intent.as_str(),
        "metadata": {"refund_id": asked.id.as_str(), "order_id": asked.order.as_str()}});
    let refund: Refund = read_refund(200, refund.to_string().as_bytes()).unwrap();
    Notice::Refund(refund)
}
