//! The stand-in provider's own side of the story: its models, and the calls that it received and
//! bills. The gateway is not asked.

use serde_json::Value;

use crate::price::picos;
use crate::waiting::eventually;

/// The simulator's control pages.
#[derive(Clone, Debug)]
pub struct Provider {
    url: String,
}

/// A call that the simulator received, and what became of it.
#[derive(Clone, Debug)]
pub struct Received {
    /// What was asked; null where it is no JSON.
    pub body: Value,
    /// The request's headers.
    pub headers: Vec<(String, String)>,
    /// Whether the gateway hung up.
    pub client_gone: bool,
    /// The provider's id of it, if anything was generated.
    pub generation_id: Option<String>,
    /// What is billed, in 1e-12 USD.
    pub billed_picos: i128,
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

    /// The calls whose body has this text, once none of them is under way.
    #[must_use]
    pub fn received(&self, marker: &str) -> Vec<Received> {
        eventually("the simulator is done", || {
            let (calls, open) = self.calls(marker);
            (!open).then_some(calls)
        })
    }

    /// The calls whose body has this text, as far as they have ended, and whether one has not.
    ///
    /// # Panics
    /// When the simulator does not answer.
    #[must_use]
    pub fn calls(&self, marker: &str) -> (Vec<Received>, bool) {
        let log = self.log();
        let marked = log.iter().filter(|request| {
            let body = request["body"].as_str().expect("a body");
            body.contains(marker)
        });
        let (open, ended): (Vec<_>, Vec<_>) = marked.partition(|request| request["open"] == true);
        let ended = ended.into_iter().map(Received::read);
        (ended.collect(), !open.is_empty())
    }

    /// Waits until the simulator answers nobody any more.
    pub(crate) fn until_idle(&self) {
        let _ = self.get("/_sim/idle");
    }

    /// Everything that it received, in its own words.
    pub(crate) fn log(&self) -> Vec<Value> {
        let log = serde_json::from_str::<Value>(&self.get("/_sim/requests"));
        match log.expect("JSON")["requests"].take() {
            Value::Array(requests) => requests,
            other => panic!("no requests: {other}"),
        }
    }

    fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        let mut response = ureq::get(url).call().expect("the simulator answers");
        let body = response.body_mut().with_config().limit(u64::MAX);
        body.read_to_string().expect("its whole answer")
    }
}

impl Received {
    fn read(request: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let headers = request["headers"].as_array().expect("headers").iter();
        Self {
            body: serde_json::from_str(&text(&request["body"])).unwrap_or_default(),
            headers: headers
                .map(|pair| (text(&pair[0]), text(&pair[1])))
                .collect(),
            client_gone: request["client_gone"] == true,
            generation_id: request["generation_id"].as_str().map(str::to_owned),
            billed_picos: picos(&text(&request["billed_usd"])),
        }
    }
}
