//! Money per day as stacked bars. The picture stretches to the width of the page, so its words are HTML
//! beside it and keep their size on a phone; a table says the same in numbers.

use jiff::civil::Date;
use maud::{Markup, html};
use tollgate_core::money::Nanos;
use tollgate_core::spending::MOST_PARTS;

use super::days::{Days, Series, sum};
use super::money::{grouped, usd};
use super::when::short_date;
use crate::language::Language;

/// How many series have a colour of their own; the rest are one.
const COLORED: usize = MOST_PARTS;
/// The most lines above the ground.
const TICKS: i64 = 4;
/// The drawing's height and the width of a day in it, in its own units.
const HEIGHT: i64 = 240;
const DAY_WIDTH: usize = 20;
/// Where a day has a label of its own.
const LABELED_DAYS: usize = 10;

const FILLS: [&str; COLORED + 1] = [
    "fill-series-0",
    "fill-series-1",
    "fill-series-2",
    "fill-series-3",
    "fill-series-4",
    "fill-series-5",
    "fill-series-6",
];

/// Bars for days, with a legend where there are several series and a table to open. `id` is the page's
/// only one of that name.
pub fn day_bars(language: Language, id: &str, title: &str, days: &Days) -> Markup {
    let series = days.few((COLORED, language.tr("Other")));
    let totals: Vec<Nanos> = (0..days.dates.len()).map(|at| days.total(at)).collect();
    let scale = Scale::up_to(totals.iter().copied().max().unwrap_or_default());
    let summary = summary(language, days, &totals);
    let each = if days.dates.len() > LABELED_DAYS {
        ""
    } else {
        " is-each"
    };
    html! {
        figure class="chart" {
            @if series.len() > 1 { (legend(&series)) }
            div class="chart-plot" {
                div class="chart-ticks" aria-hidden="true" {
                    @for tick in scale.ticks() { span { (scale.label(tick)) } }
                }
                (bars(language, id, &Picture { title, summary: &summary, days, series: &series, scale }))
                div class={ "chart-days" (each) } aria-hidden="true" {
                    @for date in labeled(&days.dates) { span { (short_date(language, date)) } }
                }
            }
            figcaption class="sr-only" { (title) }
            (data_table(language, title, &days.dates, &series))
        }
    }
}

struct Picture<'a> {
    title: &'a str,
    summary: &'a str,
    days: &'a Days,
    series: &'a [Series],
    scale: Scale,
}

fn bars(language: Language, id: &str, picture: &Picture<'_>) -> Markup {
    let width = (picture.days.dates.len() * DAY_WIDTH).max(1);
    html! {
        svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img"
            aria-labelledby={ (id) "-title" } aria-describedby={ (id) "-desc" } {
            title id={ (id) "-title" } { (picture.title) }
            desc id={ (id) "-desc" } { (picture.summary) }
            @for tick in picture.scale.ticks() {
                @let y = HEIGHT - picture.scale.height(tick);
                line class="grid-line" x1="0" x2=(width) y1=(y) y2=(y)
                    vector-effect="non-scaling-stroke" {}
            }
            @for (at, date) in picture.days.dates.iter().enumerate() {
                g class="chart-day" {
                    title { (hover(language, *date, at, picture)) }
                    rect class="chart-hit" x=(at * DAY_WIDTH) y="0" width=(DAY_WIDTH)
                        height=(HEIGHT) {}
                    (stack(at, picture))
                }
            }
        }
    }
}

fn stack(at: usize, picture: &Picture<'_>) -> Markup {
    // Fewer days are wider, so they need wider gaps.
    let bar = if picture.days.dates.len() > LABELED_DAYS {
        14
    } else {
        10
    };
    let x = at * DAY_WIDTH + (DAY_WIDTH - bar) / 2;
    let mut below = Nanos::ZERO;
    html! {
        @for (series, fill) in picture.series.iter().zip(FILLS) {
            @let bottom = picture.scale.height(below);
            @let amount = Nanos::new(series.at(at).get().max(0));
            @let top = { below = sum([below, amount]); picture.scale.height(below) };
            @if amount > Nanos::ZERO {
                // Nothing that was paid is too small to be seen.
                rect class=(fill) x=(x) y=(HEIGHT - top.max(bottom + 1)) width=(bar)
                    height=((top - bottom).max(1)) {}
            }
        }
    }
}

fn hover(language: Language, date: Date, at: usize, picture: &Picture<'_>) -> String {
    let mut text = format!(
        "{}: {}",
        short_date(language, date),
        usd(picture.days.total(at))
    );
    if picture.series.len() > 1 {
        for series in picture.series {
            if series.at(at) != Nanos::ZERO {
                text += &format!("\n{} {}", series.name, usd(series.at(at)));
            }
        }
    }
    text
}

