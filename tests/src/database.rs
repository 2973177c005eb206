//! The database over HTTP, as a test asks it: whatever is not answered as asked is a panic.

use tollgate_core::hrana::{Batch, Reply, Row, Statement, read_reply};

/// A database that answers.
#[derive(Debug)]
pub struct Database {
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Database {
    /// The database at this address; an empty token is none. Nothing is sent yet.
    #[must_use]
    pub fn new(url: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        Self {
            url: url.to_owned(),
            token: token.to_owned(),
            agent: config.into(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Executes a batch.
    ///
    /// # Panics
    /// When the server does not answer it as asked.
    #[must_use]
    pub fn execute(&self, batch: &Batch) -> Reply {
        let (status, body) = self.post(batch.to_body());
        read_reply(status, &body, batch.steps().len()).expect("a reply")
    }

    /// Executes one statement, which must succeed.
    ///
    /// # Panics
    /// When the statement fails.
    #[must_use]
    pub fn run(&self, statement: Statement) -> Reply {
        let mut batch = Batch::new();
        let sql = statement.sql().to_owned();
        let step = batch.step(None, statement);
        let reply = self.execute(&batch);
        assert!(
            reply.is_ok(step),
            "{sql}: {:?}",
            reply.failures().collect::<Vec<_>>()
        );
        reply
    }

    /// The one row that a statement selects.
    ///
    /// # Panics
    /// When it selects none.
    #[must_use]
    pub fn row(&self, statement: Statement) -> Row {
        self.run(statement).rows(0)[0].clone()
    }

    /// Executes SQL text with any number of statements, all of which must succeed.
    ///
    /// # Panics
    /// When one fails.
    pub fn script(&self, sql: &str) {
        let request =
            serde_json::json!({"requests": [{"type": "sequence", "sql": sql}, {"type": "close"}]});
        let (_, reply) = self.post(request.to_string());
        let reply = String::from_utf8_lossy(&reply);
        assert!(!reply.contains("\"error\""), "{reply}");
    }

    fn post(&self, body: String) -> (u16, Vec<u8>) {
        let mut request = self
            .agent
            .post(format!("{}/v2/pipeline", self.url))
            .content_type("application/json");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let mut response = request.send(body).expect("the database answers");
        let body = response.body_mut().with_config().limit(u64::MAX);
        let body = body.read_to_vec().expect("a whole reply");
        (response.status().as_u16(), body)
    }
}
