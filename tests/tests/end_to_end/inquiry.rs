//! What a caller can ask about itself, and that nobody else's is told.

use serde_json::{Value, json};
use tollgate_core::limits::Limits;
use tollgate_tests::price::picos;

use crate::client::Client;
use crate::price::OPERATOR_BPS;
use crate::stage::shared;

fn prices(client: &Client) -> Vec<(String, Value)> {
    let answer = client.get("/v1/models");
    assert_eq!(answer.status, 200, "{answer:?}");
    let models = answer.json()["data"].as_array().unwrap().clone();
    let listed = models.into_iter();
    listed
        .map(|mut model| {
            (
                model["id"].as_str().unwrap().to_owned(),
                model["pricing"].take(),
            )
        })
        .collect()
}

/// A provider's price with these markups, each rounded up to 1e-12 USD.
fn marked_up(usd: &Value, markups_bps: &[i64]) -> i128 {
    let base = picos(usd.as_str().unwrap());
    markups_bps.iter().fold(base, |price, bps| {
        (price * (10_000 + i128::from(*bps)) + 9_999).div_euclid(10_000)
    })
}

#[test]
fn models_are_listed_in_openrouters_shape_at_the_prices_that_the_caller_pays() {
    let stage = shared();
    let provider: Value = serde_json::from_str(&stage.provider.models()).unwrap();
    let provider = provider["data"].as_array().unwrap();
    let reseller = stage.new_reseller(0, 777);
    let check = |parent, markups: &[i64]| {
        let client = stage.client(&stage.caller(parent, 0, Limits::default()));
        let listed = prices(&client);
        assert_eq!(listed.len(), provider.len());
        for model in provider {
            let id = model["id"].as_str().unwrap();
            let (_, shown) = listed.iter().find(|(slug, _)| slug == id).unwrap();
            for (name, price) in model["pricing"].as_object().unwrap() {
                if price.is_string() {
                    let shown = picos(shown[name].as_str().unwrap());
                    assert_eq!(shown, marked_up(price, markups), "{id} {name}");
                }
            }
            let long = &shown["overrides"][0]["prompt"];
            let base = &model["pricing"]["overrides"][0]["prompt"];
            assert_eq!(long.is_string(), base.is_string(), "{id}");
            if base.is_string() {
                assert_eq!(
                    picos(long.as_str().unwrap()),
                    marked_up(base, markups),
                    "{id}"
                );
            }
        }
    };
    check(&stage.operator, &[OPERATOR_BPS]);
    check(&reseller, &[OPERATOR_BPS, 777]);

    let client = stage.client(&stage.customer(0));
    let model = client.get("/api/v1/models").json()["data"][0].clone();
    for field in [
        "id",
        "name",
        "created",
        "description",
        "architecture",
        "top_provider",
    ] {
        assert!(!model[field].is_null(), "{field}: {model}");
    }
    assert!(
        model["context_length"].is_number() && model["links"].is_null(),
        "{model}"
    );
}

#[test]
fn a_key_lists_only_the_models_that_it_may_use() {
    let stage = shared();
    let limits = Limits {
        allowed_models: Some(vec!["sim/echo".to_owned(), "sim/status-*".to_owned()]),
        ..Limits::default()
    };
    let client = stage.client(&stage.caller(&stage.operator, 0, limits));
    let listed = prices(&client);
    assert!(listed.len() > 5, "{listed:?}");
    let allowed = |slug: &str| slug == "sim/echo" || slug.starts_with("sim/status-");
    assert!(listed.iter().all(|(slug, _)| allowed(slug)), "{listed:?}");
}

