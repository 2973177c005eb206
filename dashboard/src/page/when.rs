//! Moments as people read them, in their own zone. The machine's form stands in `datetime`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::language::Language;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name, such as `Europe/Berlin`; `None` if there is no such zone.
    pub fn parse(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// The same; UTC for a name that is not known.
    pub fn named(name: &str) -> Self {
        Self::parse(name).unwrap_or(Self(TimeZone::UTC))
    }

    /// The day of a moment there.
    pub fn date(&self, at_ms: i64) -> Date {
        stamp(at_ms).to_zoned(self.0.clone()).date()
    }
}

/// A day and time: `3 Nov 2026, 10:15`; the title has the seconds and the zone.
pub fn moment(language: Language, at_ms: i64, zone: &Zone) -> Markup {
    let zoned = stamp(at_ms).to_zoned(zone.0.clone());
    let text = format!(
        "{}, {}",
        date_text(language, zoned.date()),
        zoned.strftime("%H:%M")
    );
    let title = zoned.strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    html! { time.moment datetime=(stamp(at_ms)) title=(title) { (text) } }
}

/// A day: `3 Nov 2026`.
pub fn day(language: Language, at_ms: i64, zone: &Zone) -> Markup {
    let date = zone.date(at_ms);
    html! { time.moment datetime=(date) { (date_text(language, date)) } }
}

/// How long ago a moment is, such as `5 min ago`; the title has the moment itself.
pub fn ago(language: Language, at_ms: i64, now_ms: i64, zone: &Zone) -> Markup {
    let passed_ms = now_ms.saturating_sub(at_ms);
    let text = match passed_ms {
        ..MINUTE_MS => language.tr("just now").to_owned(),
        ..HOUR_MS => language.fill("{n} min ago", &[("n", &(passed_ms / MINUTE_MS))]),
        ..DAY_MS => language.fill("{n} h ago", &[("n", &(passed_ms / HOUR_MS))]),
        _ => return moment(language, at_ms, zone),
    };
    let title = stamp(at_ms).to_zoned(zone.0.clone());
    let title = title.strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    html! { time.moment datetime=(stamp(at_ms)) title=(title) { (text) } }
}

/// A day as text: `3 Nov 2026`.
pub fn date_text(language: Language, date: Date) -> String {
    format!("{} {}", short_date(language, date), date.year())
}

/// A day without its year: `3 Nov`.
pub(super) fn short_date(language: Language, date: Date) -> String {
    format!("{} {}", date.day(), month(language, date.month()))
}

/// A moment that no calendar has is shown as the first of all.
fn stamp(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or_default()
}

const fn month(language: Language, month: i8) -> &'static str {
    match month {
        1 => language.tr("Jan"),
        2 => language.tr("Feb"),
        3 => language.tr("Mar"),
        4 => language.tr("Apr"),
        5 => language.tr("May"),
        6 => language.tr("Jun"),
        7 => language.tr("Jul"),
        8 => language.tr("Aug"),
        9 => language.tr("Sep"),
        10 => language.tr("Oct"),
        11 => language.tr("Nov"),
        _ => language.tr("Dec"),
    }
}
