//! The simulation: a short run on both engines, proof that the engines agree, and proof that it would
//! notice what it looks for. `cargo xtask simulate` runs it long.

mod agreement;
mod mutants;
mod short;
