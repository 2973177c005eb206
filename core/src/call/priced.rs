//! Pricing one call: which rule and cost it falls under, how many tokens may be answered, what is
//! held at every level, and what an outcome is charged.

use super::facts::{CallerFacts, ModelFacts};
use crate::admission::{
    Ask, Help, Idempotency, LevelHold, LevelState, Snapshot, refuse_by_settings,
};
use crate::budget::Budget;
use crate::catalogue::Model;
use crate::error::{ApiError, ErrorCode};
use crate::ids::{ProviderAccountId, RequestId};
use crate::key::KeyHash;
use crate::limits::Limits;
use crate::money::Nanos;
use crate::pricing::{BoundRefusal, PriceRule, Quote, affordable_output_tokens, pick};
use crate::settlement::{Outcome, Priced, Prices};
use crate::usage::UsageBound;

/// What is sent as `max_tokens` at most when the caller names none and the key has no default.
pub const DEFAULT_MAX_TOKENS: u64 = 8_192;

/// What is sent as `max_tokens` at least when the caller names none, however little credit is free.
pub const LEAST_MAX_TOKENS: u64 = 256;

/// What a request asks for, whatever its route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The model's slug.
    pub model: String,
    /// Whether the answer is streamed.
    pub streamed: bool,
    /// The `max_tokens` that the caller named.
    pub max_tokens: Option<u64>,
    /// Tokens of the prompt's text, at most.
    pub text_tokens: u64,
    /// Plausible tokens of the prompt.
    pub prompt_estimate: u64,
    /// Images in the prompt.
    pub images: u64,
    /// Whether prompt text is to be cached for an hour.
    pub hour_cache: bool,
    /// Output tokens that a streamed call without `max_tokens` holds at first, if its model hides
    /// nothing that it bills; `None`: every call holds its whole bound.
    pub first_portion: Option<u64>,
    /// The request's `Idempotency-Key`, if it has one.
    pub idempotency: Option<Idempotency>,
}

/// A priced call: enough to ask for its hold, and to charge whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What the request asks for.
    pub wanted: Wanted,
    /// The `max_tokens` that is sent upstream.
    pub max_tokens: u64,
    /// The row of `costs` that prices the call.
    pub cost_id: i64,
    /// What it is priced with, before and after.
    pub prices: Prices,
    /// What each level holds at first, from the caller up to the child of the root.
    pub levels: Vec<LevelHold>,
    /// The output tokens that these holds cover: less than `max_tokens` when the hold is to grow.
    pub held_tokens: u64,
    model: Model,
    bound: UsageBound,
    key_version: i64,
    limits: Limits,
    budget: Budget,
    catalogue_version: i64,
}

/// What identifies a call; drawn by the shell before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The call's id.
    pub request: RequestId,
    /// Random; see `Ask::nonce`.
    pub nonce: i64,
    /// The caller's key.
    pub key_hash: KeyHash,
    /// Through which of the operator's accounts at the provider it goes; see `Ask::provider_account`.
    pub provider_account: Option<ProviderAccountId>,
    /// Until when the hold is the Worker's own, in Unix milliseconds.
    pub lease_until_ms: i64,
}

/// Prices a call. The error is what the caller is told; nothing was held then.
pub fn price_call(
    wanted: Wanted,
    caller: &CallerFacts,
    model: &ModelFacts,
    now_ms: i64,
) -> Result<Call, ApiError> {
    let limits = &caller.snapshot.key.limits;
    if let Some(refusal) = refuse_by_settings(limits, &wanted.model, wanted.max_tokens) {
        return Err(refusal.to_error(Help::default()));
    }
    let not_sold = || ApiError::new(ErrorCode::ModelNotFound).with_param("model");
    let (cost_id, cost) = model.cost_at(now_ms).ok_or_else(not_sold)?;
    let rules: Option<Vec<&PriceRule>> = caller
        .rules
        .iter()
        .rev()
        .map(|rules| pick(rules, &wanted.model, now_ms))
        .collect();
    let rules = rules.ok_or_else(not_sold)?;
    let quote = Quote {
        model: &model.model,
        cost,
        rules_from_root: &rules,
    };
    let bound = UsageBound {
        text_tokens: wanted.text_tokens,
        images: wanted.images,
        output_tokens: 0,
        hour_cache: wanted.hour_cache,
    };
    let portion = first_portion(&wanted, &model.model);
    let max_tokens = choose_max_tokens(&wanted, &quote, (&bound, portion), (caller, now_ms))?;
    let held_tokens = portion.map_or(max_tokens, |portion| portion.min(max_tokens));
    let bound = UsageBound {
        output_tokens: max_tokens,
        ..bound
    };
    let held = UsageBound {
        output_tokens: held_tokens,
        ..bound
    };
    // The whole bound has a price, or the hold could not grow to it.
    quote
        .hold(&bound)
        .map_err(|refusal| explain_bound(&refusal))?;
    let mut holds = quote
        .hold(&held)
        .map_err(|refusal| explain_bound(&refusal))?;
    holds.reverse();
    let levels = levels(caller, &rules, &holds);
    Ok(Call {
        max_tokens,
        held_tokens,
        model: model.model.clone(),
        cost_id,
        prices: Prices {
            cost: cost.clone(),
            rules_from_root: rules.into_iter().cloned().collect(),
            at_ms: now_ms,
        },
        levels,
        bound,
        key_version: caller.snapshot.key.version,
        limits: limits.clone(),
        budget: caller.snapshot.key.purse.budget,
        catalogue_version: model.catalogue_version,
        wanted,
    })
}

