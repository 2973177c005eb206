//! Small pictures of money: which of several things cost most, and how a number went.

use maud::{Markup, html};
use tollgate_core::money::Nanos;

use super::money::money;

/// The width of a full bar and of a line, in units of the drawing.
const WIDTH: i128 = 1000;
const LINE_HEIGHT: i128 = 100;

/// One thing and its amount.
#[derive(Clone, Debug)]
pub struct Rank {
    /// What it is.
    pub label: String,
    /// Where there is more about it.
    pub href: Option<String>,
    /// Its amount.
    pub value: Nanos,
    /// What else to say, such as `120 requests`.
    pub note: Option<String>,
}

/// Things by their amounts, as bars relative to the largest. They come sorted.
pub fn ranking(title: &str, items: &[Rank]) -> Markup {
    let most = items.iter().map(|item| item.value.get()).max();
    let most = i128::from(most.unwrap_or_default().max(1));
    html! {
        ol class="ranking" aria-label=(title) {
            @for item in items {
                @let width = i128::from(item.value.get().max(0)) * WIDTH / most;
                li {
                    div class="ranking-line" {
                        span class="ranking-label" {
                            @match &item.href {
                                Some(href) => a href=(href) { (item.label) },
                                None => (item.label),
                            }
                        }
                        @if let Some(note) = &item.note { span class="muted" { (note) } }
                        (money(item.value))
                    }
                    svg class="ranking-bar" viewBox="0 0 1000 8" preserveAspectRatio="none"
                        aria-hidden="true" focusable="false" {
                        rect class="track" width="1000" height="8" {}
                        rect class="fill-series-0" width=(width) height="8" {}
                    }
                }
            }
        }
    }
}

/// How a number went, without axes. `title` says it in words.
pub fn sparkline(title: &str, values: &[i64]) -> Markup {
    let least = i128::from(values.iter().copied().min().unwrap_or_default());
    let most = i128::from(values.iter().copied().max().unwrap_or_default());
    let span = (most - least).max(1);
    let steps = i128::try_from(values.len().saturating_sub(1))
        .unwrap_or_default()
        .max(1);
    let points: Vec<String> = (0..)
        .zip(values)
        .map(|(at, value)| {
            let x = at * WIDTH / steps;
            let y = LINE_HEIGHT - (i128::from(*value) - least) * LINE_HEIGHT / span;
            format!("{x},{y}")
        })
        .collect();
    html! {
        svg class="sparkline" viewBox="0 -6 1000 112" preserveAspectRatio="none" role="img"
            aria-label=(title) {
            title { (title) }
            polyline points=(points.join(" ")) vector-effect="non-scaling-stroke" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_the_amounts_say() {
        let check = |amounts: &[i64], widths: &[i64]| {
            let items: Vec<Rank> = amounts
                .iter()
                .map(|nanos| Rank {
                    label: String::new(),
                    href: None,
                    value: Nanos::new(*nanos),
                    note: None,
                })
                .collect();
            let html = ranking("", &items).into_string();
            let bars = html.split("class=\"fill-series-0\" width=\"").skip(1);
            let found = bars.map(|rest| rest.split('"').next().unwrap().parse().unwrap());
            assert_eq!(found.collect::<Vec<i64>>(), widths, "{amounts:?}");
        };
        check(&[4, 2, 1, 0], &[1000, 500, 250, 0]);
        check(&[i64::MAX, i64::MAX, i64::MIN], &[1000, 1000, 0]);
        check(&[0, 0], &[0, 0]);
        check(&[], &[]);
    }

    #[test]
    fn a_line_goes_from_edge_to_edge() {
        let check = |values: &[i64], points: &str| {
            let html = sparkline("Balance", values).into_string();
            assert!(html.contains(&format!("points=\"{points}\"")), "{html}");
        };
        check(&[0, 5, 10], "0,100 500,50 1000,0");
        check(&[7, 7], "0,100 1000,100");
        check(&[7], "0,100");
        check(&[], "");
        check(&[i64::MIN, i64::MAX], "0,100 1000,0");
    }
}
