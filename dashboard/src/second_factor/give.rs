//! Giving a code of the app. The try is counted before the code is looked at; with a right one the
//! session goes on under a new token.

use maud::html;
use tollgate_core::sign_in::{
    Code, GiveSecondFactor, LocalPath, SecondFactorTry, Token, TotpSecret, TrySecondFactor,
};
use tollgate_edge::clock::random_bytes;

use super::{code_field, next, next_field, sign_out};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{Tone, form, submit};
use crate::place::Person;
use crate::sign_in::session_cookie;
use crate::visit::Visit;

/// Asks for a code.
pub fn show(visit: &Visit, person: &Person, error: Option<&str>) -> Answer {
    let language = person.language();
    let title = language.tr("Type the code of your app");
    let body = html! {
        h1 class="door-title" { (title) }
        p class="door-text" {
            (language.tr("Your authenticator app shows a code of six digits for this site. Without the app, ask whoever runs this site to take the second factor away."))
        }
        (form("/second-factor", person.place.csrf(), None, html! {
            (next_field(visit))
            (code_field(language.tr("Code of the app"), error))
            (submit(language.tr("Go on"), Tone::Primary))
        }))
        (sign_out(person))
    };
    let status = if error.is_some() { 422 } else { 200 };
    person.place.door(visit, title, body).status(status)
}

/// Lets the person on if the code is right.
pub async fn enter(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let language = person.language();
    let Some(code) = Code::parse(visit.asked.form.get("code")) else {
        // Not six digits: no try is spent on a slip.
        let error = language.tr("The code has six digits.");
        return Ok(show(visit, person, Some(error)));
    };
    let owner = &person.session.person;
    let attempt = TrySecondFactor {
        person: owner.clone(),
        now_ms: visit.now_ms,
    }
    .to_batch();
    // Sent once: a repetition would count as a second try.
    let counted = attempt.read(&visit.database.execute(&attempt.batch).await?)?;
    let (sealed, used_step) = match counted {
        SecondFactorTry::Counted { sealed, used_step } => (sealed, used_step),
        SecondFactorTry::TooMany => {
            let error = language.tr("Too many wrong codes today. Try again tomorrow (UTC), or ask whoever runs this site.");
            return Ok(show(visit, person, Some(error)).status(429));
        }
        SecondFactorTry::NotSetUp => return Ok(Answer::see_other("/second-factor")),
    };
    let secret = TotpSecret::open(&visit.sealing()?, owner, &sealed).ok_or(Fault::Bug(
        "a second factor opens under none of the sealing keys",
    ))?;
    let Some(step) = secret.step_of(&code, visit.now_ms, used_step) else {
        let error = language.tr(
            "This is not the code, or it was used already. Wait for the next one and type that.",
        );
        return Ok(show(visit, person, Some(error)));
    };
    let given = GiveSecondFactor {
        person: owner.clone(),
        session: person.session.hash,
        token: Token::from_random(random_bytes()?),
        step,
        now_ms: visit.now_ms,
    };
    let (batch, commit) = given.to_batch();
    if !visit.database.execute(&batch).await?.is_ok(commit) {
        let error = language.tr("This code was used already. Wait for the next one and type that.");
        return Ok(show(visit, person, Some(error)));
    }
    let next = next(visit).unwrap_or_else(LocalPath::home);
    Ok(Answer::see_other(next.as_str()).with("set-cookie", session_cookie(&given.token)))
}
