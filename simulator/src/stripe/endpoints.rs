//! Every call of the stand-in. Its parameters stand in `parameters.rs`, what it does elsewhere.

use super::parameters::{
    CUSTOMER, INTENT, LISTED_EVENTS, LISTED_MONEY_BACK, LISTED_SESSIONS, PORTAL, Param, REFUND,
    SESSION,
};

/// Which code does a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Action {
    CreateCustomer,
    UpdateCustomer,
    CreateSession,
    ListSessions,
    ExpireSession,
    CreateIntent,
    DetachMethod,
    CreateRefund,
    ListRefunds,
    ListDisputes,
    ListEvents,
    CreatePortal,
    /// Any `GET` of one object.
    Retrieve,
}

/// One call.
#[derive(Debug)]
pub struct Endpoint {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, in which `{id}` stands for one segment.
    pub path: &'static str,
    /// The code for it.
    pub action: Action,
    /// The parameters, besides `expand`, which all calls take.
    pub params: &'static [Param],
    /// The type of the object that it answers with.
    pub object: &'static str,
    /// Whether it answers with a list of them.
    pub lists: bool,
}

impl Endpoint {
    /// The call of that method and path, with the id in the path.
    #[must_use]
    pub fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Self, &'a str)> {
        let fitting = ENDPOINTS
            .iter()
            .filter(|endpoint| endpoint.method == method);
        fitting
            .filter_map(|endpoint| Some((endpoint, endpoint.id_in(path)?)))
            // `/v1/checkout/sessions` is also of the form `/v1/checkout/{id}`: the literal one wins.
            .min_by_key(|(_, id)| id.len())
    }

    fn id_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some((before, after)) = self.path.split_once("{id}") else {
            return (self.path == path).then_some("");
        };
        let id = path.strip_prefix(before)?.strip_suffix(after)?;
        (!id.is_empty() && !id.contains('/')).then_some(id)
    }
}

const fn get(path: &'static str, object: &'static str) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        action: Action::Retrieve,
        params: &[],
        object,
        lists: false,
    }
}

const fn list(
    path: &'static str,
    action: Action,
    object: &'static str,
    params: &'static [Param],
) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        action,
        params,
        object,
        lists: true,
    }
}

const fn post(
    path: &'static str,
    action: Action,
    object: &'static str,
    params: &'static [Param],
) -> Endpoint {
    Endpoint {
        method: "POST",
        path,
        action,
        params,
        object,
        lists: false,
    }
}

/// All calls.
pub static ENDPOINTS: &[Endpoint] = &[
    post(
        "/v1/customers",
        Action::CreateCustomer,
        "customer",
        CUSTOMER,
    ),
    post(
        "/v1/customers/{id}",
        Action::UpdateCustomer,
        "customer",
        CUSTOMER,
    ),
    get("/v1/customers/{id}", "customer"),
    post(
        "/v1/checkout/sessions",
        Action::CreateSession,
        "checkout.session",
        SESSION,
    ),
    list(
        "/v1/checkout/sessions",
        Action::ListSessions,
        "checkout.session",
        LISTED_SESSIONS,
    ),
    get("/v1/checkout/sessions/{id}", "checkout.session"),
    post(
        "/v1/checkout/sessions/{id}/expire",
        Action::ExpireSession,
        "checkout.session",
        &[],
    ),
    post(
        "/v1/payment_intents",
        Action::CreateIntent,
        "payment_intent",
        INTENT,
    ),
    get("/v1/payment_intents/{id}", "payment_intent"),
    get("/v1/setup_intents/{id}", "setup_intent"),
    get("/v1/payment_methods/{id}", "payment_method"),
    post(
        "/v1/payment_methods/{id}/detach",
        Action::DetachMethod,
        "payment_method",
        &[],
    ),
    get("/v1/charges/{id}", "charge"),
    get("/v1/invoices/{id}", "invoice"),
    post("/v1/refunds", Action::CreateRefund, "refund", REFUND),
    list(
        "/v1/refunds",
        Action::ListRefunds,
        "refund",
        LISTED_MONEY_BACK,
    ),
    get("/v1/refunds/{id}", "refund"),
    list(
        "/v1/disputes",
        Action::ListDisputes,
        "dispute",
        LISTED_MONEY_BACK,
    ),
    get("/v1/disputes/{id}", "dispute"),
    list("/v1/events", Action::ListEvents, "event", LISTED_EVENTS),
    get("/v1/events/{id}", "event"),
    post(
        "/v1/billing_portal/sessions",
        Action::CreatePortal,
        "billing_portal.session",
        PORTAL,
    ),
];
