//! What all checks share: the keys, the model with its listed prices, and the prompts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::call::{Call, Until, body, streamed};
use super::caller::{Caller, Credits};
use super::gateway::Gateway;
use super::outcome::{Outcome, Stop, applies};
use super::prices::{Model, Usage};
use super::usd::Usd;
use crate::failure::Failure;
use crate::random;

/// What a model answers in a word.
pub const SHORT: &str = "Reply with the single word ok.";
/// The longest that any prompt of the suite is, in bytes; a longer one of the user's is refused.
pub const MOST_PROMPT: u64 = 8_000;
/// Output tokens that an answer to [`Options::prompt`] may have; a whole answer is far shorter.
pub const ROOM: u64 = 2_000;

/// What is tested, and with what.
pub struct Options {
    /// Where the gateway is, such as `https://gateway.example/v1`.
    pub base_url: String,
    /// A key with credit of which nobody else spends.
    pub api_key: String,
    /// A key of another account with little credit.
    pub poor_api_key: Option<String>,
    /// The model that is called; the cheapest one otherwise.
    pub model: Option<String>,
    /// More models whose charges are compared with their prices.
    pub price_models: Vec<String>,
    /// A model that exists and has no price for the key.
    pub unpriced_model: Option<String>,
    /// A prompt for an answer of a few hundred tokens.
    pub prompt: String,
    /// A prompt for an answer of thousands of tokens.
    pub long_prompt: String,
    /// The most that all calls together may cost at listed prices.
    pub max_spend: Usd,
    /// The longest wait for a charge that is still to come.
    pub patience: Duration,
    /// How long a balance stands still before it is believed, where holds are not told.
    pub settle: Duration,
}

/// Everything that a check acts with.
pub struct Session {
    /// The key with credit.
    pub rich: Caller,
    /// The key with little.
    pub poor: Option<Poor>,
    /// The model that is called.
    pub model: Model,
    /// More models whose charges are compared.
    pub price_models: Vec<Model>,
    /// Slugs that `GET models` lists without a price.
    pub unpriced: Vec<String>,
    /// What the user gave.
    pub options: Options,
    /// What the account had at first.
    pub first: Option<Credits>,
    /// Differs from run to run, so that no call was made before.
    pub run: String,
    reference: Option<Reference>,
}

/// The key with little credit.
pub struct Poor {
    /// The key.
    pub caller: Caller,
    /// The model that is called, at the prices that this key pays.
    pub model: Model,
}

/// A whole streamed answer, with which those that are left are compared.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Chunks with text.
    pub chunks: u64,
    /// What it used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Usd,
}

impl Session {
    /// Asks for the models and their prices. Nothing is billed yet.
    ///
    /// # Errors
    /// When the gateway does not list them, or not the one that was asked for.
    pub fn open(options: Options) -> Result<Self, Failure> {
        for prompt in [&options.prompt, &options.long_prompt] {
            if prompt.len() as u64 > MOST_PROMPT {
                return Err(Failure::new(format!(
                    "a prompt is longer than `{MOST_PROMPT}` bytes"
                )));
            }
        }
        let caller = |key: &str| {
            let gateway = Gateway::new(&options.base_url, key)?;
            Ok(Caller::new(gateway, options.patience, options.settle))
        };
        let rich = caller(&options.api_key)?;
        let (models, unpriced) = list(&rich)?;
        let model = match &options.model {
            Some(slug) => find(&models, slug)?,
            None => cheapest(&models)?,
        };
        let poor = match &options.poor_api_key {
            Some(key) => {
                let caller = caller(key)?;
                let model = find(&list(&caller)?.0, &model.slug)?;
                Some(Poor { caller, model })
            }
            None => None,
        };
        let price_models = options.price_models.iter();
        let price_models: Result<_, _> = price_models.map(|slug| find(&models, slug)).collect();
        let random = random::key_id()?;
        Ok(Self {
            price_models: price_models?,
            first: rich.credits().ok(),
            run: random.as_str().trim_start_matches("key_").to_owned(),
            rich,
            poor,
            model,
            unpriced,
            options,
            reference: None,
        })
    }

    /// The key with little credit.
    ///
    /// # Errors
    /// When there is none: then the check does not apply.
    pub fn poor(&self) -> Outcome<&Poor> {
        let (least, most) = self.poor_credit();
        self.poor.as_ref().ok_or_else(|| {
            Stop::NotApplicable(format!(
                "no `--poor-api-key`: a key of an account of its own with `{least}` to `{most}`"
            ))
        })
    }

