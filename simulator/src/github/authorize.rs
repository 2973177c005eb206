//! The page where people agree or cancel, and the way back. What an app may ask for is checked more
//! strictly than at GitHub: a state and a PKCE challenge must be there.

use std::time::Instant;

use hyper::Response;
use hyper::header::{HeaderValue, LOCATION};
use maud::{Markup, html};
use url::Url;

use super::grants::Wish;
use super::people::{chosen, samples};
use super::{CLIENT_ID, Github};
use crate::fields::Fields;
use crate::page::{HTML, page};
use crate::reply::{Reply, plain};

const ASKED: [&str; 6] = [
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
];

/// Something that an app asked for wrongly; people see it, the app does not.
#[derive(Debug, PartialEq, Eq)]
struct Mistake(u16, &'static str);

/// Shows the page.
pub fn ask(query: Option<&str>) -> Response<Reply> {
    let asked = Fields::of_form(query.unwrap_or_default().as_bytes());
    match read(&asked) {
        Ok(wish) => page(200, "Sign in with GitHub", &choice(&asked, &wish)),
        Err(mistake) => explain(&mistake),
    }
}

/// Sends the browser back with a code, or with the news that its user cancelled.
pub fn decide(github: &Github, form: &[u8]) -> Response<Reply> {
    let form = Fields::of_form(form);
    let wish = match read(&form) {
        Ok(wish) => wish,
        Err(mistake) => return explain(&mistake),
    };
    let mut back = wish.redirect_uri.clone();
    if form.one("cancel").is_some() {
        back.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "The user has denied your application access.")
            .append_pair("error_uri", "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#access-denied")
            .append_pair("state", &wish.state);
        return redirect(&back);
    }
    let person = match chosen(&form) {
        Ok(person) => person,
        Err(wrong) => return explain(&Mistake(422, wrong)),
    };
    let code = github.serial.hex(20);
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &wish.state);
    github.grants().agree(code, wish, person, Instant::now());
    redirect(&back)
}

fn read(asked: &Fields) -> Result<Wish, Mistake> {
    if asked.one("client_id") != Some(CLIENT_ID) {
        return Err(Mistake(404, "no app has this `client_id`"));
    }
    let redirect_uri = asked
        .one("redirect_uri")
        .and_then(|uri| Url::parse(uri).ok())
        .filter(|uri| matches!(uri.scheme(), "http" | "https") && uri.fragment().is_none())
        .ok_or(Mistake(400, "`redirect_uri` must be one HTTP address"))?;
    let state = asked
        .filled("state")
        .ok_or(Mistake(400, "`state` is missing"))?;
    if asked.one("code_challenge_method") != Some("S256") {
        return Err(Mistake(400, "`code_challenge_method` must be `S256`"));
    }
    let challenge = asked
        .one("code_challenge")
        .filter(|text| text.len() == 43 && text.bytes().all(is_base64url))
        .ok_or(Mistake(
            400,
            "`code_challenge` must be 43 characters of base64url",
        ))?;
    Ok(Wish {
        redirect_uri,
        state: state.to_owned(),
        scope: asked.one("scope").unwrap_or_default().to_owned(),
        challenge: challenge.to_owned(),
    })
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn choice(asked: &Fields, wish: &Wish) -> Markup {
    let carried = html! {
        @for (name, value) in asked.pairs().filter(|(name, _)| ASKED.contains(name)) {
            input type="hidden" name=(name) value=(value);
        }
    };
    html! {
        main {
            h1 { "Sign in with GitHub" }
            p { "This is a stand-in: nothing here reaches GitHub." }
            p { "An app at " strong { (wish.redirect_uri.origin().ascii_serialization()) }
                " asks for " strong { (wish.scope) } "." }
            h2 { "Sign in as" }
            form method="post" action="authorize" {
                (carried)
                @for (person, about) in samples() {
                    p { button.wide name="person" value=(person.login) {
                        strong { (person.login) } br; span.quiet { (about) }
                    } }
                }
                p { button name="cancel" value="1" { "Cancel" } }
            }
            h2 { "Or as somebody else" }
            form method="post" action="authorize" {
                (carried)
                p { label { "Login" input name="login" value="octo-other" required; } }
                p { label { "Id" input name="id" inputmode="numeric" value="900100" required; } }
                p { label { "Name" input name="name"; } }
                p { label { "E-mail; empty for none" input name="email" value="octo-other@example.com"; } }
                p { label.inline { input type="checkbox" name="verified" checked; "The address is verified" } }
                p { button name="person" value="other" { "Sign in" } }
            }
        }
    }
}

fn explain(Mistake(code, wrong): &Mistake) -> Response<Reply> {
    let content = html! {
        main { h1 { "This sign-in cannot go on" } p { (wrong) } }
    };
    page(*code, "Sign in with GitHub", &content)
}

fn redirect(to: &Url) -> Response<Reply> {
    // An address that was parsed is written in ASCII, so that this cannot fail.
    let Ok(location) = HeaderValue::from_str(to.as_str()) else {
        return explain(&Mistake(400, "`redirect_uri` must be one HTTP address"));
    };
    let mut response = plain(302, HTML, "");
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_asks_wrongly_is_told_what_is_wrong() {
        let good = "client_id=github-simulator&redirect_uri=http://127.0.0.1:1/back&state=s\
                    &code_challenge=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&code_challenge_method=S256";
        let check = |from: &str, to: &str, expect: Result<(), Mistake>| {
            let query = good.replace(from, to);
            let read = read(&Fields::of_form(query.as_bytes()));
            assert_eq!(read.map(drop), expect, "{query}");
        };
        check("", "", Ok(()));
        check("=github-simulator", "=x", {
            Err(Mistake(404, "no app has this `client_id`"))
        });
        let address = || Err(Mistake(400, "`redirect_uri` must be one HTTP address"));
        check("http://127.0.0.1:1/back", "", address());
        check("http://127.0.0.1:1/back", "/back", address());
        check("http://127.0.0.1:1/back", "javascript:1", address());
        check("http://127.0.0.1:1/back", "http://a/%23part", address());
        check("&state=s", "", Err(Mistake(400, "`state` is missing")));
        check("&state=s", "&state=", {
            Err(Mistake(400, "`state` is missing"))
        });
        check("S256", "plain", {
            Err(Mistake(400, "`code_challenge_method` must be `S256`"))
        });
        let challenge = || {
            Err(Mistake(
                400,
                "`code_challenge` must be 43 characters of base64url",
            ))
        };
        check("aaa&", "aa&", challenge());
        check("aaa&", "aa%3D&", challenge());
    }
}
