use super::*;

fn error(body: impl AsRef<[u8]>) -> ApiError {
    parse_object(body.as_ref()).unwrap_err()
}

#[test]
fn what_is_not_one_json_object_is_refused_with_its_place() {
    let check = |body: &[u8], expect: &str| {
        let error = error(body);
        assert_eq!(error.code, ErrorCode::InvalidJson);
        assert_eq!(error.message, expect, "{}", String::from_utf8_lossy(body));
    };
    let ended =
        |column: usize| format!("the body ends in the middle of a value (line 1, column {column})");
    let syntax = |column: usize| format!("this is not valid JSON (line 1, column {column})");
    check(b"", &ended(1));
    check(b"  ", &ended(3));
    check(b"{", &ended(2));
    check(b"{\"a\"", &ended(5));
    check(b"{\"a\":", &ended(6));
    check(b"{\"a\":1", &ended(7));
    check(b"{\"a\":\"x", &ended(8));
    check(b"{\"a\":\"\\u12", &ended(7));
    check(b"{a:1}", &syntax(2));
    check(b"{'a':1}", &syntax(2));
    check(b"{\"a\" 1}", &syntax(6));
    check(b"{\"a\":1,}", &syntax(8));
    check(b"{\"a\":[1,]}", &syntax(9));
    check(b"{\"a\":[1}", &syntax(8));
    check(b"{\"a\":1]", &syntax(7));
    check(b"{\"a\":01}", &syntax(7));
    check(b"{\"a\":+1}", &syntax(6));
    check(b"{\"a\":.5}", &syntax(6));
    check(b"{\"a\":1.}", &syntax(8));
    check(b"{\"a\":1e}", &syntax(8));
    check(b"{\"a\":NaN}", &syntax(6));
    check(b"{\"a\":nul}", &syntax(6));
    check(b"{\"a\":truefalse}", &syntax(10));
    check(b"{\"a\":/**/1}", &syntax(6));
    check(b"\xEF\xBB\xBF{}", &syntax(1));
    check(
        b"{} {}",
        "there is more after the JSON object (line 1, column 4)",
    );
    check(
        b"{}x",
        "there is more after the JSON object (line 1, column 3)",
    );
    check(
        b"{}\0",
        "there is more after the JSON object (line 1, column 3)",
    );
    check(b"[]", "the body is not a JSON object");
    check(b"\"a\"", "the body is not a JSON object");
    check(b"null", "the body is not a JSON object");
    let text = "a string has an invalid escape or a raw control character";
    check(
        b"{\n \"\xC3\xA9\": \"a\nb\"}",
        &format!("{text} (line 2, column 9)"),
    );
    check(b"{\"a\":\"\\x\"}", &format!("{text} (line 1, column 7)"));
    check(
        b"{\"a\":\"\\ud800\"}",
        &format!("{text} (line 1, column 7)"),
    );
    check(
        b"{\"a\":\"\\udc00\"}",
        &format!("{text} (line 1, column 7)"),
    );
    check(
        b"{\"a\":\"\\ud800\\u0041\"}",
        &format!("{text} (line 1, column 7)"),
    );
    check(
        b"{\"a\":\"\\u+123\"}",
        &format!("{text} (line 1, column 7)"),
    );
    check(
        b"{\"a\":\"\xFF\"}",
        "the body is not UTF-8 (line 1, column 7)",
    );
    check(
        b"{\"a\":\"\xED\xA0\x80\"}",
        "the body is not UTF-8 (line 1, column 7)",
    );
}

