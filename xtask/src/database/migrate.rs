//! Migrations: forward only, each in one transaction with its record. A file that was applied never
//! changes, and there is no way back.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tollgate_core::accounts::Commit;
use tollgate_core::hrana::{Batch, Row, Statement, read_reply};

use super::sql::{own_transaction, statements};
use super::{Database, readable};
use crate::clock::now_ms;
use crate::failure::{Failure, OrFail};

const RECORD: &str = "\
CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY NOT NULL,
  name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT";

/// A migration's file: `0001_spine.sql` is version 1, named `spine`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number; they count from 1 without a gap.
    pub version: i64,
    /// What it is called.
    pub name: String,
    sql: String,
    sha256: String,
    path: PathBuf,
}

/// A migration that the database has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Applied {
    version: i64,
    name: String,
    sha256: String,
}

impl Database {
    /// Applies the migrations of a directory that the database does not have yet, and returns them.
    ///
    /// # Errors
    /// When the files are not numbered from 1 without a gap, when an applied file was changed or
    /// removed, or when a migration fails: then it left nothing behind, and those before it stay.
    pub fn migrate(&self, dir: &Path) -> Result<Vec<Migration>, Failure> {
        let files = read_dir(dir)?;
        self.read(Statement::new(RECORD))?;
        let missing = still_missing(files, &self.applied()?)?;
        for migration in &missing {
            let name = format!("{:04}_{}", migration.version, migration.name);
            let Some(refused) = self.apply(migration)? else {
                continue;
            };
            // Somebody else may have applied the same file at the same time.
            let applied = self.applied()?;
            if !applied.iter().any(|known| migration.is(known)) {
                return Err(
                    Failure::new(format!("the migration `{name}` failed: {refused}"))
                        .hint("it left nothing behind; correct the file and migrate again"),
                );
            }
        }
        Ok(missing)
    }

    fn applied(&self) -> Result<Vec<Applied>, Failure> {
        let rows = self.read(Statement::new(
            "SELECT version, name, sha256 FROM schema_migrations ORDER BY version",
        ))?;
        let read = |row: &Row| {
            Ok(Applied {
                version: row.get(0)?,
                name: row.get(1)?,
                sha256: row.get(2)?,
            })
        };
        readable(rows.iter().map(read).collect())
    }

    /// Applies one migration; the server's message if it failed, and then nothing of it stays.
    fn apply(&self, migration: &Migration) -> Result<Option<String>, Failure> {
        let (batch, commit) = migration.to_batch(now_ms())?;
        let (status, body) = self.post(&batch.to_body())?;
        match (
            read_reply(status, &body, batch.steps().len()),
            first_message(&body),
        ) {
            (Ok(reply), _) if reply.is_ok(commit) => Ok(None),
            (_, Some(message)) => Ok(Some(message)),
            (Ok(_), None) => Ok(Some("no reason was given".to_owned())),
            (Err(fault), None) => Err(self.refused(&fault)),
        }
    }
}

/// What the server says of the first step that failed, or of a batch that it did not begin. Only
/// here a message is read: these statements are the programmer's own, and hold nobody's data.
fn first_message(body: &[u8]) -> Option<String> {
    let reply: Value = serde_json::from_slice(body).ok()?;
    let steps = reply
        .pointer("/results/0/response/result/step_errors")
        .and_then(Value::as_array);
    let mut errors = reply
        .pointer("/results/0/error")
        .into_iter()
        .chain(steps.into_iter().flatten());
    let message = errors.find_map(|error| error.get("message"))?;
    Some(message.as_str()?.to_owned())
}

impl Migration {
    /// The file's statements and its record in one transaction. They travel one by one, because a
    /// server that is given many as one text may leave out those that it cannot parse.
    fn to_batch(&self, now_ms: i64) -> Result<Commit, Failure> {
        let statements = statements(&self.sql);
        if let Some(word) = statements
            .iter()
            .find_map(|statement| own_transaction(statement))
        {
            return Err(Failure::new(format!(
                "`{}` has a `{word}` of its own",
                self.path.display()
            ))
            .hint("every migration is one transaction already: leave it out"));
        }
        let record = Statement::new(
            "INSERT INTO schema_migrations (version, name, sha256, applied_at_ms) \
             VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(self.version)
        .bind(self.name.as_str())
        .bind(self.sha256.as_str())
        .bind(now_ms);
        let statements = statements
            .into_iter()
            .map(|sql| Statement::new(sql.to_owned()));
        Ok(Batch::transaction(statements.chain([record])))
    }

    fn is(&self, applied: &Applied) -> bool {
        (self.version, &self.sha256) == (applied.version, &applied.sha256)
    }
}

fn read_dir(dir: &Path) -> Result<Vec<Migration>, Failure> {
    let cannot = || format!("cannot read the migrations in `{}`", dir.display());
    let mut migrations = Vec::new();
    for entry in fs::read_dir(dir).or_fail(cannot)? {
        let path = entry.or_fail(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let sql = fs::read_to_string(&path).or_fail(cannot)?;
            migrations.push(read_file(path, sql)?);
        }
    }
    migrations.sort_by_key(|migration| migration.version);
    Ok(migrations)
}

fn read_file(path: PathBuf, sql: String) -> Result<Migration, Failure> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let (version, name) = parse_name(&stem).ok_or_else(|| {
        Failure::new(format!("`{}` is not named as a migration", path.display()))
            .hint("a migration is called such as `0002_orders.sql`")
    })?;
    let digest = Sha256::digest(sql.as_bytes());
    Ok(Migration {
        version,
        name,
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        sql,
        path,
    })
}

