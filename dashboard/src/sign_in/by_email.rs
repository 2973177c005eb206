//! Signing in with an address: the page that asks for it, the mail with the code, the page that takes
//! the code.

use maud::html;
use tollgate_core::hrana::Batch;
use tollgate_core::people::EmailAddress;
use tollgate_core::sign_in::{
    AskForCode, Asked, Attempt, Code, EnterCode, FormToken, KnownBrowser, LocalPath, NetworkHash,
    PendingCode, Refusal, SignIn, Token,
};
use tollgate_edge::clock::random_bytes;

use super::{
    KNOWN_COOKIE, KNOWN_PURPOSE, arrived, cookie, new_session, newcomer, reason, start_over,
};
use crate::answer::Answer;
use crate::entrance::BROWSER_COOKIE;
use crate::fault::Outcome;
use crate::language::Language;
use crate::log;
use crate::mail::{Mail, deliver};
use crate::page::{Field, Kind, Tone, alert, form, link_button, submit};
use crate::place::Place;
use crate::visit::Visit;

/// How long a browser that is about to sign in keeps its token, in seconds.
const BROWSER_SECONDS: u32 = 86_400;

/// `GET /sign-in`: asks for the address.
pub async fn page(visit: &Visit, place: &Place) -> Outcome<Answer> {
    let next = visit.asked.query.get("next").to_owned();
    ask(visit, place, &next, "", None)
}

fn ask(
    visit: &Visit,
    place: &Place,
    next: &str,
    email: &str,
    error: Option<&str>,
) -> Outcome<Answer> {
    let language = visit.language();
    let browser = match &place.browser {
        Some(browser) => browser.clone(),
        None => Token::from_random(random_bytes()?),
    };
    // Who is signed in and signs in as somebody else has the token of the session in its forms.
    let csrf = place.csrf.clone();
    let csrf = csrf.unwrap_or_else(|| FormToken::of(&browser));
    let title = language.fill("Sign in to {name}", &[("name", &place.site.brand.name)]);
    let body = html! {
        h1 class="door-title" { (title) }
        @if let Some(text) = ended(language, visit.asked.query.get("done")) {
            (alert(Kind::Success, text))
        }
        p class="door-text" {
            (language.tr("Type your e-mail address and we send you a code. If you are new here, this makes your account."))
        }
        (form("/sign-in", csrf.as_str(), None, html! {
            input type="hidden" name="next" value=(next);
            (Field::email("email", language.tr("E-mail address")).value(email).error(error).required()
                .autocomplete("email").autofocus())
            (submit(language.tr("Send me a code"), Tone::Primary))
        }))
        @if visit.config.github_client_id.is_some() {
            p class="door-or" { (language.tr("or")) }
            (link_button(language.tr("Sign in with GitHub"), &github_path(next), Tone::Quiet))
        }
    };
    let status = if error.is_some() { 422 } else { 200 };
    Ok(place
        .door(visit, language.tr("Sign in"), body)
        .status(status)
        .with(
            "set-cookie",
            cookie(BROWSER_COOKIE, &browser.reveal(), BROWSER_SECONDS),
        ))
}

/// What just ended, if the address says that something did.
fn ended(language: Language, word: &str) -> Option<&'static str> {
    match word {
        "closed" => {
            Some(language.tr("Your account is closed, and its keys are refused from now on."))
        }
        "removed" => {
            Some(language.tr("The second factor is taken away, and all your sessions ended."))
        }
        _ => None,
    }
}

/// The way to GitHub, and from there to the page that was asked for.
fn github_path(next: &str) -> String {
    if next.is_empty() {
        return "/sign-in/github".to_owned();
    }
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("/sign-in/github?next={next}")
}

/// `POST /sign-in`: sends a code, and says so whether the address is known or not.
pub async fn ask_for_code(visit: &Visit, place: &Place) -> Outcome<Answer> {
    let language = visit.language();
    let form = &visit.asked.form;
    let (typed, next) = (form.get("email"), form.get("next"));
    let Some(email) = EmailAddress::parse(typed) else {
        let error = language.tr("This is not an e-mail address.");
        return ask(visit, place, next, typed, Some(error));
    };
    let sealing = visit.sealing()?;
    let before = match &place.browser {
        Some(browser) => browser.clone(),
        None => Token::from_random(random_bytes()?),
    };
    // A token of its own for each code: one browser may ask again, and the older code ends with it.
    let attempt = Attempt::of(&sealing.derive("sign-in"), (&before, &email), visit.now_ms);
    let known = KnownBrowser {
        secret: &sealing.derive(KNOWN_PURPOSE),
        seller: &place.site.seller,
        email: &email,
    };
    let known = visit
        .cookie(KNOWN_COOKIE)
        .is_some_and(|cookie| known.is(cookie, visit.now_ms));
    let asked = AskForCode {
        known,
        seller: place.site.seller.clone(),
        email: email.clone(),
        network: NetworkHash::of(visit.header("cf-connecting-ip"), &sealing.derive("network")),
        browser: attempt.browser.clone(),
        code: attempt.code.clone(),
        next: LocalPath::or_home(Some(next)),
        now_ms: visit.now_ms,
    };
    // Sent once: a repetition would find the code asked for, and no mail would go out.
    let reply = visit.database.execute(&asked.to_batch()).await?;
    match AskForCode::read(&reply)? {
        Asked::Send => {
            if let Err(fault) = send_code(visit, place, &email, &attempt.code).await {
                log::fault(visit, "/sign-in", &fault);
                let error = language.tr("The mail could not be sent. Try again in a minute.");
                // With its new token the browser asks for a new code.
                let place = place.with_browser(attempt.browser);
                return Ok(ask(visit, &place, next, typed, Some(error))?.status(502));
            }
        }
        Asked::Silently | Asked::Before => {}
        Asked::TooOften => {
            let error = language.tr(
                "Too many codes were asked for from your network. Wait an hour, then try again.",
            );
            return Ok(ask(visit, place, next, typed, Some(error))?.status(429));
        }
    }
    Ok(Answer::see_other("/sign-in/code").with(
        "set-cookie",
        cookie(BROWSER_COOKIE, &attempt.browser.reveal(), BROWSER_SECONDS),
    ))
}