    /// How much credit the poor key should have: the least and the most.
    #[must_use]
    pub fn poor_credit(&self) -> (Usd, Usd) {
        let prompt = self.options.long_prompt.len() as u64;
        let model = self.poor.as_ref().map_or(&self.model, |poor| &poor.model);
        let share = |tokens| model.at_most(prompt, tokens).times(SHARES);
        (share(LEAST_SHARE).coarse(), share(MOST_SHARE).coarse())
    }

    /// A whole streamed answer to the prompt, made when it is first asked for.
    ///
    /// # Errors
    /// When the gateway does not answer it, or tells neither usage nor charge.
    pub fn reference(&mut self) -> Outcome<Reference> {
        if let Some(reference) = self.reference {
            return Ok(reference);
        }
        let call = self.rich.streamed(&streamed(self.answer_body(), true))?;
        let made = answered(&call)?;
        let (Some(usage), Some(cost)) = (made.usage, made.cost) else {
            return Err(Stop::NotApplicable(
                "a stream tells neither its usage nor its charge".to_owned(),
            ));
        };
        let reference = Reference {
            chunks: call.chunks,
            usage,
            cost,
        };
        self.reference = Some(reference);
        Ok(reference)
    }

    /// A call with an answer of a few hundred tokens and room for many more.
    #[must_use]
    pub fn answer_body(&self) -> Value {
        let room = ROOM.min(self.model.most_output);
        body(&self.model.slug, &self.options.prompt, room)
    }

    /// A short call with this bound.
    #[must_use]
    pub fn short_body(&self, max_tokens: u64) -> Value {
        body(&self.model.slug, SHORT, max_tokens)
    }

    /// A streamed call that is left when so much was read, and what was there before.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn leave(&mut self, until: Until) -> Outcome<(Credits, Call)> {
        let before = self.rich.before()?;
        let call = self.rich.left(&streamed(self.answer_body(), true), until)?;
        Ok((before, answered(&call)?.clone()))
    }
}

/// In how many shares the poor key's credit is spent by parallel calls.
pub const SHARES: u64 = 4;
/// Output tokens of a share.
const LEAST_SHARE: u64 = 400;
/// The most output tokens of a share: enough to see an overdraft, and soon generated.
pub const MOST_SHARE: u64 = 1_200;

/// The call, if it was answered.
///
/// # Errors
/// When it was refused.
pub fn answered(call: &Call) -> Outcome<&Call> {
    if call.made() {
        return Ok(call);
    }
    let told = call.told();
    applies(call.status != 429, || {
        format!("a rate limit is in the way: {told}")
    })?;
    Err(Stop::Fail(format!(
        "a call that is paid for is refused: {told}"
    )))
}

type Models = BTreeMap<String, Model>;

fn list(caller: &Caller) -> Result<(Models, Vec<String>), Failure> {
    let answer = caller.gateway().get("models")?;
    let none = Vec::new();
    let entries = answer.body["data"].as_array().unwrap_or(&none);
    if answer.status != 200 || entries.is_empty() {
        return Err(Failure::new(format!(
            "`GET {}/models` lists nothing, status `{}`",
            caller.gateway().base_url(),
            answer.status
        ))
        .hint("the suite needs the prices that a caller pays, as OpenRouter lists them"));
    }
    let mut models = Models::new();
    let mut unpriced = Vec::new();
    for entry in entries {
        match Model::read(entry) {
            Some(model) => drop(models.insert(model.slug.clone(), model)),
            None => unpriced.extend(entry["id"].as_str().map(str::to_owned)),
        }
    }
    Ok((models, unpriced))
}

fn find(models: &Models, slug: &str) -> Result<Model, Failure> {
    models.get(slug).cloned().ok_or_else(|| {
        Failure::new(format!("`GET models` lists no price for `{slug}`"))
            .hint("name a model that both keys can use, as the gateway names it")
    })
}

fn cheapest(models: &Models) -> Result<Model, Failure> {
    let plain = |model: &&Model| {
        !model.conditional
            && model.has("prompt")
            && model.has("completion")
            && !model.has("request")
    };
    let cheapest = models.values().filter(plain).min_by_key(|model| {
        let most = model.at_most(MOST_PROMPT, ROOM);
        (most, model.slug.clone())
    });
    cheapest.cloned().ok_or_else(|| {
        Failure::new("`GET models` lists no model with prices for prompt and completion")
            .hint("name one with `--model`")
    })
}
