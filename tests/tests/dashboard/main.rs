//! The built dashboard in workerd, with the gateway, sqld and the simulator, as browsers, machines and
//! strangers see it.

mod browser;
mod past;
mod people;
mod shopper;
mod stage;

mod account;
mod audit;
mod cards;
mod features;
mod forms;
mod hostile;
mod operating;
mod pages;
mod payments;
mod purchases;
mod reselling;
mod routes;
mod signing_in;
mod top_up;
mod webhook;
