//! What a person is called, and in which zone and language pages are.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use tollgate_core::people::{LanguageTag, PersonName, Profile, TimeZoneName};

use super::{carry_out, show};
use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{Choice, Field, Tone, card, form, submit};
use crate::place::Person;
use crate::visit::Visit;

/// What the form has: what was typed, and what was wrong with it.
pub struct Typed {
    name: String,
    time_zone: String,
    language: String,
    name_error: Option<&'static str>,
    zone_error: Option<&'static str>,
}

impl Typed {
    /// What is stored.
    pub fn of(person: &Person) -> Self {
        let session = &person.session;
        Self {
            name: session.name.clone(),
            time_zone: session.time_zone.clone(),
            language: person.language().tag().to_owned(),
            name_error: None,
            zone_error: None,
        }
    }

    /// Whether something was wrong.
    pub const fn is_refused(&self) -> bool {
        self.name_error.is_some() || self.zone_error.is_some()
    }
}

/// The form.
pub fn section(person: &Person, typed: &Typed) -> Markup {
    let language = person.language();
    let languages = Language::ALL.map(|(_, tag, name)| Choice {
        value: tag,
        label: name,
        chosen: tag == typed.language,
    });
    card(
        language.tr("Profile"),
        form(
            "/settings/profile",
            person.place.csrf(),
            None,
            html! {
                (Field::text("name", language.tr("Name")).value(&typed.name).error(typed.name_error)
                    .max_length(80).autocomplete("name")
                    .hint(language.tr("Only you see it, and whoever you buy from.")))
                (Field::text("time_zone", language.tr("Time zone")).value(&typed.time_zone)
                    .error(typed.zone_error).required().list("time-zones")
                    .hint(language.tr("Days and times on pages are of this zone. Type a part of the world and a city, such as Europe/Berlin.")))
                datalist id="time-zones" {
                    @for zone in zones() { option value=(zone) {} }
                }
                (Field::select("language", language.tr("Language"), &languages))
                (submit(language.tr("Save"), Tone::Primary))
            },
        ),
    )
}

/// `POST /settings/profile`.
pub async fn save(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let language = person.language();
    let form = &visit.asked.form;
    let name = PersonName::parse(form.get("name"));
    let zone = zone(form.get("time_zone"));
    let tag = Language::of_tag(form.get("language")).tag();
    let (Some(name), Some(time_zone), Some(tag)) = (&name, &zone, LanguageTag::parse(tag)) else {
        let typed = Typed {
            name: form.get("name").to_owned(),
            time_zone: form.get("time_zone").to_owned(),
            language: tag.to_owned(),
            name_error: name
                .is_none()
                .then(|| language.tr("A name is one line of at most 80 characters.")),
            zone_error: zone
                .is_none()
                .then(|| language.tr("There is no such time zone. Choose one of the list.")),
        };
        return show(visit, person, &typed).await;
    };
    let profile = Profile {
        name: name.clone(),
        time_zone: time_zone.clone(),
        language: tag,
    };
    let change = profile.to_batch(&person.session.person, &person.change(visit));
    carry_out(visit, change).await?;
    Ok(Answer::see_other("/settings?done=saved"))
}

/// The zone that was typed, as the list spells it.
fn zone(typed: &str) -> Option<TimeZoneName> {
    let zone = TimeZone::get(typed).ok()?;
    TimeZoneName::parse(zone.iana_name()?)
}

/// The zones of places, and UTC.
fn zones() -> Vec<String> {
    const REGIONS: [&str; 10] = [
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    ];
    let known = jiff::tz::db().available();
    let named = known
        .map(|name| name.as_str().to_owned())
        .filter(|name| REGIONS.iter().any(|region| name.starts_with(region)));
    std::iter::once("UTC".to_owned()).chain(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_of_the_list_is_taken_however_it_is_typed() {
        let check = |typed: &str, expect: Option<&str>| {
            let zone = zone(typed);
            assert_eq!(zone.as_ref().map(TimeZoneName::as_str), expect, "{typed}");
        };
        check("Europe/Berlin", Some("Europe/Berlin"));
        check("europe/berlin", Some("Europe/Berlin"));
        check("UTC", Some("UTC"));
        check("", None);
        check("Berlin", None);
        check("Europe/Atlantis", None);
        check("../etc/passwd", None);
        for listed in zones() {
            check(&listed, Some(&listed));
        }
        assert!(zones().len() > 300);
    }
}
