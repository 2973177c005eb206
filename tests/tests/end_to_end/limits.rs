//! What a key may do, at the edge. That a window slides over the borders of minutes, hours and days
//! is tested in `sql`.

use serde_json::{Value, json};
use tollgate_core::accounts::{revoke_key, set_suspended};
use tollgate_core::limits::Limits;
use tollgate_tests::{Caller, eventually};
use xtask::clock::now_ms;

use crate::client::{Answer, Client};
use crate::stage::{Stage, shared};

const CREDIT: i64 = 1_000_000_000;

fn call(client: &Client, text: &str) -> Answer {
    client.chat(&request(text))
}

fn request(text: &str) -> Value {
    json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": text}],
        "max_tokens": 10,
    })
}

fn limited(stage: &Stage, limits: Limits) -> Caller {
    stage.caller(&stage.operator, CREDIT, limits)
}

fn number(answer: &Answer, header: &str) -> i64 {
    let value = answer.header(header);
    let value = value.unwrap_or_else(|| panic!("no {header}: {answer:?}"));
    value.trim_end_matches('s').parse().unwrap()
}

#[test]
fn exactly_the_allowed_requests_a_minute_are_made_and_the_others_consume_nothing() {
    let stage = shared();
    let caller = limited(
        stage,
        Limits {
            requests_per_minute: Some(5),
            ..Limits::default()
        },
    );
    let client = stage.client(&caller);
    let first = call(&client, "five-a-minute");
    let second = call(&client, "five-a-minute");
    for (answer, remaining) in [(&first, 4), (&second, 3)] {
        assert_eq!(number(answer, "x-ratelimit-limit-requests"), 5);
        assert_eq!(number(answer, "x-ratelimit-remaining-requests"), remaining);
    }
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| call(&client, "five-a-minute")))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (3, 7));
    for answer in &refused {
        let told = (answer.status, answer.error_code());
        assert_eq!(told, (429, "rate_limit_requests".to_owned()), "{answer:?}");
        assert_eq!(number(answer, "x-ratelimit-limit-requests"), 5);
        assert_eq!(number(answer, "x-ratelimit-remaining-requests"), 0);
        for header in ["retry-after", "x-ratelimit-reset-requests"] {
            assert!((1..=61).contains(&number(answer, header)), "{answer:?}");
        }
    }
    assert_eq!(stage.provider.received("five-a-minute").len(), 5);
    let paid = first.json()["usage"]["cost"].as_f64().unwrap() * 5e9;
    let wallet = stage.settled(&caller.account);
    assert_eq!(wallet.charged, paid.round() as i64);
    assert_eq!(stage.requests_of(&caller.account).len(), 5);
}

#[test]
fn a_refusal_that_lasts_longer_than_a_minute_tells_sdks_not_to_retry() {
    let stage = shared();
    let check = |limits: Limits, least: i64| {
        let caller = limited(stage, limits);
        let client = stage.client(&caller);
        assert_eq!(call(&client, "one of one").status, 200);
        let refused = call(&client, "one too many");
        assert_eq!(refused.status, 429, "{refused:?}");
        assert_eq!(refused.header("x-should-retry"), Some("false"));
        let wait = number(&refused, "retry-after");
        assert!(wait > least, "{wait}");
    };
    check(
        Limits {
            requests_per_hour: Some(1),
            ..Limits::default()
        },
        3_000,
    );
    check(
        Limits {
            requests_per_day: Some(1),
            ..Limits::default()
        },
        80_000,
    );
}

#[test]
fn a_call_counts_with_the_tokens_that_it_used_once_they_are_known() {
    let stage = shared();
    let caller = limited(
        stage,
        Limits {
            tokens_per_minute: Some(400),
            ..Limits::default()
        },
    );
    let client = stage.client(&caller);
    let ask = |max_tokens: i64| {
        let mut request = request("tokens-a-minute [[tokens=300]]");
        request["max_tokens"] = json!(max_tokens);
        client.chat(&request)
    };
    let refused = ask(500);
    assert_eq!(refused.error_code(), "rate_limit_tokens", "{refused:?}");
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    let made = ask(200);
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(number(&made, "x-ratelimit-limit-tokens"), 400);
    let used = made.json()["usage"]["total_tokens"].as_i64().unwrap();
    assert!((200..220).contains(&used), "{used}");
    stage.settled(&caller.account);
    let refused = ask(380 - used + 20);
    assert_eq!(refused.error_code(), "rate_limit_tokens", "{refused:?}");
    assert_eq!(number(&refused, "x-ratelimit-remaining-tokens"), 400 - used);
    let made = ask(100);
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(stage.provider.received("tokens-a-minute").len(), 2);
}

