//! Every check of the suite, in the order in which they are made. What each does is in its file.

mod input;
mod leaving;
mod poor;
mod price;
mod repeated;
mod sums;

use super::outcome::Outcome;
use super::session::{MOST_SHARE, ROOM, SHORT, Session};
use super::usd::Usd;

/// One promise to a payer, and how it is put to the test.
#[derive(Debug)]
pub struct Check {
    /// Its name, which never changes.
    pub id: &'static str,
    /// What a payer gains.
    pub title: &'static str,
    /// Whether it needs the key with little credit.
    pub poor: bool,
    /// The calls that it makes at most.
    pub calls: &'static [Calls],
    /// Makes it.
    pub run: fn(&mut Session) -> Outcome,
}

/// Calls of one size.
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// What they ask.
    pub prompt: Prompt,
    /// How far their answers go.
    pub output: Output,
    /// Whether they are made once more for each of the models whose prices are compared.
    pub each_model: bool,
}

/// What a call asks.
#[derive(Clone, Copy, Debug)]
pub enum Prompt {
    /// One word.
    Short,
    /// An answer of a few hundred tokens.
    Answer,
    /// An answer of thousands.
    Long,
    /// One word, after notes that are worth caching.
    Notes,
}

/// The bound of an answer, in tokens.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// The call names it.
    Most(u64),
    /// The call names none, so that it is the model's.
    Model,
}

/// Output tokens of an answer that is there to be billed.
const FEW: u64 = 64;
/// Calls at the same time.
const AT_ONCE: usize = 16;
/// Equal calls at the same time.
const REPEATS: usize = 8;

const fn calls(count: u64, prompt: Prompt, tokens: u64) -> Calls {
    Calls {
        count,
        prompt,
        output: Output::Most(tokens),
        each_model: false,
    }
}

const fn short(count: u64) -> Calls {
    calls(count, Prompt::Short, FEW)
}

const fn priced(prompt: Prompt) -> Calls {
    Calls {
        each_model: true,
        ..calls(2, prompt, price::TOKENS)
    }
}

/// A whole answer to compare with, and one that is left.
const LEFT: &[Calls] = &[calls(2, Prompt::Answer, ROOM)];

