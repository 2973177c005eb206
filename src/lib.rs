//! The gateway Worker.
