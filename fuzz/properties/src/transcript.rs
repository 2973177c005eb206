//! A streamed answer on its way through: what the caller receives is a valid stream of valid JSON
//! with allow-listed members, the same however the provider's bytes arrive, and it does not change
//! when the provider says more about the operator.

use serde_json::{Value, json};
use tollgate_core::error::ErrorCode;
use tollgate_core::money::Nanos;
use tollgate_core::openrouter::{Closing, DONE, Seen, Transcript};

use crate::json;
use crate::pieces::cuts;
use crate::secrets::check_error;
use crate::sse::naive;

const ID: &str = "gen-tollgate";
const SECRET: &str = "sk-or-v1-operator-only";

/// What a caller may see of a chunk.
const CHUNK: [&str; 8] = [
    "choices",
    "created",
    "error",
    "id",
    "model",
    "object",
    "service_tier",
    "system_fingerprint",
];

/// Checks the transcript of a stream.
///
/// # Panics
/// When a property is broken.
pub fn check(stream: &[u8]) {
    let [whole, others @ ..] = cuts(stream);
    let expect = relay(&whole);
    for pieces in others {
        let found = relay(&pieces);
        assert_eq!(found.relayed, expect.relayed, "cut into {pieces:?}");
        assert_eq!(found.seen, expect.seen, "cut into {pieces:?}");
    }
    let bytes = u64::try_from(stream.len()).expect("64 bits");
    assert!(expect.seen.visible_tokens_at_most <= bytes);
    check_relayed(&expect.relayed);
    check_close(&expect.transcript);
    check_silence(stream);
}

struct Relayed {
    relayed: String,
    seen: Seen,
    transcript: Transcript,
}

fn relay(pieces: &[&[u8]]) -> Relayed {
    let mut transcript = Transcript::new(ID.to_owned(), "maker/model".to_owned(), 9_000);
    let mut relayed = String::new();
    let mut counted = (0, 0);
    for piece in pieces {
        relayed.push_str(&transcript.push(piece));
        let seen = transcript.seen();
        let (plausible, at_most) = (seen.visible_tokens, seen.visible_tokens_at_most);
        // A growing hold and a crash rely on both.
        assert!(plausible >= counted.0 && at_most >= counted.1, "{seen:?}");
        assert!(plausible <= at_most, "{seen:?}");
        counted = (plausible, at_most);
    }
    transcript.end();
    Relayed {
        relayed,
        seen: transcript.seen().clone(),
        transcript,
    }
}

/// The data of the events of a text that is for a caller: whole events, nothing after them.
fn events(text: &str) -> Vec<String> {
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text:?}");
    let events = naive(text.as_bytes());
    let lines = text.lines().filter(|line| !line.is_empty());
    for line in lines {
        let known = line == ": keep-alive" || line.starts_with("data: ");
        assert!(known, "{line:?} in {text:?}");
    }
    events.into_iter().flatten().collect()
}

fn check_relayed(relayed: &str) {
    for data in events(relayed) {
        assert!(json::is_json(&data), "{data}");
        // A surrogate may stand alone, because a provider may cut an emoji between two chunks;
        // then serde_json takes the text for JSON, but makes no value of it.
        if let Ok(chunk) = serde_json::from_str::<Value>(&data) {
            json::check_members(&chunk, &CHUNK);
            assert_eq!(chunk["id"], ID);
            assert_eq!(chunk["object"], "chat.completion.chunk");
            assert_eq!(chunk.get("error"), None);
        }
    }
}

fn check_close(transcript: &Transcript) {
    let seen = transcript.seen();
    let usage = seen.usage.unwrap_or_default();
    let reason = ErrorCode::InsufficientCredits.into();
    let text = transcript.close(Closing {
        usage: Some((&usage, Nanos::new(1_500))),
        fault: seen.fault.as_ref(),
        limit: Some((&reason, &usage, Nanos::new(1_500))),
        request_id: "req_1",
        docs_url: "docs",
    });
    let events = events(&text);
    let (done, chunks) = events.split_last().expect("an end");
    assert_eq!(done, DONE);
    assert_eq!(chunks.len(), 2 + usize::from(seen.fault.is_some()));
    for chunk in chunks {
        let chunk = json::value(chunk.as_bytes()).expect("numbers of ours");
        assert_eq!(chunk["id"], ID);
    }
    if let Some(fault) = &seen.fault {
        check_error(fault);
    }
}

/// The same stream once more, with the operator's secrets in every place that is none of the
/// caller's business: the caller must receive the same bytes.
fn check_silence(stream: &[u8]) {
    if contains(stream, SECRET) {
        return;
    }
    let (mut plain, mut telling) = (Vec::new(), Vec::new());
    for event in naive(stream) {
        let (without, with) = match event {
            None => (": \n\n".to_owned(), format!(": {SECRET}\n\n")),
            Some(data) => {
                let (without, with) = told(&data);
                let with = format!("id: {SECRET}\nevent: {SECRET}\n{}", lines(&with));
                (lines(&without), with)
            }
        };
        plain.push(without);
        telling.push(with);
    }
    let plain = relay(&[plain.concat().as_bytes()]);
    let telling = relay(&[telling.concat().as_bytes()]);
    assert_eq!(plain.relayed, telling.relayed);
    assert_eq!(plain.seen.fault, telling.seen.fault);
    assert_eq!(plain.seen.usage, telling.seen.usage);
}

/// An event of this data.
fn lines(data: &str) -> String {
    let lines: String = data
        .split('\n')
        .map(|line| format!("data: {line}\n"))
        .collect();
    lines + "\n"
}

/// The data as it is, and with secrets in it.
fn told(data: &str) -> (String, String) {
    let Ok(chunk @ Value::Object(_)) = serde_json::from_str::<Value>(data) else {
        return (data.to_owned(), data.to_owned());
    };
    let mut telling = chunk.clone();
    for name in ["id", "provider", "openrouter_metadata", SECRET] {
        telling[name] = json!(SECRET);
    }
    if let Some(choices) = telling.get_mut("choices").and_then(Value::as_array_mut) {
        for choice in choices.iter_mut().filter(|choice| choice.is_object()) {
            choice["provider_name"] = json!(SECRET);
        }
    }
    for object in ["usage", "error"] {
        if telling[object].is_object() {
            telling[object]["cost_details"] = json!(SECRET);
            telling[object]["cost"] = json!(77);
        }
    }
    (chunk.to_string(), telling.to_string())
}

fn contains(bytes: &[u8], word: &str) -> bool {
    let mut windows = bytes.windows(word.len());
    windows.any(|window| window == word.as_bytes())
}