/// The suite.
pub static CHECKS: &[Check] = &[
    Check {
        id: "unknown-model-is-refused",
        title: "a model that does not exist is refused, not answered for nothing",
        poor: false,
        calls: &[short(1)],
        run: input::unknown_model,
    },
    Check {
        id: "unpriced-model-is-refused",
        title: "a model without a price is refused, so that a budget cannot be passed by it",
        poor: false,
        calls: &[short(3)],
        run: input::unpriced_model,
    },
    Check {
        id: "failed-calls-are-free",
        title: "a call that is refused as invalid costs nothing",
        poor: false,
        calls: &[short(5)],
        run: input::failed_calls,
    },
    Check {
        id: "duplicate-fields-are-no-discount",
        title: "`max_tokens` twice in a body is refused, or billed for the usage that is told",
        poor: false,
        calls: &[calls(2, Prompt::Long, FEW)],
        run: input::duplicate_fields,
    },
    Check {
        id: "unequal-bounds-are-no-discount",
        title: "`max_tokens` unlike `max_completion_tokens` is refused, or billed for the usage told",
        poor: false,
        calls: &[calls(2, Prompt::Long, FEW)],
        run: input::unequal_bounds,
    },
    Check {
        id: "several-answers-are-billed",
        title: "a call for two answers is refused, or billed for the usage that is told",
        poor: false,
        calls: &[calls(2, Prompt::Long, FEW)],
        run: input::several_answers,
    },
    Check {
        id: "charge-told-is-charge-taken",
        title: "the answer, `GET generation` and the balance tell the same charge, to the nano",
        poor: false,
        calls: &[short(1)],
        run: price::told_is_taken,
    },
    Check {
        id: "charge-is-price-times-usage",
        title: "a call costs its usage at the listed prices, streamed or not",
        poor: false,
        calls: &[priced(Prompt::Answer)],
        run: price::plain,
    },
    Check {
        id: "cached-tokens-have-their-price",
        title: "tokens read from or written to a cache cost what is listed for them",
        poor: false,
        calls: &[priced(Prompt::Notes)],
        run: price::cached,
    },
    Check {
        id: "reasoning-tokens-have-their-price",
        title: "tokens that nobody sees cost what is listed for them",
        poor: false,
        calls: &[priced(Prompt::Answer)],
        run: price::reasoning,
    },
    Check {
        id: "stream-without-usage-costs-the-same",
        title: "a stream costs the same whether or not its usage is asked for",
        poor: false,
        calls: &[calls(2, Prompt::Long, FEW)],
        run: price::without_usage,
    },
    Check {
        id: "left-at-once",
        title: "a stream that is closed before its first chunk costs something, less than it might",
        poor: false,
        calls: LEFT,
        run: leaving::at_once,
    },
    Check {
        id: "left-half-way",
        title: "a stream that is closed half-way costs at least half of what was read",
        poor: false,
        calls: LEFT,
        run: leaving::half_way,
    },
    Check {
        id: "left-before-usage",
        title: "a stream that is closed right before its usage costs at least half of its answer",
        poor: false,
        calls: LEFT,
        run: leaving::before_usage,
    },
    Check {
        id: "repeated-call-is-billed-once",
        title: "a call that is repeated with its `Idempotency-Key` is billed once",
        poor: false,
        calls: &[short(2)],
        run: repeated::in_sequence,
    },
    Check {
        id: "parallel-repeats-are-billed-once",
        title: "equal calls at the same time with one `Idempotency-Key` are billed once",
        poor: false,
        calls: &[calls(REPEATS as u64, Prompt::Answer, FEW)],
        run: repeated::in_parallel,
    },
    Check {
        id: "key-never-answers-for-another-body",
        title: "an `Idempotency-Key` never gives another body the first one's answer",
        poor: false,
        calls: &[short(1), calls(1, Prompt::Answer, FEW)],
        run: repeated::another_body,
    },
    Check {
        id: "refusal-says-what-is-missing",
        title: "a 402 tells balance, held, needed and affordable tokens, and that many are admitted",
        poor: true,
        calls: &[Calls {
            output: Output::Model,
            ..short(2)
        }],
        run: poor::refusal,
    },
    Check {
        id: "parallel-calls-never-overdraw",
        title: "parallel calls never spend more than there is, and what is charged is what is taken",
        poor: true,
        calls: &[calls(AT_ONCE as u64, Prompt::Long, MOST_SHARE)],
        run: poor::parallel,
    },
    Check {
        id: "stream-ends-before-the-credit",
        title: "a stream without `max_tokens` on a small wallet never goes below zero",
        poor: true,
        calls: &[Calls {
            output: Output::Model,
            ..calls(1, Prompt::Long, 0)
        }],
        run: poor::stream,
    },
    Check {
        id: "nothing-stays-held",
        title: "in the end no credit is held any more",
        poor: false,
        calls: &[],
        run: sums::nothing_held,
    },
    Check {
        id: "books-add-up",
        title: "all charges of the first key are together what its balance fell by, to the nano",
        poor: false,
        calls: &[],
        run: sums::books,
    },
];

impl Check {
    /// How many calls it makes at most, and what they cost at listed prices at most.
    #[must_use]
    pub fn at_most(&self, session: &Session) -> (u64, Usd) {
        let mut sum = (0, Usd::ZERO);
        for calls in self.calls {
            let more = session.price_models.iter().filter(|_| calls.each_model);
            let poor = session.poor.as_ref().filter(|_| self.poor);
            let usual = poor.map_or(&session.model, |poor| &poor.model);
            for model in more.chain([usual]) {
                let output = match calls.output {
                    Output::Most(tokens) => tokens.min(model.most_output),
                    Output::Model => model.most_output,
                };
                let price = model.at_most(calls.prompt.bytes(session), output);
                sum = (sum.0 + calls.count, sum.1 + price.times(calls.count));
            }
        }
        sum
    }
}

impl Prompt {
    fn bytes(self, session: &Session) -> u64 {
        let text = match self {
            Self::Short => SHORT,
            Self::Answer => &session.options.prompt,
            Self::Long => &session.options.long_prompt,
            Self::Notes => return price::CACHEABLE,
        };
        text.len() as u64
    }
}
