//! Where a person goes after signing in: a path of the same site, and nothing that a browser could
//! take for another one.

/// Longer ones are no link of ours.
const MAX_LENGTH: usize = 1_000;

/// A path with an optional query, such as `/keys?page=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Reads a path that came with a request; `None` for whatever may lead elsewhere. Browsers take
    /// `//host` and `/\host` for another host, and drop tabs and line ends before they look.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let local = text.len() <= MAX_LENGTH
            && path.starts_with('/')
            && !path.contains("//")
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        local.then(|| Self(text.to_owned()))
    }

    /// The path that was asked for, or else the first page.
    #[must_use]
    pub fn or_home(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_else(Self::home)
    }

    /// The first page.
    #[must_use]
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// The path as text, for a `Location` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_goes_on_where_it_led_and_never_to_another_site() {
        let check = |text: &str, expect: &str| {
            assert_eq!(LocalPath::or_home(Some(text)).as_str(), expect, "{text:?}");
        };
        for local in [
            "/",
            "/keys",
            "/keys/key_abc?page=2&sort=name#top",
            "/requests?model=openai/gpt-4o",
            "/a?back=https://example.com//x",
            "/%2F%2Fevil.example",
            "/a:b@c",
            "/.",
        ] {
            check(local, local);
        }
        for elsewhere in [
            "",
            "keys",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a//evil.example",
            "/..//evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            " /keys",
            "/ke ys",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "\u{1}/keys",
            "/keys\0",
            "/kéys",
            "?next=/keys",
            "#/keys",
            "/a?x=\\evil",
        ] {
            check(elsewhere, "/");
        }
        check(
            &format!("/{}", "a".repeat(999)),
            &format!("/{}", "a".repeat(999)),
        );
        check(&format!("/{}", "a".repeat(1_000)), "/");
        assert_eq!(LocalPath::or_home(None).as_str(), "/");
    }
}
