//! The body that the provider receives: exactly what was priced, and the same price again when it
//! is read as a caller's.

use super::fields::EXAMPLES;
use super::*;

#[test]
fn the_provider_receives_exactly_what_was_priced() {
    let text = r#"{"stream":true, "user":"alice@example.com", "n":1, "temperature": 0.70,
        "seed":12345678901234567890123 , "model":"a\/b:\"x\"", "store":false,
        "max_completion_tokens":5, "messages":[ {"role":"user","content":"\u00e9 \ud83d\ude00"} ],
        "stream_options":{"include_usage":true}, "top_k":null, "logit_bias":{"1":1.50E+1}}"#;
    let text = text.replace("12345678901234567890123", "1234567890123456789");
    let request = parse(text.as_bytes()).unwrap();
    assert!(request.stream && request.include_usage);
    assert_eq!(
        (&*request.model, request.max_tokens),
        ("a/b:\"x\"", Some(5))
    );
    assert_eq!(
        upstream(&request),
        r#"{"model":"a/b:\"x\"","messages":[ {"role":"user","content":"\u00e9 \ud83d\ude00"} ],"#
            .to_owned()
            + r#""temperature":0.70,"seed":1234567890123456789,"logit_bias":{"1":1.50E+1},"#
            + r#""max_tokens":100,"stream":true,"stream_options":{"include_usage":true},"#
            + r#""usage":{"include":true},"user":"acc_1","#
            + r#""provider":{"max_price":{"prompt":"0.15","completion":"0.6"}}}"#
    );
    let plain = body("");
    let sent = upstream(&parse(plain.as_bytes()).unwrap());
    assert!(!sent.contains("stream"), "{sent}");
}

#[test]
fn whatever_is_accepted_has_the_same_price_when_it_is_read_again() {
    let messages = [
        r#"[{"role":"user","content":"h\u0069 \n é"}]"#,
        r#"[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral",
            "ttl":"1h"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA",
            "detail":"high"}}]},{"role":"assistant","content":null,"tool_calls":[]}]"#,
    ];
    for messages in messages {
        for (name, value, _) in EXAMPLES {
            let model = if *name == "model" {
                ""
            } else {
                "\"model\":\"m\","
            };
            let messages = if *name == "messages" {
                String::new()
            } else {
                format!("\"messages\":{messages},")
            };
            let stream = if *name == "stream_options" {
                "\"stream\":true,"
            } else {
                ""
            };
            let text = format!("{{{model}{messages}{stream}\"{name}\":{value}}}");
            let first = parse(text.as_bytes()).unwrap();
            let sent = upstream(&first);
            // `provider` is ours alone, so it is taken off before the body is read as a caller's.
            let ours = r#","provider":{"max_price":{"prompt":"0.15","completion":"0.6"}}}"#;
            let again = format!("{}}}", sent.strip_suffix(ours).unwrap());
            let second = parse(again.as_bytes()).unwrap_or_else(|error| panic!("{again} {error}"));
            assert_eq!(second.model, first.model);
            assert_eq!(second.stream, first.stream);
            assert_eq!(second.max_tokens, Some(100));
            assert_eq!(second.images, first.images);
            assert_eq!(second.hour_cache, first.hour_cache);
            assert_eq!(second.messages, first.messages);
            let added = second
                .sent
                .iter()
                .filter(|field| !first.sent.contains(field))
                .count();
            assert_eq!((added, second.sent.len()), (0, first.sent.len()), "{text}");
        }
    }
}