impl Call {
    /// What to ask of the database.
    #[must_use]
    pub fn ask(&self, identity: &Identity) -> Ask {
        Ask {
            request: identity.request,
            nonce: identity.nonce,
            key_hash: identity.key_hash,
            now_ms: self.prices.at_ms,
            lease_until_ms: identity.lease_until_ms,
            key_version: self.key_version,
            limits: self.limits.clone(),
            budget: self.budget,
            idempotency: self.wanted.idempotency.clone(),
            catalogue_version: self.catalogue_version,
            levels: self.levels.clone(),
            model: self.wanted.model.clone(),
            provider: "openrouter",
            provider_account: identity.provider_account.clone(),
            cost_id: self.cost_id,
            streamed: self.wanted.streamed,
            wanted_max_tokens: self.wanted.max_tokens,
            max_tokens: self.max_tokens,
            prompt_estimate: self.wanted.prompt_estimate,
            reserved_tokens: self.wanted.prompt_estimate.saturating_add(self.max_tokens),
        }
    }

    /// The `max_tokens` that what the caller has left affords at this moment, for an honest refusal.
    #[must_use]
    pub fn affordable_max_tokens(&self, snapshot: &Snapshot) -> u64 {
        let above = |_: &LevelState, _: Nanos| Nanos::new(i64::MAX);
        self.affordable(snapshot, (1, &[]), above)
    }

    /// The output tokens that the hold can grow to at this moment, every level considered. `held` is
    /// what the call holds already.
    #[must_use]
    pub fn growable_tokens(&self, snapshot: &Snapshot, held: &[LevelHold]) -> u64 {
        let above = |_: &LevelState, left: Nanos| left;
        self.affordable(snapshot, (1, held), above)
            .min(self.max_tokens)
    }

    fn affordable(
        &self,
        snapshot: &Snapshot,
        (parts, held): (i64, &[LevelHold]),
        above: impl Fn(&LevelState, Nanos) -> Nanos,
    ) -> u64 {
        self.with_quote(|quote| {
            let budgets = budgets(snapshot, (parts, held), self.prices.at_ms, above);
            affordable_output_tokens(quote, &self.bound, &budgets)
        })
    }

    /// What each level is to hold for an answer of up to so many tokens, from the caller up; `None`
    /// when that is no amount.
    #[must_use]
    pub fn holds_for(&self, output_tokens: u64) -> Option<Vec<LevelHold>> {
        let bound = UsageBound {
            output_tokens,
            ..self.bound
        };
        let mut holds = self.with_quote(|quote| quote.hold(&bound)).ok()?;
        holds.reverse();
        let levels = self.levels.iter().zip(holds);
        let levels = levels.map(|(level, hold)| LevelHold {
            hold: hold.max(level.hold),
            ..level.clone()
        });
        Some(levels.collect())
    }