#[test]
fn a_key_has_at_most_its_parallel_calls_running() {
    let stage = shared();
    let caller = limited(
        stage,
        Limits {
            parallel_calls: Some(2),
            ..Limits::default()
        },
    );
    let client = stage.client(&caller);
    let slow = request("parallel-slow [[ttft_ms=3000]]");
    let mut running: Vec<_> = (0..2).map(|_| client.stream(&slow)).collect();
    for stream in &mut running {
        assert_eq!(stream.head.status, 200, "{:?}", stream.head);
    }
    let refused = call(&client, "parallel-third");
    let told = (refused.status, refused.error_code());
    assert_eq!(told, (429, "too_many_parallel".to_owned()));
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(running.pop().unwrap().events().done);
    eventually("one of the two has ended", || {
        (call(&client, "parallel-third").status == 200).then_some(())
    });
    assert_eq!(stage.provider.received("parallel-third").len(), 1);
}

#[test]
fn settings_of_a_key_are_kept_to() {
    let stage = shared();
    let check = |limits: Limits, change: &[(&str, Value)], expect: Option<(u16, &str)>| {
        let client = stage.client(&limited(stage, limits));
        let marker = format!("settings-{}", stage.draw());
        let mut request = request(&marker);
        for (name, value) in change {
            request[*name] = value.clone();
        }
        let answer = client.chat(&request);
        let dispatched = stage.provider.received(&marker).len();
        match expect {
            None => assert_eq!((answer.status, dispatched), (200, 1), "{answer:?}"),
            Some((status, code)) => {
                let told = (answer.status, answer.error_code(), dispatched);
                assert_eq!(told, (status, code.to_owned(), 0), "{answer:?}");
            }
        }
    };
    let only = |models: &[&str]| Limits {
        allowed_models: Some(models.iter().map(|model| (*model).to_owned()).collect()),
        ..Limits::default()
    };
    let at_most = |max_tokens| Limits {
        max_tokens: Some(max_tokens),
        ..Limits::default()
    };
    let not_allowed = Some((403, "model_not_allowed"));
    check(only(&["sim/echo"]), &[], None);
    check(only(&["sim/e*", "other"]), &[], None);
    check(only(&["sim/slow"]), &[], not_allowed);
    check(only(&[]), &[], not_allowed);
    check(at_most(10), &[], None);
    check(at_most(9), &[], Some((400, "max_tokens_too_large")));
    check(at_most(9), &[("max_tokens", Value::Null)], None);
}

#[test]
fn a_key_stops_working_at_its_expiry() {
    let stage = shared();
    let end = now_ms() + 1_500;
    let caller = stage.caller_until(&stage.operator, CREDIT, (Limits::default(), Some(end)));
    let client = stage.client(&caller);
    let first = call(&client, "before the end");
    // On a busy machine the first call may come too late; then only the refusal is tested.
    assert!(first.status == 200 || now_ms() >= end, "{first:?}");
    let refused = eventually("the key has expired", || {
        let answer = call(&client, "after the end");
        (answer.status != 200).then_some(answer)
    });
    assert!(now_ms() >= end);
    assert_eq!(
        (refused.status, refused.error_code().as_str()),
        (401, "key_expired")
    );
    let key = client.get("/v1/key");
    assert_eq!(
        (key.status, key.error_code().as_str()),
        (401, "key_expired")
    );
}

#[test]
fn a_revoked_key_or_suspended_account_is_refused_on_the_very_next_request() {
    let stage = shared();
    let check = |stop: &dyn Fn(&Caller), expect: (u16, &str)| {
        for warm in [false, true] {
            let caller = limited(stage, Limits::default());
            let client = stage.client(&caller);
            if warm {
                assert_eq!(call(&client, "still fine").status, 200);
            }
            stop(&caller);
            let marker = format!("stopped-{}", stage.draw());
            let answer = call(&client, &marker);
            let told = (answer.status, answer.error_code());
            assert_eq!(told, (expect.0, expect.1.to_owned()), "warm: {warm}");
            assert_eq!(stage.provider.received(&marker).len(), 0);
            assert_eq!(stage.settled(&caller.account).held, 0);
        }
    };
    let change = || stage.change();
    check(
        &|caller| stage.commit(revoke_key(&caller.account, &caller.key_id, &change())),
        (401, "key_revoked"),
    );
    check(
        &|caller| stage.commit(set_suspended(&caller.account, true, &change())),
        (403, "account_suspended"),
    );
}
