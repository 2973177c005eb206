//! The database as the command line uses it: batches over HTTP to sqld or Turso, one at a time.
//! Only what surely did not run is sent again. What the batches say is decided in `core`.

mod connection;
mod migrate;
mod sql;

use std::fmt;
use std::io::ErrorKind;
use std::thread::sleep;
use std::time::Duration;

use tollgate_core::accounts::Commit;
use tollgate_core::hrana::{Batch, HranaFault, Reply, Row, Statement, read_reply};

use crate::failure::Failure;

pub use connection::{Connection, FILE as STATE_FILE, remember};
pub use migrate::Migration;

/// Sending again helps within moments or not at all.
const PAUSES_MS: [u64; 5] = [50, 100, 200, 400, 800];

/// The longest wait for an answer: an import of a whole catalogue takes a while.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The largest reply that is read, in bytes.
const MAX_REPLY: u64 = 256 << 20;

/// A database server, by its address and token. `Debug` does not show the token.
#[derive(Clone)]
pub struct Database {
    url: String,
    token: Option<String>,
    agent: ureq::Agent,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// A database at an `https://`, `http://` or `libsql://` address (which means `https://`).
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is none of these.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, Failure> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .build();
        Ok(Self {
            url: http_url(url)?,
            token: token.filter(|token| !token.is_empty()).map(str::to_owned),
            agent: config.into(),
        })
    }

    /// The address, with `https://` or `http://`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Executes a batch whose writes are all inside a transaction.
    ///
    /// # Errors
    /// When the database cannot be reached, refuses the batch, or does not answer it as asked. The
    /// message says whether the batch may have run.
    pub fn execute(&self, batch: &Batch) -> Result<Reply, Failure> {
        let mut pauses = PAUSES_MS.iter();
        loop {
            let (status, body) = self.post(&batch.to_body())?;
            let reply = read_reply(status, &body, batch.steps().len())
                .map_err(|fault| self.refused(&fault))?;
            match pauses.next() {
                Some(pause) if was_busy(batch, &reply) => sleep(Duration::from_millis(*pause)),
                Some(_) | None => return Ok(reply),
            }
        }
    }

    /// Executes a transaction; whether it took place.
    ///
    /// # Errors
    /// As [`Database::execute`].
    pub fn commit(&self, (batch, step): &Commit) -> Result<bool, Failure> {
        Ok(self.execute(batch)?.is_ok(*step))
    }

    /// Reads with one statement.
    ///
    /// # Errors
    /// As [`Database::execute`], and when the statement fails.
    pub fn read(&self, statement: Statement) -> Result<Vec<Row>, Failure> {
        let [rows] = self.read_all([statement])?;
        Ok(rows)
    }

    /// Reads with several statements in one round trip, each at its own moment.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn read_all<const N: usize>(
        &self,
        statements: [Statement; N],
    ) -> Result<[Vec<Row>; N], Failure> {
        let mut batch = Batch::new();
        let steps = statements.map(|statement| batch.step(None, statement));
        let reply = self.execute(&batch)?;
        if let Some((_, code)) = reply.failures().next() {
            return Err(
                Failure::new(format!("the database cannot be read: `{code}`"))
                    .hint("a new database needs `cargo xtask admin migrate` first"),
            );
        }
        Ok(steps.map(|step| reply.rows(step).to_vec()))
    }

    /// Posts a pipeline until it surely ran, surely did not, or nobody can know.
    fn post(&self, body: &str) -> Result<(u16, Vec<u8>), Failure> {
        let mut pauses = PAUSES_MS.iter();
        loop {
            let again = match self.post_once(body) {
                Ok((401 | 403, _)) => return Err(self.unauthorised()),
                Ok((429 | 503, _)) => Failure::new(format!(
                    "the database at `{}` is overloaded; nothing was changed",
                    self.url
                ))
                .hint("try again in a minute"),
                Ok(answer) => return Ok(answer),
                Err(ureq::Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                    Failure::new(format!("nothing listens at `{}`", self.url))
                        .hint("start the local stack with `cargo xtask dev`, or check the address")
                }
                Err(error) => return Err(self.not_answered(&error)),
            };
            match pauses.next() {
                Some(pause) => sleep(Duration::from_millis(*pause)),
                None => return Err(again),
            }
        }
    }

    fn post_once(&self, body: &str) -> Result<(u16, Vec<u8>), ureq::Error> {
        let mut request = self
            .agent
            .post(format!("{}/v2/pipeline", self.url))
            .content_type("application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.send(body)?;
        let status = response.status().as_u16();
        let reply = response.body_mut().with_config().limit(MAX_REPLY);
        Ok((status, reply.read_to_vec()?))
    }

    fn unauthorised(&self) -> Failure {
        let url = &self.url;
        let message = match self.token {
            Some(_) => format!("the database at `{url}` refuses the token"),
            None => format!("the database at `{url}` asks for a token"),
        };
        Failure::new(message).hint("give a token that may write with `TURSO_AUTH_TOKEN`")
    }

    fn not_answered(&self, error: &ureq::Error) -> Failure {
        let url = &self.url;
        match error {
            ureq::Error::Io(error) if !was_sent(error) => unreachable(url, error),
            ureq::Error::HostNotFound
            | ureq::Error::Tls(_)
            | ureq::Error::Rustls(_)
            | ureq::Error::BadUri(_)
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                unreachable(url, error)
            }
            ureq::Error::Http(_) => Failure::new("the token is not one that can be sent")
                .hint("a token is one line of letters, digits, `.`, `-` and `_`"),
            _ => Failure::new(format!(
                "the database at `{url}` broke off: {error}; whether it made the change is not known"
            ))
            .hint("look before you repeat: `cargo xtask admin audit` shows what was changed"),
        }
    }

    fn refused(&self, fault: &HranaFault) -> Failure {
        match fault {
            HranaFault::Refused(_) => Failure::new(fault.to_string())
                .hint("nothing was changed; look at the database's own status and quota"),
            HranaFault::Malformed | HranaFault::UnexpectedColumn(_) => Failure::new(format!(
                "`{}` does not answer as a database",
                self.url
            ))
            .hint(
                "the address is the one of a libSQL server, such as `libsql://name-org.turso.io`",
            ),
        }
    }
}

