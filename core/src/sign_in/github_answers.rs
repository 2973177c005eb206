//! What is asked of GitHub after a person came back, and what of its answers counts. An answer that
//! is not understood is no answer.

use serde::Deserialize;

use super::Token;
use crate::people::{EmailAddress, PersonName};

/// The GitHub account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubUser {
    /// Its number, which stays when its name changes.
    pub id: i64,
    /// What the person is called there; may be empty.
    pub name: PersonName,
}

/// The form of `POST https://github.com/login/oauth/access_token`, not encoded. `client` is the id
/// and the secret of the app.
#[must_use]
pub fn access_token_form(
    client: (&str, &str),
    redirect_uri: &str,
    code: &str,
    verifier: &Token,
) -> [(&'static str, String); 5] {
    let (id, secret) = client;
    [
        ("client_id", id.to_owned()),
        ("client_secret", secret.to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", redirect_uri.to_owned()),
        ("code_verifier", verifier.reveal()),
    ]
}

/// The access token in the answer to that form as JSON. `None` also for an error, which GitHub sends
/// with status 200.
#[must_use]
pub fn read_access_token(body: &[u8]) -> Option<String> {
    let answer: WireToken = serde_json::from_slice(body).ok()?;
    let token = answer.access_token;
    let in_form = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    in_form.then_some(token)
}

/// The account in the answer of `GET https://api.github.com/user`.
#[must_use]
pub fn read_user(body: &[u8]) -> Option<GithubUser> {
    let user: WireUser = serde_json::from_slice(body).ok()?;
    let name = user.name.as_deref().and_then(PersonName::parse);
    (user.id > 0).then(|| GithubUser {
        id: user.id,
        name: name.unwrap_or_default(),
    })
}

/// The address in the answer of `GET https://api.github.com/user/emails`: the primary one, if GitHub
/// verified it. Anybody can enter any other.
#[must_use]
pub fn read_primary_email(body: &[u8]) -> Option<EmailAddress> {
    let addresses: Vec<WireEmail> = serde_json::from_slice(body).ok()?;
    let primary = addresses.iter().find(|address| address.primary)?;
    if !primary.verified {
        return None;
    }
    EmailAddress::parse(&primary.email)
}

#[derive(Deserialize)]
struct WireToken {
    access_token: String,
}

#[derive(Deserialize)]
struct WireUser {
    id: i64,
    name: Option<String>,
}

#[derive(Deserialize)]
struct WireEmail {
    email: String,
    primary: bool,
    verified: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_primary_address_that_github_verified_counts() {
        let check = |body: &str, expect: Option<&str>| {
            let email = read_primary_email(body.as_bytes());
            assert_eq!(email.as_ref().map(EmailAddress::as_str), expect, "{body}");
        };
        let address = |email: &str, primary: bool, verified: bool| {
            format!(
                r#"{{"email":"{email}","primary":{primary},"verified":{verified},"visibility":null}}"#
            )
        };
        let own = address("Ada@Example.com", true, true);
        let other = address("boss@example.com", false, true);
        check(&format!("[{own}]"), Some("ada@example.com"));
        check(&format!("[{other},{own}]"), Some("ada@example.com"));
        check(&format!("[{other}]"), None);
        check(
            &format!("[{}]", address("boss@example.com", true, false)),
            None,
        );
        let unverified = address("boss@example.com", true, false);
        check(&format!("[{unverified},{own}]"), None);
        check(&format!("[{}]", address("no address", true, true)), None);
        check("[]", None);
        check(r#"[{"email":"ada@example.com"}]"#, None);
        check(
            r#"[{"email":"ada@example.com","primary":1,"verified":1}]"#,
            None,
        );
        check(r#"{"message":"Bad credentials"}"#, None);
        check("", None);
    }

    #[test]
    fn an_account_is_its_number() {
        let check = |body: &str, expect: Option<(i64, &str)>| {
            let user = read_user(body.as_bytes());
            let user = user.as_ref().map(|user| (user.id, user.name.as_str()));
            assert_eq!(user, expect, "{body}");
        };
        check(
            r#"{"login":"ada","id":7,"name":"Ada L"}"#,
            Some((7, "Ada L")),
        );
        check(r#"{"login":"ada","id":7,"name":null}"#, Some((7, "")));
        check(r#"{"login":"ada","id":7}"#, Some((7, "")));
        check(r#"{"id":7,"name":"a\nb"}"#, Some((7, "")));
        check(r#"{"id":0}"#, None);
        check(r#"{"id":-7}"#, None);
        check(r#"{"id":"7"}"#, None);
        check(r#"{"id":7.5}"#, None);
        check(r#"{"login":"ada"}"#, None);
        check("<html>", None);
    }

    #[test]
    fn an_error_is_no_token() {
        let check = |body: &str, expect: Option<&str>| {
            assert_eq!(
                read_access_token(body.as_bytes()).as_deref(),
                expect,
                "{body}"
            );
        };
        check(
            r#"{"access_token":"gho_a","scope":"user:email","token_type":"bearer"}"#,
            Some("gho_a"),
        );
        check(r#"{"error":"bad_verification_code"}"#, None);
        check(r#"{"access_token":""}"#, None);
        check(r#"{"access_token":"a\r\nx: y"}"#, None);
        check("access_token=gho_a", None);
        let verifier = Token::from_random([7; 32]);
        let form = access_token_form(("id", "secret"), "https://a.example/x", "code", &verifier);
        assert!(form.contains(&("code_verifier", verifier.reveal())));
    }
}