    fn with_quote<T>(&self, ask: impl FnOnce(&Quote<'_>) -> T) -> T {
        let rules: Vec<&PriceRule> = self.prices.rules_from_root.iter().collect();
        ask(&Quote {
            model: &self.model,
            cost: &self.prices.cost,
            rules_from_root: &rules,
        })
    }

    /// What an outcome of this call is charged, at every level; `held` is what it holds at the end.
    #[must_use]
    pub fn price(&self, outcome: &Outcome, held: &[LevelHold]) -> Priced {
        let holds: Vec<Nanos> = held.iter().map(|level| level.hold).collect();
        self.prices.price(outcome, &holds)
    }
}

/// What a call holds of its answer at first, if its hold can grow: what it is billed for can be
/// counted while it streams, and the caller named no end.
fn first_portion(wanted: &Wanted, model: &Model) -> Option<u64> {
    let grows = wanted.streamed && wanted.max_tokens.is_none() && !model.hidden_reasoning;
    wanted.first_portion.filter(|_| grows)
}

fn levels(caller: &CallerFacts, rules_from_root: &[&PriceRule], holds: &[Nanos]) -> Vec<LevelHold> {
    let rules = rules_from_root.iter().rev();
    let levels = caller.snapshot.levels.iter();
    levels
        .zip(rules)
        .zip(holds)
        .map(|((level, rule), hold)| LevelHold {
            account: level.account.clone(),
            rule: rule.id.clone(),
            rules_version: level.rules_version,
            hold: *hold,
        })
        .collect()
}

/// The caller's `max_tokens`, or else the smallest of the model's maximum, the key's default and
/// what a quarter of what is left affords; all that is left, when the hold grows with the answer.
fn choose_max_tokens(
    wanted: &Wanted,
    quote: &Quote<'_>,
    (bound, portion): (&UsageBound, Option<u64>),
    (caller, now_ms): (&CallerFacts, i64),
) -> Result<u64, ApiError> {
    let Model {
        max_completion_tokens,
        context_length,
        ..
    } = quote.model;
    let most = max_completion_tokens
        .or(*context_length)
        .unwrap_or(u64::MAX);
    if let Some(max_tokens) = wanted.max_tokens {
        if max_tokens > most {
            return Err(ApiError::new(ErrorCode::MaxTokensTooLarge)
                .with_message(format!(
                    "`max_tokens` is above the model's limit of `{most}`"
                ))
                .with_param("max_tokens"));
        }
        return Ok(max_tokens);
    }
    let limits = &caller.snapshot.key.limits;
    let parts = if portion.is_some() { 1 } else { 4 };
    // The levels above the caller are not its business, and admission tests them.
    let above = |_: &LevelState, _: Nanos| Nanos::new(i64::MAX);
    let budgets = budgets(&caller.snapshot, (parts, &[]), now_ms, above);
    let affordable = affordable_output_tokens(quote, bound, &budgets);
    let chosen = limits
        .default_max_tokens
        .unwrap_or(DEFAULT_MAX_TOKENS)
        .min(affordable)
        .min(tokens_left_in_a_minute(limits, wanted))
        .max(LEAST_MAX_TOKENS);
    Ok(chosen.min(most).min(limits.max_tokens.unwrap_or(u64::MAX)))
}

/// A call that reserves more than the key's tokens a minute would never be admitted.
fn tokens_left_in_a_minute(limits: &Limits, wanted: &Wanted) -> u64 {
    limits.tokens_per_minute.map_or(u64::MAX, |limit| {
        limit.saturating_sub(wanted.prompt_estimate)
    })
}

/// What each level may spend on a call, from the root down: the caller a part of what it has left
/// within its budgets, the levels above what `above` makes of what they have left. What the call
/// holds already is its own.
fn budgets(
    snapshot: &Snapshot,
    (parts, held): (i64, &[LevelHold]),
    now_ms: i64,
    above: impl Fn(&LevelState, Nanos) -> Nanos,
) -> Vec<Nanos> {
    let with_held = |depth: usize, left: Nanos| {
        let held = held.get(depth).map_or(Nanos::ZERO, |level| level.hold);
        left.plus(held).unwrap_or(left)
    };
    let levels = snapshot.levels.iter().enumerate();
    let mut budgets: Vec<Nanos> = levels
        .map(|(depth, level)| {
            let mut left = level.available(now_ms);
            if depth > 0 {
                return above(level, with_held(depth, left));
            }
            if let Some(of_key) = snapshot.key.purse.left(now_ms) {
                left = left.min(of_key);
            }
            let left = left.get().checked_div(parts).unwrap_or_default();
            with_held(depth, Nanos::new(left))
        })
        .collect();
    budgets.reverse();
    budgets
}

fn explain_bound(refusal: &BoundRefusal) -> ApiError {
    match refusal {
        BoundRefusal::ImagesNotPriced => ApiError::new(ErrorCode::UnsupportedContent)
            .with_message("this model takes no images here")
            .with_hint("use a model whose `input_modalities` name `image`"),
        BoundRefusal::Money(_) => ApiError::new(ErrorCode::ContextLengthExceeded),
    }
}
