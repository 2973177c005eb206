//! What a new account does first, with what is done already ticked off.

use maud::{Markup, html};

use crate::language::Language;
use crate::page::{Kind, Tone, badge, card, link_button};

/// What was done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// There is credit, or there was.
    pub credit: bool,
    /// There is a key.
    pub key: bool,
    /// A call was made.
    pub call: bool,
}

impl Steps {
    /// Whether nothing is left to do.
    pub const fn done(self) -> bool {
        self.credit && self.key && self.call
    }
}

/// The steps, each with the way to its page; the first that is open stands out.
pub fn checklist(language: Language, steps: &Steps) -> Markup {
    let all = [
        (
            steps.credit,
            language.tr("Buy credit"),
            language.tr("Calls are paid from prepaid credit. One credit is one US dollar."),
            "/billing",
        ),
        (
            steps.key,
            language.tr("Create a key"),
            language.tr("Your programs call with it. It is shown once, so have a place for it."),
            "/keys/new",
        ),
        (
            steps.call,
            language.tr("Make a call"),
            language.tr(
                "Paste an example into a terminal. The call and its price appear here at once.",
            ),
            "/quick-start",
        ),
    ];
    let open = all.iter().position(|(done, ..)| !done);
    let steps = html! {
        ol class="grid gap-4" {
            @for (at, (done, label, text, href)) in all.into_iter().enumerate() {
                li class="flex flex-wrap items-center justify-between gap-3" {
                    div class="min-w-0" {
                        p class="font-semibold" {
                            (at + 1) ". " (label)
                        }
                        p class="muted" { (text) }
                    }
                    @if done {
                        (badge(Kind::Success, language.tr("Done")))
                    } @else {
                        (link_button(label, href, if open == Some(at) { Tone::Primary } else { Tone::Plain }))
                    }
                }
            }
        }
    };
    card(language.tr("First steps"), steps)
}
