//! E-mail addresses as people type them, in the one form under which they are kept and compared.
//! Whether anybody reads mail there, only a code that was sent to it tells.

/// The longest address that a mail server takes (RFC 5321).
const MAX_LENGTH: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;

/// An address in lower case, such as `ada@example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads what a person typed; spaces around it do not count. `None` for what is no address, and
    /// for the few that need quotes or letters beyond ASCII: those look like others.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.trim().to_ascii_lowercase();
        let (local, domain) = address.split_once('@')?;
        let in_form = address.len() <= MAX_LENGTH && is_local(local) && is_domain(domain);
        in_form.then_some(Self(address))
    }

    /// The address as it is stored and sent to.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without what follows a `+`, which most mail servers deliver to the same mailbox.
    #[must_use]
    pub fn mailbox(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => {
                let local = local.split_once('+').map_or(local, |(mailbox, _)| mailbox);
                format!("{local}@{domain}")
            }
            None => self.0.clone(),
        }
    }
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A dot-atom of RFC 5322.
fn is_local(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= MAX_LOCAL && local.split('.').all(is_atom)
}

/// A host name with a dot, whose last label is no number.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let Some((_, last)) = domain.rsplit_once('.') else {
        return false;
    };
    domain.split('.').all(is_label) && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_is_one_address_however_it_is_typed() {
        let check = |typed: &str, expect: &str| {
            let address = EmailAddress::parse(typed).map(|address| address.to_string());
            assert_eq!(address.as_deref(), Some(expect), "{typed}");
        };
        check("ada@example.com", "ada@example.com");
        check("  Ada@Example.COM\n", "ada@example.com");
        check("a@b.co", "a@b.co");
        check(
            "ada.king+gpu@mail.example.co.uk",
            "ada.king+gpu@mail.example.co.uk",
        );
        check(
            "o'hara_x-1@xn--bcher-kva.example",
            "o'hara_x-1@xn--bcher-kva.example",
        );
        check("1234567890@123.de", "1234567890@123.de");
        let local = "l".repeat(64);
        check(
            &format!("{local}@example.com"),
            &format!("{local}@example.com"),
        );
    }

    #[test]
    fn a_mailbox_is_one_whatever_follows_the_plus() {
        let check = |typed: &str, expect: &str| {
            assert_eq!(EmailAddress::parse(typed).unwrap().mailbox(), expect);
        };
        check("ada@example.com", "ada@example.com");
        check("Ada+x@example.com", "ada@example.com");
        check("ada+x+y@example.com", "ada@example.com");
        check("ada.king+@example.com", "ada.king@example.com");
        check("ada-x@example.com", "ada-x@example.com");
    }

    #[test]
    fn what_cannot_be_written_to_is_no_address() {
        let check = |typed: &str| assert_eq!(EmailAddress::parse(typed), None, "{typed:?}");
        for typed in [
            "",
            " ",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@localhost",
            "ada@@example.com",
            "ada@example.com@evil.com",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada@-example.com",
            "ada@example-.com",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "ada@exam_ple.com",
            "ada@exämple.com",
            "аda@example.com",
            "ada\u{212a}@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "a da@example.com",
            "ada@example.com, bob@example.com",
            "ada@example.com\r\nBcc: bob@example.com",
            "ada\0@example.com",
            "Ada <ada@example.com>",
            "\"ada\"@example.com",
            "ada@example.com;",
            "<script>@example.com",
        ] {
            check(typed);
        }
        check(&format!("{}@example.com", "l".repeat(65)));
        check(&format!("ada@{}.com", "d".repeat(64)));
        check(&format!("ada@{}com", "dddddd.".repeat(40)));
    }
}
