//! What a visitor sees who cannot be served: a page with what happened and what to do next, and the
//! request's id when it is our fault. Nothing of the fault itself.

use maud::{Markup, html};

use crate::answer::Answer;
use crate::assets;
use crate::fault::Fault;
use crate::visit::Visit;

/// The answer to a fault.
pub fn of(visit: &Visit, fault: &Fault) -> Answer {
    let request = visit.request.to_string();
    match fault {
        Fault::NotFound => page(
            404,
            "There is nothing here",
            "The address is wrong, or what it shows is not yours.",
            None,
        ),
        Fault::Service { service, .. } => page(
            502,
            "Another company does not answer",
            &format!(
                "{service} did not answer as it should. Nothing is lost: try again in a minute."
            ),
            Some(&request),
        ),
        Fault::Database(_) | Fault::Reply(_) => page(
            503,
            "The database does not answer",
            "Nothing is lost. Try again in a minute.",
            Some(&request),
        ),
        Fault::Random(_) | Fault::Runtime(_) | Fault::Bug(_) => page(
            500,
            "Something went wrong here",
            "It is not your fault, and it is in our log. Try again.",
            Some(&request),
        ),
    }
}

/// The answer at a host that is nobody's.
pub fn unknown_host() -> Answer {
    Answer::text(
        "text/plain; charset=utf-8",
        "this host shows nobody's pages\n",
    )
    .status(421)
}

/// The answer to a form that no page of ours sent, or a page from before the last sign-in.
pub fn stale_form() -> Answer {
    page(
        403,
        "This form is too old",
        "It was made before you signed in or out, or by another site. Nothing was changed. Go back, reload the page and send it again.",
        None,
    )
}

/// The answer to a form of a page whose session has ended, such as by signing out in another window. Nothing
/// that was typed is in it.
pub fn signed_out() -> Answer {
    let way_on = ("/sign-in", "Sign in again");
    let text = "You signed out in another window, or it was too long ago. Nothing was changed. Sign in, go back to the form and send it again.";
    page_leading(403, ("You are not signed in any more", text), way_on, None)
}

/// The answer to a form that sends more than is taken.
pub fn too_large() -> Answer {
    page(
        413,
        "This form is too large",
        "What was typed or chosen is more than this page takes, and nothing of it was kept. Go back, make it shorter, and send it again.",
        None,
    )
}

fn page(status: u16, title: &str, text: &str, request: Option<&str>) -> Answer {
    page_leading(status, (title, text), ("/", "To the start"), request)
}

fn page_leading(
    status: u16,
    (title, text): (&str, &str),
    (href, label): (&str, &str),
    request: Option<&str>,
) -> Answer {
    let markup: Markup = html! {
        (maud::DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href=(assets::STYLE);
            }
            body class="min-h-screen flex items-center justify-center p-6" {
                main class="max-w-md" {
                    h1 class="text-2xl font-semibold mb-2" { (title) }
                    p class="mb-6" { (text) }
                    @if let Some(request) = request {
                        p class="text-sm opacity-70 mb-6" { "Request " code { (request) } }
                    }
                    a class="btn btn-primary" href=(href) { (label) }
                }
            }
        }
    };
    Answer::html(markup).status(status)
}
