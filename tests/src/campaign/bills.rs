//! What the stand-in provider bills for everything that was generated in a campaign.

use serde_json::Value;

use crate::Provider;
use crate::price::picos;

/// A generation that the provider bills.
#[derive(Clone, Debug)]
pub struct Bill {
    /// The first word of the last user message: which call it was.
    pub marker: String,
    /// The account that the gateway names as the user.
    pub user: String,
    /// The provider's id of it.
    pub generation: String,
    /// The model's name.
    pub model: String,
    /// Input and output tokens, hidden ones included.
    pub tokens: (u64, u64),
    /// 1e-12 USD.
    pub picos: i128,
    /// Whether the gateway hung up.
    pub left: bool,
    recorded: bool,
}

impl Provider {
    /// Everything that was generated, once nothing is under way.
    #[must_use]
    pub fn bills(&self) -> Vec<Bill> {
        self.until_idle();
        self.log().iter().filter_map(read).collect()
    }

    /// Whether every generation is on record.
    #[must_use]
    pub fn has_recorded_everything(&self) -> bool {
        self.bills().iter().all(|bill| bill.recorded)
    }
}

fn read(request: &Value) -> Option<Bill> {
    let generation = request["generation_id"].as_str()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let count = |name: &str| request["usage"][name].as_u64();
    let body: Value = serde_json::from_str(request["body"].as_str()?).ok()?;
    let content = text(&body["messages"][0]["content"]);
    Some(Bill {
        marker: content.split_whitespace().next()?.to_owned(),
        user: text(&body["user"]),
        generation: generation.to_owned(),
        model: text(&request["model"]),
        tokens: (count("prompt_tokens")?, count("completion_tokens")?),
        picos: picos(request["billed_usd"].as_str()?),
        left: request["client_gone"] == true,
        recorded: request["recorded"] == true,
    })
}
