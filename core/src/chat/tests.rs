use super::*;
use crate::money::Picos;
use crate::tokens;

const HELLO: &str = r#""model":"m","messages":[{"role":"user","content":"hi"}]"#;

fn body(more: &str) -> String {
    format!(
        "{{{HELLO}{}{more}}}",
        if more.is_empty() { "" } else { "," }
    )
}

fn refusal(body: &str) -> (ErrorCode, String) {
    let error = parse(body.as_bytes()).expect_err(body);
    (error.code, error.param.unwrap_or_default())
}

fn upstream(request: &ChatRequest<'_>) -> String {
    let price = MaxPrice {
        prompt: Picos::parse_usd("0.00000015").unwrap(),
        completion: Picos::parse_usd("0.0000006").unwrap(),
        ..MaxPrice::default()
    };
    request.upstream_body(100, &price, "acc_1")
}

/// Field, a value that is accepted, a value that is not.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("model", r#""openai/gpt-4o""#, r#""""#),
    ("messages", r#"[{"role":"user","content":"x"}]"#, "[]"),
    ("max_tokens", "1", "0"),
    ("max_completion_tokens", "18446744073709551615", "1.0"),
    (
        "tools",
        r#"[{"type":"function","function":{"name":"f"}}]"#,
        r#"[{"type":"web_search"}]"#,
    ),
    (
        "response_format",
        r#"{"type":"json_object"}"#,
        r#"{"type":"xml"}"#,
    ),
    (
        "cache_control",
        r#"{"type":"ephemeral","ttl":"1h"}"#,
        r#"{"type":"ephemeral","ttl":"2h"}"#,
    ),
    (
        "prompt_cache_options",
        r#"{"mode":"explicit","ttl":"30m"}"#,
        r#"{"mode":"all"}"#,
    ),
    ("stream", "true", "1"),
    (
        "stream_options",
        r#"{"include_usage":true}"#,
        r#"{"include_usage":1}"#,
    ),
    ("usage", r#"{"include":true}"#, r#"{"include":true,"x":1}"#),
    ("temperature", "2.0", "2.1"),
    ("top_p", "1e-1", "1.01"),
    ("top_k", "0", "-1"),
    ("top_a", "0.5", "\"0.5\""),
    ("min_p", "1", "-0.1"),
    ("frequency_penalty", "-2", "-2.5"),
    ("presence_penalty", "2", "3"),
    ("repetition_penalty", "1.1", "true"),
    ("seed", "-9223372036854775808", "1e3"),
    ("stop", r#"["a","b","c","d"]"#, r#"["a","b","c","d","e"]"#),
    ("logit_bias", r#"{"50256":-100}"#, r#"{"50256":-101}"#),
    ("logprobs", "false", "null0"),
    ("top_logprobs", "20", "21"),
    (
        "tool_choice",
        r#"{"type":"function","function":{"name":"f"}}"#,
        r#""any""#,
    ),
    ("parallel_tool_calls", "false", "0"),
    (
        "reasoning",
        r#"{"effort":"high","exclude":true}"#,
        r#"{"effort":"most"}"#,
    ),
    ("reasoning_effort", r#""none""#, r#""most""#),
    ("include_reasoning", "true", "{}"),
    ("verbosity", r#""low""#, r#""loud""#),
    ("metadata", r#"{"a":"b"}"#, r#"{"a":1}"#),
    ("session_id", r#""s""#, "7"),
    ("prompt_cache_key", r#""k""#, "[]"),
    ("user", r#""u""#, "{}"),
    ("safety_identifier", r#""u""#, "1"),
    ("n", "1", "2"),
    ("store", "false", "true"),
    ("service_tier", r#""default""#, r#""flex""#),
    ("modalities", r#"["text"]"#, r#"["text","image"]"#),
    ("models", "null", r#"["a"]"#),
    ("route", "null", r#""fallback""#),
    ("provider", "null", "{}"),
    ("preset", "null", r#""p""#),
    ("plugins", "null", r#"[{"id":"web"}]"#),
    ("web_search_options", "null", "{}"),
    ("stop_server_tools_when", "null", "[]"),
    ("audio", "null", "{}"),
    ("image_config", "null", "{}"),
    ("prediction", "null", r#"{"type":"content","content":"x"}"#),
    ("transforms", "null", "[]"),
    ("debug", "null", r#"{"echo_upstream_body":true}"#),
    ("trace", "null", "{}"),
    ("functions", "null", "[]"),
    ("function_call", "null", r#""auto""#),
    ("prompt_cache_retention", "null", r#""24h""#),
];

fn body_with(name: &str, value: &str) -> String {
    let hello = match name {
        "model" => r#""messages":[{"role":"user","content":"hi"}],"#.to_owned(),
        "messages" => r#""model":"m","#.to_owned(),
        "stream_options" => format!("{HELLO},\"stream\":true,"),
        _ => format!("{HELLO},"),
    };
    format!("{{{hello}\"{name}\":{value}}}")
}

#[test]
fn every_listed_field_takes_what_it_promises_and_nothing_else() {
    let listed: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    let tested: Vec<_> = EXAMPLES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, tested);
    for (name, good, bad) in EXAMPLES {
        let body = body_with(name, good);
        let request = parse(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        let sent = upstream(&request);
        let sent = json::parse_object(sent.as_bytes()).unwrap();
        let value = sent.fields.iter().find(|(field, _)| field == name);
        let treatment = field(name).unwrap().treatment;
        if treatment == Treatment::Passed {
            assert_eq!(value.unwrap().1.text(), *good, "{name}");
        }
        if treatment == Treatment::Refused && *name != "provider" {
            assert!(value.is_none(), "{name}");
        }
        let body = body_with(name, bad);
        let error = parse(body.as_bytes()).expect_err(&body);
        if error.code == ErrorCode::InvalidJson {
            continue;
        }
        let param = error.param.unwrap();
        assert!(param.starts_with(name), "{body}: {param}");
        let refused = field(name).unwrap().treatment == Treatment::Refused;
        assert_eq!(
            refused && error.hint == field(name).unwrap().doc,
            refused,
            "{name}"
        );
    }
    for (name, ..) in EXAMPLES
        .iter()
        .filter(|(name, ..)| !matches!(*name, "model" | "messages"))
    {
        let body = body_with(name, "null");
        assert!(parse(body.as_bytes()).is_ok(), "{body}");
    }
}

#[test]
fn the_field_table_covers_every_property_of_the_provider() {
    // The properties of `ChatRequest` in OpenRouter's OpenAPI description.
    let properties = "cache_control debug frequency_penalty image_config logit_bias logprobs \
        max_completion_tokens max_tokens messages metadata min_p modalities model models \
        parallel_tool_calls plugins prediction presence_penalty prompt_cache_key \
        prompt_cache_options provider reasoning reasoning_effort repetition_penalty \
        response_format route seed service_tier session_id stop stop_server_tools_when stream \
        stream_options temperature tool_choice tools top_a top_k top_logprobs top_p trace user";
    for property in properties.split_whitespace() {
        assert!(field(property).is_some(), "{property}");
    }
    let table = markdown_table();
    assert_eq!(table.lines().count(), FIELDS.len() + 2);
    for line in table.lines() {
        assert_eq!(line.matches('|').count(), 5, "{line}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use ErrorCode as E;
    let check = |body: &str, code: E, param: &str| {
        assert_eq!(refusal(body), (code, param.to_owned()), "{body}");
    };
    check("{}", E::MissingField, "model");
    check(
        r#"{"model":null,"messages":[]}"#,
        E::InvalidValue,
        "messages",
    );
    check(r#"{"model":"m"}"#, E::MissingField, "messages");
    check(
        r#"{"model":"m","messages":null}"#,
        E::MissingField,
        "messages",
    );
    check(
        r#"{"model":"m\u0000","messages":[]}"#,
        E::InvalidValue,
        "model",
    );
    check(
        &body_with("model", &format!("\"{}\"", "m".repeat(257))),
        E::InvalidValue,
        "model",
    );
    check(
        &body(r#""unheard_of":1"#),
        E::UnsupportedParameter,
        "unheard_of",
    );
    check(
        &body(r#""unheard_of":null"#),
        E::UnsupportedParameter,
        "unheard_of",
    );
    check(&body(r#""Model":"x""#), E::UnsupportedParameter, "Model");
    check(&body(r#""mod\u0065l":"x""#), E::DuplicateField, "model");
    check(&body(r#""max_tokens":-1"#), E::InvalidValue, "max_tokens");
    check(&body(r#""max_tokens":1e9"#), E::InvalidValue, "max_tokens");
    check(&body(r#""max_tokens":"1""#), E::InvalidValue, "max_tokens");
    check(
        &body(r#""max_tokens":18446744073709551616"#),
        E::InvalidValue,
        "max_tokens",
    );
    let differ = r#""max_tokens":1,"max_completion_tokens":2"#;
    check(&body(differ), E::InvalidValue, "max_completion_tokens");
    check(
        &body(r#""temperature":1e99999999999"#),
        E::InvalidValue,
        "temperature",
    );
    check(
        &body(r#""stream_options":{"include_usage":true}"#),
        E::InvalidValue,
        "stream_options",
    );
    let options = r#""stream":false,"stream_options":{}"#;
    check(&body(options), E::InvalidValue, "stream_options");
    let options = r#""stream":true,"stream_options":{"x":true}"#;
    check(&body(options), E::UnsupportedParameter, "stream_options.x");
    let thoughts = r#""max_tokens":100,"reasoning":{"max_tokens":100}"#;
    check(&body(thoughts), E::InvalidValue, "reasoning.max_tokens");
    check(
        &body(r#""reasoning":{"budget":1}"#),
        E::UnsupportedParameter,
        "reasoning.budget",
    );
    check(
        &body(r#""response_format":{}"#),
        E::MissingField,
        "response_format.type",
    );
    let choice = r#""tool_choice":{"type":"web_search"}"#;
    check(&body(choice), E::UnsupportedParameter, "tool_choice.type");
}

#[test]
fn tools_are_functions_of_the_caller_only() {
    let check = |tools: &str, expect: Result<u64, &str>| {
        let body = body(&format!("\"tools\":[{tools}]"));
        match (parse(body.as_bytes()), expect) {
            (Ok(request), Ok(overhead)) => {
                let plain = json::parse_object(body.as_bytes()).unwrap().text_bytes;
                assert_eq!(request.text_tokens - plain - 512 - 16, overhead, "{tools}");
            }
            (Err(error), Err(param)) => assert_eq!(error.param.unwrap(), param, "{tools}"),
            (found, _) => panic!("{tools}: {found:?}"),
        }
    };
    let full = r#"{"type":"function","function":{"name":"f","description":"d","strict":null,
        "parameters":{"type":"object","properties":{"type":{}}}},"cache_control":null}"#;
    check("", Ok(0));
    check(full, Ok(1024 + 64));
    check(&format!("{full},{full}"), Ok(1024 + 128));
    check("1", Err("tools[0].type"));
    check("{}", Err("tools[0].type"));
    check(r#"{"type":"openrouter:web_search"}"#, Err("tools[0].type"));
    check(r#"{"type":"function"}"#, Err("tools[0].function"));
    check(
        r#"{"type":"function","function":{}}"#,
        Err("tools[0].function.name"),
    );
    check(
        r#"{"type":"function","function":{"name":1}}"#,
        Err("tools[0].function.name"),
    );
    let more = r#"{"type":"function","function":{"name":"f","engine":"exa"}}"#;
    check(more, Err("tools[0].function.engine"));
    let beside = r#"{"type":"function","function":{"name":"f"},"parameters":{}}"#;
    check(&format!("{full},{beside}"), Err("tools[1].parameters"));
}

#[test]
fn messages_hold_text_and_images_and_nothing_that_could_cost_more() {
    use ErrorCode as E;
    let check = |message: &str, expect: Result<u64, (E, &str)>| {
        let body = format!(r#"{{"model":"m","messages":[{message}]}}"#);
        match (parse(body.as_bytes()), expect) {
            (Ok(request), Ok(images)) => assert_eq!(request.images, images, "{message}"),
            (Err(error), Err((code, param))) => {
                assert_eq!(
                    (error.code, &*error.param.unwrap()),
                    (code, param),
                    "{message}"
                );
            }
            (found, _) => panic!("{message}: {found:?}"),
        }
    };
    let user = |parts: &str| format!(r#"{{"role":"user","content":[{parts}]}}"#);
    let image = |url: &str| format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#);
    let png = image("data:image/png;base64,AAAA");

    check(
        r#"{"role":"system","content":"x"},{"role":"developer","content":"x","name":"n"}"#,
        Ok(0),
    );
    check(r#"{"role":"user","content":""}"#, Ok(0));
    check(&user(""), Ok(0));
    check(
        &user(r#"{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}"#),
        Ok(0),
    );
    check(
        &user(r#"{"type":"text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}}"#),
        Ok(0),
    );
    check(
        &user(&format!(
            "{png},{},{png}",
            image("https://example.com/a.png")
        )),
        Ok(3),
    );
    check(&user(&image("DATA:IMAGE/PNG;base64,AAAA")), Ok(1));
    check(&user(&image("data:image\\/png;base64,AA\\/\\/")), Ok(1));
    let tool = format!(r#"{{"role":"tool","tool_call_id":"c","content":[{png}]}}"#);
    check(&tool, Ok(1));
    check(
        r#"{"role":"tool","tool_call_id":"c","name":"f","content":"x"}"#,
        Ok(0),
    );
    // What the official SDK sends back when an answer is appended to the conversation.
    check(
        r#"{"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,
            "function_call":null,"images":[],"reasoning":"r","reasoning_details":[
            {"type":"reasoning.encrypted","data":"x","format":"anthropic-claude-v1","index":0}],
            "tool_calls":[{"id":"c","type":"function","index":0,
            "function":{"name":"f","arguments":"{}"}}]}"#,
        Ok(0),
    );
    check(r#"{"role":"assistant"}"#, Ok(0));

    let invalid = |param| Err((E::InvalidValue, param));
    let content = |param| Err((E::UnsupportedContent, param));
    let unknown = |param| Err((E::UnsupportedParameter, param));
    let missing = |param| Err((E::MissingField, param));
    check("1", invalid("messages[0]"));
    check("{}", missing("messages[0].role"));
    check(
        r#"{"role":"function","content":"x"}"#,
        invalid("messages[0].role"),
    );
    check(r#"{"role":"user"}"#, missing("messages[0].content"));
    check(
        r#"{"role":"user","content":null}"#,
        missing("messages[0].content"),
    );
    check(
        r#"{"role":"user","content":1}"#,
        invalid("messages[0].content"),
    );
    check(
        r#"{"role":"user","content":{}}"#,
        invalid("messages[0].content"),
    );
    check(
        r#"{"role":"tool","content":"x"}"#,
        missing("messages[0].tool_call_id"),
    );
    check(
        r#"{"role":"user","content":"x","file":{}}"#,
        unknown("messages[0].file"),
    );
    check(
        r#"{"role":"user","content":"x","tool_calls":null}"#,
        unknown("messages[0].tool_calls"),
    );
    check(
        r#"{"role":"user","content":"x","name":1}"#,
        invalid("messages[0].name"),
    );
    check(&user("1"), missing("messages[0].content[0].type"));
    check(&user("\"x\""), missing("messages[0].content[0].type"));
    for media in [
        "input_audio",
        "file",
        "video_url",
        "input_video",
        "image",
        "thinking",
        "",
    ] {
        let part = format!(r#"{{"type":"{media}","text":"x"}}"#);
        check(&user(&part), content("messages[0].content[0].type"));
    }
    check(
        &user(r#"{"type":"text"}"#),
        missing("messages[0].content[0].text"),
    );
    check(
        &user(r#"{"type":"text","text":null}"#),
        invalid("messages[0].content[0].text"),
    );
    check(
        &user(r#"{"type":"text","text":["x"]}"#),
        invalid("messages[0].content[0].text"),
    );
    let both = r#"{"type":"text","text":"x","image_url":{"url":"https://a"}}"#;
    check(&user(both), unknown("messages[0].content[0].image_url"));
    check(
        &user(r#"{"type":"image_url"}"#),
        missing("messages[0].content[0].image_url"),
    );
    let url = "messages[0].content[0].image_url.url";
    check(
        &user(r#"{"type":"image_url","image_url":{}}"#),
        missing(url),
    );
    check(&user(&image("http://example.com/a.png")), invalid(url));
    check(&user(&image("file:///etc/passwd")), invalid(url));
    check(&user(&image("")), invalid(url));
    check(
        &user(&image("data:application/pdf;base64,AAAA")),
        content(url),
    );
    check(&user(&image("data:video/mp4;base64,AAAA")), content(url));
    let short = r#"{"type":"image_url","image_url":"https://a"}"#;
    check(&user(short), invalid("messages[0].content[0].image_url"));
    let system = format!(r#"{{"role":"system","content":[{png}]}}"#);
    check(&system, content("messages[0].content[0].type"));
    let ttl = r#"{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1d"}}"#;
    check(
        &user(ttl),
        invalid("messages[0].content[0].cache_control.ttl"),
    );

    let assistant = |member: &str| format!(r#"{{"role":"assistant","content":"x",{member}}}"#);
    let images = r#""images":[{"image_url":{"url":"https://a"}}]"#;
    check(&assistant(images), content("messages[0].type"));
    check(
        &assistant(r#""audio":{"id":"a"}"#),
        content("messages[0].type"),
    );
    let file = r#""annotations":[{"type":"file","file":{"content":[]}}]"#;
    check(&assistant(file), content("messages[0].annotations[0].type"));
    check(
        &assistant(r#""annotations":[{"type":"url_citation"}]"#),
        Ok(0),
    );
    let server = r#""reasoning_details":[{"type":"reasoning.server_tool_call"}]"#;
    check(
        &assistant(server),
        invalid("messages[0].reasoning_details[0].type"),
    );
    let custom = r#""tool_calls":[{"id":"c","type":"custom"}]"#;
    check(
        &assistant(custom),
        invalid("messages[0].tool_calls[0].type"),
    );
    let hidden = r#""tool_calls":[{"id":"c","type":"function","image":"x"}]"#;
    check(
        &assistant(hidden),
        unknown("messages[0].tool_calls[0].image"),
    );
}

#[test]
fn an_hour_of_cache_is_noticed_wherever_it_is_asked_for() {
    let hour = r#"{"type":"ephemeral","ttl":"1h"}"#;
    let check = |body: String, expect: bool| {
        assert_eq!(parse(body.as_bytes()).unwrap().hour_cache, expect, "{body}");
    };
    let part = |cache: &str| {
        format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[
                {{"type":"text","text":"x","cache_control":{cache}}}]}}]}}"#
        )
    };
    let tool = |cache: &str| {
        body(&format!(
            r#""tools":[{{"type":"function","function":{{"name":"f"}},"cache_control":{cache}}}]"#
        ))
    };
    check(part(hour), true);
    check(part(r#"{"ttl":"\u0031h","type":"ephemeral"}"#), true);
    check(part(r#"{"type":"ephemeral","ttl":"5m"}"#), false);
    check(part(r#"{"type":"ephemeral"}"#), false);
    check(part("null"), false);
    check(tool(hour), true);
    check(tool(r#"{"type":"ephemeral"}"#), false);
    check(body(&format!("\"cache_control\":{hour}")), true);
    check(body(r#""cache_control":{"type":"ephemeral"}"#), false);
    check(
        body(r#""prompt_cache_options":{"mode":"explicit","ttl":"30m"}"#),
        true,
    );
    check(body(r#""prompt_cache_options":{"mode":"explicit"}"#), false);
}

#[test]
fn pixels_are_not_counted_as_text_and_text_is_limited() {
    let image = |bytes: usize, text: usize| {
        let (pixels, text) = ("A".repeat(bytes), "t".repeat(text));
        format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"{text}"}},
                {{"type":"image_url","image_url":{{"url":"data:image/png;base64,{pixels}"}}}}]}}]}}"#
        )
    };
    let (small, large) = (image(4, 1), image(4_000_000, 1));
    let (small, large) = (
        parse(small.as_bytes()).unwrap(),
        parse(large.as_bytes()).unwrap(),
    );
    assert_eq!(small.text_tokens, large.text_tokens);
    assert_eq!(small.prompt_estimate, large.prompt_estimate);
    let text = |bytes| {
        parse(image(4, bytes).as_bytes())
            .map(|_| ())
            .map_err(|error| error.code)
    };
    assert_eq!(text(1_000_000), Ok(()));
    assert_eq!(text(1_100_000), Err(ErrorCode::BodyTooLarge));
    let huge = vec![b' '; MAX_BODY_BYTES + 1];
    assert_eq!(parse(&huge).unwrap_err().code, ErrorCode::BodyTooLarge);
}

#[test]
fn the_bound_is_above_the_bytes_and_the_estimate_plausible() {
    let body = body("");
    let request = parse(body.as_bytes()).unwrap();
    assert_eq!(
        request.text_tokens,
        u64::try_from(body.len()).unwrap() + 512 + 16
    );
    let bound = request.bound(77);
    assert_eq!(
        (bound.text_tokens, bound.output_tokens),
        (request.text_tokens, 77)
    );
    let usage = request.estimated_usage(9);
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens),
        (request.prompt_estimate, 9)
    );
    assert_eq!(request.estimated_usage(0).completion_tokens, 0);
}

#[test]
fn a_prompt_is_estimated_from_what_the_model_reads() {
    let check = |messages: &str, more: &str, text: &str, fixed: u64| {
        let body = format!(r#"{{"model":"m","messages":[{messages}]{more}}}"#);
        let request = parse(body.as_bytes()).unwrap();
        let expect = tokens::estimate(text) + fixed;
        assert_eq!(request.prompt_estimate, expect, "{body}");
    };
    let hello = r#"{"role":"user","content":"hello there"}"#;
    check(hello, "", "hello there", 4);
    check(&format!("{hello},{hello}"), "", "hello therehello there", 8);
    check(
        hello,
        r#","user":"somebody","stop":["x"]"#,
        "hello there",
        4,
    );
    check(
        r#"{"role":"user","content":"\u043f\u0440\u0438\n"}"#,
        "",
        "при\n",
        4,
    );
    check(
        r#"{"role":"user","content":[{"type":"text","text":"what is this?"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#,
        "",
        "what is this?",
        1_004,
    );
    check(
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",
            "function":{"name":"f","arguments":"{\"a\":1}"}}]}"#,
        "",
        r#"f{"a":1}"#,
        4,
    );
    check(
        r#"{"role":"assistant","content":"b","reasoning":"a","reasoning_details":[
            {"type":"reasoning.text","text":"a"}]}"#,
        "",
        "ba",
        4,
    );
    let tool = r#"[{"type":"function","function":{"name":"f"}}]"#;
    check(
        hello,
        &format!(r#","tools":{tool}"#),
        &format!("hello there{tool}"),
        4,
    );
}

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

#[test]
fn nonsense_is_refused_without_a_panic() {
    let seed = r#"{"model":"m","stream":true,"max_tokens":5,"tools":[{"type":"function","function":
        {"name":"f","parameters":{}}}],"messages":[{"role":"user","content":[{"type":"image_url",
        "image_url":{"url":"data:image/png;base64,AA=="}}]}],"stop":["a"],"temperature":0.5}"#;
    assert!(parse(seed.as_bytes()).is_ok());
    for at in 0..seed.len() {
        for value in [
            &b"null"[..],
            b"0",
            b"-",
            b"\"",
            b"[",
            b"}",
            b"\\u0000",
            b"\xFF",
            b"",
        ] {
            for width in [1, 4, 9] {
                let end = (at + width).min(seed.len());
                let mut bytes = seed.as_bytes()[..at].to_vec();
                bytes.extend_from_slice(value);
                bytes.extend_from_slice(&seed.as_bytes()[end..]);
                if let Ok(request) = parse(&bytes) {
                    let _sent = upstream(&request);
                }
            }
        }
    }
}