async fn send_code(visit: &Visit, place: &Place, email: &EmailAddress, code: &Code) -> Outcome<()> {
    let language = visit.language();
    let name = &place.site.brand.name;
    let values: [(&str, &dyn std::fmt::Display); 3] = [
        ("name", name),
        ("code", &code.reveal()),
        ("origin", &place.site.origin),
    ];
    let mail = Mail {
        to: email.as_str(),
        subject: language.fill("{code} is your code for {name}", &values),
        text: language.fill(
            "Your code for {name} is {code}.\n\nIt works for 15 minutes, in the browser where you asked for it, at {origin}. If you did not ask for it, ignore this mail; nobody can sign in without the code.\n",
            &values,
        ),
        once: visit.request.to_string(),
    };
    deliver(visit, mail).await
}

/// `GET /sign-in/code`: takes the code.
pub async fn code_page(visit: &Visit, place: &Place) -> Outcome<Answer> {
    give(visit, place, None).await
}

async fn give(visit: &Visit, place: &Place, error: Option<&str>) -> Outcome<Answer> {
    let language = visit.language();
    let Some(browser) = &place.browser else {
        return Ok(Answer::see_other("/sign-in"));
    };
    let mut batch = Batch::new();
    batch.step(None, PendingCode::statement(&place.site.seller, browser));
    let reply = visit.execute(&batch).await?;
    let pending = reply
        .rows_of(0)?
        .first()
        .map(PendingCode::read)
        .transpose()?;
    let Some(pending) = pending else {
        return Ok(Answer::see_other("/sign-in"));
    };
    let body = html! {
        h1 class="door-title" { (language.tr("Type the code")) }
        @if pending.expires_at_ms <= visit.now_ms {
            (alert(Kind::Warning, &reason(language, Refusal::Ended)))
            (start_over(language))
        } @else {
            p class="door-text" {
                (sent_to(language, pending.email.as_str()))
            }
            (form("/sign-in/code", place.csrf(), None, html! {
                (Field::one_time_code("code", language.tr("Code")).error(error).required().autofocus())
                (submit(language.tr("Sign in"), Tone::Primary))
            }))
            p class="door-text" {
                (language.tr("Nothing after a few minutes? Look among the spam. An address that is asked for often gets its next code after half an hour."))
            }
            p class="door-text" {
                a class="link" href="/sign-in" { (language.tr("Use another address, or ask for a new code")) }
            }
        }
    };
    let status = if error.is_some() { 422 } else { 200 };
    Ok(place
        .door(visit, language.tr("Type the code"), body)
        .status(status))
}

fn sent_to(language: Language, email: &str) -> String {
    language.fill(
        "If {email} can receive mail, a code of six digits is on its way. It works for 15 minutes.",
        &[("email", &email)],
    )
}

/// `POST /sign-in/code`: lets the person in if the code is right.
pub async fn enter_code(visit: &Visit, place: &Place) -> Outcome<Answer> {
    let Some(browser) = place.browser.clone() else {
        return Ok(Answer::see_other("/sign-in"));
    };
    let language = visit.language();
    let Some(code) = Code::parse(visit.asked.form.get("code")) else {
        // Not six digits: no try is spent on a slip.
        return give(visit, place, Some(language.tr("The code has six digits."))).await;
    };
    let entered = EnterCode {
        seller: place.site.seller.clone(),
        browser,
        code,
        session: new_session(visit)?,
        newcomer: newcomer(visit)?,
        now_ms: visit.now_ms,
    };
    let batch = entered.to_batch();
    let sign_in = batch.read(&visit.execute(&batch.batch).await?)?;
    if let SignIn::Refused(refusal @ Refusal::WrongCode { .. }) = sign_in {
        return give(visit, place, Some(&reason(language, refusal))).await;
    }
    arrived(visit, place, &entered.session, sign_in)
}