fn legend(series: &[Series]) -> Markup {
    html! {
        ul class="legend" {
            @for (series, fill) in series.iter().zip(FILLS) {
                li {
                    svg viewBox="0 0 10 10" aria-hidden="true" focusable="false" {
                        rect class=(fill) width="10" height="10" rx="2" {}
                    }
                    span { (series.name) }
                    span class="money muted" { (usd(series.total())) }
                }
            }
        }
    }
}

fn data_table(language: Language, title: &str, dates: &[Date], series: &[Series]) -> Markup {
    html! {
        details class="chart-data" {
            summary { (language.tr("Show as a table")) }
            div class="scroll" tabindex="0" role="region" aria-label=(title) {
                table class="rows" {
                    caption class="sr-only" { (title) }
                    thead {
                        tr {
                            th scope="col" { (language.tr("Day")) }
                            @for series in series { th scope="col" class="num" { (series.name) } }
                        }
                    }
                    tbody {
                        @for (at, date) in dates.iter().enumerate().rev() {
                            tr {
                                th scope="row" { (date) }
                                @for series in series { td class="num" { (usd(series.at(at))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn summary(language: Language, days: &Days, totals: &[Nanos]) -> String {
    let most = totals
        .iter()
        .zip(&days.dates)
        .max_by_key(|(total, _)| **total);
    let Some((most, date)) = most else {
        return language.tr("No days.").to_owned();
    };
    language.fill(
        "In all {total}; the most on {day}: {most}.",
        &[
            ("total", &usd(sum(totals.iter().copied()))),
            ("day", &short_date(language, *date)),
            ("most", &usd(*most)),
        ],
    )
}

/// Every day where there are few, else the first, the middle and the last.
fn labeled(dates: &[Date]) -> Vec<Date> {
    if dates.len() <= LABELED_DAYS {
        return dates.to_vec();
    }
    let ends = [0, dates.len() / 2, dates.len().saturating_sub(1)];
    ends.iter()
        .filter_map(|at| dates.get(*at).copied())
        .collect()
}

/// Amounts to heights, with lines at round amounts.
#[derive(Clone, Copy, Debug)]
struct Scale {
    step: i64,
    ticks: i64,
}

impl Scale {
    fn up_to(most: Nanos) -> Self {
        let most = most.get().max(1);
        let least_step = most / TICKS + i64::from(most % TICKS != 0);
        let mut power: i64 = 1;
        let step = loop {
            let found = [1, 2, 5]
                .into_iter()
                .map(|digit| power.saturating_mul(digit));
            if let Some(step) = found.into_iter().find(|step| *step >= least_step) {
                break step;
            }
            power = power.saturating_mul(10);
        };
        Self {
            step,
            ticks: most / step + i64::from(most % step != 0),
        }
    }

    /// From the ground up.
    fn ticks(self) -> impl Iterator<Item = Nanos> {
        (0..=self.ticks).map(move |at| Nanos::new(self.step.saturating_mul(at)))
    }

    fn height(self, amount: Nanos) -> i64 {
        let top = i128::from(self.step) * i128::from(self.ticks);
        let height = i128::from(amount.get()) * i128::from(HEIGHT) / top;
        i64::try_from(height).unwrap_or(HEIGHT)
    }

    /// All labels of a scale have the same decimals.
    fn label(self, tick: Nanos) -> String {
        let step = Nanos::new(self.step).to_usd();
        let decimals = step
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len().max(2));
        let text = tick.to_usd();
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let whole = grouped(whole);
        if decimals == 0 {
            format!("${whole}")
        } else {
            format!("${whole}.{rest:0<decimals$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_axis_has_round_amounts() {
        let check = |dollars: &str, expect: &[&str]| {
            let scale = Scale::up_to(Nanos::parse_usd(dollars).unwrap());
            let labels: Vec<String> = scale.ticks().map(|tick| scale.label(tick)).collect();
            assert_eq!(labels, expect, "{dollars}");
        };
        check("12.4", &["$0", "$5", "$10", "$15"]);
        check("20", &["$0", "$5", "$10", "$15", "$20"]);
        check("0.16", &["$0.00", "$0.05", "$0.10", "$0.15", "$0.20"]);
        check("3.1", &["$0", "$1", "$2", "$3", "$4"]);
        check(
            "0.000001234",
            &["$0.0000000", "$0.0000005", "$0.0000010", "$0.0000015"],
        );
        check("4100", &["$0", "$2,000", "$4,000", "$6,000"]);
        check("1.7", &["$0.00", "$0.50", "$1.00", "$1.50", "$2.00"]);
        check("0", &["$0.000000000", "$0.000000001"]);
    }

    #[test]
    fn the_largest_amount_there_is_has_an_axis() {
        let scale = Scale::up_to(Nanos::new(i64::MAX));
        assert_eq!(scale.height(Nanos::ZERO), 0);
        assert!((1..=HEIGHT).contains(&scale.height(Nanos::new(i64::MAX))));
    }

    fn row(day: i8, name: &str, nanos: i64) -> (Date, String, Nanos) {
        (date(2026, 2, day), name.to_owned(), Nanos::new(nanos))
    }

    fn named(series: &[Series]) -> Vec<(&str, Vec<i64>)> {
        let plain = |series: &Series| series.values.iter().map(|value| value.get()).collect();
        series
            .iter()
            .map(|series| (series.name.as_str(), plain(series)))
            .collect()
    }

    #[test]
    fn days_without_a_request_are_there_and_empty() {
        let rows = [
            row(26, "a", 1),
            row(28, "b", 5),
            row(26, "a", 2),
            row(1, "c", 9),
        ];
        let days = Days::from_rows(date(2026, 2, 26), date(2026, 3, 1), rows);
        let dates = [
            date(2026, 2, 26),
            date(2026, 2, 27),
            date(2026, 2, 28),
            date(2026, 3, 1),
        ];
        assert_eq!(days.dates, dates);
        assert_eq!(
            named(&days.series),
            [("b", vec![0, 0, 5, 0]), ("a", vec![3, 0, 0, 0])]
        );
    }

    #[test]
    fn more_series_than_colors_become_one_and_nothing_is_lost() {
        let check = |count: i64, names: &[&str], last: i64| {
            let rows = (0..count).map(|at| row(1, &format!("m{at}"), 100 - at));
            let days = Days::from_rows(date(2026, 2, 1), date(2026, 2, 1), rows);
            let few = days.few((COLORED, "Other"));
            let found: Vec<&str> = few.iter().map(|series| series.name.as_str()).collect();
            assert_eq!(found, names);
            assert_eq!(few.last().unwrap().total().get(), last);
            assert_eq!(
                few.iter().map(|s| s.total().get()).sum::<i64>(),
                days.total(0).get()
            );
        };
        check(2, &["m0", "m1"], 99);
        check(7, &["m0", "m1", "m2", "m3", "m4", "m5", "m6"], 94);
        check(
            9,
            &["m0", "m1", "m2", "m3", "m4", "m5", "Other"],
            94 + 93 + 92,
        );
    }

    #[test]
    fn what_remains_is_the_last_part_whatever_it_comes_to() {
        let check = |names: &[&str], expect: &[&str]| {
            let rows = (0..).zip(names).map(|(at, name)| row(1, name, 100 - at));
            let days = Days::from_rows(date(2026, 2, 1), date(2026, 2, 1), rows).with_last("Other");
            let found: Vec<&str> = days.series.iter().map(|series| &*series.name).collect();
            assert_eq!(found, expect);
        };
        check(&["Other", "a", "b"], &["a", "b", "Other"]);
        check(&["a", "Other", "b"], &["a", "b", "Other"]);
        check(&["a", "b"], &["a", "b"]);
        // Every model has a colour, and what remains the last one.
        let rows = ["Other", "a", "b", "c", "d", "e", "f"].map(|name| row(1, name, 10));
        let days = Days::from_rows(date(2026, 2, 1), date(2026, 2, 1), rows).with_last("Other");
        let few = days.few((COLORED, "Other"));
        assert_eq!((few.len(), &*few[COLORED].name), (COLORED + 1, "Other"));
    }

    #[test]
    fn the_smallest_charge_is_seen_and_a_loss_is_not_drawn() {
        let rows = [
            row(1, "a", 1_000_000_000_000),
            row(2, "a", 1),
            row(3, "a", -5),
        ];
        let days = Days::from_rows(date(2026, 2, 1), date(2026, 2, 3), rows);
        let html = day_bars(Language::English, "c", "Spend", &days).into_string();
        let bars: Vec<&str> = html
            .split("<rect class=\"fill-series-0\"")
            .skip(1)
            .collect();
        assert_eq!(bars.len(), 2, "{html}");
        assert!(
            bars[1].contains("y=\"239\"") && bars[1].contains("height=\"1\""),
            "{html}"
        );
        assert!(html.contains("3 Feb: \u{2212}$0.000000005"), "{html}");
    }

    #[test]
    fn no_days_are_no_picture_of_anything_else() {
        let days = Days {
            dates: Vec::new(),
            series: Vec::new(),
        };
        let html = day_bars(Language::English, "c", "Spend", &days).into_string();
        assert!(html.contains("No days."), "{html}");
    }
}
