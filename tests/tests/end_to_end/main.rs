//! The built gateway in workerd, with sqld and the simulator, as its callers see it.

mod client;
mod naive;
mod price;
mod stage;
mod true_up;

mod announced;
mod first_call;
mod money;
mod sdks;

mod credit;
mod elastic;
mod limits;
mod repeated;
mod switches;

mod conformance;

mod bad_input;
mod boundary;
mod inquiry;

mod departure;
mod faults;
mod isolation;
mod leaving;
mod long_stream;
mod outage;
