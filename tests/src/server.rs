//! A fresh sqld for one test, ended with its owner.

use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use xtask::process::{Guarded, command};

use crate::Database;

/// A running database server with every migration applied. Dropping it ends the server and deletes
/// its files; the server ends with the test's process in any case.
#[derive(Debug)]
pub struct Server {
    child: Guarded,
    dir: PathBuf,
    database: Database,
}

impl Server {
    /// Starts a server and applies every migration.
    ///
    /// # Panics
    /// When the server does not come up: there is nothing to test then.
    #[must_use]
    pub fn start() -> Self {
        let server = Self::start_empty();
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let migrated = xtask::database::Database::new(server.database.url(), None)
            .and_then(|client| client.migrate(&migrations));
        assert!(migrated.is_ok(), "{migrated:?}");
        server
    }

    /// Starts a server without any table.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_empty() -> Self {
        let sqld = xtask::setup::tools().expect("the tools").sqld;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its number");
        drop(listener);
        let name = format!("tollgate-sql-{}-{}", std::process::id(), address.port());
        let dir = std::env::temp_dir().join(name);
        let mut sqld = command(sqld);
        sqld.arg("-d").arg(dir.join("db"));
        sqld.args(["--http-listen-addr", &address.to_string(), "--no-welcome"]);
        sqld.args(["--checkpoint-interval-s", "3600"]);
        sqld.stdout(Stdio::null()).stderr(Stdio::null());
        let child = Guarded::spawn(&mut sqld).expect("sqld starts");
        let database = Database::new(&format!("http://{address}"), "");
        let server = Self {
            child,
            dir,
            database,
        };
        server.wait();
        server
    }

    fn wait(&self) {
        let started = Instant::now();
        let health = format!("{}/health", self.database.url());
        while ureq::get(&health).call().is_err() {
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(30), "sqld does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Deref for Server {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill();
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("the test database left something behind: {error}");
        }
    }
}