#[test]
fn a_key_that_appears_twice_at_any_depth_is_refused() {
    let check = |body: &str, param: &str| {
        let error = error(body);
        assert_eq!(error.code, ErrorCode::DuplicateField, "{body}");
        assert_eq!(error.param.as_deref(), Some(param));
    };
    check(r#"{"a":1,"a":1}"#, "a");
    check(r#"{"a":1,"\u0061":2}"#, "a");
    check(r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#, "a");
    check(r#"{"":1,"":2}"#, "");
    check("{\"\\u0000`\":1,\"\\u0000`\":2}", "\\u{0}'");
    let many: String = (0..1000).map(|i| format!("\"k{i}\":1,")).collect();
    check(&format!("{{{many}\"k500\":2}}"), "k500");
    let long = "n".repeat(1000);
    let shown = format!("{}…", "n".repeat(64));
    check(&format!("{{\"{long}\":1,\"{long}\":2}}"), &shown);
    let fine = format!("{{\"a\":{{\"a\":1}},\"b\":[{{\"a\":1}},{{\"a\":1}}],{many}\"A\":1}}");
    assert_eq!(parse_object(fine.as_bytes()).unwrap().fields.len(), 1003);
}

#[test]
fn nesting_is_limited_so_that_no_reader_behind_us_overflows() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"a\":{open}{close}}}")
    };
    assert!(parse_object(nested(MAX_DEPTH).as_bytes()).is_ok());
    let refused = error(nested(MAX_DEPTH + 1));
    assert!(
        refused
            .message
            .starts_with("the body is nested more than 64 deep")
    );
    assert!(
        error("[".repeat(1_000_000))
            .message
            .starts_with("the body is nested")
    );
}

#[test]
fn text_is_counted_after_decoding_and_without_white_space() {
    let check = |body: &str, expect: u64| {
        assert_eq!(
            parse_object(body.as_bytes()).unwrap().text_bytes,
            expect,
            "{body}"
        );
    };
    check("{}", 2);
    check(" { } ", 2);
    check(r#"{"a":1}"#, 7);
    check(r#"{ "a" : 1 }"#, 7);
    check(r#"{"a":"\u0041\n\"é"}"#, 2 + 3 + 1 + 2 + 3 + 2);
    check(r#"{"a":"\ud83d\ude00"}"#, 2 + 3 + 1 + 2 + 4);
    check(r#"{"a":[true,false,null,-1.5e3]}"#, 30);
}

#[test]
fn values_are_borrowed_exactly_as_they_were_written() {
    let body = r#" { "a" : 1.50e+1 , "b\n":[ 1,{"c":"]}\\\""} , [] ], "d":null,"e":"" } "#;
    let object = parse_object(body.as_bytes()).unwrap();
    let fields: Vec<_> = object
        .fields
        .iter()
        .map(|(name, raw)| (&**name, raw.text()))
        .collect();
    let list = r#"[ 1,{"c":"]}\\\""} , [] ]"#;
    assert_eq!(
        fields,
        [
            ("a", "1.50e+1"),
            ("b\n", list),
            ("d", "null"),
            ("e", "\"\"")
        ]
    );
    let list = object.fields[1].1;
    let elements: Vec<_> = list.elements().map(Raw::text).collect();
    assert_eq!(elements, ["1", r#"{"c":"]}\\\""}"#, "[]"]);
    let string = list.elements().nth(1).unwrap().get("c").unwrap();
    assert_eq!(string.as_str().unwrap(), "]}\\\"");
    assert_eq!(string.str_len(), 4);
}

#[test]
fn numbers_are_whole_only_when_they_are_written_so() {
    let check = |json: &str, expect: Option<u64>| {
        assert_eq!(read_value(json).unwrap().as_u64(), expect, "{json}");
    };
    check("0", Some(0));
    check("12", Some(12));
    check("18446744073709551615", Some(u64::MAX));
    for other in [
        "18446744073709551616",
        "-1",
        "-0",
        "12.0",
        "1e3",
        "\"12\"",
        "null",
        "true",
        "[]",
    ] {
        check(other, None);
    }
}

#[test]
fn a_provider_that_cuts_an_emoji_in_two_is_still_read() {
    let value = read_value(r#"{"a":"x\ud83d","a":"second"}"#).unwrap();
    assert_eq!(value.get("a").unwrap().as_str().unwrap(), "x\u{FFFD}");
    assert!(read_value("{\"a\":\"\\ud83").is_none());
    assert!(read_value("").is_none());
}

#[test]
fn this_reader_and_serde_json_agree_on_what_is_json() {
    let seeds = [
        r#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",{"b":null}],"c":true}"#,
        "{\"m\":[{\"role\":\"user\",\"content\":\"hé\"}], \"n\" : 0.0 }",
    ];
    for seed in seeds {
        for at in 0..seed.len() {
            for byte in [
                None,
                Some(b'"'),
                Some(b'\\'),
                Some(b'}'),
                Some(b','),
                Some(b'0'),
                Some(b'e'),
            ] {
                let mut bytes = seed.as_bytes().to_vec();
                match byte {
                    Some(byte) => bytes[at] = byte,
                    None => drop(bytes.remove(at)),
                }
                let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
                let ours = parse_object(&bytes);
                let shown = String::from_utf8_lossy(&bytes);
                match ours {
                    Ok(object) => {
                        let theirs = theirs.expect(&shown);
                        let names: Vec<_> = object.fields.iter().map(|(name, _)| &**name).collect();
                        assert_eq!(theirs.as_object().unwrap().len(), names.len(), "{shown}");
                        for (name, raw) in &object.fields {
                            let value: serde_json::Value =
                                serde_json::from_str(raw.text()).unwrap();
                            assert_eq!(theirs[&**name], value, "{shown}");
                        }
                    }
                    Err(error) if error.code == ErrorCode::InvalidJson => {
                        assert!(theirs.is_err(), "{shown}: {error}");
                    }
                    Err(error) => assert_eq!(error.code, ErrorCode::DuplicateField),
                }
            }
        }
    }
}

#[test]
fn written_strings_read_back_the_same() {
    let check = |value: &str| {
        let mut out = String::new();
        push_string(&mut out, value);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), value);
        assert_eq!(read_value(&out).unwrap().as_str().unwrap(), value);
    };
    let controls: String = (0_u32..0x90).filter_map(char::from_u32).collect();
    check(&controls);
    check("plain \u{2028} é 😀 \u{FFFF}");
}
