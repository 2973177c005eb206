//! Holds the fields of a call against its parameters and refuses as Stripe does, with the name of the
//! parameter in bracket notation. The parameters themselves stand in `parameters.rs`.

use url::Url;

use super::endpoints::Endpoint;
use super::form::{Field, Fields};
use super::listing;
use super::parameters::{EXPAND, Kind, PAGING, Param};
use super::refusal::Refusal;

/// The currencies of the stand-in with the least that can be charged, in cents.
/// Source: Stripe, "Minimum and maximum charge amounts".
pub const CURRENCIES: &[(&str, i64)] = &[("eur", 50), ("gbp", 30), ("usd", 50)];

const MAX_METADATA_KEYS: usize = 50;
const MAX_METADATA_KEY_CHARS: usize = 40;
const MAX_METADATA_VALUE_CHARS: usize = 500;

/// Refuses the first field that does not fit, unknown ones before missing ones.
pub fn call(fields: &Fields, endpoint: &Endpoint) -> Result<(), Refusal> {
    let paging: &[Param] = if endpoint.lists { &PAGING } else { &[] };
    let find = |name: &str| {
        let mut all = endpoint.params.iter().chain(paging).chain([&EXPAND]);
        all.find(|param| param.name == name)
    };
    members(fields, "", find)?;
    required(fields, endpoint.params, "")?;
    listing::expandable(fields, endpoint)
}

fn members<'a>(
    fields: &Fields,
    within: &str,
    find: impl Fn(&str) -> Option<&'a Param>,
) -> Result<(), Refusal> {
    for (name, field) in fields {
        let full = inside(within, name);
        let param = find(name).ok_or_else(|| Refusal::unknown(&full))?;
        value(field, &param.kind, &full)?;
    }
    Ok(())
}

fn required(fields: &Fields, params: &[Param], within: &str) -> Result<(), Refusal> {
    match params
        .iter()
        .find(|param| param.required && !fields.contains_key(param.name))
    {
        Some(param) => Err(Refusal::missing(&inside(within, param.name))),
        None => Ok(()),
    }
}

fn inside(within: &str, name: &str) -> String {
    if within.is_empty() {
        name.to_owned()
    } else {
        format!("{within}[{name}]")
    }
}

fn value(field: &Field, kind: &Kind, name: &str) -> Result<(), Refusal> {
    match (field, kind) {
        (Field::Text(text), _) => scalar(text, kind, name),
        (Field::Group(group), Kind::Object(params)) => object(group, params, name),
        (Field::Group(group), Kind::List(params)) => {
            for (index, member) in group {
                let name = index_of(index, name)?;
                match member {
                    Field::Group(group) => object(group, params, &name)?,
                    Field::Text(_) => return Err(invalid("object", &name)),
                }
            }
            Ok(())
        }
        (Field::Group(group), Kind::Texts) => {
            for (index, member) in group {
                let name = index_of(index, name)?;
                match member {
                    Field::Text(text) => scalar(text, &Kind::Text(5_000), &name)?,
                    Field::Group(_) => return Err(invalid("string", &name)),
                }
            }
            Ok(())
        }
        (Field::Group(group), Kind::Metadata) => metadata(group, name),
        (Field::Group(group), Kind::Range) => {
            for (bound, member) in group {
                let name = inside(name, bound);
                match member {
                    Field::Text(text) if ["gt", "gte", "lt", "lte"].contains(&bound.as_str()) => {
                        scalar(text, &Kind::Integer, &name)?;
                    }
                    _ => return Err(Refusal::unknown(&name)),
                }
            }
            Ok(())
        }
        (
            Field::Group(_),
            Kind::Text(_)
            | Kind::Integer
            | Kind::Boolean
            | Kind::OneOf(_)
            | Kind::Url
            | Kind::Email
            | Kind::Currency,
        ) => Err(invalid("string", name)),
    }
}

fn index_of(index: &str, name: &str) -> Result<String, Refusal> {
    match index.parse::<u16>() {
        Ok(_) => Ok(inside(name, index)),
        Err(_) => Err(invalid("array", name)),
    }
}

fn object(group: &Fields, params: &[Param], name: &str) -> Result<(), Refusal> {
    let find = |member: &str| params.iter().find(|param| param.name == member);
    members(group, name, find)?;
    required(group, params, name)
}

fn scalar(text: &str, kind: &Kind, name: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return match kind {
            // Stripe unsets metadata with an empty value.
            Kind::Metadata => Ok(()),
            _ => Err(empty(name)),
        };
    }
    match kind {
        Kind::Text(max) => at_most(text, *max, name),
        Kind::Integer | Kind::Range => match text.parse::<i64>() {
            Ok(_) => Ok(()),
            Err(_) => Err(invalid_value("integer", text, name).code("parameter_invalid_integer")),
        },
        Kind::Boolean if ["true", "false"].contains(&text) => Ok(()),
        Kind::Boolean => Err(invalid_value("boolean", text, name)),
        Kind::OneOf(words) if words.contains(&text) => Ok(()),
        Kind::OneOf(words) => {
            let message = format!("Invalid {name}: must be one of {}", words.join(", "));
            Err(Refusal::invalid(message).param(name))
        }
        Kind::Url => url(text, name),
        Kind::Email => email(text, name),
        Kind::Currency if CURRENCIES.iter().any(|(currency, _)| *currency == text) => Ok(()),
        Kind::Currency => Err(invalid_value("currency", text, name)),
        Kind::Metadata | Kind::Object(_) => Err(invalid("object", name)),
        Kind::Texts | Kind::List(_) => Err(invalid("array", name)),
    }
}

