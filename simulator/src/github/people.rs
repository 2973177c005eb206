//! The people of this GitHub: the samples that its page offers, and anybody that a form describes.

use crate::fields::Fields;

const LONGEST_FIELD: usize = 500;

/// One address of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address as GitHub shows it.
    pub email: String,
    /// Whether mail of GitHub's goes there; true for one address at most.
    pub primary: bool,
    /// Whether the person proved to receive mail there.
    pub verified: bool,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name in addresses of pages; people may change it.
    pub login: String,
    /// What stays when the login changes.
    pub id: u64,
    /// The name they go by.
    pub name: Option<String>,
    /// Their addresses, which may be none.
    pub emails: Vec<Address>,
}

/// Who can sign in with one click, each beside what is special about them.
#[must_use]
pub fn samples() -> [(Person, &'static str); 4] {
    let main = |email: &str, verified| Address {
        email: email.to_owned(),
        primary: true,
        verified,
    };
    let other = |email: &str, verified| Address {
        primary: false,
        ..main(email, verified)
    };
    let person = |id, login: &str, emails| Person {
        login: login.to_owned(),
        id,
        name: Some(format!("{} (sample)", login.replace('-', " "))),
        emails,
    };
    let tester = vec![main("octo-tester@example.com", true)];
    let several = vec![
        other("octo-several@old.example", false),
        main("octo-several@example.com", true),
        other("octo-several@work.example", true),
        other("900002+octo-several@users.noreply.github.com", true),
    ];
    let unverified = vec![main("octo-unverified@example.com", false)];
    [
        (
            person(900_001, "octo-tester", tester),
            "one address, verified",
        ),
        (
            person(900_002, "octo-several", several),
            "several addresses, the first of them not verified",
        ),
        (
            person(900_003, "octo-unverified", unverified),
            "one address, not verified",
        ),
        (
            person(900_004, "octo-silent", Vec::new()),
            "no address at all",
        ),
    ]
}

/// Who a form chooses: `person` is a sample's login, or `other` beside `login`, `id`, `name`, `email`
/// and `verified`. Otherwise what is wrong with the form.
pub fn chosen(form: &Fields) -> Result<Person, &'static str> {
    let wanted = form.one("person").ok_or("choose a person")?;
    if wanted != "other" {
        let found = samples()
            .into_iter()
            .find(|(sample, _)| sample.login == wanted);
        return found
            .map(|(sample, _)| sample)
            .ok_or("there is no such sample person");
    }
    if form.pairs().any(|(_, value)| value.len() > LONGEST_FIELD) {
        return Err("a field is longer than 500 bytes");
    }
    let login = form.filled("login").ok_or("the login is missing")?;
    let id = form.filled("id").and_then(|id| id.parse().ok());
    let email = form.filled("email").map(|email| Address {
        email: email.to_owned(),
        primary: true,
        verified: form.one("verified").is_some(),
    });
    Ok(Person {
        login: login.to_owned(),
        id: id.ok_or("the id must be a whole number")?,
        name: form.filled("name").map(str::to_owned),
        emails: email.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_chooses_a_sample_or_describes_anybody() {
        let check = |form: &str, expect: Result<&str, &str>| {
            let told = chosen(&Fields::of_form(form.as_bytes())).map(|person| {
                let mark = |verified| if verified { "verified" } else { "unverified" };
                let emails = person.emails.iter();
                let emails =
                    emails.map(|address| format!(" {} {}", address.email, mark(address.verified)));
                format!(
                    "{} {}{}",
                    person.login,
                    person.id,
                    emails.collect::<String>()
                )
            });
            let told = told.as_deref().map_err(|error| *error);
            assert_eq!(told, expect, "{form}");
        };
        check(
            "person=octo-tester",
            Ok("octo-tester 900001 octo-tester@example.com verified"),
        );
        check("person=octo-silent", Ok("octo-silent 900004"));
        let other = "person=other&login=x&id=7";
        check(
            &format!("{other}&email=a%40b&verified=on"),
            Ok("x 7 a@b verified"),
        );
        check(&format!("{other}&email=a%40b"), Ok("x 7 a@b unverified"));
        check(&format!("{other}&email="), Ok("x 7"));
        check("", Err("choose a person"));
        check("person=octo-nobody", Err("there is no such sample person"));
        check("person=other&id=7", Err("the login is missing"));
        check(
            "person=other&login=x&id=-1",
            Err("the id must be a whole number"),
        );
        let long = format!("{other}&name={}", "x".repeat(501));
        check(&long, Err("a field is longer than 500 bytes"));
    }
}
