//! Whose pages a host shows: the seller, the origin that links are made from, and the brand.

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

impl Site {
    /// The host, with its port if the origin has one.
    #[must_use]
    pub fn host(&self) -> &str {
        self.origin
            .split_once("://")
            .map_or(self.origin.as_str(), |(_, host)| host)
    }
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
        brand: read_brand_from(row, 3)?,
    })
}

/// Reads the brand that a seller has given itself, whatever the host. No row: the account sells nothing.
#[must_use]
pub fn brand_statement(seller: &AccountId) -> Statement {
    Statement::new(
        "SELECT coalesce(b.name, a.name), coalesce(b.color, ?2), b.support_url, \
         b.logo IS NOT NULL, coalesce(b.updated_at_ms, 0) \
         FROM accounts a LEFT JOIN brands b ON b.account_id = a.id \
         WHERE a.id = ?1 AND a.kind <> 'customer'",
    )
    .bind(seller.as_str())
    .bind(DEFAULT_COLOR)
}

/// Reads the row of a brand.
pub fn read_brand(row: &Row) -> Result<Brand, HranaFault> {
    read_brand_from(row, 0)
}

/// Reads five columns from this one on.
fn read_brand_from(row: &Row, column: usize) -> Result<Brand, HranaFault> {
    let at = |offset: usize| column.saturating_add(offset);
    Ok(Brand {
        name: row.get(at(0))?,
        color: row.get(at(1))?,
        support_url: row.get(at(2))?,
        has_logo: row.get(at(3))?,
        updated_at_ms: row.get(at(4))?,
    })
}
