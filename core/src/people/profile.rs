//! What people say about themselves: it decides only how pages look.

use serde_json::json;

use crate::accounts::{Commit, commit};
use crate::audit::{Change, Entry};
use crate::hrana::Statement;
use crate::ids::PersonId;

const MAX_NAME: usize = 80;
const MAX_TIME_ZONE: usize = 64;

/// What a person is called: at most 80 characters, on one line; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Reads what was typed; spaces around it do not count. `None` for what is too long, or has
    /// characters that are not seen or turn the text around.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim();
        let in_form = name.chars().count() <= MAX_NAME && !name.chars().any(is_hidden);
        in_form.then(|| Self(name.to_owned()))
    }

    /// The name as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, line ends, and what changes the direction of the text after it.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A name that has the form of an IANA time zone, such as `Europe/Berlin`. Whether there is such a
/// zone, only a list of them tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// Reads a name; `None` for what is no zone's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            part.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
        };
        let in_form = text.len() <= MAX_TIME_ZONE && text.split('/').all(is_part);
        in_form.then(|| Self(text.to_owned()))
    }

    /// The name as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A language tag of the form `en` or `pt-BR`. Whether the pages speak it, their catalogue tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// Reads a tag; `None` for what has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (language, region) = text
            .split_once('-')
            .map_or((text, None), |(language, region)| (language, Some(region)));
        let in_form = (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_lowercase())
            && region.is_none_or(|region| {
                region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase())
            });
        in_form.then(|| Self(text.to_owned()))
    }

    /// The tag as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person's own settings, all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the person is called.
    pub name: PersonName,
    /// In which zone times are shown.
    pub time_zone: TimeZoneName,
    /// The language of the pages.
    pub language: LanguageTag,
}

impl Profile {
    /// Sets them for a person.
    #[must_use]
    pub fn to_batch(&self, person: &PersonId, change: &Change) -> Commit {
        let entry = change.of(Entry {
            action: "person.profile",
            table: "people",
            subject: person.as_str(),
            before: "json_object('name', r.name, 'time_zone', r.time_zone, 'language', r.language)",
            after: json!({
                "name": self.name.as_str(),
                "time_zone": self.time_zone.as_str(),
                "language": self.language.as_str(),
            })
            .to_string(),
        });
        let update = Statement::new(
            "UPDATE people SET name = ?2, time_zone = ?3, language = ?4 \
             WHERE id = ?1 AND closed_at_ms IS NULL",
        )
        .bind(person.as_str())
        .bind(self.name.as_str())
        .bind(self.time_zone.as_str())
        .bind(self.language.as_str());
        commit([entry, update])
    }
}

/// Takes the GitHub account away from a person, who goes on with codes by e-mail.
#[must_use]
pub fn unlink_github(person: &PersonId, change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "person.unlink_github",
        table: "people",
        subject: person.as_str(),
        before: "json_object('github_id', r.github_id)",
        after: json!({ "github_id": null }).to_string(),
    });
    let update = Statement::new(
        "UPDATE people SET github_id = NULL WHERE id = ?1 AND github_id IS NOT NULL",
    );
    commit([entry, update.bind(person.as_str())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_looks_like_what_it_is() {
        let check = |text: &str, expect: Option<&str>| {
            let name = PersonName::parse(text);
            assert_eq!(name.as_ref().map(PersonName::as_str), expect, "{text:?}");
        };
        check("Ada Lovelace", Some("Ada Lovelace"));
        check("  Ada ", Some("Ada"));
        check("", Some(""));
        check("  ", Some(""));
        check("李小龙", Some("李小龙"));
        check("<b>Ada</b>", Some("<b>Ada</b>"));
        check("=cmd()", Some("=cmd()"));
        check("Ada\nBcc: x", None);
        check("Ada\0", None);
        check("Ada\u{202e}evol", None);
        check("Ada\u{2066}", None);
        check("Ada\u{2028}x", None);
        check("Ada\u{85}x", None);
        check(&"é".repeat(80), Some(&"é".repeat(80)));
        check(&"é".repeat(81), None);
    }

    #[test]
    fn a_time_zone_has_the_form_of_one() {
        let check = |text: &str, expect: bool| {
            assert_eq!(TimeZoneName::parse(text).is_some(), expect, "{text:?}");
        };
        for zone in [
            "UTC",
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+12",
            "America/Port-au-Prince",
            "EST5EDT",
        ] {
            check(zone, true);
        }
        for other in [
            "",
            "/",
            "Europe/",
            "/Berlin",
            "../etc",
            "Europe//Berlin",
            "+02:00",
            "UTC ",
            "É",
            "a'b",
        ] {
            check(other, false);
        }
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
    }

    #[test]
    fn a_language_has_the_form_of_one() {
        let check = |text: &str, expect: bool| {
            assert_eq!(LanguageTag::parse(text).is_some(), expect, "{text:?}");
        };
        for tag in ["en", "de", "pt-BR", "fil"] {
            check(tag, true);
        }
        for other in [
            "", "e", "EN", "en-", "en-us", "en_US", "english", "en-US-x", "é", "-US",
        ] {
            check(other, false);
        }
    }
}
