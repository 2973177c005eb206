//! What pages show: headings, tiles, cards, messages, lists of facts and snippets. What people fill in is
//! in `field`, what they press in `control`, rows of many things in `table`.

use maud::{Markup, html};

use super::icon::Icon;
use crate::language::Language;

/// What a message or a badge is about, told by its colour, its icon and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing in particular.
    Neutral,
    /// Good to know.
    Info,
    /// It worked.
    Success,
    /// Something needs attention soon.
    Warning,
    /// Something is wrong.
    Danger,
}

/// Where a number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It grows.
    Up,
    /// It stays.
    Flat,
    /// It shrinks.
    Down,
}

/// How a number compares with before.
#[derive(Clone, Debug)]
pub struct Trend<'a> {
    /// Where it goes.
    pub direction: Direction,
    /// In words, such as `12% more than last week`.
    pub text: &'a str,
    /// Whether that is good, bad or neither.
    pub kind: Kind,
}

/// One number that matters.
#[derive(Clone, Debug)]
pub struct Stat<'a> {
    /// What it is.
    pub label: &'a str,
    /// The number.
    pub value: Markup,
    /// What helps to understand it.
    pub hint: Option<&'a str>,
    /// How it compares with before.
    pub trend: Option<Trend<'a>>,
}

/// One of several views of the same thing.
#[derive(Clone, Debug)]
pub struct Tab<'a> {
    /// Its name.
    pub label: &'a str,
    /// Where it is.
    pub href: &'a str,
    /// Whether it is the one that is shown.
    pub active: bool,
}

/// The heading of a page, what the page is for, and what can be done at once.
pub fn page_head(title: &str, text: &str, actions: Markup) -> Markup {
    html! {
        div class="page-head" {
            div class="min-w-0" {
                h1 { (title) }
                @if !text.is_empty() { p { (text) } }
            }
            div class="actions" { (actions) }
        }
    }
}

/// One number that matters, on a tile.
pub fn stat(stat: &Stat<'_>) -> Markup {
    html! {
        div class="tile" {
            dt { (stat.label) }
            dd {
                div class="tile-value" { (stat.value) }
                @if let Some(trend) = &stat.trend {
                    div class={ "tile-note " (trend.kind.ink()) } {
                        span aria-hidden="true" { (trend.direction.sign()) " " }
                        (trend.text)
                    }
                }
                @if let Some(hint) = stat.hint {
                    div class="tile-note" { (hint) }
                }
            }
        }
    }
}

/// Tiles in a row, as many as fit.
pub fn tiles(stats: &[Stat<'_>]) -> Markup {
    html! { dl class="tiles" { @for each in stats { (stat(each)) } } }
}

/// A part of a page with a heading; without one if the title is empty.
pub fn card(title: &str, body: Markup) -> Markup {
    card_with(title, html! {}, body)
}

/// The same with something to do beside the heading.
pub fn card_with(title: &str, actions: Markup, body: Markup) -> Markup {
    html! {
        section class="panel" {
            @if !title.is_empty() {
                div class="panel-head" {
                    h2 { (title) }
                    div class="actions" { (actions) }
                }
            }
            (body)
        }
    }
}

/// A message. Danger is announced at once, the rest when the reader is ready.
pub fn alert(kind: Kind, text: &str) -> Markup {
    alert_with(kind, "", html! { (text) })
}

/// The same with a heading, if it is not empty, and anything below it.
pub fn alert_with(kind: Kind, title: &str, body: Markup) -> Markup {
    let role = if kind == Kind::Danger {
        "alert"
    } else {
        "status"
    };
    html! {
        div class={ "notice " (kind.notice()) } role=(role) {
            (kind.icon())
            div class="min-w-0" {
                @if !title.is_empty() { p class="font-semibold" { (title) } }
                div { (body) }
            }
        }
    }
}

/// A state in one or two words.
pub fn badge(kind: Kind, text: &str) -> Markup {
    html! { span class={ "tag " (kind.notice()) } { (text) } }
}

/// What stands where there is nothing yet, and what to do about it.
pub fn empty_state(title: &str, text: &str, action: Markup) -> Markup {
    html! {
        div class="empty" {
            (Icon::Empty)
            p class="font-semibold" { (title) }
            p class="muted max-w-md" { (text) }
            div class="actions" { (action) }
        }
    }
}

/// Names and what they stand for.
pub fn definition_list(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in facts {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// Views of the same thing, as links. `label` says what they are views of.
pub fn tabs(label: &str, tabs: &[Tab<'_>]) -> Markup {
    html! {
        nav class="views" aria-label=(label) {
            @for tab in tabs {
                a href=(tab.href) aria-current=[tab.active.then_some("page")] { (tab.label) }
            }
        }
    }
}

/// Text as a machine reads it. `label` names it for who cannot see it.
pub fn code_block(label: &str, text: &str) -> Markup {
    html! { pre class="code" tabindex="0" role="region" aria-label=(label) { code { (text) } } }
}

/// Text to take along, with a button that copies it; without a script it can be marked. `id` is the
/// page's only one of that name.
pub fn copy_box(language: Language, id: &str, label: &str, text: &str) -> Markup {
    html! {
        div class="copy-box" {
            pre class="code" tabindex="0" role="region" aria-label=(label) {
                code id=(id) { (text) }
            }
            button type="button" class="btn btn-plain btn-sm needs-script"
                data-copy={ "#" (id) } data-copied=(language.tr("Copied")) {
                (Icon::Copy)
                span aria-live="polite" { (language.tr("Copy")) }
                span class="sr-only" { ": " (label) }
            }
        }
    }
}

/// What turns while htmx waits for an answer; a control names it with `hx-indicator="#id"`.
pub fn busy(language: Language, id: &str) -> Markup {
    html! {
        span id=(id) class="htmx-indicator busy" role="status" {
            span class="spinner" aria-hidden="true" {}
            span { (language.tr("Loading…")) }
        }
    }
}

/// A part of the page that changes by itself; screen readers tell what is new.
pub fn live_region(id: &str, body: Markup) -> Markup {
    html! { div id=(id) aria-live="polite" { (body) } }
}

impl Direction {
    const fn sign(self) -> &'static str {
        match self {
            Self::Up => "↑",
            Self::Flat => "→",
            Self::Down => "↓",
        }
    }
}

impl Kind {
    const fn notice(self) -> &'static str {
        match self {
            Self::Neutral => "is-neutral",
            Self::Info => "is-info",
            Self::Success => "is-success",
            Self::Warning => "is-warning",
            Self::Danger => "is-danger",
        }
    }

    const fn ink(self) -> &'static str {
        match self {
            Self::Neutral => "",
            Self::Info => "text-info",
            Self::Success => "text-success",
            Self::Warning => "text-warning",
            Self::Danger => "text-error",
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Info => Icon::Info,
            Self::Success => Icon::Check,
            Self::Warning | Self::Danger => Icon::Warning,
        }
    }
}
