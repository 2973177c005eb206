//! Money per day as stacked bars. The picture stretches to the width of the page, so its words are HTML
//! beside it and keep their size on a phone; a table says the same in numbers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use maud::{Markup, html};
use tollgate_core::money::Nanos;

use super::money::{grouped, usd};
use super::when::short_date;
use crate::language::Language;

/// How many series have a colour of their own; the rest are one.
const COLORED: usize = 6;
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

/// One part of every day's amount, such as one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its amount for each day.
    pub values: Vec<Nanos>,
}

/// Days in a row without a gap, and what each came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// The days, from the first on.
    pub dates: Vec<Date>,
    /// The parts of their amounts, the largest first.
    pub series: Vec<Series>,
}

impl Days {
    /// Arranges rows of day, name and amount. Days without a row are empty; rows of other days are left
    /// out.
    pub fn from_rows(
        first: Date,
        last: Date,
        rows: impl IntoIterator<Item = (Date, String, Nanos)>,
    ) -> Self {
        let mut dates = Vec::new();
        let mut date = first;
        while date <= last {
            dates.push(date);
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        let mut named = BTreeMap::<String, Vec<Nanos>>::new();
        for (date, name, amount) in rows {
            let Ok(at) = dates.binary_search(&date) else {
                continue;
            };
            let values = named
                .entry(name)
                .or_insert_with(|| vec![Nanos::ZERO; dates.len()]);
            if let Some(value) = values.get_mut(at) {
                *value = sum([*value, amount]);
            }
        }
        let named = named.into_iter();
        let mut series: Vec<Series> = named
            .map(|(name, values)| Series { name, values })
            .collect();
        series.sort_by_key(|series| std::cmp::Reverse(series.total()));
        Self { dates, series }
    }

    /// What one day came to.
    fn total(&self, at: usize) -> Nanos {
        sum(self.series.iter().map(|series| series.at(at)))
    }

    /// The same with at most as many series as there are colours.
    fn few(&self, other: &str) -> Vec<Series> {
        let Some((own, rest)) = self.series.split_at_checked(COLORED) else {
            return self.series.clone();
        };
        let mut few = own.to_vec();
        match rest {
            [] => {}
            [one] => few.push(one.clone()),
            rest => few.push(Series {
                name: other.to_owned(),
                values: (0..self.dates.len())
                    .map(|at| sum(rest.iter().map(|series| series.at(at))))
                    .collect(),
            }),
        }
        few
    }
}

impl Series {
    fn at(&self, day: usize) -> Nanos {
        self.values.get(day).copied().unwrap_or_default()
    }

    fn total(&self) -> Nanos {
        sum(self.values.iter().copied())
    }
}

/// Bars for days, with a legend where there are several series and a table to open. `id` is the page's
/// only one of that name.
pub fn day_bars(language: Language, id: &str, title: &str, days: &Days) -> Markup {
    let series = days.few(language.tr("Other"));
    let totals: Vec<Nanos> = (0..days.dates.len()).map(|at| days.total(at)).collect();
    let scale = Scale::up_to(totals.iter().copied().max().unwrap_or_default());
    let summary = summary(language, days, &totals);
    html! {
        figure class="chart" {
            @if series.len() > 1 { (legend(&series)) }
            div class="chart-plot" {
                div class="chart-ticks" aria-hidden="true" {
                    @for tick in scale.ticks() { span { (scale.label(tick)) } }
                }
                (bars(language, id, &Picture { title, summary: &summary, days, series: &series, scale }))
                div class="chart-days" aria-hidden="true" {
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

fn sum(amounts: impl IntoIterator<Item = Nanos>) -> Nanos {
    let nanos = amounts.into_iter().map(Nanos::get);
    Nanos::new(nanos.fold(0, i64::saturating_add))
}
