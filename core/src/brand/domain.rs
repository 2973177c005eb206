//! The hosts under which a seller's pages are found. A seller asks for one; the operator looks whether it
//! is the seller's, and verifies it. Before that, the host shows nothing.

use std::fmt;

use serde_json::json;

use crate::accounts::id;
use crate::audit::{Change, ChangeBatch, Changed, Entry};
use crate::hrana::{Batch, Condition, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::AccountId;

const MAX_HOST_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// Hosts that a seller has or asks for, at most.
pub const MAX_DOMAINS: u32 = 5;

/// The name of a host, in lower case, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

/// Why a text is no host that pages can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainProblem {
    /// There is none.
    Missing,
    /// It is longer than a host's name can be.
    TooLong,
    /// It has a scheme, a port, a path or a user in it.
    NotOnlyAHost,
    /// It is an address of numbers, which nobody can have for good.
    Number,
    /// It has no dot, or a part that no host's name has.
    NotAName,
}

impl Host {
    /// Reads what a person typed. Letters beyond ASCII are to be written as `xn--…`: they look like others.
    pub fn parse(text: &str) -> Result<Self, DomainProblem> {
        let host = text.trim().to_ascii_lowercase();
        if host.is_empty() {
            return Err(DomainProblem::Missing);
        }
        if host.contains(['/', ':', '@', '?', '#', '\\']) {
            return Err(DomainProblem::NotOnlyAHost);
        }
        if host.len() > MAX_HOST_BYTES {
            return Err(DomainProblem::TooLong);
        }
        // What browsers take for an address of numbers ends with a number (url.spec.whatwg.org).
        let (_, last) = host.rsplit_once('.').ok_or(DomainProblem::NotAName)?;
        if last.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(DomainProblem::Number);
        }
        if !host.split('.').all(is_label) {
            return Err(DomainProblem::NotAName);
        }
        Ok(Self(host))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What every link of its pages begins with.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://{}", self.0)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label.bytes().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A host of a seller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainLine {
    /// The host; locally with its port.
    pub host: String,
    /// Whose it is.
    pub account: AccountId,
    /// What people call that account.
    pub account_name: String,
    /// What every link of its pages begins with.
    pub origin: String,
    /// When the operator verified it, in Unix milliseconds; `None`: not yet.
    pub verified_at_ms: Option<i64>,
    /// When it was asked for, in Unix milliseconds.
    pub created_at_ms: i64,
}

const LINE: &str = "\
SELECT d.host, d.account_id, a.name, d.origin, d.verified_at_ms, d.created_at_ms
FROM domains d JOIN accounts a ON a.id = d.account_id";

/// Reads the hosts of a seller or, for the operator with `everybody`, of all of them: those that wait to be
/// verified first.
#[must_use]
pub fn domains_statement(account: &AccountId, everybody: bool) -> Statement {
    let order = "ORDER BY d.verified_at_ms IS NOT NULL, d.created_at_ms, d.host LIMIT 1000";
    let whose = if everybody {
        "EXISTS (SELECT 1 FROM accounts o WHERE o.id = ?1 AND o.kind = 'operator')"
    } else {
        "d.account_id = ?1"
    };
    Statement::new(format!("{LINE} WHERE {whose} {order}")).bind(account.as_str())
}

/// Reads a row of them.
pub fn read_domain_line(row: &Row) -> Result<DomainLine, HranaFault> {
    Ok(DomainLine {
        host: row.get(0)?,
        account: id(row, 1, AccountId::parse)?,
        account_name: row.get(2)?,
        origin: row.get(3)?,
        verified_at_ms: row.get(4)?,
        created_at_ms: row.get(5)?,
    })
}

/// What the database said to a request for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// The host waits for the operator.
    Now,
    /// The account asked for it before, or has it.
    Before,
    /// Somebody else asked for it first.
    Taken,
    /// The account has [`MAX_DOMAINS`].
    TooMany,
    /// The account sells nothing.
    Impossible,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch that asks for a host.
#[derive(Clone, Debug)]
pub struct RequestDomainBatch {
    change: ChangeBatch,
    own: StepIndex,
    sells: StepIndex,
}

const ROOM: &str = "\
SELECT 1 FROM accounts a WHERE a.id = ?1 AND a.kind <> 'customer'
  AND (SELECT count(*) FROM domains d WHERE d.account_id = a.id) < ?2";

/// Asks for a host: it waits until the operator verifies it.
#[must_use]
pub fn request_domain(account: &AccountId, host: &Host, change: &Change) -> RequestDomainBatch {
    let insert = Statement::new(
        "INSERT INTO domains (host, account_id, origin, created_at_ms) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (host) DO NOTHING",
    )
    .bind(host.as_str())
    .bind(account.as_str())
    .bind(host.origin())
    .bind(change.at_ms);
    let entry = change.of(Entry {
        action: "domain.request",
        table: DOMAINS,
        subject: host.as_str(),
        before: "'{}'",
        after: json!({ "account": account.as_str() }).to_string(),
    });
    let room = Statement::new(ROOM)
        .bind(account.as_str())
        .bind(i64::from(MAX_DOMAINS));
    let mut change = ChangeBatch::new(&room, [insert, entry]);
    let mut why = |sql: &'static str| {
        let statement = Statement::new(sql)
            .bind(account.as_str())
            .bind(host.as_str());
        let refused = Condition::not_ok(change.commit());
        change.batch.step(Some(refused), statement)
    };
    let own = why("SELECT 1 FROM domains WHERE account_id = ?1 AND host = ?2");
    let sells =
        why("SELECT 1 FROM accounts WHERE id = ?1 AND kind <> 'customer' AND ?2 IS NOT NULL");
    RequestDomainBatch { change, own, sells }
}

