//! Cuts a file of SQL into its statements, as SQLite's own shell does: a semicolon ends a statement
//! unless it is in a string, a comment or a trigger's body. What a statement means is not known here.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Space,
    Semicolon,
    Word(&'a str),
    Other,
}

/// The statements without their semicolons; comments stay in them.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut tokens: Vec<Token<'_>> = Vec::new();
    while at < sql.len() {
        let (token, length) = next_token(&sql[at..]);
        let end = at;
        at += length;
        match token {
            Token::Space => {}
            Token::Semicolon if !is_inside_trigger(&tokens) => {
                if !tokens.is_empty() {
                    all.push(sql[start..end].trim());
                }
                start = at;
                tokens.clear();
            }
            Token::Semicolon | Token::Word(_) | Token::Other => tokens.push(token),
        }
    }
    if !tokens.is_empty() {
        all.push(sql[start..].trim());
    }
    all
}

/// The statement's first word if it opens or closes a transaction.
pub(super) fn own_transaction(statement: &str) -> Option<&str> {
    const WORDS: [&str; 6] = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];
    let mut at = 0;
    while at < statement.len() {
        let (token, length) = next_token(&statement[at..]);
        match token {
            Token::Space => at += length,
            Token::Word(word) => {
                return WORDS
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known))
                    .then_some(word);
            }
            Token::Semicolon | Token::Other => return None,
        }
    }
    None
}

/// Whether a semicolon after these tokens belongs to the body of a trigger, which ends with
/// `; END`.
fn is_inside_trigger(tokens: &[Token<'_>]) -> bool {
    let is = |token: Option<&Token<'_>>, word: &str| matches!(token, Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
    let second = usize::from(is(tokens.get(1), "TEMP") || is(tokens.get(1), "TEMPORARY")) + 1;
    let is_trigger = is(tokens.first(), "CREATE") && is(tokens.get(second), "TRIGGER");
    let is_over = matches!(tokens, [.., Token::Semicolon, last] if is(Some(last), "END"));
    is_trigger && !is_over
}

/// The first token of a text that is not empty, and its length in bytes.
fn next_token(text: &str) -> (Token<'_>, usize) {
    let until = |end: &str, skip: usize| {
        let found = text.get(skip..).and_then(|rest| rest.find(end));
        found.map_or(text.len(), |place| skip + place + end.len())
    };
    let Some(first) = text.chars().next() else {
        return (Token::Space, 0);
    };
    match first {
        _ if text.starts_with("--") => (Token::Space, until("\n", 2)),
        _ if text.starts_with("/*") => (Token::Space, until("*/", 2)),
        ';' => (Token::Semicolon, 1),
        // A doubled quote inside is read as two texts in a row, which ends at the same place.
        '\'' => (Token::Other, until("'", 1)),
        '"' => (Token::Other, until("\"", 1)),
        '`' => (Token::Other, until("`", 1)),
        '[' => (Token::Other, until("]", 1)),
        _ if first.is_whitespace() => (Token::Space, first.len_utf8()),
        _ if is_word(first) => {
            let length = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
            (Token::Word(&text[..length]), length)
        }
        _ => (Token::Other, first.len_utf8()),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_only_where_one_ends() {
        let check = |sql: &str, expect: &[&str]| assert_eq!(statements(sql), expect, "{sql}");
        check("", &[]);
        check(" ;; \n; -- a; b\n /* ; */ ;", &[]);
        check("SELECT 1", &["SELECT 1"]);
        check("SELECT 1;SELECT 2;", &["SELECT 1", "SELECT 2"]);
        check(
            "SELECT ';', 'it''s;', \"a;b\", `c;`, [d;];x",
            &["SELECT ';', 'it''s;', \"a;b\", `c;`, [d;]", "x"],
        );
        check(
            "-- one; two\nSELECT 1 -- ;\n, 2;\nSELECT 3",
            &["-- one; two\nSELECT 1 -- ;\n, 2", "SELECT 3"],
        );
        check(
            "SELECT /* ; */ 1; SELECT 2 /* never closed ;",
            &["SELECT /* ; */ 1", "SELECT 2 /* never closed ;"],
        );
        let trigger = "create trigger t BEFORE UPDATE ON a BEGIN\n\
                       SELECT CASE WHEN 1 THEN 2 END; SELECT 'END;'; END";
        check(
            &format!("SELECT 1; {trigger}; SELECT 2"),
            &["SELECT 1", trigger, "SELECT 2"],
        );
        let temp = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; end";
        check(&format!("{temp} ; x"), &[temp, "x"]);
        check(
            "CREATE TABLE triggers (x); SELECT 1",
            &["CREATE TABLE triggers (x)", "SELECT 1"],
        );
        check("SELECT 'é'; é;", &["SELECT 'é'", "é"]);
        check("SELECT 'open; to the end", &["SELECT 'open; to the end"]);
    }

    #[test]
    fn a_transaction_of_the_file_s_own_is_noticed() {
        let check =
            |sql: &str, expect: Option<&str>| assert_eq!(own_transaction(sql), expect, "{sql}");
        check("BEGIN IMMEDIATE", Some("BEGIN"));
        check("-- x\n commit", Some("commit"));
        check("CREATE TABLE begin_a (x)", None);
        check(
            "CREATE TRIGGER t BEFORE UPDATE ON a BEGIN SELECT 1; END",
            None,
        );
        check("", None);
    }
}
