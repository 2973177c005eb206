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
