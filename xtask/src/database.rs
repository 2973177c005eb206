//! A client of the database for commands: blocking, one request at a time. The statements and the
//! meaning of replies are `core`'s; migrations are in `stack/migrations.rs`.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_core::hrana::{Batch, Reply, Statement, read_reply};

use crate::failure::{Failure, OrFail};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A database server that speaks Hrana over HTTP: local sqld or Turso Cloud.
#[derive(Clone, Debug)]
pub struct Database {
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Database {
    /// A client; nothing is sent yet. The URL starts with `http://`, `https://` or `libsql://`.
    #[must_use]
    pub fn new(url: &str, token: &str) -> Self {
        let url = match url.strip_prefix("libsql://") {
            Some(host) => format!("https://{host}"),
            None => url.to_owned(),
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build();
        let url = url.trim_end_matches('/').to_owned();
        Self {
            url,
            token: token.to_owned(),
            agent: config.into(),
        }
    }

    /// The address, without credentials.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Executes a batch; what it did is in the reply, step by step.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses the batch or answers something else.
    pub fn execute(&self, batch: &Batch) -> Result<Reply, Failure> {
        let (status, body) = self.post(batch.to_body())?;
        read_reply(status, &body, batch.steps().len()).or_fail(|| {
            format!(
                "the database at `{}` answered with status {status}",
                self.url
            )
        })
    }

    /// Executes one statement, which must succeed.
    ///
    /// # Errors
    /// As [`Self::execute`], or when the statement fails.
    pub fn run(&self, statement: Statement) -> Result<Reply, Failure> {
        let mut batch = Batch::new();
        let sql = statement.sql().to_owned();
        let step = batch.step(None, statement);
        let reply = self.execute(&batch)?;
        if reply.is_ok(step) {
            return Ok(reply);
        }
        let code = reply
            .failures()
            .map(|(_, code)| code)
            .next()
            .unwrap_or_default();
        Err(Failure::new(format!(
            "the database refused `{sql}`: {code}"
        )))
    }

    /// Executes SQL text with any number of statements, up to the first that fails. A transaction
    /// that the text opens and does not close is rolled back.
    ///
    /// # Errors
    /// When the server cannot be reached, or the message of the statement that failed.
    pub fn script(&self, sql: &str) -> Result<(), Failure> {
        let body = json!({"requests": [{"type": "sequence", "sql": sql}, {"type": "close"}]});
        let (status, body) = self.post(body.to_string())?;
        let reply: Value = serde_json::from_slice(&body).or_fail(|| {
            format!(
                "the database at `{}` answered with status {status}",
                self.url
            )
        })?;
        if reply["results"][0]["type"] == "ok" {
            return Ok(());
        }
        let message = [&reply["results"][0]["error"]["message"], &reply["error"]];
        let message = message
            .iter()
            .find_map(|value| value.as_str())
            .unwrap_or("no reason given");
        Err(Failure::new(format!("the database refused: {message}")))
    }

    fn post(&self, body: String) -> Result<(u16, Vec<u8>), Failure> {
        let what = || format!("cannot reach the database at `{}`", self.url);
        let mut response = self
            .agent
            .post(format!("{}/v2/pipeline", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .content_type("application/json")
            .send(body)
            .or_fail(what)?;
        let body = response.body_mut().read_to_vec().or_fail(what)?;
        Ok((response.status().as_u16(), body))
    }
}
