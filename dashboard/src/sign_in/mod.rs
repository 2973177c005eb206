//! Signing in: an address and the code that is sent there, GitHub, or a one-time link. Who may sign in and how often
//! somebody may try is decided by `core::sign_in`; an answer never tells whether an address is known.

mod by_email;
mod by_github;
mod by_link;

use maud::{Markup, html};
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::sign_in::{
    KnownBrowser, LocalPath, NewSession, Newcomer, Refusal, SignIn, Token, describe_agent,
};
use tollgate_edge::clock::random_bytes;

use crate::answer::Answer;
use crate::entrance::{BROWSER_COOKIE, SESSION_COOKIE};
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{Kind, Tone, alert, link_button};
use crate::place::{Person, Place};
use crate::visit::Visit;

pub use by_email::{ask_for_code, code_page, enter_code, page};
pub use by_github::{back_from_github, to_github};
pub use by_link::use_link;

/// How long the browser keeps a session's cookie, in seconds; the database ends the session earlier.
const COOKIE_SECONDS: u32 = 90 * 86_400;

/// The cookie of a browser in which somebody signed in before; it outlasts the session.
const KNOWN_COOKIE: &str = "__Host-known";

/// For what the secret of that cookie is derived.
const KNOWN_PURPOSE: &str = "known browser";

/// How long the browser keeps it, in seconds; the cookie says itself how long it counts.
const KNOWN_SECONDS: u32 = 90 * 86_400;

/// Where somebody goes who asked for a page and has to pass a door first: the sign-in or the second factor.
/// The door is told where the person wanted to go.
pub fn first(visit: &Visit, door: &str) -> Answer {
    if visit.wants_part() {
        // htmx would put the door into the place of the part.
        return Answer::empty(401).with("hx-redirect", door);
    }
    let target = LocalPath::parse(&visit.asked.target);
    let target = target.filter(|target| visit.asked.method == "GET" && target.as_str() != "/");
    Answer::see_other(target.map_or_else(
        || door.to_owned(),
        |target| {
            let next: String =
                form_urlencoded::byte_serialize(target.as_str().as_bytes()).collect();
            format!("{door}?next={next}")
        },
    ))
}

/// Ends the session.
pub async fn sign_out(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let mut batch = tollgate_core::hrana::Batch::new();
    batch.step(
        None,
        tollgate_core::sign_in::sign_out_statement(&person.token),
    );
    visit.execute(&batch).await?;
    Ok(signed_out("/sign-in"))
}

/// Leads somewhere without the session, which has ended.
pub fn signed_out(to: &str) -> Answer {
    Answer::see_other(to).with("set-cookie", cookie(SESSION_COOKIE, "", 0))
}

/// The cookie of a session.
pub fn session_cookie(token: &Token) -> String {
    cookie(SESSION_COOKIE, &token.reveal(), COOKIE_SECONDS)
}

fn cookie(name: &str, value: &str, seconds: u32) -> String {
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax")
}

/// A session that begins now; the one that the cookie had ends.
fn new_session(visit: &Visit) -> Outcome<NewSession> {
    Ok(NewSession {
        token: Token::from_random(random_bytes()?),
        replaces: visit.cookie(SESSION_COOKIE).and_then(Token::parse),
        agent: describe_agent(visit.header("user-agent")),
    })
}

fn newcomer(visit: &Visit) -> Outcome<Newcomer> {
    Ok(Newcomer {
        account: AccountId::from_random(random_bytes()?),
        person: PersonId::from_random(random_bytes()?),
        language: visit.language().tag().to_owned(),
    })
}

/// What follows from a proof: into the pages, or back with the reason.
fn arrived(visit: &Visit, place: &Place, session: &NewSession, sign_in: SignIn) -> Outcome<Answer> {
    Ok(match sign_in {
        SignIn::Done(signed_in) => {
            let known = KnownBrowser {
                secret: &visit.sealing()?.derive(KNOWN_PURPOSE),
                seller: &place.site.seller,
                email: &signed_in.email,
            };
            Answer::see_other(signed_in.next.as_str())
                .with("set-cookie", session_cookie(&session.token))
                .with("set-cookie", cookie(BROWSER_COOKIE, "", 0))
                .with(
                    "set-cookie",
                    cookie(KNOWN_COOKIE, &known.cookie(visit.now_ms), KNOWN_SECONDS),
                )
        }
        SignIn::Refused(refusal) => {
            let language = visit.language();
            let body = html! {
                h1 class="door-title" { (language.tr("You are not signed in")) }
                (alert(Kind::Warning, &reason(language, refusal)))
                (start_over(language))
            };
            place.door(visit, language.tr("Sign in"), body).status(403)
        }
    })
}

fn start_over(language: Language) -> Markup {
    html! { p class="mt-6" { (link_button(language.tr("Start over"), "/sign-in", Tone::Primary)) } }
}

/// Why nobody signed in, for the person in front of the page.
fn reason(language: Language, refusal: Refusal) -> String {
    match refusal {
        Refusal::WrongCode { tries_left: 0 } => language
            .tr("This is not the code, and it cannot be tried again. Ask for a new one.")
            .to_owned(),
        Refusal::WrongCode { tries_left } => language.fill(
            "This is not the code. You can try {count} more times.",
            &[("count", &tries_left)],
        ),
        Refusal::Ended => language
            .tr("The code or link is too old, was used already, or was tried too often. Ask for a new one.")
            .to_owned(),
        Refusal::Closed => language
            .tr("This account is closed, and its address cannot sign up again. Ask whoever runs this site.")
            .to_owned(),
        Refusal::NotOpen => language
            .tr("This shop takes no new customers at the moment.")
            .to_owned(),
        Refusal::NoAddress => language
            .tr("GitHub knows no verified e-mail address of yours. Sign in with a code instead.")
            .to_owned(),
        Refusal::OtherGithub => language
            .tr("Another GitHub account belongs to this address. Sign in with a code instead.")
            .to_owned(),
    }
}
