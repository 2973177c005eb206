//! One line of text that a person typed for others to read: names and reasons. Names that machines match,
//! such as hosts and patterns, have rules of their own.

/// The line without the spaces around it. `None` when it is empty, longer than `most` characters, or has
/// characters that are not seen or turn the text around.
#[must_use]
pub fn line(text: &str, most: usize) -> Option<&str> {
    let line = text.trim();
    let in_form = !line.is_empty() && line.chars().count() <= most && !line.chars().any(is_hidden);
    in_form.then_some(line)
}

/// Whether a character breaks a line, is not seen, or changes the direction of the text after it: with it a
/// name could look like another.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_people_see_of_it() {
        let check =
            |text: &str, expect: Option<&str>| assert_eq!(line(text, 8), expect, "{text:?}");
        check("Shop", Some("Shop"));
        check("  Shop \n", Some("Shop"));
        check("<b>&'\"", Some("<b>&'\""));
        check("12345678", Some("12345678"));
        check("éééééééé", Some("éééééééé"));
        check("123456789", None);
        check("", None);
        check(" \t", None);
        for hidden in [
            '\0', '\n', '\u{7f}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}',
        ] {
            check(&format!("a{hidden}b"), None);
        }
    }
}
