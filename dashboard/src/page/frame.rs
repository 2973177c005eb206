//! The frame around every page: head, navigation, messages and footer. On a wide screen the navigation
//! stands at the side; on a phone the first entries are at the bottom and all of them in a menu, which
//! opens without a script.

use maud::{DOCTYPE, Markup, html};

use super::content::{Kind, alert};
use super::form::hidden;
use super::icon::Icon;
use crate::assets::{HTMX, SCRIPT, STYLE};
use crate::language::Language;

/// How many entries the bar at the bottom of a phone has, beside the menu.
const BAR_ENTRIES: usize = 4;

/// htmx without inline styles, without evaluated text, and only to our own host.
const HTMX_CONFIG: &str = concat!(
    r#"{"includeIndicatorStyles":false,"allowEval":false,"selfRequestsOnly":true,"#,
    r#""historyCacheSize":0,"refreshOnHistoryMiss":true}"#
);

/// What is the same for every page of a seller.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// Its name.
    pub name: String,
    /// The path of its logo.
    pub logo: Option<String>,
    /// The path of the style sheet with its colour, as `color_sheet` writes it.
    pub color_sheet: Option<String>,
    /// Where its customers get help.
    pub support_url: Option<String>,
}

/// One entry of the navigation.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, in the language of the page.
    pub label: &'static str,
    /// Where it leads.
    pub path: &'static str,
    /// Its icon.
    pub icon: Icon,
}

/// The navigation of somebody who signed in.
#[derive(Clone, Debug)]
pub struct Nav {
    /// What the person is here, such as `Reseller`; empty where that goes without saying.
    pub role: &'static str,
    /// The pages that the person may open. The first are at hand on a phone.
    pub entries: Vec<Entry>,
    /// The path of the entry that is open.
    pub active: String,
    /// Who signed in: a name or an e-mail address.
    pub person: String,
    /// The session's token against forged forms.
    pub csrf: String,
}

/// A message about what was just done.
#[derive(Clone, Debug)]
pub struct Flash {
    /// What it is about.
    pub kind: Kind,
    /// The message.
    pub text: String,
}

/// What stands around a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The title of the page, without the brand.
    pub title: String,
    /// The language of the page.
    pub language: Language,
    /// Whose page it is.
    pub brand: Brand,
    /// The navigation; `None` for somebody who has not signed in.
    pub nav: Option<Nav>,
    /// A message above the page.
    pub flash: Option<Flash>,
}

/// A whole page.
pub fn frame(frame: &Frame, body: Markup) -> Markup {
    let language = frame.language;
    let main = html! {
        main id="main" tabindex="-1" class="page" {
            (flash(frame))
            (body)
        }
        (footer(frame))
    };
    document(
        frame,
        html! {
            @match &frame.nav {
                Some(nav) => {
                    header class="topbar" {
                        (brand(&frame.brand))
                        (theme_button(language))
                    }
                    div class="shell" {
                        (menu(frame, nav))
                        div class="shell-main" { (main) }
                    }
                    (bar(language, nav))
                }
                None => {
                    header class="topbar is-wide" {
                        (brand(&frame.brand))
                        (theme_button(language))
                    }
                    div class="shell-main" { (main) }
                }
            }
        },
    )
}

/// A whole page of one narrow panel in the middle, for signing in.
pub fn door(frame: &Frame, body: Markup) -> Markup {
    document(
        frame,
        html! {
            div class="door" {
                header class="door-head" { (brand(&frame.brand)) }
                main id="main" tabindex="-1" class="panel" {
                    (flash(frame))
                    (body)
                }
                (footer(frame))
            }
        },
    )
}

fn document(frame: &Frame, body: Markup) -> Markup {
    let language = frame.language;
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (frame.title) " · " (frame.brand.name) }
                link rel="stylesheet" href=(STYLE);
                @if let Some(sheet) = &frame.brand.color_sheet {
                    link rel="stylesheet" href=(sheet);
                }
                @if let Some(logo) = &frame.brand.logo {
                    link rel="icon" href=(logo);
                } @else {
                    link rel="icon" href="data:,";
                }
                // Not deferred: it sets the chosen theme before anything is painted.
                script src=(SCRIPT) {}
                script src=(HTMX) defer {}
            }
            body {
                a class="skip" href="#main" { (language.tr("Skip to the content")) }
                (body)
            }
        }
    }
}

fn brand(brand: &Brand) -> Markup {
    html! {
        a class="brand" href="/" {
            @if let Some(logo) = &brand.logo {
                img src=(logo) alt="" width="28" height="28";
            } @else {
                span class="brand-mark" aria-hidden="true" {
                    (brand.name.chars().next().unwrap_or('·'))
                }
            }
            span class="brand-name" { (brand.name) }
        }
    }
}

fn menu(frame: &Frame, nav: &Nav) -> Markup {
    let language = frame.language;
    html! {
        div id="menu" class="menu-panel" popover {
            div class="menu-head" {
                (brand(&frame.brand))
                @if !nav.role.is_empty() { span class="tag is-neutral" { (nav.role) } }
            }
            nav aria-label=(language.tr("Pages")) {
                ul { @for entry in &nav.entries { li { (link(entry, &nav.active)) } } }
            }
            div class="menu-foot" {
                p class="menu-person" title=(nav.person) { (nav.person) }
                div class="flex items-center gap-1" {
                    form method="post" action="/sign-out" class="grow" data-busy {
                        (hidden("csrf", &nav.csrf))
                        button type="submit" class="menu-link w-full" {
                            (Icon::SignOut) span { (language.tr("Sign out")) }
                        }
                    }
                    (theme_button(language))
                }
            }
        }
    }
}

fn bar(language: Language, nav: &Nav) -> Markup {
    html! {
        nav class="bar" aria-label=(language.tr("Shortcuts")) {
            @for entry in nav.entries.iter().take(BAR_ENTRIES) { (link(entry, &nav.active)) }
            button type="button" class="menu-link" popovertarget="menu" {
                (Icon::Menu) span { (language.tr("Menu")) }
            }
        }
    }
}

fn link(entry: &Entry, active: &str) -> Markup {
    let current = (entry.path == active).then_some("page");
    html! {
        a class="menu-link" href=(entry.path) aria-current=[current] {
            (entry.icon) span { (entry.label) }
        }
    }
}

/// Shown where there is a script, as it can do nothing without.
fn theme_button(language: Language) -> Markup {
    let label = language.tr("Switch between light and dark");
    html! {
        button type="button" class="btn btn-ghost btn-sm btn-square needs-script" data-theme-switch
            aria-label=(label) title=(label) { (Icon::Theme) }
    }
}

fn flash(frame: &Frame) -> Markup {
    html! {
        @if let Some(flash) = &frame.flash { (alert(flash.kind, &flash.text)) }
    }
}

fn footer(frame: &Frame) -> Markup {
    html! {
        footer class="foot" {
            span { (frame.brand.name) }
            @if let Some(url) = &frame.brand.support_url {
                a href=(url) rel="noopener" { (frame.language.tr("Support")) }
            }
        }
    }
}
