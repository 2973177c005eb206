//! A fresh sqld for one test binary or one test, ended with its owner.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tollgate_core::hrana::{Batch, Reply, Statement, read_reply};

/// A running database. Dropping it ends the server and deletes its files.
#[derive(Debug)]
pub struct Database {
    server: Child,
    dir: PathBuf,
    url: String,
    agent: ureq::Agent,
}

impl Database {
    /// Starts a server and applies every migration.
    ///
    /// # Panics
    /// When the server does not come up: there is nothing to test then.
    #[must_use]
    pub fn start() -> Self {
        let database = Self::start_empty();
        let migrations = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let migrated = xtask::database::Database::new(&database.url, None)
            .and_then(|client| client.migrate(&migrations));
        assert!(migrated.is_ok(), "{migrated:?}");
        database
    }

    /// Starts a server without any table.
    ///
    /// # Panics
    /// As [`Database::start`].
    #[must_use]
    pub fn start_empty() -> Self {
        let binary =
            std::env::var("SQLD_BIN").expect("`SQLD_BIN` names sqld; hint: run `cargo xtask test`");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        drop(listener);
        let dir = std::env::temp_dir().join(format!("tollgate-sql-{}-{port}", std::process::id()));
        let server = Command::new(binary)
            .arg("-d")
            .arg(dir.join("db"))
            .args([
                "--http-listen-addr",
                &format!("127.0.0.1:{port}"),
                "--no-welcome",
            ])
            .args(["--checkpoint-interval-s", "3600"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sqld starts");
        let url = format!("http://127.0.0.1:{port}");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let mut database = Self {
            server,
            dir,
            url,
            agent: config.into(),
        };
        let log = database.server.stderr.take().expect("its log");
        // The server blocks when nobody reads its log.
        std::thread::spawn(move || BufReader::new(log).lines().for_each(drop));
        let started = Instant::now();
        while database
            .agent
            .get(format!("{}/health", database.url))
            .call()
            .is_err()
        {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "sqld does not answer"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        database
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
        let mut response = self
            .agent
            .post(format!("{}/v2/pipeline", self.url))
            .content_type("application/json")
            .send(batch.to_body())
            .expect("the database answers");
        let body = response.body_mut().read_to_vec().expect("a whole reply");
        read_reply(response.status().as_u16(), &body, batch.steps().len()).expect("a reply")
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
}

impl Drop for Database {
    fn drop(&mut self) {
        let ended = self.server.kill().and_then(|()| self.server.wait());
        let removed = std::fs::remove_dir_all(&self.dir);
        if let Err(error) = ended.map(drop).and(removed) {
            eprintln!("the test database left something behind: {error}");
        }
    }
}
