//! What the stand-in provider knows of the calls that it received, and what it bills for them. The
//! gateway is not asked.

use serde_json::Value;

use super::price::picos;

/// The provider's control pages.
#[derive(Clone, Debug)]
pub struct Provider {
    url: String,
}

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
    /// The simulator at this address.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url }
    }

    /// The text of `GET /models`.
    #[must_use]
    pub fn models(&self) -> String {
        self.get("/api/v1/models")
    }

    /// Everything that was generated, once nothing is under way.
    #[must_use]
    pub fn bills(&self) -> Vec<Bill> {
        let _ = self.get("/_sim/idle");
        let log: Value = serde_json::from_str(&self.get("/_sim/requests")).expect("JSON");
        let requests = log["requests"].as_array().expect("requests").iter();
        requests.filter_map(read).collect()
    }

    /// Whether every generation is on record.
    #[must_use]
    pub fn has_recorded_everything(&self) -> bool {
        self.bills().iter().all(|bill| bill.recorded)
    }

    fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        let mut response = ureq::get(url).call().expect("the simulator answers");
        let body = response.body_mut().with_config().limit(u64::MAX);
        body.read_to_string().expect("its whole answer")
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
