//! Makes a JSON value that fits a JSON schema, for tool arguments and structured answers. Covers
//! the part of JSON schema that models accept; an unknown schema yields an object.

use serde_json::{Map, Value, json};

const MAX_DEPTH: u32 = 16;

/// A value that fits `schema`; free strings become `text`. No schema (`null`) yields
/// `{"answer": text}`.
#[must_use]
pub fn instance(schema: &Value, text: &str) -> Value {
    if schema.is_null() {
        return json!({ "answer": text });
    }
    Maker { root: schema, text }.make(schema, 0)
}

struct Maker<'a> {
    root: &'a Value,
    text: &'a str,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, depth: u32) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        let deeper = |schema: &Value| self.make(schema, depth + 1);
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.root.pointer(pointer.trim_start_matches('#'));
            return target.map_or(Value::Null, deeper);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = first(schema, "enum") {
            return value.clone();
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(schema) = first(schema, choice) {
                return deeper(schema);
            }
        }
        match kind(schema) {
            "string" => Value::String(self.string(schema)),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            "array" => self.array(schema, depth),
            _ => self.object(schema, depth),
        }
    }

    fn string(&self, schema: &Value) -> String {
        let limit = |name| schema.get(name)?.as_u64()?.try_into().ok();
        let text: String = self
            .text
            .chars()
            .take(limit("maxLength").unwrap_or(usize::MAX))
            .collect();
        let missing = limit("minLength")
            .unwrap_or(0)
            .saturating_sub(text.chars().count());
        text + &"x".repeat(missing)
    }

    fn array(&self, schema: &Value, depth: u32) -> Value {
        let items = schema
            .get("items")
            .cloned()
            .unwrap_or_else(|| json!({"type": "string"}));
        let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1);
        (0..count).map(|_| self.make(&items, depth + 1)).collect()
    }

    fn object(&self, schema: &Value, depth: u32) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let fields = properties.into_iter().flatten();
        let made = fields.map(|(name, schema)| (name.clone(), self.make(schema, depth + 1)));
        Value::Object(made.collect::<Map<_, _>>())
    }
}

fn first<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get(name)?.as_array()?.first()
}

/// The type; the first one of several that is not `null`.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.find(|kind| *kind != "null").unwrap_or("null")
        }
        _ => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_fits_its_schema() {
        let check = |schema: Value, expect: Value| assert_eq!(instance(&schema, "hi"), expect);
        check(Value::Null, json!({"answer": "hi"}));
        check(json!({}), json!({}));
        check(json!({"type": "string"}), json!("hi"));
        check(json!({"type": "string", "minLength": 4}), json!("hixx"));
        check(json!({"type": "string", "maxLength": 1}), json!("h"));
        check(
            json!({"type": "string", "enum": ["red", "green"]}),
            json!("red"),
        );
        check(json!({"type": "integer", "minimum": 7}), json!(7));
        check(json!({"type": ["null", "number"]}), json!(1));
        check(json!({"type": "boolean"}), json!(true));
        check(json!({"const": 5}), json!(5));
        check(
            json!({"anyOf": [{"type": "null"}, {"type": "string"}]}),
            json!(null),
        );
        check(
            json!({"type": "array", "minItems": 2, "items": {"type": "integer"}}),
            json!([1, 1]),
        );
        check(
            json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}},
                   "$defs": {"x": {"type": "string"}}}),
            json!({"a": "hi"}),
        );
        let endless = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(instance(&endless, "hi").to_string().len() < 1_000);
    }
}
