//! A brand as a person types it, what is wrong with it, and the change that stores it.

use serde_json::json;

use super::color::{Color, ColorProblem};
use super::logo::{Logo, LogoType};
use crate::audit::{Change, ChangeBatch, Entry};
use crate::hrana::{HranaFault, Row, Statement, Value};
use crate::ids::AccountId;
use crate::line::is_hidden;

const MAX_NAME_CHARS: usize = 60;
const MAX_URL_BYTES: usize = 500;

/// The fields of a brand, as they were typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrandInput<'a> {
    /// What the seller calls itself.
    pub name: &'a str,
    /// `#rrggbb`.
    pub color: &'a str,
    /// Where people get help; empty is nowhere.
    pub support_url: &'a str,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrandProblem {
    /// There is no name.
    NameMissing,
    /// The name has more than 60 characters.
    NameTooLong,
    /// The name has a line break or another control character.
    NameNotPlain,
    /// The colour cannot be used.
    Color(ColorProblem),
    /// The address does not begin with `https://` and a host, or has something in it that no address has.
    UrlNotHttps,
    /// The address has more than 500 bytes.
    UrlTooLong,
}

/// A brand that can be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandEdit {
    name: String,
    color: Color,
    support_url: Option<String>,
}

impl BrandProblem {
    /// The name of the field that it is about, as in [`BrandInput`].
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::NameMissing | Self::NameTooLong | Self::NameNotPlain => "name",
            Self::Color(_) => "color",
            Self::UrlNotHttps | Self::UrlTooLong => "support_url",
        }
    }
}

impl BrandInput<'_> {
    /// Reads the fields; the problems are in the order of the fields, at most one for each.
    pub fn read(&self) -> Result<BrandEdit, Vec<BrandProblem>> {
        let name = read_name(self.name);
        let color = Color::parse(self.color).map_err(BrandProblem::Color);
        let url = read_url(self.support_url);
        match (name, color, url) {
            (Ok(name), Ok(color), Ok(support_url)) => Ok(BrandEdit {
                name,
                color,
                support_url,
            }),
            (name, color, url) => Err([name.err(), color.err(), url.err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }
}

fn read_name(text: &str) -> Result<String, BrandProblem> {
    let name = text.trim();
    if name.is_empty() {
        Err(BrandProblem::NameMissing)
    } else if name.chars().count() > MAX_NAME_CHARS {
        Err(BrandProblem::NameTooLong)
    } else if name.chars().any(is_hidden) {
        Err(BrandProblem::NameNotPlain)
    } else {
        Ok(name.to_owned())
    }
}

fn read_url(text: &str) -> Result<Option<String>, BrandProblem> {
    let url = text.trim();
    if url.is_empty() {
        return Ok(None);
    }
    if url.len() > MAX_URL_BYTES {
        return Err(BrandProblem::UrlTooLong);
    }
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_host = host.starts_with(|first: char| first.is_ascii_alphanumeric());
    if has_host && !host.contains('@') && url.bytes().all(plain) {
        Ok(Some(url.to_owned()))
    } else {
        Err(BrandProblem::UrlNotHttps)
    }
}

// A seller without a brand has a row here, too, so that the log sees what was there: nothing.
const BRANDS: &str = "\
(SELECT a.id, b.name, b.color, b.support_url, b.logo_type, length(b.logo) AS logo_bytes
  FROM accounts a LEFT JOIN brands b ON b.account_id = a.id)";

impl BrandEdit {
    /// Stores the brand of a seller; its logo stays. `NotFound`: the account sells nothing.
    #[must_use]
    pub fn to_batch(&self, account: &AccountId, change: &Change) -> ChangeBatch {
        let entry = change.of(Entry {
            action: "brand.edit",
            table: BRANDS,
            subject: account.as_str(),
            before: "json_object('name', r.name, 'color', r.color, 'support_url', r.support_url)",
            after: json!({
                "name": self.name,
                "color": self.color.to_string(),
                "support_url": self.support_url,
            })
            .to_string(),
        });
        let upsert = Statement::new(
            "INSERT INTO brands (account_id, name, color, support_url, updated_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account_id) DO UPDATE SET \
             name = excluded.name, color = excluded.color, support_url = excluded.support_url, \
             updated_at_ms = max(excluded.updated_at_ms, updated_at_ms + 1)",
        )
        .bind(account.as_str())
        .bind(self.name.as_str())
        .bind(self.color.to_string())
        .bind(self.support_url.as_deref())
        .bind(change.at_ms);
        ChangeBatch::new(&sells(account), [entry, upsert])
    }
}

impl Logo {
    /// Stores the logo of a seller. `Refused`: the seller has not chosen a name and a colour yet.
    #[must_use]
    pub fn to_batch(&self, account: &AccountId, change: &Change) -> ChangeBatch {
        let after = json!({ "type": self.format().as_str(), "bytes": self.bytes().len() });
        let logo = [self.bytes().into(), self.format().as_str().into()];
        store(account, (logo, after), change)
    }

    /// Takes the logo of a seller away. `Refused`: the seller has no brand.
    #[must_use]
    pub fn removal(account: &AccountId, change: &Change) -> ChangeBatch {
        store(account, ([Value::Null, Value::Null], json!({})), change)
    }
}

/// The time of the change names the logo for browsers, so it always rises.
fn store(
    account: &AccountId,
    (logo, after): ([Value; 2], serde_json::Value),
    change: &Change,
) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "brand.logo",
        table: BRANDS,
        subject: account.as_str(),
        before: "json_object('type', r.logo_type, 'bytes', r.logo_bytes)",
        after: after.to_string(),
    });
    let update = Statement::new(
        "UPDATE brands SET logo = ?3, logo_type = ?4, \
         updated_at_ms = max(?2, updated_at_ms + 1) WHERE account_id = ?1",
    )
    .bind(account.as_str())
    .bind(change.at_ms);
    let update = logo.into_iter().fold(update, Statement::bind);
    ChangeBatch::new(&sells(account), [entry, update])
}

