//! Orders of credit: what is sold, how much one may buy, and how a payment becomes credit once,
//! whatever Stripe tells, how often and in which order. Statements and decisions only; talking to the
//! database and to Stripe belongs to the shell.
//!
//! A payment's way: `NewOrder` writes the order, the shell opens a session at Stripe, `attach_session`
//! keeps its page. Whatever is heard of the payment afterwards (an event, the success page, the cron)
//! is retrieved from Stripe and goes into one `Application`, which grants, refuses or waits.

mod after_sale;
mod application;
mod card;
mod create;
mod customer;
mod dispute;
mod due_top_up;
mod grant;
mod listing;
mod order;
mod packs;
mod payment;
mod reconcile;
mod refund;
mod refundable;
mod refunded;
mod session;
mod stopped_top_up;
mod terms;
mod top_up;
mod waiting;

pub use application::{Application, Applied, Heard, Moved, Notice, Progress, Stamp, Subject};
pub use card::{SavedNow, forget_card, remove_card};
pub use create::{CreateBatch, Created, NewOrder, OrderRefusal};
pub use customer::{
    SavedCard, StripeCustomer, customer_statement, read_stripe_customer, save_customer,
};
pub use due_top_up::{
    DueTopUp, TopUpBatch, due_top_ups_statement, give_up_top_up, read_due_top_up,
};
pub use grant::Mismatch;
pub use listing::{
    After, RefundLine, order_refunds_statement, orders_statement, read_refund_line,
    refunds_statement,
};
pub use order::{
    Order, OrderKind, OrderState, order_statement, read_order, session_order_statement,
};
pub use packs::{
    Choice, ChoiceRefused, DEFAULT_PACKS, Item, NewPack, Pack, choose, end_pack, offered,
    packs_statement, read_pack,
};
pub use payment::{NoPayment, Payment, PaymentState, Receipt};
pub use reconcile::{
    Question, Unfinished, list_since, read_unfinished, read_untold, unfinished_statement,
    untold_statement,
};
pub use refund::{
    AskedRefund, RefundState, asked_refunds_statement, read_asked_refund, stuck_refunds_statement,
};
pub use refundable::{
    AskBatch, Asked, RefundRefusal, Refundable, read_refundable, refundable_statement,
};
pub use session::{AttachBatch, Attached, attach_session, fail_order};
pub use stopped_top_up::{
    StoppedTopUp, forget_untold_statement, read_stopped_top_up, stopped_top_ups_statement,
};
pub use terms::{Caps, Fee, Terms};
pub(crate) use top_up::switch_off_top_up;
pub use top_up::{KeptTopUp, TopUp, TopUpRefusal, read_top_up, top_up_statement};
pub use waiting::{forget_waiting_statement, leftovers_statement, read_waiting};
