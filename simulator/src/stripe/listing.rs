//! Lists in pages, newest first, and the `expand` parameter. Single objects stand in `objects.rs`.

use serde_json::{Value, json};

use super::form::{self, Field, Fields};
use super::objects::{Objects, Table};
use super::refusal::Refusal;

const DEFAULT_LIMIT: i64 = 10;
const MAX_LIMIT: i64 = 100;
/// Stripe's limit.
const MAX_DEPTH: usize = 4;

/// Which field of which object holds the id of which other object.
const LINKS: &[(&str, &str, &str)] = &[
    ("charge", "customer", "customer"),
    ("charge", "payment_intent", "payment_intent"),
    ("checkout.session", "customer", "customer"),
    ("checkout.session", "invoice", "invoice"),
    ("checkout.session", "payment_intent", "payment_intent"),
    ("checkout.session", "setup_intent", "setup_intent"),
    ("dispute", "charge", "charge"),
    ("dispute", "payment_intent", "payment_intent"),
    ("invoice", "customer", "customer"),
    ("payment_intent", "customer", "customer"),
    ("payment_intent", "latest_charge", "charge"),
    ("payment_intent", "payment_method", "payment_method"),
    ("payment_method", "customer", "customer"),
    ("refund", "charge", "charge"),
    ("refund", "payment_intent", "payment_intent"),
    ("setup_intent", "customer", "customer"),
    ("setup_intent", "payment_method", "payment_method"),
];

/// Which rows of a table are listed, and how.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    /// `/v1/refunds`
    pub url: &'a str,
    /// The id and the Unix time of a row.
    pub key: fn(&T) -> (&str, i64),
    /// Whether a row is wanted, besides its time.
    pub wants: &'a dyn Fn(&T) -> bool,
    /// The object of a row.
    pub json: fn(&T) -> Value,
}

/// One page of a table.
pub fn page<T>(table: &Table<T>, fields: &Fields, view: View<'_, T>) -> Result<Value, Refusal> {
    let limit = form::integer(fields, "limit").unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let message = format!("`limit` must be between 1 and {MAX_LIMIT}");
        return Err(Refusal::invalid(message).param("limit"));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let place = |name: &str| match form::text(fields, name) {
        None => Ok(None),
        Some(id) => match table.place(id) {
            Some(place) => Ok(Some(place)),
            None => Err(Refusal::no_such("object", id, name)),
        },
    };
    let (after, before) = (place("starting_after")?, place("ending_before")?);
    let wanted = |row: &&T| {
        let (id, created) = (view.key)(row);
        let place = table.place(id);
        in_range(fields, created)
            && (view.wants)(row)
            && after.is_none_or(|after| place < Some(after))
            && before.is_none_or(|before| place > Some(before))
    };
    // A page before an object is the nearest one; it is shown newest first all the same.
    let mut rows: Vec<&T> = if before.is_some() {
        table.iter().filter(wanted).take(limit + 1).collect()
    } else {
        table.iter().rev().filter(wanted).take(limit + 1).collect()
    };
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    if before.is_some() {
        rows.reverse();
    }
    let data: Vec<Value> = rows.into_iter().map(view.json).collect();
    Ok(json!({"object": "list", "data": data, "has_more": has_more, "url": view.url}))
}

fn in_range(fields: &Fields, created: i64) -> bool {
    let bound = |name: &str| form::integer(fields, &format!("created.{name}"));
    form::integer(fields, "created").is_none_or(|at| created == at)
        && bound("gt").is_none_or(|at| created > at)
        && bound("gte").is_none_or(|at| created >= at)
        && bound("lt").is_none_or(|at| created < at)
        && bound("lte").is_none_or(|at| created <= at)
}

/// Puts objects in the place of their ids, as `expand` asks.
pub fn expand(objects: &Objects, fields: &Fields, answer: &mut Value) -> Result<(), Refusal> {
    let wishes = form::group(fields, "expand").into_iter().flatten();
    for (index, wish) in wishes {
        let Field::Text(path) = wish else { continue };
        let refuse = |message: String| Refusal::invalid(message).param(&format!("expand[{index}]"));
        let parts: Vec<&str> = path.split('.').collect();
        if parts.len() > MAX_DEPTH {
            let message = format!("You cannot expand more than {MAX_DEPTH} levels of a property");
            return Err(refuse(message));
        }
        replace(objects, &parts, answer)
            .ok_or_else(|| refuse(format!("This property cannot be expanded ({path}).")))?;
    }
    Ok(())
}

fn replace(objects: &Objects, path: &[&str], object: &mut Value) -> Option<()> {
    let Some((first, rest)) = path.split_first() else {
        return Some(());
    };
    if object["object"] == "list" && *first == "data" {
        for member in object["data"].as_array_mut()? {
            replace(objects, rest, member)?;
        }
        return Some(());
    }
    let kind = object["object"].as_str()?;
    let mut links = LINKS.iter();
    let (_, _, target) = links.find(|(from, field, _)| *from == kind && field == first)?;
    let field = object.get_mut(*first)?;
    if let Some(id) = field.as_str() {
        *field = objects.json(target, id)?;
    }
    // What is not there yet is left alone.
    if field.is_null() {
        return Some(());
    }
    replace(objects, rest, field)
}
