//! Brings a database to the schema of `migrations/`: forward only, each file in one transaction
//! with the record that it was applied.

use std::collections::BTreeMap;
use std::fs;

use sha2::{Digest, Sha256};
use tollgate_core::hrana::Statement;

use crate::database::Database;
use crate::failure::{Failure, OrFail};
use crate::repo::{path, read};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
  name TEXT PRIMARY KEY NOT NULL,
  sha256 TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT";

/// A file of `migrations/`.
struct Migration {
    /// The file's name, such as `0001_spine.sql`; the order is theirs.
    name: String,
    sql: String,
    sha256: String,
}

/// Applies the migrations that the database does not have yet.
///
/// # Errors
/// When one fails, or one that was applied is not what it was.
pub fn migrate(database: &Database) -> Result<(), Failure> {
    let applied = applied(database)?;
    for migration in migrations()? {
        match applied.get(&migration.name) {
            Some(sha256) if *sha256 == migration.sha256 => {}
            Some(_) => {
                return Err(Failure::new(format!(
                    "migration `{}` was changed after it was applied to `{}`",
                    migration.name,
                    database.url()
                ))
                .hint(
                    "add a new migration instead, or start anew with `cargo xtask dev --fresh`",
                ));
            }
            None => apply(database, &migration)?,
        }
    }
    Ok(())
}

fn apply(database: &Database, migration: &Migration) -> Result<(), Failure> {
    let Migration { name, sql, sha256 } = migration;
    // The name is one of our own files' and is checked to need no escaping.
    let script = format!(
        "BEGIN IMMEDIATE;\n{sql}\n;\nINSERT INTO schema_migrations (name, sha256, applied_at) \
         VALUES ('{name}', '{sha256}', unixepoch());\nCOMMIT;"
    );
    database
        .script(&script)
        .or_fail(|| format!("migration `{name}` failed"))
}

/// The digests of the applied migrations by name.
fn applied(database: &Database) -> Result<BTreeMap<String, String>, Failure> {
    database.run(Statement::new(CREATE))?;
    let reply = database.run(Statement::new("SELECT name, sha256 FROM schema_migrations"))?;
    let what = || "the table `schema_migrations` is not ours".to_owned();
    let pair = |row: &tollgate_core::hrana::Row| {
        Ok((
            row.get::<String>(0).or_fail(what)?,
            row.get::<String>(1).or_fail(what)?,
        ))
    };
    reply.rows(0).iter().map(pair).collect()
}

/// The files in order.
fn migrations() -> Result<Vec<Migration>, Failure> {
    let dir = path("migrations");
    let entries = fs::read_dir(&dir).or_fail(|| format!("cannot read `{}`", dir.display()))?;
    let mut migrations = Vec::new();
    for entry in entries {
        let file = entry
            .or_fail(|| format!("cannot read `{}`", dir.display()))?
            .path();
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !is_name(&name) {
            return Err(
                Failure::new(format!("`migrations/{name}` is not named like a migration"))
                    .hint("name it with four digits and lower case letters: `0002_sessions.sql`"),
            );
        }
        let sql = read(&file)?;
        let sha256 = format!("{:x}", Sha256::digest(&sql));
        migrations.push(Migration { name, sql, sha256 });
    }
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(migrations)
}

/// Whether a file name is like `0001_spine.sql`.
fn is_name(name: &str) -> bool {
    let Some((number, rest)) = name.split_once('_') else {
        return false;
    };
    let Some(words) = rest.strip_suffix(".sql") else {
        return false;
    };
    number.len() == 4
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_file_among_the_migrations_is_not_taken_for_one() {
        let check = |name: &str, expect: bool| assert_eq!(is_name(name), expect, "{name}");
        check("0001_spine.sql", true);
        check("0012_keys_2.sql", true);
        check("001_spine.sql", false);
        check("0001spine.sql", false);
        check("0001_spine.sql~", false);
        check("0001_it's.sql", false);
        check("README.md", false);
    }
}
