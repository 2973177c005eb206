//! Pricing one call: which rule and cost it falls under, how many tokens may be answered, what is
//! held at every level, and what an outcome is charged.

use super::facts::{CallerFacts, ModelFacts};
use crate::admission::{Ask, LevelHold, Snapshot, refuse_by_settings};
use crate::catalogue::Model;
use crate::error::{ApiError, ErrorCode};
use crate::ids::RequestId;
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
    /// What each level holds, from the caller up to the child of the root.
    pub levels: Vec<LevelHold>,
    bound: UsageBound,
    key_version: i64,
    limits: Limits,
    catalogue_version: i64,
}

/// What identifies a call; drawn by the shell before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The call's id.
    pub request: RequestId,
    /// Random; see `Ask::nonce`.
    pub nonce: i64,
    /// The caller's key.
    pub key_hash: KeyHash,
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
        return Err(refusal.to_error(None));
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
    let max_tokens = choose_max_tokens(&wanted, &quote, &bound, caller)?;
    let bound = UsageBound {
        output_tokens: max_tokens,
        ..bound
    };
    let mut holds = quote
        .hold(&bound)
        .map_err(|refusal| explain_bound(&refusal))?;
    holds.reverse();
    let levels = levels(caller, &rules, &holds);
    Ok(Call {
        max_tokens,
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
            catalogue_version: self.catalogue_version,
            levels: self.levels.clone(),
            model: self.wanted.model.clone(),
            provider: "openrouter",
            cost_id: self.cost_id,
            streamed: self.wanted.streamed,
            wanted_max_tokens: self.wanted.max_tokens,
            max_tokens: self.max_tokens,
            prompt_estimate: self.wanted.prompt_estimate,
            reserved_tokens: self.wanted.prompt_estimate.saturating_add(self.max_tokens),
        }
    }

    /// The `max_tokens` that the caller's free credit affords at this moment, for an honest
    /// refusal.
    #[must_use]
    pub fn affordable_max_tokens(&self, model: &Model, snapshot: &Snapshot) -> u64 {
        let rules: Vec<&PriceRule> = self.prices.rules_from_root.iter().collect();
        let quote = Quote {
            model,
            cost: &self.prices.cost,
            rules_from_root: &rules,
        };
        affordable_output_tokens(&quote, &self.bound, &budgets(snapshot, 1))
    }

    /// What an outcome of this call is charged, at every level.
    #[must_use]
    pub fn price(&self, outcome: &Outcome) -> Priced {
        let holds: Vec<Nanos> = self.levels.iter().map(|level| level.hold).collect();
        self.prices.price(outcome, &holds)
    }
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
/// what a quarter of the free credit affords.
fn choose_max_tokens(
    wanted: &Wanted,
    quote: &Quote<'_>,
    bound: &UsageBound,
    caller: &CallerFacts,
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
    let affordable = affordable_output_tokens(quote, bound, &budgets(&caller.snapshot, 4));
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

/// What each level may spend, from the root down: the caller a part of its free credit; the levels
/// above it are not the caller's business, and admission tests them.
fn budgets(snapshot: &Snapshot, parts: i64) -> Vec<Nanos> {
    let own = snapshot.levels.first().map_or(Nanos::ZERO, |level| {
        Nanos::new(level.free().get().checked_div(parts).unwrap_or_default())
    });
    let above = snapshot.levels.iter().skip(1).map(|_| Nanos::new(i64::MAX));
    above.chain([own]).collect()
}

fn explain_bound(refusal: &BoundRefusal) -> ApiError {
    match refusal {
        BoundRefusal::ImagesNotPriced => ApiError::new(ErrorCode::UnsupportedContent)
            .with_message("this model takes no images here")
            .with_hint("use a model whose `input_modalities` name `image`"),
        BoundRefusal::Money(_) => ApiError::new(ErrorCode::ContextLengthExceeded),
    }
}
