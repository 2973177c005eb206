//! The stand-in for Stripe over real TCP: what a seller of credit packs relies on.

mod bank;
mod calls;
mod checkout;
mod client;
mod delivery;
mod outage;
mod table;
