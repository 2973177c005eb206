//! Mail addresses as Resend takes them: `someone@example.com` or `Someone <someone@example.com>`.

/// The bare address, or nothing when it has neither form.
#[must_use]
pub fn bare(text: &str) -> Option<&str> {
    if text.contains(char::is_control) {
        return None;
    }
    let address = match text.trim().strip_suffix('>') {
        Some(named) => named.rsplit_once('<')?.1,
        None => text.trim(),
    };
    let (local, domain) = address.rsplit_once('@')?;
    let labels = domain.split('.').collect::<Vec<_>>();
    let plain = |part: &str| {
        let forbidden = |c: char| c.is_whitespace() || "<>,;:\"()@".contains(c);
        !part.is_empty() && !part.contains(forbidden)
    };
    (plain(local) && labels.len() > 1 && labels.into_iter().all(plain)).then_some(address)
}

/// Whether two texts name the same address; names and case do not count.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    let key = |text: &str| bare(text).unwrap_or(text).to_lowercase();
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_alone_or_behind_a_name() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(bare(text), expect, "{text:?}");
        check("a@b.example", Some("a@b.example"));
        check("Ann B. <a+c@b.example>", Some("a+c@b.example"));
        check("<a@b.example>", Some("a@b.example"));
        check("ä@ü.example", Some("ä@ü.example"));
        for wrong in [
            "",
            "a",
            "@",
            "a@b",
            "@b.example",
            "a@.example",
            "a@b.",
            "a b@c.example",
            "a@b@c.example",
            "a@b.example, c@d.example",
            "Ann <a@b.example",
            "Ann a@b.example>",
            "a@b.example\r\nBcc: c@d.example",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn one_finds_an_address_whatever_its_case_and_name() {
        let check = |one, other, expect| assert_eq!(same(one, other), expect, "{one} {other}");
        check("A@b.example", "Ann <a@B.example>", true);
        check("a@b.example", "a@c.example", false);
        check("nonsense", "Nonsense", true);
    }
}
