//! The built dashboard in workerd, with the gateway, sqld and the simulator, as browsers, machines and
//! strangers see it.

mod browser;
mod stage;

mod features;
mod forms;
mod pages;
mod payments;
mod routes;
mod signing_in;
mod webhook;
