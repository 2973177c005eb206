//! Bytes as they are on the wire: chunk borders, line ends, compression.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::client::{Response, ask, chat, exchange, post, simulator};

#[tokio::test]
async fn each_event_is_an_http_chunk_and_the_usage_comes_last() {
    let simulator = simulator().await;
    let body = chat("sim/echo", "one two [[tokens=2]]", &json!({"stream": true}));
    let response = ask(&simulator, &body).await;
    let chunks: Vec<String> = response
        .chunks
        .iter()
        .map(|chunk| String::from_utf8(chunk.clone()).unwrap())
        .collect();
    let check = |index: usize, expect: &str| {
        let chunk: &str = &chunks[index];
        assert!(
            chunk.contains(expect) && chunk.ends_with("\n\n"),
            "{index}: {chunk:?}"
        );
    };
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    check(0, ": OPENROUTER PROCESSING");
    check(
        1,
        r#""delta":{"role":"assistant","content":"one"},"finish_reason":null"#,
    );
    check(
        2,
        r#""delta":{"role":"assistant","content":" two"},"finish_reason":null"#,
    );
    check(3, r#""finish_reason":"stop""#);
    check(4, r#""choices":[],"#);
    check(4, r#""usage":{"prompt_tokens":"#);
    check(5, "data: [DONE]\n\n");
    assert_eq!(chunks.len(), 6);
}

#[tokio::test]
async fn writes_end_inside_characters_field_names_and_line_ends() {
    let simulator = simulator().await;
    let streamed = ask(
        &simulator,
        &chat("sim/split-utf8", "hi", &json!({"stream": true})),
    )
    .await;
    let ends = |end: &[u8]| streamed.chunks.iter().any(|chunk| chunk.ends_with(end));
    assert!(ends(b"da") && ends(b"\r\n\r") && ends(b"\xc5"));
    assert!(streamed.text().contains("data: [DONE]\r\n\r\n"));
    assert!(!streamed.text().replace("\r\n", "").contains('\n'));
    assert_eq!(streamed.said(), "żółć 東京 🦀 naïve Ελλάδα שלום");
    let one_shot = ask(&simulator, &chat("sim/split-utf8", "hi", &json!({})))
        .await
        .json();
    assert_eq!(
        one_shot["choices"][0]["message"]["content"],
        streamed.said()
    );
}

#[tokio::test]
async fn a_body_is_compressed_only_for_clients_that_accept_it() {
    let simulator = simulator().await;
    let check = async |stream: bool, accept: &str, compressed: bool| {
        let body = chat("sim/gzip", "hi", &json!({"stream": stream})).to_string();
        let request = post("/api/v1/chat/completions", &body, accept);
        let mut response: Response = exchange(&simulator, &request).await;
        let encoding = response.header("content-encoding").map(str::to_owned);
        assert_eq!(encoding, compressed.then(|| "gzip".to_owned()));
        if compressed {
            let mut plain = Vec::new();
            MultiGzDecoder::new(&*response.body())
                .read_to_end(&mut plain)
                .unwrap();
            response.chunks = vec![plain];
        }
        let whole = response.json()["choices"][0]["message"]["content"].clone();
        let said = if stream {
            Value::String(response.said())
        } else {
            whole
        };
        assert_eq!(said, "hi hi hi hi hi hi");
    };
    for stream in [true, false] {
        check(stream, "accept-encoding: gzip, br\r\n", true).await;
        check(stream, "accept-encoding: br\r\n", false).await;
        check(stream, "", false).await;
    }
}

#[tokio::test]
async fn answers_carry_headers_that_a_gateway_must_strip() {
    let simulator = simulator().await;
    for stream in [true, false] {
        let body = chat("openai/gpt-4o-mini", "hi", &json!({"stream": stream}));
        let response = ask(&simulator, &body).await;
        for name in [
            "set-cookie",
            "x-openrouter-provider",
            "x-openrouter-account",
        ] {
            assert!(response.header(name).is_some(), "{name}");
        }
        let id = response.header("x-generation-id").unwrap().to_owned();
        assert!(id.starts_with("gen-") && response.text().contains(&id));
        assert!(response.text().contains(r#""provider":"SimCloud""#));
    }
}
