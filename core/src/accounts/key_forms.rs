//! What people type about a key: its name, and the models that it may call. Numbers and amounts are read
//! where they are asked for.

/// How long a key's name is at most, in characters.
pub const LONGEST_KEY_NAME: usize = 64;

/// How many patterns a key's list of models has at most.
pub const MOST_MODEL_PATTERNS: usize = 100;

/// How long a pattern is at most, in characters.
pub const LONGEST_MODEL_PATTERN: usize = 200;

/// Why a text is no name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyNameError {
    /// Nothing but white space.
    Empty,
    /// More than [`LONGEST_KEY_NAME`] characters.
    TooLong,
    /// A control character, or one that turns the direction of text around.
    Control,
}

/// The name in a text, without white space around it.
pub fn key_name(text: &str) -> Result<String, KeyNameError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(KeyNameError::Empty);
    }
    if name.chars().count() > LONGEST_KEY_NAME {
        return Err(KeyNameError::TooLong);
    }
    if name.chars().any(hides_text) {
        return Err(KeyNameError::Control);
    }
    Ok(name.to_owned())
}

/// Why a text is no list of model patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelPatternsError {
    /// More than [`MOST_MODEL_PATTERNS`].
    TooMany,
    /// One is longer than [`LONGEST_MODEL_PATTERN`] characters.
    TooLong,
    /// This one has a character that no model's name has.
    Character(String),
}

/// The patterns in a text, one a line or divided by commas or spaces, each named once. `None` when there
/// is none: then every model is allowed.
pub fn model_patterns(text: &str) -> Result<Option<Vec<String>>, ModelPatternsError> {
    let mut patterns: Vec<String> = Vec::new();
    for pattern in text.split(|c: char| c == ',' || c.is_whitespace()) {
        if pattern.is_empty() || patterns.iter().any(|known| known == pattern) {
            continue;
        }
        if pattern.chars().count() > LONGEST_MODEL_PATTERN {
            return Err(ModelPatternsError::TooLong);
        }
        if pattern.chars().any(hides_text) {
            return Err(ModelPatternsError::Character(pattern.to_owned()));
        }
        if patterns.len() == MOST_MODEL_PATTERNS {
            return Err(ModelPatternsError::TooMany);
        }
        patterns.push(pattern.to_owned());
    }
    Ok((!patterns.is_empty()).then_some(patterns))
}

/// Control characters, separators of lines and paragraphs, and Unicode's bidirectional controls.
fn hides_text(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_visible_line() {
        let check = |text: &str, expect: Result<&str, KeyNameError>| {
            assert_eq!(
                key_name(text).as_deref(),
                expect.as_ref().map(|name| *name),
                "{text:?}"
            );
        };
        check("laptop", Ok("laptop"));
        check("  my laptop\n", Ok("my laptop"));
        check("<b>'; DROP", Ok("<b>'; DROP"));
        check("ключ 🔑", Ok("ключ 🔑"));
        check("", Err(KeyNameError::Empty));
        check(" \t ", Err(KeyNameError::Empty));
        check("a\nb", Err(KeyNameError::Control));
        check("a\0b", Err(KeyNameError::Control));
        check("a\u{202e}b", Err(KeyNameError::Control));
        check(&"é".repeat(64), Ok(&"é".repeat(64)));
        check(&"é".repeat(65), Err(KeyNameError::TooLong));
    }

    #[test]
    fn models_may_be_named_in_any_common_way() {
        let check = |text: &str, expect: Option<&[&str]>| {
            let patterns = model_patterns(text).unwrap();
            let expect = expect.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
            assert_eq!(patterns, expect, "{text:?}");
        };
        check("", None);
        check(" \n, ", None);
        check("openai/*", Some(&["openai/*"]));
        check(
            "openai/*, google/*\r\nx/y openai/*",
            Some(&["openai/*", "google/*", "x/y"]),
        );
        let many = |count: usize| (0..count).map(|n| format!("m/{n}\n")).collect::<String>();
        assert!(model_patterns(&many(100)).is_ok());
        assert_eq!(model_patterns(&many(101)), Err(ModelPatternsError::TooMany));
        assert!(model_patterns(&"a".repeat(200)).is_ok());
        assert_eq!(
            model_patterns(&"a".repeat(201)),
            Err(ModelPatternsError::TooLong)
        );
        let hidden = "a\u{202e}b";
        assert_eq!(
            model_patterns(hidden),
            Err(ModelPatternsError::Character(hidden.to_owned()))
        );
    }
}