impl RequestDomainBatch {
    /// What to execute.
    #[must_use]
    pub const fn batch(&self) -> &Batch {
        &self.change.batch
    }

    /// What the reply to the batch says.
    #[must_use]
    pub fn read(&self, reply: &Reply) -> Requested {
        let changed = self.change.read(reply);
        if changed == Changed::Now {
            return Requested::Now;
        }
        if !reply.rows(self.own).is_empty() {
            return Requested::Before;
        }
        match changed {
            Changed::Now => Requested::Now,
            Changed::Refused => Requested::Taken,
            Changed::Contended => Requested::Contended,
            Changed::NotFound if reply.rows(self.sells).is_empty() => Requested::Impossible,
            Changed::NotFound => Requested::TooMany,
        }
    }
}

const DOMAINS: &str = "(SELECT d.host AS id, d.* FROM domains d)";

/// Verifies that a host is a seller's: from now on it shows the seller's pages. `Refused`: it is verified
/// already. `NotFound`: this seller does not ask for it (any more), or who verifies is not the operator.
#[must_use]
pub fn verify_domain(
    operator: &AccountId,
    (host, seller): (&str, &AccountId),
    change: &Change,
) -> ChangeBatch {
    let may = Statement::new(
        "SELECT 1 FROM accounts a JOIN domains d ON d.host = ?2 AND d.account_id = ?3 \
         WHERE a.id = ?1 AND a.kind = 'operator'",
    )
    .bind(operator.as_str())
    .bind(host)
    .bind(seller.as_str());
    let entry = change.of(Entry {
        action: "domain.verify",
        table: DOMAINS,
        subject: host,
        before: "json_object('account', r.account_id, 'verified_at_ms', r.verified_at_ms)",
        after: json!({ "verified_at_ms": change.at_ms }).to_string(),
    });
    let update = Statement::new(
        "UPDATE domains SET verified_at_ms = ?2 WHERE host = ?1 AND verified_at_ms IS NULL",
    )
    .bind(host)
    .bind(change.at_ms);
    ChangeBatch::new(&may, [entry, update])
}

/// Gives up a host of the account's own or, for the operator, of anybody's: it shows nothing from now on.
/// `NotFound`: there is no such host for who asks.
#[must_use]
pub fn remove_domain(account: &AccountId, host: &str, change: &Change) -> ChangeBatch {
    let may = Statement::new(
        "SELECT 1 FROM domains d JOIN accounts a ON a.id = ?2 WHERE d.host = ?1 \
         AND (d.account_id = a.id OR a.kind = 'operator')",
    )
    .bind(host)
    .bind(account.as_str());
    let entry = change.of(Entry {
        action: "domain.remove",
        table: DOMAINS,
        subject: host,
        before: "json_object('account', r.account_id, 'verified_at_ms', r.verified_at_ms)",
        after: "{}".to_owned(),
    });
    let delete = Statement::new("DELETE FROM domains WHERE host = ?1").bind(host);
    ChangeBatch::new(&may, [entry, delete])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_nothing_else() {
        use DomainProblem as P;
        let check = |text: &str, expect: Result<&str, DomainProblem>| {
            let host = Host::parse(text).map(|host| host.origin());
            assert_eq!(host, expect.map(str::to_owned), "{text:?}");
        };
        check("shop.example", Ok("https://shop.example"));
        check(" Shop.Example\n", Ok("https://shop.example"));
        check("a-1.b.co", Ok("https://a-1.b.co"));
        check("xn--bcher-kva.example", Ok("https://xn--bcher-kva.example"));
        check("1.example", Ok("https://1.example"));
        check("", Err(P::Missing));
        check(" ", Err(P::Missing));
        for text in [
            "https://shop.example",
            "shop.example/",
            "shop.example:8443",
            "ada@shop.example",
            "shop.example?x",
            "shop.example#x",
            "shop.example\\x",
            "[::1]",
        ] {
            check(text, Err(P::NotOnlyAHost));
        }
        for text in ["127.0.0.1", "1.2.3", "shop.0x7f", "shop.1"] {
            check(text, Err(P::Number));
        }
        for text in [
            "localhost",
            "shop",
            "shop.example.",
            ".shop.example",
            "shop..example",
            "-shop.example",
            "shop-.example",
            "sh_op.example",
            "sh op.example",
            "shöp.example",
            "shop.exämple",
            "*.example",
            "shop.example\u{0}",
        ] {
            check(text, Err(P::NotAName));
        }
        let label = "l".repeat(63);
        check(&format!("{label}.co"), Ok(&format!("https://{label}.co")));
        check(&format!("{label}l.co"), Err(P::NotAName));
        check(&format!("{}co", "label.".repeat(42)), Err(P::TooLong));
    }
}
