//! What the simulator knows: its models, and what it received and billed. The gateway is not asked.

use serde_json::Value;

/// The simulator's own side of the story.
#[derive(Clone, Debug)]
pub struct Provider {
    url: String,
}

/// A request that the simulator received.
#[derive(Clone, Debug)]
pub struct Received {
    pub body: Value,
    pub headers: Vec<(String, String)>,
    pub client_gone: bool,
    pub generation_id: Option<String>,
    /// 1e-12 USD.
    pub billed_picos: i128,
}

impl Provider {
    pub fn new(simulator_url: &str) -> Self {
        Self {
            url: simulator_url.to_owned(),
        }
    }

    /// The text of `GET /models`.
    pub fn models(&self) -> String {
        self.get("/api/v1/models")
    }

    /// The calls whose body has this text, once none of them is under way.
    pub fn received(&self, marker: &str) -> Vec<Received> {
        crate::stage::eventually("the simulator is done", || {
            let (calls, open) = self.calls(marker);
            (!open).then_some(calls)
        })
    }

    /// The calls whose body has this text, as far as they have ended, and whether one has not.
    pub fn calls(&self, marker: &str) -> (Vec<Received>, bool) {
        let log: Value = serde_json::from_str(&self.get("/_sim/requests")).unwrap();
        let requests = log["requests"].as_array().unwrap();
        let marked = requests.iter().filter(|request| {
            let body = request["body"].as_str().unwrap();
            body.contains(marker)
        });
        let (open, ended): (Vec<_>, Vec<_>) = marked.partition(|request| request["open"] == true);
        let ended = ended.into_iter().map(Received::read);
        (ended.collect(), !open.is_empty())
    }

    fn get(&self, path: &str) -> String {
        let mut response = ureq::get(format!("{}{path}", self.url)).call().unwrap();
        let body = response.body_mut().with_config().limit(u64::MAX);
        body.read_to_string().unwrap()
    }
}

impl Received {
    fn read(request: &Value) -> Self {
        let headers = request["headers"].as_array().unwrap().iter().map(|pair| {
            let part = |index: usize| pair[index].as_str().unwrap().to_owned();
            (part(0), part(1))
        });
        Self {
            body: serde_json::from_str(request["body"].as_str().unwrap()).unwrap_or_default(),
            headers: headers.collect(),
            client_gone: request["client_gone"] == true,
            generation_id: request["generation_id"].as_str().map(str::to_owned),
            billed_picos: crate::price::picos(request["billed_usd"].as_str().unwrap()),
        }
    }
}
