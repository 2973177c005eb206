//! All objects of the one Stripe account, their ids, and the events that tell of their changes. What a
//! call or a page does to them stands with each kind of object.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::VERSION;
use super::customer::Customer;
use super::dispute::Dispute;
use super::invoice::Invoice;
use super::method::Method;
use super::payment::{Charge, Intent};
use super::portal::Portal;
use super::refund::Refund;
use super::session::Session;
use super::setup::Setup;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Rows in the order of their making, found by id. None is ever removed.
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a row with a new id.
    pub fn insert(&mut self, id: &str, row: T) {
        self.places.insert(id.to_owned(), self.rows.len());
        self.rows.push(row);
    }

    /// The row of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.places.get(id)?)
    }

    /// The row of that id, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(*self.places.get(id)?)
    }

    /// All rows, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// The place of that id in the order of making.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }
}

/// When and by what something changes.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Unix time in seconds.
    pub at: i64,
    /// The stand-in as the client reaches it: `http://127.0.0.1:18080/stripe`.
    pub origin: String,
    /// `req_…` of an API call; none for a page or a control.
    pub request: Option<String>,
    /// The call's idempotency key.
    pub idempotency_key: Option<String>,
}

/// Something that happened; what webhooks deliver.
#[derive(Clone, Debug)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    /// Unix time in seconds.
    pub created: i64,
    /// `checkout.session.completed`
    pub kind: &'static str,
    /// The object as it was then.
    pub object: Value,
    request: Option<String>,
    idempotency_key: Option<String>,
}

impl Event {
    /// The envelope.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "event",
            "api_version": VERSION,
            "created": self.created,
            "data": {"object": self.object},
            "livemode": false,
            "pending_webhooks": 1,
            "request": {"id": self.request, "idempotency_key": self.idempotency_key},
            "type": self.kind,
        })
    }
}

/// The object with these fields of Stripe's, which are always `null` here.
#[must_use]
pub fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        object[*name] = Value::Null;
    }
    object
}

/// The account.
#[derive(Debug)]
pub struct Objects {
    salt: i128,
    made: u64,
    /// `cus_…`
    pub customers: Table<Customer>,
    /// `cs_test_…`
    pub sessions: Table<Session>,
    /// `pi_…`
    pub intents: Table<Intent>,
    /// `seti_…`
    pub setups: Table<Setup>,
    /// `pm_…`
    pub methods: Table<Method>,
    /// `ch_…`
    pub charges: Table<Charge>,
    /// `in_…`
    pub invoices: Table<Invoice>,
    /// `re_…`
    pub refunds: Table<Refund>,
    /// `dp_…`
    pub disputes: Table<Dispute>,
    /// `bps_…`
    pub portals: Table<Portal>,
    /// `evt_…`
    pub events: Table<Event>,
    /// Events that nobody delivers yet.
    pub fresh: Vec<Event>,
}

impl Objects {
    /// An empty account. Ids follow from the salt: clients keep them in databases, so that two
    /// processes must not share one.
    #[must_use]
    pub fn new(salt: i128) -> Self {
        Self {
            salt,
            made: 0,
            customers: Table::default(),
            sessions: Table::default(),
            intents: Table::default(),
            setups: Table::default(),
            methods: Table::default(),
            charges: Table::default(),
            invoices: Table::default(),
            refunds: Table::default(),
            disputes: Table::default(),
            portals: Table::default(),
            events: Table::default(),
            fresh: Vec::new(),
        }
    }

    /// A new id of `length` letters and digits (32 at most) after the prefix.
    pub fn id(&mut self, prefix: &str, length: usize) -> String {
        self.made += 1;
        let mut hash = Sha256::new();
        hash.update(self.salt.to_le_bytes());
        hash.update(self.made.to_le_bytes());
        let digest = hash.finalize();
        let mut id = prefix.to_owned();
        for byte in digest.iter().take(length) {
            id.push(char::from(BASE62[usize::from(*byte) % BASE62.len()]));
        }
        id
    }

    /// Records that something happened to an object.
    pub fn emit(&mut self, kind: &'static str, object: Value, cause: &Cause) {
        let event = Event {
            id: self.id("evt_1", 23),
            created: cause.at,
            kind,
            object,
            request: cause.request.clone(),
            idempotency_key: cause.idempotency_key.clone(),
        };
        self.events.insert(&event.id, event.clone());
        self.fresh.push(event);
    }

    /// The object of that type and id as JSON.
    #[must_use]
    pub fn json(&self, object: &str, id: &str) -> Option<Value> {
        match object {
            "customer" => self.customers.get(id).map(Customer::json),
            "checkout.session" => self.sessions.get(id).map(Session::json),
            "payment_intent" => self.intents.get(id).map(Intent::json),
            "setup_intent" => self.setups.get(id).map(Setup::json),
            "payment_method" => self.methods.get(id).map(Method::json),
            "charge" => self.charges.get(id).map(Charge::json),
            "invoice" => self.invoices.get(id).map(Invoice::json),
            "refund" => self.refunds.get(id).map(Refund::json),
            "dispute" => self.disputes.get(id).map(Dispute::json),
            "event" => self.events.get(id).map(Event::json),
            _ => None,
        }
    }
}
