//! Tests of reading OpenRouter's models document, one file a behaviour. Here are only the document
//! of one model and the prices that the files share.

use super::*;

mod document;
mod models;
mod prices;
mod refusals;
mod seed;

fn model(fields: &str, pricing: &str) -> String {
    format!(r#"{{"id":"maker/model"{fields},"pricing":{pricing}}}"#)
}

fn import_one(model: &str) -> Result<(Model, Cost), String> {
    let document = format!(r#"{{"data":[{model}],"total_count":1}}"#);
    let Import {
        mut models,
        mut refused,
    } = import(document.as_bytes(), 5).unwrap();
    models.pop().ok_or_else(|| refused.remove(0).reason)
}

const PRICED: &str = r#"{"prompt":"0.000001","completion":"0.000002"}"#;