fn sells(account: &AccountId) -> Statement {
    Statement::new("SELECT 1 FROM accounts WHERE id = ?1 AND kind <> 'customer'")
        .bind(account.as_str())
}

/// A logo as the database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLogo {
    /// The picture.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: LogoType,
}

/// Reads the logo of a seller, which its pages show to everybody. No row: there is none.
#[must_use]
pub fn logo_statement(account: &AccountId) -> Statement {
    Statement::new("SELECT logo, logo_type FROM brands WHERE account_id = ?1 AND logo IS NOT NULL")
        .bind(account.as_str())
}

/// Reads the row of a logo.
pub fn read_logo(row: &Row) -> Result<StoredLogo, HranaFault> {
    let format = LogoType::parse(&row.get::<String>(1)?);
    Ok(StoredLogo {
        bytes: row.get(0)?,
        format: format.ok_or(HranaFault::UnexpectedColumn(1))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_has_a_plain_name_a_colour_and_an_https_address() {
        use BrandProblem as P;
        let good = BrandInput {
            name: "Shop",
            color: "#2563eb",
            support_url: "",
        };
        let check = |input: BrandInput<'_>, expect: Option<BrandProblem>| {
            let problems = input.read().err().unwrap_or_default();
            assert_eq!(problems, Vec::from_iter(expect), "{input:?}");
        };
        let name = |name, expect| check(BrandInput { name, ..good }, expect);
        name("Ünsere Bude <b>", None);
        name("", Some(P::NameMissing));
        name(" \n", Some(P::NameMissing));
        name("Sh\nop", Some(P::NameNotPlain));
        name("Sh\u{202e}op", Some(P::NameNotPlain));
        name("Sh\u{200b}op", Some(P::NameNotPlain));
        let long = "ü".repeat(61);
        name(&long[2..], None);
        name(&long, Some(P::NameTooLong));
        let color = |color, expect: ColorProblem| {
            check(BrandInput { color, ..good }, Some(P::Color(expect)));
        };
        color("blue", ColorProblem::NotAColor);
        color("#ffffff", ColorProblem::TooLight { contrast: 100 });
        let url = |support_url, expect| {
            check(
                BrandInput {
                    support_url,
                    ..good
                },
                expect,
            );
        };
        url("https://help.example/a?b=c#d", None);
        url(" https://help.example ", None);
        url("https://1.example", None);
        for text in [
            "http://help.example",
            "HTTPS://help.example",
            "help.example",
            "https://",
            "https:///x",
            "https://?x",
            "https://@evil.example",
            "https://bank.example@evil.example",
            "javascript:alert(1)",
            "https://help.example/<script>",
            "https://help.example/\"x",
            "https://help.example/a b",
            "https://hélp.example",
            "//help.example",
        ] {
            url(text, Some(P::UrlNotHttps));
        }
        let long = format!("https://help.example/{}", "x".repeat(500));
        url(&long, Some(P::UrlTooLong));
        let all = BrandInput::default().read().unwrap_err();
        let fields: Vec<&str> = all.into_iter().map(BrandProblem::field).collect();
        assert_eq!(fields, ["name", "color"]);
    }
}
