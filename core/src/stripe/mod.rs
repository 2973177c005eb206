//! Stripe without I/O: requests out, answers and events in, signatures checked. Only what Tollgate
//! uses of Stripe is here; what it means for credit is in `orders`. Sending belongs to the shell.
//!
//! Source: stripe-node 23.1.0 and Stripe's API reference, API version `2026-10-28.endive`.

mod answer;
mod cents;
mod error;
mod event;
mod id;
mod objects;
mod request;
mod signature;

pub use answer::{
    read_customer, read_page, read_payment_intent, read_payment_method, read_portal, read_refund,
    read_session,
};
pub use cents::Cents;
pub use error::{Decline, StripeError};
pub use event::{Event, EventFault, Happening, read_event};
pub use id::StripeId;
pub use objects::{
    Card, Charge, Customer, Dispute, DisputeStatus, Invoice, Link, Page, PaymentFailure,
    PaymentIntent, PaymentIntentStatus, PaymentMethod, Portal, Refund, RefundStatus, Session,
    SessionPayment, SessionStatus, SetupIntent,
};
pub use request::{
    Method, NewCardPage, NewCustomer, NewPaymentIntent, NewPortal, NewRefund, NewSession,
    SessionsSince, StripeRequest, detach_payment_method, expire_session, retrieve_payment_intent,
    retrieve_refund, retrieve_session,
};
pub use signature::{SignatureFault, TOLERANCE_MS, verify_signature};

/// What every request says in the header `Stripe-Version`.
pub const API_VERSION: &str = "2026-10-28.endive";
