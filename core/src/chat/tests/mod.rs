//! Tests of reading a caller's chat request, one file a behaviour. Here are only the smallest body
//! and the upstream body of a request, which the files share.

use super::*;
use crate::money::Picos;

mod bounds;
mod fields;
mod messages;
mod refusals;
mod tools;
mod upstream;

const HELLO: &str = r#""model":"m","messages":[{"role":"user","content":"hi"}]"#;

fn body(more: &str) -> String {
    format!(
        "{{{HELLO}{}{more}}}",
        if more.is_empty() { "" } else { "," }
    )
}

fn upstream(request: &ChatRequest<'_>) -> String {
    let price = MaxPrice {
        prompt: Picos::parse_usd("0.00000015").unwrap(),
        completion: Picos::parse_usd("0.0000006").unwrap(),
        ..MaxPrice::default()
    };
    request.upstream_body(100, &price, "acc_1")
}
