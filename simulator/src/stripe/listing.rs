//! Lists in pages, newest first, and the `expand` parameter. Single objects stand in `objects.rs`.

use serde_json::{Value, json};

use super::endpoints::Endpoint;
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

/// Refuses an `expand` that the answer of a call has no place for.
pub fn expandable(fields: &Fields, endpoint: &Endpoint) -> Result<(), Refusal> {
    for (index, wish) in form::group(fields, "expand").into_iter().flatten() {
        let Field::Text(path) = wish else { continue };
        let refuse = |message: String| {
            let param = format!("expand[{index}]");
            Err(Refusal::invalid(message).param(&param))
        };
        if path.split('.').count() > MAX_DEPTH {
            let message = format!("You cannot expand more than {MAX_DEPTH} levels of a property");
            return refuse(message);
        }
        let inside = if endpoint.lists {
            path.strip_prefix("data.")
        } else {
            Some(path.as_str())
        };
        let end = inside.and_then(|path| {
            let mut parts = path.split('.');
            parts.try_fold(endpoint.object, target)
        });
        if end.is_none() {
            return refuse(format!("This property cannot be expanded ({path})."));
        }
    }
    Ok(())
}

/// The type of the object that a field of an object links to.
fn target<'a>(kind: &str, field: &str) -> Option<&'a str> {
    let mut links = LINKS.iter();
    let link = links.find(|(from, name, _)| *from == kind && *name == field)?;
    Some(link.2)
}

/// Puts objects in the place of their ids, as a checked `expand` asks.
pub fn expand(objects: &Objects, fields: &Fields, answer: &mut Value) {
    for path in form::texts(fields, "expand") {
        let parts: Vec<&str> = path.split('.').collect();
        // `None` is a link to nothing, which stays as it is.
        let _ = replace(objects, &parts, answer);
    }
}

fn replace(objects: &Objects, path: &[&str], object: &mut Value) -> Option<()> {
    let (first, rest) = path.split_first()?;
    if object["object"] == "list" {
        for member in object["data"].as_array_mut()? {
            // Another member may have what this one lacks.
            let _ = replace(objects, rest, member);
        }
        return Some(());
    }
    let target = target(object["object"].as_str()?, first)?;
    let field = object.get_mut(*first)?;
    if let Some(id) = field.as_str() {
        *field = objects.json(target, id)?;
    }
    replace(objects, rest, field)
}
