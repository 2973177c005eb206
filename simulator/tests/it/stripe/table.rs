//! Which parameters each call takes and which it demands, held by hand against the types of
//! stripe-node 23.1.0: `name!` is required there. `expand` is taken by all calls.
