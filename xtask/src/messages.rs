//! The dashboard's catalogue of messages, `dashboard/messages/en.json`: every text that its sources give
//! to `tr` or `fill`, found by reading them. What is a translation is such a list with other values.

use std::collections::BTreeMap;
use std::fs;
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

use crate::failure::{Failure, OrFail};
use crate::repo::{path, read};

/// Where the catalogue is.
pub const FILE: &str = "dashboard/messages/en.json";

/// The file that defines `tr` and `fill`, and gives texts from one to the other.
const DEFINITION: &str = "language.rs";

/// The catalogue as the sources say it, if the file does not say the same already.
///
/// # Errors
/// When a source gives something else than a literal to `tr`, or cannot be read.
pub fn renewed() -> Result<Option<String>, Failure> {
    let mut messages = BTreeMap::new();
    collect(&path("dashboard/src"), &mut messages)?;
    let mut after = serde_json::to_string_pretty(&messages)
        .or_fail(|| "the messages are no JSON".to_owned())?;
    after.push('\n');
    let file = path(FILE);
    let before = if file.exists() {
        read(&file)?
    } else {
        String::new()
    };
    Ok((after != before).then_some(after))
}

fn collect(folder: &Path, messages: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).or_fail(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let file = entry
            .or_fail(|| format!("cannot read `{}`", folder.display()))?
            .path();
        if file.is_dir() {
            collect(&file, messages)?;
        } else if file.extension().is_some_and(|kind| kind == "rs") && !file.ends_with(DEFINITION) {
            let found = literals(&read(&file)?).ok_or_else(|| {
                Failure::new(format!(
                    "`{}` gives something else than a text to `tr` or `fill`",
                    file.display()
                ))
                .hint("write the text there, so that it can be listed")
            })?;
            messages.extend(found.into_iter().map(|text| (text.clone(), text)));
        }
    }
    Ok(())
}

/// The texts that a source gives to `tr` and `fill`, tests aside; `None` if one is no literal.
fn literals(source: &str) -> Option<Vec<String>> {
    let source = source
        .split_once("#[cfg(test)]\nmod tests {")
        .map_or(source, |(code, _)| code);
    let calls = [".tr(", ".fill("].into_iter().flat_map(|call| {
        source
            .match_indices(call)
            .map(move |(at, _)| at + call.len())
    });
    calls
        .map(|at| literal(source.get(at..)?.trim_start()))
        .collect()
}

/// The string literal that the source begins with.
fn literal(source: &str) -> Option<String> {
    let mut letters = source.strip_prefix('"')?.chars().peekable();
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.extend(escaped(&mut letters)?),
            letter => text.push(letter),
        }
    }
}

/// What stands for an escape: outside `None`, it is none that we use; inside, it is nothing, as for a
/// line that goes on in the next one.
fn escaped(letters: &mut Peekable<Chars<'_>>) -> Option<Option<char>> {
    Some(Some(match letters.next()? {
        'n' => '\n',
        same @ ('"' | '\\') => same,
        'u' => {
            let digits: String = letters
                .by_ref()
                .take_while(|letter| *letter != '}')
                .collect();
            let digits = digits.strip_prefix('{')?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
        }
        '\n' => {
            while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
            return Some(None);
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translators_get_every_text_as_it_is_shown() {
        let check = |source: &str, expect: Option<&[&str]>| {
            let found = literals(source);
            let found = found
                .as_ref()
                .map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expect, "{source}");
        };
        check(r#"language.tr("Save")"#, Some(&["Save"]));
        check("x.tr(\n    \"Save\",\n)", Some(&["Save"]));
        check(r#"a.tr("A"), b.fill("{n} B", &[])"#, Some(&["A", "{n} B"]));
        check(
            r#"a.tr("say \"x\"\n\\ \u{2212}")"#,
            Some(&["say \"x\"\n\\ \u{2212}"]),
        );
        check("a.tr(\"one \\\n      line\")", Some(&["one line"]));
        check("", Some(&[]));
        check("a.tr(text)", None);
        check(r#"a.tr("open"#, None);
        check(r#"a.tr("\x41")"#, None);
        check("#[cfg(test)]\nmod tests {\n a.tr(text) }", Some(&[]));
    }
}
