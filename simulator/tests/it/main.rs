//! The simulator over real TCP, started in this process on a free port. Each file shows one thing
//! that a test of a gateway relies on.

mod answers;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod client;
mod controls;
mod documentation;
mod faults;
mod framing;
#[cfg(test)]
mod github;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod stripe;
