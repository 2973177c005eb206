//! `cargo xtask conformance`: does a gateway bill what it says? A black box over plain HTTP that uses
//! OpenAI's completions and reads prices and credit from OpenRouter's routes, with limits to calls and
//! money. The promises are in `checks`; why each matters is in `docs/BILLING.md`.

mod call;
mod caller;
pub mod checks;
mod gateway;
mod outcome;
mod prices;
mod report;
mod session;
pub mod usd;

use std::time::Duration;

use clap::Args;

use crate::arguments;
use crate::failure::Failure;

pub use outcome::{Outcome, Stop};
pub use report::{Finding, Findings, markdown_table};
pub use session::Options;

use checks::CHECKS;
use session::Session;
use usd::Usd;

/// A prompt for a few hundred tokens.
const PROMPT: &str = "Write the numbers from 1 to 100 in English words, separated by commas.";
/// A prompt for thousands of tokens.
const LONG_PROMPT: &str = "Write the numbers from 1 to 5000 in English words, separated by commas. \
                           Write every number, do not stop early, and add no remark.";

/// Tests the billing of a gateway from outside, with real calls; `docs/BILLING.md` says what it needs
#[derive(Args)]
pub struct Arguments {
    /// Where the gateway is, such as `https://gateway.example/v1`
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// A key with credit of which nobody else spends meanwhile
    #[arg(long, value_name = "KEY")]
    api_key: String,
    /// A key of another account with little credit; how little is told. It will be spent
    #[arg(long, value_name = "KEY")]
    poor_api_key: Option<String>,
    /// The model that is called [default: the cheapest one]
    #[arg(long, value_name = "SLUG")]
    model: Option<String>,
    /// Another model whose charges are compared with its prices, such as one that caches or
    /// reasons; may be given several times
    #[arg(long = "price-model", value_name = "SLUG")]
    price_models: Vec<String>,
    /// A model that exists and that the key has no price for
    #[arg(long, value_name = "SLUG")]
    unpriced_model: Option<String>,
    /// A prompt whose answer has a few hundred tokens
    #[arg(long, value_name = "TEXT", default_value = PROMPT)]
    prompt: String,
    /// A prompt whose answer has thousands of tokens
    #[arg(long, value_name = "TEXT", default_value = LONG_PROMPT)]
    long_prompt: String,
    /// Does not start if all calls together could cost more than this
    #[arg(long, value_name = "USD", default_value = "0.5")]
    max_spend: String,
    /// How long a charge that is still to come is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    patience: u64,
    /// How long a balance stands still before it is believed, where the gateway does not tell what
    /// is held
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    settle: u64,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Makes every check and prints what was seen.
    ///
    /// # Errors
    /// When a check fails, or the suite cannot start.
    pub fn run(self) -> Result<(), Failure> {
        let json = self.json;
        let max_spend = arguments::usd(&self.max_spend)?.get();
        let options = Options {
            base_url: self.base_url,
            api_key: self.api_key,
            poor_api_key: self.poor_api_key,
            model: self.model,
            price_models: self.price_models,
            unpriced_model: self.unpriced_model,
            prompt: self.prompt,
            long_prompt: self.long_prompt,
            max_spend: Usd::of_nanos(max_spend.into()),
            patience: Duration::from_secs(self.patience),
            settle: Duration::from_secs(self.settle),
        };
        let findings = run(options, &mut |line| {
            if !json {
                println!("{line}");
            }
        })?;
        if json {
            println!("{:#}", findings.json());
        }
        findings.verdict()
    }
}

/// Makes every check, and tells what is seen line by line meanwhile.
///
/// # Errors
/// When the suite cannot start: no prices, too little credit, or more to spend than is allowed.
/// A check that fails is a finding.
pub fn run(options: Options, tell: &mut dyn FnMut(&str)) -> Result<Findings, Failure> {
    let mut session = Session::open(options)?;
    let plan = plan(&session)?;
    tell(&plan);
    let mut findings = Findings::of(&session);
    for check in CHECKS {
        let finding = Finding::of(check, (check.run)(&mut session));
        tell(&finding.text());
        findings.add(finding);
    }
    findings.close(&session);
    tell(&findings.summary());
    Ok(findings)
}

/// What will be done, or why it will not.
fn plan(session: &Session) -> Result<String, Failure> {
    let options = &session.options;
    let made = CHECKS
        .iter()
        .filter(|check| !check.poor || session.poor.is_some());
    let all = made.map(|check| check.at_most(session));
    let (calls, spend) = all.fold((0, Usd::ZERO), |sum, more| (sum.0 + more.0, sum.1 + more.1));
    let model = &session.model.slug;
    let limit = options.max_spend;
    if spend > limit {
        return Err(Failure::new(format!(
            "at listed prices `{calls}` calls of `{model}` could cost up to `{}`, and the limit is `{limit}`",
            spend.coarse()
        ))
        .hint(format!("name a cheaper model with `--model`, or allow it with `--max-spend {}`", ceiling(spend))));
    }
    if let Some(first) = session.first
        && first.balance < spend
    {
        return Err(Failure::new(format!(
            "the key's account has `{}`, and at listed prices the suite could cost up to `{}`",
            first.balance,
            spend.coarse()
        ))
        .hint("give it more credit, so that every refusal is one that the suite asked for"));
    }
    if let (Some(first), Some(poor)) = (session.first, &session.poor)
        && poor.caller.credits().is_ok_and(|poor| poor == first)
    {
        return Err(Failure::new("both keys have the same credit")
            .hint("the poor key must be of an account of its own"));
    }
    let (least, most) = session.poor_credit();
    let poor = match session.poor {
        Some(_) => "given",
        None => "none",
    };
    Ok(format!(
        "billing conformance of {}, model `{model}`\nat most {calls} calls that cost at most `{}` \
         at listed prices; the limit is `{limit}`\npoor key: {poor}; it should have `{least}` to `{most}`\n",
        options.base_url,
        spend.coarse()
    ))
}

/// The amount in US dollars that is surely enough, for a command line.
fn ceiling(amount: Usd) -> String {
    let cents = amount.nanos().div_euclid(10_000_000) + 1;
    format!("{}.{:02}", cents.div_euclid(100), cents.rem_euclid(100))
}
