//! Form bodies and queries in bracket notation (`a[b][0]=x`) as trees of fields. Which fields a call
//! may have stands in `parameters.rs`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::form_urlencoded;

/// Fields by name; the members of a list are called `0`, `1`, ….
pub type Fields = BTreeMap<String, Field>;

/// What stands under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A value.
    Text(String),
    /// An object or a list.
    Group(Fields),
}

/// A name that is no bracket notation, or a field that is a value and a group at once. Holds the
/// name as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

/// All fields of a body or query. `[]` takes the next free index; the last of two equal names wins.
pub fn parse(body: &[u8]) -> Result<Fields, Malformed> {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(body) {
        let malformed = || Malformed(name.to_string());
        let path = segments(&name).ok_or_else(malformed)?;
        insert(&mut fields, &path, &value).ok_or_else(malformed)?;
    }
    Ok(fields)
}

fn segments(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else {
        return (!name.is_empty() && !name.contains(']')).then(|| vec![name]);
    };
    let rest = rest.strip_suffix(']')?;
    let mut path = vec![first];
    path.extend(rest.split("]["));
    let sound = !first.is_empty() && path.iter().all(|part| !part.contains(['[', ']']));
    sound.then_some(path)
}

fn insert(fields: &mut Fields, path: &[&str], value: &str) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let name = if first.is_empty() {
        fields.len().to_string()
    } else {
        (*first).to_owned()
    };
    if rest.is_empty() {
        let before = fields.insert(name, Field::Text(value.to_owned()));
        return (!matches!(before, Some(Field::Group(_)))).then_some(());
    }
    match fields
        .entry(name)
        .or_insert_with(|| Field::Group(Fields::new()))
    {
        Field::Group(group) => insert(group, rest, value),
        Field::Text(_) => None,
    }
}

/// The value at a path such as `line_items.0.quantity`; an empty one counts as absent.
#[must_use]
pub fn text<'a>(fields: &'a Fields, path: &str) -> Option<&'a str> {
    match at(fields, path)? {
        Field::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Field::Group(_) => None,
    }
}

/// The whole number at a path.
#[must_use]
pub fn integer(fields: &Fields, path: &str) -> Option<i64> {
    text(fields, path)?.parse().ok()
}

/// Whether `true` stands at a path.
#[must_use]
pub fn is_true(fields: &Fields, path: &str) -> bool {
    text(fields, path) == Some("true")
}

/// The object or list at a path.
#[must_use]
pub fn group<'a>(fields: &'a Fields, path: &str) -> Option<&'a Fields> {
    match at(fields, path)? {
        Field::Group(group) => Some(group),
        Field::Text(_) => None,
    }
}

/// The values of the list at a path.
pub fn texts<'a>(fields: &'a Fields, path: &str) -> impl Iterator<Item = &'a str> {
    let members = group(fields, path).into_iter().flat_map(Fields::values);
    members.filter_map(|member| match member {
        Field::Text(text) => Some(text.as_str()),
        Field::Group(_) => None,
    })
}

/// The metadata at a path as JSON; `{}` without any. An empty value unsets its key.
#[must_use]
pub fn metadata(fields: &Fields, path: &str) -> Value {
    let mut metadata = Map::new();
    for (key, field) in group(fields, path).into_iter().flatten() {
        if let Field::Text(text) = field
            && !text.is_empty()
        {
            metadata.insert(key.clone(), Value::from(text.as_str()));
        }
    }
    Value::Object(metadata)
}

fn at<'a>(fields: &'a Fields, path: &str) -> Option<&'a Field> {
    match path.split_once('.') {
        None => fields.get(path),
        Some((first, rest)) => match fields.get(first)? {
            Field::Group(group) => at(group, rest),
            Field::Text(_) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bracket_notation_is_read_as_stripe_reads_it() {
        let check = |body: &str, expect: &[(&str, &str)]| {
            let fields = parse(body.as_bytes()).unwrap();
            for (path, value) in expect {
                assert_eq!(text(&fields, path), Some(*value), "{body}: {path}");
            }
        };
        check("a=1&b=x+y%21", &[("a", "1"), ("b", "x y!")]);
        check("a[b][c]=1&a%5Bd%5D=2", &[("a.b.c", "1"), ("a.d", "2")]);
        check("l[0][p]=1&l[1][p]=2", &[("l.0.p", "1"), ("l.1.p", "2")]);
        check("e[]=x&e[]=y", &[("e.0", "x"), ("e.1", "y")]);
        check("a=1&a=2", &[("a", "2")]);
    }

    #[test]
    fn a_name_that_is_no_bracket_notation_is_refused() {
        let check = |body: &str, name: &str| {
            assert_eq!(parse(body.as_bytes()), Err(Malformed(name.to_owned())));
        };
        check("a[b=1", "a[b");
        check("a]=1", "a]");
        check("[a]=1", "[a]");
        check("=1", "");
        check("a=1&a[b]=2", "a[b]");
        check("a[b]=2&a=1", "a");
    }
}
