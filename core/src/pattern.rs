//! Patterns of model names, in which `*` stands for any text: what price rules and lists of allowed
//! models are written in. What a match means is decided by them.

/// The longest pattern, in bytes: no model's name is longer.
pub const MAX_BYTES: usize = 200;

/// Whether a text can be a pattern: letters of a model's name and `*`, at least one, at most
/// [`MAX_BYTES`].
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    !text.is_empty() && text.len() <= MAX_BYTES && plain
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any text, also none, also in
/// the middle and more than once. Takes time in proportion to their lengths multiplied.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    // The leftmost place of every piece leaves the most for the pieces after it.
    for piece in middle.split('*') {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether some text has the form of both patterns.
#[must_use]
pub fn intersect(one: &str, other: &str) -> bool {
    let (Some((head, tail)), Some((other_head, other_tail))) = (ends(one), ends(other)) else {
        // A pattern without a star is one text; two of them are the same or not.
        return if one.contains('*') {
            matches(one, other)
        } else {
            matches(other, one)
        };
    };
    // The stars take whatever lies between, so only the ends can be at odds.
    (head.starts_with(other_head) || other_head.starts_with(head))
        && (tail.ends_with(other_tail) || other_tail.ends_with(tail))
}

/// What is before the first star and after the last; `None` without a star.
fn ends(pattern: &str) -> Option<(&str, &str)> {
    let (head, rest) = pattern.split_once('*')?;
    Some((head, rest.rsplit_once('*').map_or(rest, |(_, tail)| tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_anywhere() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        };
        check("*", "openai/gpt-4o", true);
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("openai/gpt-4o", "openai/gpt-4o", true);
        check("openai/gpt-4o", "openai/gpt-4o-mini", false);
        check("openai/gpt-4o", "openai/gpt-4", false);
        check("openai/gpt-4*", "openai/gpt-4", true);
        check("openai/gpt-4*", "openai/gpt-4o-mini", true);
        check("openai/gpt-4*", "x/openai/gpt-4", false);
        check("*:free", "meta/llama:free", true);
        check("*:free", "meta/llama:freer", false);
        check("openai/*-mini", "openai/gpt-5-mini", true);
        check("openai/*-mini", "openai/-mini", true);
        check("openai/*-mini", "openai/mini", false);
        check("a*a", "a", false);
        check("a*a", "aa", true);
        check("*gpt*mini*", "openai/gpt-4o-mini-high", true);
        check("*gpt*mini*", "openai/mini-gpt", false);
        check("*a*b*c", "xaxbxbxc", true);
        check("*a*b*c", "xaxcxb", false);
        check("*ab*ab", "ab", false);
        check("**", "anything", true);
        check("o**4o", "o4o", true);
        check("ü*", "über", true);
        check("GPT*", "gpt-4", false);
        check("openai/*", "openai/gpt-4o", true);
        check("openai/*", "openai", false);
        check("*-mini", "openai/gpt-4o-mini", true);
        check("*-mini", "openai/gpt-4o-mini-x", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c-b", false);
        check("ab*ba", "aba", false);
        check("exact", "exact", true);
        check("exact", "exactly", false);
    }

    #[test]
    fn two_patterns_meet_where_a_text_has_both_forms() {
        let check = |one: &str, other: &str, expect: bool| {
            assert_eq!(intersect(one, other), expect, "{one} {other}");
            assert_eq!(intersect(other, one), expect, "{other} {one}");
        };
        check("a", "a", true);
        check("a", "b", false);
        check("*", "", true);
        check("*", "a/*", true);
        check("a/*", "a/b", true);
        check("a/*", "b/*", false);
        check("a/*", "*-mini", true);
        check("a/*", "a/b*-mini", true);
        check("a*x", "*xy", false);
        check("a*b", "ab*b", true);
        check("ab*", "*ba", true);
        check("a*m*b", "a*n*b", true);
        check("ab", "a*b*c", false);
        check("a*a", "a", false);
    }

    #[test]
    fn a_long_pattern_of_stars_does_not_take_long() {
        let pattern = "*a".repeat(2_000);
        assert!(!matches(&format!("{pattern}b"), &"a".repeat(20_000)));
    }
}
