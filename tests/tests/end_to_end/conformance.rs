//! The conformance suite itself: this gateway keeps every promise in it, and one that bills like the
//! worst of its peers breaks those that it should.

use std::time::Duration;

use tollgate_core::limits::Limits;
use xtask::conformance::checks::CHECKS;
use xtask::conformance::usd::Usd;
use xtask::conformance::{Findings, Options, run};

use crate::naive::{self, NaiveGateway};
use crate::stage::Stage;

const CREDIT: i64 = 1_000_000_000;
/// Four answers of about 800 tokens.
const LITTLE: i64 = 2_700_000;

fn options(base_url: String, (api_key, poor_api_key): (&str, &str)) -> Options {
    Options {
        base_url,
        api_key: api_key.to_owned(),
        poor_api_key: Some(poor_api_key.to_owned()),
        model: None,
        price_models: Vec::new(),
        unpriced_model: None,
        prompt: "say some words [[tokens=120 tps=200]]".to_owned(),
        long_prompt: "say very many words [[tokens=5000 tps=2000]]".to_owned(),
        max_spend: Usd::of_nanos(CREDIT.into()),
        patience: Duration::from_secs(30),
        settle: Duration::from_secs(2),
    }
}

/// Runs the suite; what it saw is in the test's output.
fn findings(options: Options) -> Findings {
    let keys = [Some(options.api_key.clone()), options.poor_api_key.clone()];
    let mut told = String::new();
    let findings = run(options, &mut |line| {
        println!("{line}");
        told.push_str(line);
    })
    .unwrap();
    let all = told + &findings.json().to_string();
    for key in keys.into_iter().flatten() {
        assert!(!all.contains(&key), "a key was told");
    }
    assert_eq!(findings.checks.len(), CHECKS.len());
    findings
}

#[test]
fn this_gateway_keeps_every_promise_of_the_suite() {
    let stage = Stage::start("conformance", &[]);
    let reseller = &stage.reseller;
    stage.grant(reseller, CREDIT);
    for pattern in ["sim/at-openai", "sim/cached", "sim/reasoning"] {
        stage.rule(reseller, pattern, (3_333, 0));
    }
    let rich = stage.caller(reseller, CREDIT, Limits::default());
    // Its prices are others than the reseller's customer pays.
    let poor = stage.customer(LITTLE);
    let base_url = format!("{}/v1", stage.stack.gateway_url());
    let findings = findings(Options {
        model: Some("sim/at-openai".to_owned()),
        price_models: vec!["sim/cached".to_owned(), "sim/reasoning".to_owned()],
        unpriced_model: Some("sim/slow".to_owned()),
        ..options(base_url, (rich.key.reveal(), poor.key.reveal()))
    });
    assert_eq!(findings.ids("fail"), [""; 0]);
    assert_eq!(findings.ids("not_applicable"), [""; 0]);
}

#[test]
fn a_gateway_that_bills_like_the_worst_of_its_peers_fails_where_it_should() {
    let gateway = NaiveGateway::start();
    let findings = findings(Options {
        model: Some("naive/plain".to_owned()),
        price_models: vec!["naive/cached".to_owned(), "naive/reasoning".to_owned()],
        patience: Duration::from_secs(3),
        settle: Duration::from_millis(500),
        ..options(gateway.base_url(), (naive::RICH, naive::POOR))
    });
    // What it does right, so that the others fail for reasons of their own.
    let right = [
        "charge-told-is-charge-taken",
        "charge-is-price-times-usage",
        "key-never-answers-for-another-body",
    ];
    assert_eq!(findings.ids("pass"), right);
    assert_eq!(findings.ids("not_applicable"), ["nothing-stays-held"]);
    assert_eq!(findings.ids("fail").len(), CHECKS.len() - 4);
}

#[test]
fn the_suite_refuses_to_start_when_it_could_cost_more_than_allowed() {
    let gateway = NaiveGateway::start();
    let check = |max_spend: i128, model: Option<&str>, expect: &str| {
        let refused = run(
            Options {
                model: model.map(str::to_owned),
                max_spend: Usd::of_nanos(max_spend),
                ..options(gateway.base_url(), (naive::RICH, naive::POOR))
            },
            &mut |line| panic!("{line}"),
        );
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(expect), "{refused}");
    };
    check(1_000_000, None, "and the limit is `$0.001`");
    check(1_000_000_000, Some("naive/unpriced"), "lists no price");
    check(
        1_000_000_000_000,
        Some("naive/dear"),
        "the key's account has",
    );
    assert_eq!(gateway.completions(), 0);
}