fn at_most(text: &str, max: usize, name: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length <= max {
        return Ok(());
    }
    let message = format!("Invalid string: `{name}` has {length} characters, at most {max} fit");
    Err(Refusal::invalid(message).param(name))
}

fn url(text: &str, name: &str) -> Result<(), Refusal> {
    let sound = Url::parse(text)
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.host_str().is_some());
    if sound && text.len() <= 5_000 {
        return Ok(());
    }
    Err(Refusal::invalid("Not a valid URL")
        .code("url_invalid")
        .param(name))
}

fn email(text: &str, name: &str) -> Result<(), Refusal> {
    let sound = text.split_once('@').is_some_and(|(user, host)| {
        let spaced = text.contains(char::is_whitespace);
        !user.is_empty() && host.contains('.') && !host.contains('@') && !spaced
    });
    if sound && text.len() <= 512 {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Invalid email address: {text}"))
        .code("email_invalid")
        .param(name))
}

fn metadata(group: &Fields, name: &str) -> Result<(), Refusal> {
    if group.len() > MAX_METADATA_KEYS {
        let message = format!("Metadata can have up to {MAX_METADATA_KEYS} keys");
        return Err(Refusal::invalid(message).param(name));
    }
    for (key, member) in group {
        let full = inside(name, key);
        at_most(key, MAX_METADATA_KEY_CHARS, &full)?;
        match member {
            Field::Text(text) => at_most(text, MAX_METADATA_VALUE_CHARS, &full)?,
            Field::Group(_) => return Err(invalid("string", &full)),
        }
    }
    Ok(())
}

fn empty(name: &str) -> Refusal {
    Refusal::invalid(format!(
        "You passed an empty string for '{name}'. Leave the parameter out instead."
    ))
    .code("parameter_invalid_empty")
    .param(name)
}

fn invalid(what: &str, name: &str) -> Refusal {
    Refusal::invalid(format!("Invalid {what}")).param(name)
}

fn invalid_value(what: &str, text: &str, name: &str) -> Refusal {
    Refusal::invalid(format!("Invalid {what}: {text}")).param(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::endpoints::ENDPOINTS;
    use crate::stripe::form;

    fn check(endpoint: &str, body: &str, expect: Option<(&str, &str)>) {
        let mut endpoints = ENDPOINTS.iter();
        let endpoint = endpoints
            .find(|found| format!("{} {}", found.method, found.path) == endpoint)
            .unwrap();
        let fields = form::parse(body.as_bytes()).unwrap();
        let refused = call(&fields, endpoint).err();
        let seen = refused.map(|refusal| {
            let code = refusal.code.unwrap_or(refusal.kind);
            (code.to_owned(), refusal.param.unwrap_or_default())
        });
        let expect = expect.map(|(code, param)| (code.to_owned(), param.to_owned()));
        assert_eq!(seen, expect, "{body}");
    }

    #[test]
    fn parameters_are_refused_by_name_as_at_stripe() {
        let session = |body: &str, expect| check("POST /v1/checkout/sessions", body, expect);
        let generic = "invalid_request_error";
        session("mode=payment&line_items[0][quantity]=1", None);
        session("metadata[a]=&metadata[b]=x&expand[]=customer", None);
        session(
            "payment_method_types[0]=card",
            Some(("parameter_unknown", "payment_method_types")),
        );
        session(
            "line_items[0][colour]=1",
            Some(("parameter_unknown", "line_items[0][colour]")),
        );
        session(
            "line_items[0][price_data][unit_amount]=5",
            Some(("parameter_missing", "line_items[0][price_data][currency]")),
        );
        session(
            "automatic_tax[liability]=x",
            Some(("parameter_unknown", "automatic_tax[liability]")),
        );
        session(
            "invoice_creation[invoice_data][footer]=x",
            Some(("parameter_missing", "invoice_creation[enabled]")),
        );
        session(
            "line_items[0][quantity]=two",
            Some(("parameter_invalid_integer", "line_items[0][quantity]")),
        );
        session("line_items[x][quantity]=2", Some((generic, "line_items")));
        session("line_items=2", Some((generic, "line_items")));
        session(
            "automatic_tax[enabled]=yes",
            Some((generic, "automatic_tax[enabled]")),
        );
        session("mode=subscription", Some((generic, "mode")));
        session("currency=xyz", Some((generic, "currency")));
        session("success_url=/done", Some(("url_invalid", "success_url")));
        session(
            "success_url=javascript:alert(1)",
            Some(("url_invalid", "success_url")),
        );
        session(
            "success_url=http://127.0.0.1:8/x?s={CHECKOUT_SESSION_ID}",
            None,
        );
        session(
            "client_reference_id=",
            Some(("parameter_invalid_empty", "client_reference_id")),
        );
        session(
            &format!("client_reference_id={}", "x".repeat(201)),
            Some((generic, "client_reference_id")),
        );
        session(
            &format!("metadata[a]={}", "x".repeat(501)),
            Some((generic, "metadata[a]")),
        );
        session(
            "customer_email=me",
            Some(("email_invalid", "customer_email")),
        );
        session("customer[id]=me", Some((generic, "customer")));
        let intent = |body: &str, expect| check("POST /v1/payment_intents", body, expect);
        intent("currency=usd", Some(("parameter_missing", "amount")));
        intent("amount=50&currency=usd", None);
        intent(
            "amount=0.5&currency=usd",
            Some(("parameter_invalid_integer", "amount")),
        );
        let events = |body: &str, expect| check("GET /v1/events", body, expect);
        events("created[gte]=5&limit=3&types[]=a", None);
        events(
            "created[from]=5",
            Some(("parameter_unknown", "created[from]")),
        );
        events(
            "created[gte]=soon",
            Some(("parameter_invalid_integer", "created[gte]")),
        );
    }
}
