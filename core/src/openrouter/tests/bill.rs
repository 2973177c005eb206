//! What the provider says that a call used and cost: counts that are believed, the record of a
//! generation, and which calls are insured. Prices are not here.

use super::*;

#[test]
fn lying_counts_are_as_good_as_no_counts() {
    let check = |usage: &str, expect: Option<(u64, u64)>| {
        let chunk = format!("{{\"choices\":[],\"usage\":{usage}}}");
        let found = read_chunk(&chunk).unwrap().usage;
        let found = found.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        assert_eq!(found, expect, "{usage}");
        let answer = format!("{{\"choices\":[{{}}],\"usage\":{usage}}}");
        let found = read_answer(answer.as_bytes()).unwrap().usage;
        let found = found.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        assert_eq!(found, expect, "{usage}");
    };
    let counts = |prompt: &str| format!("{{\"prompt_tokens\":{prompt},\"completion_tokens\":2}}");
    check(&counts("1"), Some((1, 2)));
    check(&counts("0"), Some((0, 2)));
    check(&counts("4294967295"), Some((4_294_967_295, 2)));
    for lie in [
        "-1",
        "12.0",
        "1e3",
        "\"12\"",
        "null",
        "true",
        "[]",
        "{}",
        "4294967296",
        "18446744073709551616",
        "1e400",
        "-0",
    ] {
        check(&counts(lie), None);
    }
    for other in [
        "null",
        "{}",
        "[]",
        "1",
        "\"x\"",
        "{\"completion_tokens\":1}",
    ] {
        check(other, None);
    }
    let part = |details: &str| {
        format!(
            "{{\"prompt_tokens\":5,\"completion_tokens\":2,\"prompt_tokens_details\":{details}}}"
        )
    };
    check(&part("null"), Some((5, 2)));
    check(&part("{}"), Some((5, 2)));
    check(&part("{\"cached_tokens\":null}"), Some((5, 2)));
    check(&part("{\"cached_tokens\":5}"), Some((5, 2)));
    check(&part("{\"cached_tokens\":-5}"), None);
    check(&part("{\"cached_tokens\":1.5}"), None);
    check(&part("7"), None);
    // Parts beyond the whole raise the whole.
    check(
        &part("{\"cached_tokens\":5,\"cache_write_tokens\":4}"),
        Some((9, 2)),
    );
    let reasoning = r#"{"prompt_tokens":5,"completion_tokens":2,
        "completion_tokens_details":{"reasoning_tokens":8}}"#;
    check(reasoning, Some((5, 8)));
}

#[test]
fn a_generation_record_gives_the_final_usage_and_cost() {
    let record = |more: &str| format!("{{\"data\":{{{more}}}}}");
    let full = record(
        r#""id":"gen-1","total_cost":1.5e-05,"native_tokens_prompt":10,"native_tokens_completion":25,
        "native_tokens_reasoning":5,"native_tokens_cached":3,"num_media_prompt":1,"cancelled":true,
        "finish_reason":"stop","tokens_prompt":99"#,
    );
    let found = read_generation(full.as_bytes()).unwrap();
    let usage = Usage {
        prompt_tokens: 10,
        cached_tokens: 3,
        completion_tokens: 25,
        reasoning_tokens: 5,
        images: 1,
        ..Usage::default()
    };
    assert_eq!(found.usage, Some(usage));
    assert_eq!(found.total_cost, Some(Nanos::new(15_000)));
    assert_eq!(
        (found.cancelled, found.finish_reason.as_deref()),
        (true, Some("stop"))
    );

    let cost = |text: &str| {
        let body = record(&format!("\"total_cost\":{text}"));
        let nanos = read_generation(body.as_bytes()).unwrap().total_cost;
        nanos.map(Nanos::get)
    };
    assert_eq!(cost("0"), Some(0));
    assert_eq!(cost("0.0015"), Some(1_500_000));
    assert_eq!(cost("0.0012345678901234"), Some(1_234_568));
    assert_eq!(cost("1e-15"), Some(1));
    for lie in ["-1", "-1e-30", "\"1\"", "null", "1e30", "9e99999", "[]"] {
        assert_eq!(cost(lie), None, "{lie}");
    }
    let null = record(r#""native_tokens_prompt":null,"native_tokens_completion":1"#);
    assert_eq!(read_generation(null.as_bytes()).unwrap().usage, None);
    for bad in ["", "{}", "[]", "{\"data\":null}", "{\"data\":[]}", "<html>"] {
        let fault = read_generation(bad.as_bytes()).unwrap_err();
        assert_eq!(fault, GenerationFault::NotARecord, "{bad}");
    }
}

#[test]
fn insurance_covers_only_what_the_provider_promises() {
    let used = |completion_tokens: u64| Usage {
        completion_tokens,
        ..Usage::default()
    };
    assert!(is_insured(Some("error"), Some(&used(5))));
    assert!(is_insured(Some("error"), None));
    assert!(is_insured(None, Some(&used(0))));
    assert!(!is_insured(None, Some(&used(1))));
    assert!(!is_insured(None, None));
    assert!(!is_insured(Some("stop"), Some(&used(0))));
}
