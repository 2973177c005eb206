//! Which tools are accepted: functions that the caller runs, each with its tokens. Tools that the
//! provider would run cost extra and are refused.

use super::*;

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
