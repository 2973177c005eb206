//! What the provider is told: headers, the path of a generation and the highest price. The body of
//! a chat request is tested in `chat`.

use super::*;

#[test]
fn the_provider_hears_only_what_is_on_the_list() {
    let headers = request_headers("sk-or-v1-x", true, Attribution::default());
    assert_eq!(
        headers,
        [
            ("authorization", "Bearer sk-or-v1-x".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("accept", "text/event-stream".to_owned()),
        ]
    );
    let attribution = Attribution {
        site_url: Some("https://t.example"),
        title: Some("T"),
    };
    let headers = request_headers("k", false, attribution);
    assert_eq!(headers[2], ("accept", "application/json".to_owned()));
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, REQUEST_HEADERS);
}

#[test]
fn a_generation_is_asked_for_by_a_plain_id_only() {
    let check = |id: &str, expect: Option<&str>| {
        assert_eq!(generation_path(id).as_deref(), expect, "{id}");
    };
    check("gen-17_aB", Some("/generation?id=gen-17_aB"));
    for bad in ["", "a&b=c", "a/../b", "a b", "é", &"a".repeat(129)] {
        check(bad, None);
    }
}

#[test]
fn max_price_is_written_in_the_providers_units() {
    let price = |usd: &str| Picos::parse_usd(usd).unwrap();
    let mut max = MaxPrice {
        prompt: price("0.00000015"),
        completion: price("0.0000006"),
        ..MaxPrice::default()
    };
    assert_eq!(max.to_json(), r#"{"prompt":"0.15","completion":"0.6"}"#);
    max.request = price("0.005");
    max.image = price("0.001");
    let expect = r#"{"prompt":"0.15","completion":"0.6","request":"0.005","image":"0.001"}"#;
    assert_eq!(max.to_json(), expect);
    assert_eq!(
        MaxPrice::default().to_json(),
        r#"{"prompt":"0","completion":"0"}"#
    );
}
