//! Whose pages a host shows: the seller, the origin that links are made from, and the brand.

use serde_json::json;

use crate::accounts::{Commit, commit};
use crate::audit::{Change, Entry};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;

/// The colour of a seller that chose none.
const DEFAULT_COLOR: &str = "#2563eb";

/// The site of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The operator or reseller who sells here.
    pub seller: AccountId,
    /// Whether the seller may be charged. People of a suspended one still see what they have.
    pub open: bool,
    /// Scheme, host and port that every link, callback and Stripe URL begins with.
    pub origin: String,
    /// How it looks.
    pub brand: Brand,
}

/// How a seller's pages look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// What the seller calls itself.
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
    /// Where people get help.
    pub support_url: Option<String>,
    /// Whether there is a logo to show.
    pub has_logo: bool,
    /// When it was last changed, in Unix milliseconds, to name its logo by; 0 for a seller without.
    pub updated_at_ms: i64,
}

const SITE: &str = "\
SELECT a.id, a.status = 'active', d.origin, coalesce(b.name, a.name), coalesce(b.color, ?2),
  b.support_url, b.logo IS NOT NULL, coalesce(b.updated_at_ms, 0)
FROM domains d JOIN accounts a ON a.id = d.account_id LEFT JOIN brands b ON b.account_id = a.id
WHERE d.host = ?1 AND d.verified_at_ms IS NOT NULL AND a.kind <> 'customer'";

/// Reads the site of a host, as the request names it, with its port if it has one. No row: the host
/// is nobody's, or not verified.
#[must_use]
pub fn site_statement(host: &str) -> Statement {
    Statement::new(SITE)
        .bind(host.to_ascii_lowercase())
        .bind(DEFAULT_COLOR)
}

/// Reads the row of a site.
pub fn read_site(row: &Row) -> Result<Site, HranaFault> {
    let seller = row.get::<String>(0)?;
    Ok(Site {
        seller: AccountId::parse(&seller).ok_or(HranaFault::UnexpectedColumn(0))?,
        open: row.get(1)?,
        origin: row.get(2)?,
        brand: Brand {
            name: row.get(3)?,
            color: row.get(4)?,
            support_url: row.get(5)?,
            has_logo: row.get(6)?,
            updated_at_ms: row.get(7)?,
        },
    })
}

/// A host that shows a seller's pages from now on, verified by whoever adds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDomain {
    /// The host as browsers name it, with its port if it has one, in lower case.
    pub host: String,
    /// The operator or reseller whose pages it shows.
    pub account: AccountId,
    /// Scheme, host and port of every link that is made for it.
    pub origin: String,
}

impl NewDomain {
    /// Adds the host.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let insert = Statement::new(
            "INSERT INTO domains (host, account_id, origin, verified_at_ms, created_at_ms) \
             SELECT ?1, a.id, ?3, ?4, ?4 FROM accounts a WHERE a.id = ?2 AND a.kind <> 'customer'",
        )
        .bind(self.host.as_str())
        .bind(self.account.as_str())
        .bind(self.origin.as_str())
        .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "domain.create",
            table: "(SELECT host AS id FROM domains)",
            subject: &self.host,
            before: "'{}'",
            after: json!({ "account": self.account.as_str(), "origin": self.origin }).to_string(),
        });
        commit([insert, entry])
    }
}