fn unreachable(url: &str, error: &dyn fmt::Display) -> Failure {
    Failure::new(format!(
        "the database at `{url}` cannot be reached: {error}"
    ))
    .hint("check the address and the network; nothing was changed")
}

/// Whether the request may have left when this error came up. A name that is not found has no kind
/// of its own.
fn was_sent(error: &std::io::Error) -> bool {
    let no_way = matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
    );
    !no_way && !error.to_string().starts_with("failed to lookup address")
}

/// Says of a row that does not have the expected form what a person can do about it.
///
/// # Errors
/// The fault, as a sentence.
pub fn readable<T>(read: Result<T, HranaFault>) -> Result<T, Failure> {
    read.map_err(|fault| {
        Failure::new(fault.to_string())
            .hint("this program and the database may be of different versions: run `cargo xtask admin migrate`")
    })
}

/// A `BEGIN` that found the database busy: nothing of its transaction ran, so all of the batch may
/// be sent again.
fn was_busy(batch: &Batch, reply: &Reply) -> bool {
    let sql = |step: usize| batch.steps().get(step).map(|step| step.statement.sql());
    let committed =
        (0..batch.steps().len()).any(|step| sql(step) == Some("COMMIT") && reply.is_ok(step));
    let busy = reply
        .failures()
        .any(|(step, code)| sql(step) == Some("BEGIN IMMEDIATE") && code.contains("BUSY"));
    busy && !committed
}

fn http_url(url: &str) -> Result<String, Failure> {
    let wrong = |why: &str| {
        Failure::new(format!(
            "`{}` is no database address: {why}",
            without_secrets(url)
        ))
        .hint("it looks like `libsql://name-org.turso.io` or `http://127.0.0.1:8789`")
    };
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| wrong("it has no scheme"))?;
    let scheme = match scheme {
        "libsql" | "https" => "https",
        "http" => "http",
        _ => return Err(wrong("its scheme is none of `libsql`, `https`, `http`")),
    };
    let host = rest.trim_end_matches('/');
    if host.is_empty() {
        return Err(wrong("it names no host"));
    }
    if host.contains(['@', '?', '#', ' ']) {
        return Err(wrong(
            "it has more than a host, and the token is given apart",
        ));
    }
    Ok(format!("{scheme}://{host}"))
}

/// An address may carry a token by mistake; the part that may be one is not repeated.
fn without_secrets(url: &str) -> &str {
    let end = url.find(['@', '?', '#']).unwrap_or(url.len());
    if url[..end].len() < url.len() && url[end..].starts_with('@') {
        return "…";
    }
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turso_s_and_plain_addresses_are_both_understood() {
        let check = |url: &str, expect: Result<&str, &str>| {
            let got = Database::new(url, None).map(|database| database.url().to_owned());
            match (got, expect) {
                (Ok(got), Ok(expect)) => assert_eq!(got, expect),
                (Err(got), Err(expect)) => assert!(got.to_string().contains(expect), "{got}"),
                (got, expect) => panic!("{url}: {got:?} {expect:?}"),
            }
        };
        check("libsql://a-b.turso.io", Ok("https://a-b.turso.io"));
        check("https://a-b.turso.io/", Ok("https://a-b.turso.io"));
        check("http://127.0.0.1:8789", Ok("http://127.0.0.1:8789"));
        check("a-b.turso.io", Err("it has no scheme"));
        check("wss://a", Err("its scheme is none of"));
        check("https://", Err("it names no host"));
        check(
            "libsql://a?authToken=secret",
            Err("`libsql://a` is no database address"),
        );
        check("https://user:secret@a", Err("`…` is no database address"));
    }

    #[test]
    fn a_token_is_not_shown() {
        let database = Database::new("libsql://a", Some("secret")).unwrap();
        assert!(!format!("{database:?}").contains("secret"));
        for url in [
            "libsql://a?authToken=secret",
            "https://u:secret@a",
            "secret://a#secret",
        ] {
            let error = Database::new(url, None).unwrap_err().to_string();
            assert!(
                !error.contains("secret@") && !error.contains("=secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_empty_token_is_none() {
        let database = Database::new("libsql://a", Some("")).unwrap();
        assert!(database.token.is_none());
    }
}
