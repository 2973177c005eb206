//! What messages may hold: text and images, and what is refused with its place because its price
//! is not bounded.

use super::*;

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