fn parse_name(stem: &str) -> Option<(i64, String)> {
    let (number, name) = stem.split_once('_')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let valid = number.len() == 4
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(plain);
    valid.then(|| Some((number.parse().ok()?, name.to_owned())))?
}

/// The files that come after what was applied, which must be the first of the files, unchanged.
fn still_missing(files: Vec<Migration>, applied: &[Applied]) -> Result<Vec<Migration>, Failure> {
    for (file, expect) in files.iter().zip(1..) {
        if file.version != expect {
            return Err(Failure::new(format!(
                "the migrations have no `{expect:04}`, or two of the same number: found `{}`",
                file.path.display()
            ))
            .hint("they are numbered from `0001` without a gap"));
        }
    }
    for (known, expect) in applied.iter().zip(1..) {
        let file = files.iter().find(|file| file.version == known.version);
        match file {
            _ if known.version != expect => {
                return Err(Failure::new(format!(
                    "the database has the migration `{:04}` but not `{expect:04}`",
                    known.version
                ))
                .hint("its table `schema_migrations` was edited; restore it from a backup"));
            }
            None => {
                return Err(Failure::new(format!(
                    "the database has the migration `{:04}_{}`, which is not among the files",
                    known.version, known.name
                ))
                .hint("the database is newer than this program: use the newer program"));
            }
            Some(file) if !file.is(known) => {
                return Err(Failure::new(format!(
                    "`{}` was changed after it had been applied",
                    file.path.display()
                ))
                .hint("restore the file, and put the change into a new migration"));
            }
            Some(_) => {}
        }
    }
    Ok(files.into_iter().skip(applied.len()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: i64, sql: &str) -> Migration {
        let path = PathBuf::from(format!("{version:04}_a.sql"));
        read_file(path, sql.to_owned()).unwrap()
    }

    fn applied(version: i64, sql: &str) -> Applied {
        let Migration {
            version,
            name,
            sha256,
            ..
        } = file(version, sql);
        Applied {
            version,
            name,
            sha256,
        }
    }

    #[test]
    fn only_what_comes_after_the_applied_files_is_applied() {
        let check = |files: &[Migration], applied: &[Applied], expect: Result<&[i64], &str>| {
            let got = still_missing(files.to_vec(), applied);
            match (got, expect) {
                (Ok(got), Ok(expect)) => {
                    let versions: Vec<i64> = got.iter().map(|file| file.version).collect();
                    assert_eq!(versions, expect);
                }
                (Err(got), Err(expect)) => assert!(got.to_string().contains(expect), "{got}"),
                (got, expect) => panic!("{got:?} {expect:?}"),
            }
        };
        let (a, b, c) = (file(1, "a"), file(2, "b"), file(3, "c"));
        let all = [a.clone(), b.clone(), c.clone()];
        check(&[], &[], Ok(&[]));
        check(&all, &[], Ok(&[1, 2, 3]));
        check(&all, &[applied(1, "a"), applied(2, "b")], Ok(&[3]));
        check(&all, &[applied(1, "A")], Err("`0001_a.sql` was changed"));
        check(
            &all,
            &[applied(1, "a"), applied(2, "x")],
            Err("`0002_a.sql` was changed"),
        );
        check(
            &all,
            &[applied(2, "b")],
            Err("has the migration `0002` but not `0001`"),
        );
        check(
            std::slice::from_ref(&a),
            &[applied(1, "a"), applied(2, "b")],
            Err("not among the files"),
        );
        check(&[a.clone(), c.clone()], &[], Err("no `0002`"));
        check(&[b], &[], Err("no `0001`"));
        check(&[a.clone(), a], &[], Err("two of the same number"));
    }

    #[test]
    fn a_file_s_name_is_its_number_and_plain_letters() {
        let check = |stem: &str, expect: Option<(i64, &str)>| {
            let expect = expect.map(|(version, name)| (version, name.to_owned()));
            assert_eq!(parse_name(stem), expect, "{stem}");
        };
        check("0001_spine", Some((1, "spine")));
        check("0123_a_2", Some((123, "a_2")));
        check("1_spine", None);
        check("0001", None);
        check("0001_", None);
        check("+001_a", None);
        check("0001_it's", None);
        check("0001_Spine", None);
    }
}
