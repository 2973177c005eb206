//! Which of a provider's words a caller may read: those that speak of the request, never those
//! that speak of the operator. When in doubt, none.

/// Longest text shown, in characters.
const LONGEST: usize = 300;

/// Words after which the whole text is withheld, in lower case.
const WITHHELD: [&str; 22] = [
    "sk-",
    "api key",
    "api-key",
    "api_key",
    "apikey",
    "your key",
    "key limit",
    "bearer",
    "secret",
    "authoriz",
    "authentic",
    "credential",
    "account",
    "credit",
    "balance",
    "billing",
    "payment",
    "quota",
    "organization",
    "workspace",
    "byok",
    "openrouter",
];

/// What replaces an address.
const REMOVED: &str = "[removed]";

/// The text fit to be shown: one line, bounded, addresses removed. `None` when it must not be
/// shown, or says nothing.
pub(super) fn scrub(text: &str) -> Option<String> {
    let line = one_line(text);
    // Words that only a line feed or several spaces kept apart stand together now.
    let lower = line.to_ascii_lowercase();
    if WITHHELD.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let shown = |word| {
        if is_address(word) || is_opaque(word) {
            REMOVED
        } else {
            word
        }
    };
    let words: Vec<&str> = line.split(' ').map(shown).collect();
    let mut out = words.join(" ");
    if out.chars().count() > LONGEST {
        out = out.chars().take(LONGEST).chain(['…']).collect();
    }
    (!out.is_empty() && out != "Provider returned error").then_some(out)
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn is_address(word: &str) -> bool {
    word.contains("://") || word.contains("www.") || word.contains('@')
}

/// A long run of letters and digits mixed is an id or a token, not a word.
fn is_opaque(word: &str) -> bool {
    let mut runs = word.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    runs.any(|run| {
        run.len() >= 20
            && run.contains(|c: char| c.is_ascii_digit())
            && run.contains(|c: char| c.is_ascii_alphabetic())
    })
}
