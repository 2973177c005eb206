//! `cargo xtask docs`: keeps the tables in `docs/` equal to the tables in the code that they are
//! made from, and the dashboard's catalogue equal to its texts (`messages`). Everything else in the documents is written by hand and not looked at.

use std::fs;

use tollgate_core::{chat, error};

use crate::conformance;
use crate::failure::{Failure, OrFail};
use crate::messages;
use crate::repo::{make_dir, path, read};

/// A table that stands between `<!-- name -->` and `<!-- /name -->`.
struct Table {
    file: &'static str,
    name: &'static str,
    render: fn() -> String,
}

const TABLES: [Table; 3] = [
    Table {
        file: "docs/API.md",
        name: "errors",
        render: error::markdown_table,
    },
    Table {
        file: "docs/API.md",
        name: "fields",
        render: chat::markdown_table,
    },
    Table {
        file: "docs/BILLING.md",
        name: "checks",
        render: conformance::markdown_table,
    },
];

/// Writes every table whose code has changed, and the catalogue.
///
/// # Errors
/// When a document lacks the place of its table, or cannot be read or written.
pub fn write() -> Result<(), Failure> {
    for table in &TABLES {
        if let Some(text) = table.renewed()? {
            let file = path(table.file);
            // Not `write_whole`: that is for keys, which nobody else may read.
            fs::write(&file, text).or_fail(|| format!("cannot write `{}`", file.display()))?;
            eprintln!("  wrote the {} of `{}`", table.name, table.file);
        }
    }
    if let Some(catalogue) = messages::renewed()? {
        let file = path(messages::FILE);
        if let Some(folder) = file.parent() {
            make_dir(folder)?;
        }
        fs::write(&file, catalogue).or_fail(|| format!("cannot write `{}`", file.display()))?;
        eprintln!("  wrote `{}`", messages::FILE);
    }
    Ok(())
}

/// Fails when `write` would change a document.
///
/// # Errors
/// Names the first table that is not what the code says.
pub fn check() -> Result<(), Failure> {
    for table in &TABLES {
        if table.renewed()?.is_some() {
            return Err(Failure::new(format!(
                "the table of {} in `{}` is not what the code says",
                table.name, table.file
            ))
            .hint("run `cargo xtask docs` and commit what it writes"));
        }
    }
    if messages::renewed()?.is_some() {
        return Err(
            Failure::new(format!("`{}` is not what the pages say", messages::FILE))
                .hint("run `cargo xtask docs` and commit what it writes"),
        );
    }
    Ok(())
}

impl Table {
    /// The document with this table as the code says it, if it is not so already.
    fn renewed(&self) -> Result<Option<String>, Failure> {
        let before = read(&path(self.file))?;
        let after = fill(&before, self.name, &(self.render)()).ok_or_else(|| {
            Failure::new(format!(
                "`{}` has no place for the table of {}",
                self.file, self.name
            ))
            .hint(format!(
                "put the lines `<!-- {0} -->` and `<!-- /{0} -->` where it belongs",
                self.name
            ))
        })?;
        Ok((after != before).then_some(after))
    }
}

/// The text with `content` between the two marks of `name`; `None` without exactly one such place.
fn fill(text: &str, name: &str, content: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open)?;
    let (old, after) = rest.split_once(&close)?;
    if [before, old, after]
        .iter()
        .any(|part| part.contains(&open) || part.contains(&close))
    {
        return None;
    }
    Some(format!("{before}{open}\n\n{content}\n{close}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(fill(text, "t", "new\n").as_deref(), expect, "{text}");
        };
        let filled = "a\n<!-- t -->\n\nnew\n\n<!-- /t -->\nb\n";
        check("a\n<!-- t --><!-- /t -->\nb\n", Some(filled));
        check("a\n<!-- t -->\nold\n<!-- /t -->\nb\n", Some(filled));
        check(filled, Some(filled));
        check("a\n<!-- other -->\n<!-- /other -->\n", None);
        check("a\n<!-- t -->\n", None);
        check("<!-- /t -->\n<!-- t -->\n", None);
        check("<!-- t --><!-- /t --><!-- t --><!-- /t -->", None);
        check("<!-- t --><!-- t --><!-- /t -->", None);
    }

    #[test]
    fn readers_find_the_tables_of_today() {
        check().unwrap();
    }
}
