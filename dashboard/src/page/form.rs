//! Forms: where they are sent, and the token and the id that every one of them carries. What is in them
//! is in `field` and `control`.

use maud::{Markup, html};

/// A form that changes something: sent by POST with the session's token against forged forms (`csrf`)
/// and, if there is one, the id by which a repetition is known (`once`).
pub fn form(action: &str, csrf: &str, once: Option<&str>, body: Markup) -> Markup {
    html! {
        form method="post" action=(action) class="fields" data-busy {
            (tokens(csrf, once))
            (body)
        }
    }
}

/// The same for a form that sends a file, as `multipart/form-data`.
pub fn upload_form(action: &str, csrf: &str, once: Option<&str>, body: Markup) -> Markup {
    html! {
        form method="post" action=(action) enctype="multipart/form-data" class="fields" data-busy {
            (tokens(csrf, once))
            (body)
        }
    }
}

/// A form that only looks something up: its fields become the query of the address.
pub fn filter_form(action: &str, body: Markup) -> Markup {
    html! { form method="get" action=(action) class="filters" { (body) } }
}

/// A value that is sent and not shown.
pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

fn tokens(csrf: &str, once: Option<&str>) -> Markup {
    html! {
        (hidden("csrf", csrf))
        @if let Some(once) = once { (hidden("once", once)) }
    }
}
