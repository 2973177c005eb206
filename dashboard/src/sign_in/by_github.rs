//! Signing in with GitHub: the way there, the way back, and what is asked of GitHub in between. Which
//! answers count and who that is, is decided by `core::sign_in`.

use maud::html;
use tollgate_core::sign_in::{
    BackFromGithub, GithubTrip, GithubUser, GoToGithub, LocalPath, NetworkHash, SignInWithGithub,
    Token, access_token_form, read_access_token, read_primary_email, read_user,
};
use tollgate_edge::clock::random_bytes;
use worker::Method;

use super::{arrived, cookie, new_session, newcomer, start_over};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::outbound::{Inbound, Outbound, send};
use crate::page::{Kind, alert};
use crate::place::Place;
use crate::visit::Visit;

/// The cookie of a browser whose owner is at GitHub.
const STATE_COOKIE: &str = "__Host-github";

/// How long it is kept, in seconds; the database forgets the state at the same time.
const STATE_SECONDS: u32 = 600;

const SERVICE: &str = "GitHub";

/// `GET /sign-in/github`: leads to GitHub.
pub async fn to_github(visit: &Visit, place: &Place) -> Outcome<Answer> {
    let (client_id, _) = client(visit)?;
    let trip = GoToGithub {
        seller: place.site.seller.clone(),
        state: Token::from_random(random_bytes()?),
        verifier: Token::from_random(random_bytes()?),
        network: NetworkHash::of(
            visit.header("cf-connecting-ip"),
            &visit.sealing()?.derive("network"),
        ),
        next: LocalPath::or_home(visit.asked.query.given("next")),
        now_ms: visit.now_ms,
    };
    // Sent once: a repetition would store the same state again.
    let reply = visit.database.execute(&trip.to_batch()).await?;
    if !GoToGithub::read(&reply)? {
        let text = visit.language().tr(
            "Too many sign-ins were begun from your network. Wait ten minutes, then try again.",
        );
        return Ok(refused(visit, place, text).status(429));
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(trip.query(client_id, &callback(place)))
        .finish();
    let base = &visit.config.github_base_url;
    Ok(
        Answer::see_other(format!("{base}/login/oauth/authorize?{query}")).with(
            "set-cookie",
            cookie(STATE_COOKIE, &trip.state.reveal(), STATE_SECONDS),
        ),
    )
}

/// `GET /sign-in/github/callback`: lets in whom GitHub vouches for.
pub async fn back_from_github(visit: &Visit, place: &Place) -> Outcome<Answer> {
    let language = visit.language();
    let query = &visit.asked.query;
    let cookie_state = visit.cookie(STATE_COOKIE).and_then(Token::parse);
    let back = cookie_state.as_ref().and_then(|cookie| {
        let state = (cookie, query.get("state"));
        BackFromGithub::new(&place.site.seller, state, visit.now_ms)
    });
    let elsewhere =
        language.tr("This sign-in was begun in another browser, or too long ago. Start over.");
    let Some(back) = back else {
        return Ok(refused(visit, place, elsewhere));
    };
    // Sent once: a repetition would find the state used.
    let reply = visit.database.execute(&back.to_batch()).await?;
    let Some(trip) = BackFromGithub::read(&reply)? else {
        return Ok(refused(visit, place, elsewhere));
    };
    if !query.get("error").is_empty() {
        let text = language.tr(
            "You did not allow the sign-in at GitHub. You can also sign in with a code by e-mail.",
        );
        return Ok(refused(visit, place, text));
    }
    let Some(token) = access_token(visit, place, query.get("code"), &trip).await? else {
        let text = language.tr("GitHub did not confirm the sign-in. Start over.");
        return Ok(refused(visit, place, text));
    };
    let (user, email) = who(visit, &token).await?;
    let sign_in = SignInWithGithub {
        seller: place.site.seller.clone(),
        github_id: user.id,
        email,
        name: user.name,
        next: trip.next,
        session: new_session(visit)?,
        newcomer: newcomer(visit)?,
        now_ms: visit.now_ms,
    };
    let batch = sign_in.to_batch();
    let done = batch.read(&visit.execute(&batch.batch).await?)?;
    Ok(arrived(visit, place, &sign_in.session, done)?
        .with("set-cookie", cookie(STATE_COOKIE, "", 0)))
}

/// The token with which GitHub says who the person is; `None` if GitHub does not know the code.
async fn access_token(
    visit: &Visit,
    place: &Place,
    code: &str,
    trip: &GithubTrip,
) -> Outcome<Option<String>> {
    let (id, secret) = client(visit)?;
    let fields = access_token_form((id, secret), &callback(place), code, &trip.verifier);
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let inbound = send(Outbound {
        service: SERVICE,
        method: Method::Post,
        url: format!("{}/login/oauth/access_token", visit.config.github_base_url),
        headers: &[
            ("accept", "application/json".to_owned()),
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ],
        body: Some(form),
    })
    .await?;
    Ok(read_access_token(&ok(inbound)?))
}

/// The account, and its primary address if GitHub verified it.
async fn who(
    visit: &Visit,
    token: &str,
) -> Outcome<(GithubUser, Option<tollgate_core::people::EmailAddress>)> {
    let (user, addresses) = futures_util::try_join!(
        ask(visit, token, "/user"),
        ask(visit, token, "/user/emails")
    )?;
    let user = read_user(&user).ok_or_else(|| Fault::Service {
        service: SERVICE,
        what: "its answer names no account".to_owned(),
    })?;
    Ok((user, read_primary_email(&addresses)))
}

async fn ask(visit: &Visit, token: &str, path: &str) -> Outcome<Vec<u8>> {
    let inbound = send(Outbound {
        service: SERVICE,
        method: Method::Get,
        url: format!("{}{path}", visit.config.github_api_url),
        headers: &[
            ("accept", "application/vnd.github+json".to_owned()),
            ("authorization", format!("Bearer {token}")),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ],
        body: None,
    })
    .await?;
    ok(inbound)
}

fn ok(inbound: Inbound) -> Outcome<Vec<u8>> {
    if inbound.status == 200 {
        return Ok(inbound.body);
    }
    Err(Fault::Service {
        service: SERVICE,
        what: format!("status {}", inbound.status),
    })
}

/// The application at GitHub; where there is none, there are no such pages.
fn client(visit: &Visit) -> Outcome<(&str, &str)> {
    let id = visit.config.github_client_id.as_deref();
    let secret = visit.config.github_client_secret.as_deref();
    id.zip(secret).ok_or(Fault::NotFound)
}

fn callback(place: &Place) -> String {
    format!("{}/sign-in/github/callback", place.site.origin)
}

fn refused(visit: &Visit, place: &Place, text: &str) -> Answer {
    let language = visit.language();
    let body = html! {
        h1 class="door-title" { (language.tr("You are not signed in")) }
        (alert(Kind::Warning, text))
        (start_over(language))
    };
    place
        .door(visit, language.tr("Sign in"), body)
        .status(403)
        .with("set-cookie", cookie(STATE_COOKIE, "", 0))
}
