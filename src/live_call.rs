//! A call whose hold is taken, seen from its answer: how the caller is told, what the provider's own
//! record says, and how the call ended. One-shot and streamed answers share it.

use tollgate_core::admission::Help;
use tollgate_core::chat::ChatRequest;
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::money::Nanos;
use tollgate_core::settlement::{Outcome, ResolutionFacts};
use tollgate_core::usage::Usage;
use tollgate_edge::clock::sleep_ms;

use crate::admit::Admitted;
use crate::completion::Responder;
use crate::gateway::Gateway;
use crate::lease::{Lease, LeaseLost};
use crate::respond::{Extra, Refused};

/// What a call costs, as far as is known.
#[derive(Debug)]
pub struct Bill {
    /// What it used.
    pub outcome: Outcome,
    /// What the provider says it bills the operator.
    pub reported_cost: Option<Nanos>,
}

/// How an admitted call ended.
#[derive(Debug)]
pub struct Ending {
    /// What is known of its usage.
    pub outcome: Outcome,
    /// What the log keeps of it.
    pub facts: ResolutionFacts,
}

impl Ending {
    /// A call that the provider does not bill.
    pub fn not_sent(code: Option<ErrorCode>) -> Self {
        let facts = ResolutionFacts {
            status: code.map(|code| code.row().status),
            error_code: code.map(|code| code.row().code),
            ..ResolutionFacts::default()
        };
        Self {
            outcome: Outcome::NotSent,
            facts,
        }
    }

    /// The same end with another bill.
    pub fn billed(mut self, bill: Bill) -> Self {
        self.outcome = bill.outcome;
        self.facts.reported_cost = bill.reported_cost;
        self
    }
}

/// A call whose answer has begun.
#[derive(Debug)]
pub struct LiveCall<'a> {
    /// The surroundings.
    pub gateway: &'a Gateway,
    /// The hold and the prices.
    pub admitted: &'a Admitted,
    /// The request.
    pub request: &'a ChatRequest<'a>,
    /// The call's id as the caller knows it.
    pub request_id: String,
}

impl LiveCall<'_> {
    /// Tells the caller an error; whether it is still there does not matter.
    pub fn refuse(&self, responder: Responder, error: ApiError) {
        let headers = self.admitted.headers();
        let error = Box::new(error);
        drop(responder.send(Err(Refused {
            error,
            headers,
            logged: true,
        })));
    }

    /// The headers of an answer.
    pub fn headers(&self) -> Extra {
        let mut headers = self.admitted.headers();
        if self.request.max_tokens.is_none() {
            headers.push((
                "x-tollgate-max-tokens",
                self.admitted.call.max_tokens.to_string(),
            ));
        }
        headers
    }

    /// What helps a caller whose credit does not suffice.
    pub fn help(&self) -> Help<'_> {
        Help {
            affordable_max_tokens: None,
            top_up_url: self.gateway.config.top_up_url.as_deref(),
        }
    }

    /// What the caller is charged for an outcome.
    pub fn charge(&self, outcome: &Outcome, lease: &Lease<'_>) -> Nanos {
        let charges = self.admitted.call.price(outcome, lease.held()).charges;
        charges.first().copied().unwrap_or_default()
    }

    /// The provider's usage, with what only the request tells.
    pub fn complete_usage(&self, usage: Usage) -> Usage {
        Usage {
            images: self.request.images,
            hour_cache: self.request.hour_cache,
            ..usage
        }
    }

    /// A call that somebody worked on, nobody knows how much: its prompt was read.
    pub fn unknown(&self) -> Outcome {
        Outcome::Unknown(self.request.estimated_usage(0))
    }

    /// A call whose answer began and gave nothing: without the provider's id there is no sign that
    /// anybody worked on it.
    pub fn unanswered(&self, lease: &Lease<'_>) -> Outcome {
        match lease.provider_id() {
            Some(_) => self.unknown(),
            None => Outcome::NotSent,
        }
    }

    /// What is charged when the provider reported nothing: its own record, or else `fallback`. The
    /// record may take a moment to appear; one that takes longer is asked for by a true-up.
    pub async fn look_up(&self, lease: &mut Lease<'_>, fallback: Outcome) -> Bill {
        const PAUSES_MS: [i64; 4] = [0, 200, 600, 1_500];
        let fallback = Bill {
            outcome: fallback,
            reported_cost: None,
        };
        let Some(provider_id) = lease.provider_id().map(str::to_owned) else {
            return fallback;
        };
        for pause_ms in PAUSES_MS {
            let read = async {
                sleep_ms(pause_ms).await;
                let provider = &self.gateway.provider;
                provider.record(&self.admitted.account, &provider_id).await
            };
            match lease.keep(read).await {
                Err(LeaseLost) => return fallback,
                Ok(Some(body)) => {
                    let recorded = self.admitted.call.prices.recorded(&body);
                    if let Some(recorded) = recorded.filter(|recorded| recorded.ended) {
                        let usage = |usage| self.complete_usage(usage);
                        return Bill {
                            outcome: recorded.outcome.map_usage(usage),
                            reported_cost: recorded.reported_cost,
                        };
                    }
                }
                Ok(None) => {}
            }
        }
        fallback
    }
}
