//! The companies behind OpenRouter that answer a call, by the names that its chunks and records give
//! them, and whether one of them stops when its client leaves. Which model is where stands in `models`.

/// Who answers a model's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// What OpenRouter calls it, as in `provider` and `provider_name`.
    pub name: &'static str,
    /// Whether closing a stream stops the generation and the bill. Source: OpenRouter's guide to
    /// streaming, section "Stream cancellation", which lists both kinds.
    pub stops: bool,
}

impl Host {
    /// A host where closing a stream stops the bill.
    #[must_use]
    pub const fn stopping(name: &'static str) -> Self {
        Self { name, stops: true }
    }

    /// A host that goes on when a stream is closed, and bills in full.
    #[must_use]
    pub const fn going_on(name: &'static str) -> Self {
        Self { name, stops: false }
    }
}

/// The host of every model that does not name one; no list of OpenRouter's has it.
pub const SIM_CLOUD: Host = Host::stopping("SimCloud");
