//! What people press: links that look like buttons, submit buttons, and forms of one button, with a
//! question before what cannot be undone. All of it works without a script.

use maud::{Markup, html};

use super::form::hidden;
use crate::language::Language;

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The one thing to do here.
    Primary,
    /// One of several things.
    Plain,
    /// Something small, such as in a row of a table.
    Quiet,
    /// Something that takes away.
    Danger,
}

/// A question before something is done.
#[derive(Clone, Debug)]
pub struct Confirm<'a> {
    /// An id that nothing else on the page has.
    pub id: &'a str,
    /// The question, such as `Revoke this key?`.
    pub title: &'a str,
    /// What will happen.
    pub text: &'a str,
}

/// A form of one button.
#[derive(Clone, Debug)]
pub struct ButtonForm<'a> {
    /// Where it is sent to, by POST.
    pub action: &'a str,
    /// The session's token against forged forms.
    pub csrf: &'a str,
    /// What the button says.
    pub label: &'a str,
    /// How it looks.
    pub tone: Tone,
    /// What else is sent: names and values.
    pub values: &'a [(&'a str, &'a str)],
    /// The question before it, if there is one.
    pub confirm: Option<Confirm<'a>>,
}

/// The button that sends a form. It turns and cannot be pressed again until the answer is there.
pub fn submit(label: &str, tone: Tone) -> Markup {
    html! { button type="submit" class=(tone.class()) { (label) } }
}

/// A link that looks like a button.
pub fn link_button(label: &str, href: &str, tone: Tone) -> Markup {
    html! { a href=(href) class=(tone.class()) { (label) } }
}

/// One button that sends a form, after a question if there is one.
pub fn button_form(language: Language, it: &ButtonForm<'_>) -> Markup {
    let Some(confirm) = &it.confirm else {
        return form_of_one(it, "inline-form");
    };
    let title_id = format!("{}-title", confirm.id);
    html! {
        button type="button" class=(it.tone.class()) popovertarget=(confirm.id)
            aria-haspopup="dialog" { (it.label) }
        div id=(confirm.id) class="question" popover role="dialog" aria-labelledby=(title_id) {
            h2 id=(title_id) { (confirm.title) }
            p class="muted" { (confirm.text) }
            div class="actions justify-end" {
                button type="button" class=(Tone::Plain.class()) popovertarget=(confirm.id)
                    popovertargetaction="hide" autofocus { (language.tr("Cancel")) }
                (form_of_one(it, "inline-form"))
            }
        }
    }
}

fn form_of_one(it: &ButtonForm<'_>, class: &str) -> Markup {
    let tone = match (it.tone, &it.confirm) {
        // Behind a question the button is what the question is about.
        (Tone::Quiet | Tone::Plain, Some(_)) => Tone::Danger,
        (tone, _) => tone,
    };
    html! {
        form method="post" action=(it.action) class=(class) data-busy {
            (hidden("csrf", it.csrf))
            @for (name, value) in it.values { (hidden(name, value)) }
            (submit(it.label, tone))
        }
    }
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "btn btn-primary",
            Self::Plain => "btn btn-plain",
            Self::Quiet => "btn btn-ghost btn-sm",
            Self::Danger => "btn btn-danger",
        }
    }
}