#[test]
fn a_key_tells_its_limits_and_what_it_spent() {
    let stage = shared();
    let limits = Limits {
        requests_per_minute: Some(60),
        parallel_calls: Some(4),
        max_tokens: Some(1_000),
        allowed_models: Some(vec!["sim/*".to_owned()]),
        ..Limits::default()
    };
    let caller = stage.caller(&stage.operator, 1_000_000_000, limits);
    let client = stage.client(&caller);
    let answer = client.chat(&json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "about my key"}],
        "max_tokens": 10,
    }));
    let paid = answer.json()["usage"]["cost"].clone();
    stage.settled(&caller.account);
    let told = client.get("/v1/key");
    assert_eq!(told.status, 200, "{told:?}");
    let data = &told.json()["data"];
    for name in ["usage", "usage_daily", "usage_weekly", "usage_monthly"] {
        assert_eq!(data[name], paid, "{name}: {data}");
    }
    assert_eq!(data["limits"]["requests_per_minute"], 60);
    assert_eq!(data["limits"]["requests_per_day"], Value::Null);
    assert_eq!(data["limits"]["parallel_calls"], 4);
    assert_eq!(data["limits"]["max_tokens"], 1_000);
    assert_eq!(data["limits"]["allowed_models"], json!(["sim/*"]));
    assert_eq!(data["rate_limit"]["requests"], 60);
    let label = data["label"].as_str().unwrap();
    let shown = label.trim_end_matches('…');
    assert!(
        caller.key.reveal().starts_with(shown) && shown.len() < 20,
        "{label}"
    );
    assert!(!told.body.contains(caller.key.reveal()));
}

#[test]
fn a_call_is_told_to_its_own_account_only() {
    let stage = shared();
    let [mine, other] = [0, 1].map(|_| stage.client(&stage.customer(1_000_000_000)));
    let answer = mine.chat(&json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "mine alone"}],
        "max_tokens": 10,
    }));
    let body = answer.json();
    let id = body["id"].as_str().unwrap();
    let told = mine.generation(id);
    assert_eq!(
        (&told["id"], &told["model"]),
        (&json!(id), &json!("sim/echo"))
    );
    assert_eq!(told["request_id"], answer.request_id());
    assert_eq!(
        told["tokens_completion"],
        body["usage"]["completion_tokens"]
    );
    assert_eq!(
        (&told["streamed"], &told["estimated"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(told["finish_reason"], body["choices"][0]["finish_reason"]);
    let sent = &stage.provider.received("mine alone")[0];
    let foreign = sent.generation_id.as_deref().unwrap();
    let check = |client: &Client, query: &str, expect: (u16, &str)| {
        let answer = client.get(&format!("/v1/generation{query}"));
        assert_eq!(
            (answer.status, answer.error_code().as_str()),
            expect,
            "{query}"
        );
        assert_eq!(answer.json()["error"]["param"], "id");
    };
    let not_found = (404, "generation_not_found");
    for id in [id, answer.request_id()] {
        check(&other, &format!("?id={id}"), not_found);
    }
    check(&mine, &format!("?id={foreign}"), not_found);
    check(&mine, "?id=gen-0000000000000", not_found);
    check(&mine, "?id=", not_found);
    check(&mine, "", (400, "missing_field"));
    let held = sent.headers.iter();
    let names: Vec<&str> = held.map(|(name, _)| name.as_str()).collect();
    assert!(
        !names.contains(&"x-request-id") && !names.contains(&"cookie"),
        "{names:?}"
    );
}

#[test]
fn the_description_of_the_api_names_routes_that_are_there() {
    let stage = shared();
    let client = stage.client(&stage.customer(0));
    let description = client.get("/v1/openapi.json");
    assert_eq!(description.status, 200);
    let description = description.json();
    let paths = description["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 7, "{paths:?}");
    for (path, methods) in paths {
        for base in ["/v1", "/api/v1"] {
            if methods.get("get").is_some() {
                let answer = client.get(&format!("{base}{path}"));
                assert_ne!(answer.error_code(), "unknown_route", "{base}{path}");
                assert!(answer.status < 405, "{base}{path}: {answer:?}");
            }
        }
    }
}
