//! What is on sale: the kill switches and the refuse list stop the next call, and who changed them is in
//! the audit log.

use tollgate_core::admission::Admission;
use tollgate_core::audit::{
    AuditEntry, AuditQuery, AuditScope, ChangeBatch, Changed, read_audit_entry,
};
use tollgate_core::call::{
    Call, Identity, Wanted, caller_statements, model_statement, price_call, read_caller, read_model,
};
use tollgate_core::catalogue::{
    ModelLine, ModelsQuery, NewRefusal, RefusalLine, RefusalProblem, accept_models, import,
    providers_statement, read_model_line, read_provider_line, read_refusal_line,
    refused_models_statement, switch_model, switch_provider,
};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::limits::Limits;
use tollgate_core::pattern;

use crate::world::{Caller, NOW_MS, World};

const MODEL: &str = "openai/gpt-4o-mini";

fn sold() -> (World, Caller) {
    let world = World::with_catalogue();
    world.0.rule(&world.operator, "*", (1_000, 0));
    let caller = world.caller(&world.operator, 1_000_000_000, Limits::default());
    (world, caller)
}

/// A call of the model, priced with what the database says now; none if it is not sold.
fn price(world: &World, caller: &Caller) -> Option<Call> {
    let [snapshot, rules] = caller_statements(&caller.key.hash(), NOW_MS);
    let (snapshot, rules) = (world.database.run(snapshot), world.database.run(rules));
    let caller = read_caller(snapshot.rows(0), rules.rows(0))
        .unwrap()
        .unwrap();
    let models = world.database.run(model_statement(Some(MODEL)));
    let model = read_model(models.rows(0)).unwrap().pop()?;
    let wanted = Wanted {
        model: MODEL.to_owned(),
        streamed: false,
        max_tokens: Some(10),
        text_tokens: 10,
        prompt_estimate: 10,
        images: 0,
        hour_cache: false,
        first_portion: None,
        idempotency: None,
    };
    Some(price_call(wanted, &caller, &model, NOW_MS).unwrap())
}

fn admit(world: &World, caller: &Caller, call: &Call) -> Admission {
    world.admit(&call.ask(&Identity {
        request: RequestId::new(NOW_MS, world.draw()),
        nonce: 1,
        key_hash: caller.key.hash(),
        provider_account: None,
        lease_until_ms: NOW_MS + 120_000,
    }))
}

#[test]
fn a_switch_stops_the_next_call_even_one_that_was_priced_before() {
    let (world, caller) = sold();
    let operator = &world.operator;
    let change = world.by(operator);
    let refusal = NewRefusal::new("openai/gpt-4o-*", "recalled").unwrap();
    let check = |off: &ChangeBatch, on: &ChangeBatch| {
        let priced = price(&world, &caller).unwrap();
        assert!(matches!(
            admit(&world, &caller, &priced),
            Admission::Admitted(_)
        ));
        assert_eq!(world.made(off), Changed::Now);
        let before = world.wallet(&caller.account);
        // What was priced with the older catalogue is sent back to be priced, and then has no price.
        assert!(matches!(
            admit(&world, &caller, &priced),
            Admission::Reprice(_)
        ));
        assert_eq!(price(&world, &caller), None);
        assert_eq!(world.wallet(&caller.account), before);
        assert_eq!(world.made(off), Changed::Refused);
        assert_eq!(world.made(on), Changed::Now);
        let priced = price(&world, &caller).unwrap();
        assert!(matches!(
            admit(&world, &caller, &priced),
            Admission::Admitted(_)
        ));
        assert_eq!(world.made(on), Changed::Refused);
    };
    check(
        &switch_model(operator, (MODEL, false), &change),
        &switch_model(operator, (MODEL, true), &change),
    );
    check(
        &switch_provider(operator, ("openrouter", false), &change),
        &switch_provider(operator, ("openrouter", true), &change),
    );
    check(
        &refusal.to_batch(operator, &change),
        &accept_models(operator, "openai/gpt-4o-*", &change),
    );
}

#[test]
fn only_the_operator_switches_and_sees_what_is_on_sale() {
    let (world, caller) = sold();
    let refusal = NewRefusal::new("*", "all").unwrap();
    for outsider in [&world.reseller, &caller.account] {
        let change = world.by(outsider);
        for batch in [
            switch_model(outsider, (MODEL, false), &change),
            switch_provider(outsider, ("openrouter", false), &change),
            refusal.to_batch(outsider, &change),
            accept_models(outsider, "*", &change),
        ] {
            assert_eq!(world.made(&batch), Changed::NotFound);
        }
        assert_eq!(models(&world, outsider, ""), []);
        for statement in [
            providers_statement(outsider),
            refused_models_statement(outsider),
        ] {
            assert_eq!(world.database.run(statement).rows(0), []);
        }
    }
    assert!(price(&world, &caller).is_some());
    let nothing = switch_model(
        &world.operator,
        ("no/model", false),
        &world.by(&world.operator),
    );
    assert_eq!(world.made(&nothing), Changed::Refused);
}

fn models(world: &World, operator: &AccountId, search: &str) -> Vec<ModelLine> {
    let query = ModelsQuery {
        operator,
        search,
        after: "",
        count: 1_000,
        now_ms: NOW_MS,
    };
    let reply = world.database.run(query.statement());
    reply
        .rows(0)
        .iter()
        .map(|row| read_model_line(row).unwrap())
        .collect()
}

fn refusals(world: &World) -> Vec<RefusalLine> {
    let reply = world
        .database
        .run(refused_models_statement(&world.operator));
    reply
        .rows(0)
        .iter()
        .map(|row| read_refusal_line(row).unwrap())
        .collect()
}

#[test]
fn the_operator_sees_what_a_model_costs_and_what_keeps_it_from_sale() {
    let (world, _) = sold();
    let operator = &world.operator;
    let change = world.by(operator);
    assert!(models(&world, operator, "").iter().all(ModelLine::on_sale));
    let line = models(&world, operator, "GPT-4o-mini").remove(0);
    assert_eq!(
        (line.slug.as_str(), line.provider.as_str()),
        (MODEL, "openrouter")
    );
    let cost = line.cost.unwrap().unwrap();
    assert_eq!(cost.prices.prompt().to_usd_per_million(), "0.15");
    assert_eq!(line.next_cost_from_ms, None);
    let refusal = NewRefusal::new(" openai/* ", " not this year ").unwrap();
    assert_eq!(
        world.made(&refusal.to_batch(operator, &change)),
        Changed::Now
    );
    let line = models(&world, operator, MODEL).remove(0);
    assert_eq!(line.refused_by.as_deref(), Some("openai/*"));
    assert!(line.enabled && !line.on_sale());
    let listed = refusals(&world).remove(0);
    assert_eq!(
        (listed.pattern.as_str(), listed.reason.as_str()),
        ("openai/*", "not this year")
    );
    assert!(listed.models > 3);
    let reply = world.database.run(providers_statement(operator));
    let provider = read_provider_line(&reply.rows(0)[0]).unwrap();
    assert_eq!(
        (provider.name.as_str(), provider.enabled),
        ("openrouter", true)
    );
    assert!(provider.models >= 30);
}

#[test]
fn an_import_brings_no_model_that_is_refused() {
    let (world, _) = sold();
    let operator = &world.operator;
    for pattern in ["openai/*", "no/such*"] {
        let refusal = NewRefusal::new(pattern, "no").unwrap();
        let made = world.made(&refusal.to_batch(operator, &world.by(operator)));
        assert_eq!(made, Changed::Now);
    }
    let all = import(xtask::catalogue::SEED, NOW_MS).unwrap();
    let kept = all.clone().without(&refusals(&world));
    assert!(
        kept.models
            .iter()
            .all(|(model, _)| !model.slug.starts_with("openai/"))
    );
    assert_eq!(kept.models.len() + kept.refused.len(), all.models.len());
    assert_eq!(kept.refused[0].reason, "the refuse list has `openai/*`: no");
    assert_eq!(all.clone().without(&[]), all);
}

#[test]
fn the_database_reads_patterns_as_the_code_does() {
    let world = World::new();
    let patterns = [
        "*",
        "a/b",
        "a/*",
        "*b",
        "a*b*c",
        "a?c",
        "a[b]c",
        "a[*",
        "*]",
        "[",
        "?",
        "a/B",
        "**",
        "a\\*",
        "[^a]",
        "a-b*:free",
    ];
    let slugs = [
        "a/b",
        "a/B",
        "a/bc",
        "ab",
        "abc",
        "a?c",
        "a[b]c",
        "a[",
        "]",
        "[",
        "?",
        "x",
        "^",
        "a\\b",
        "a-b/c:free",
        "aXbXc",
    ];
    for slug in slugs {
        let insert = "INSERT INTO models (slug, provider, name, hidden_reasoning, free, details, \
                      imported_at_ms) VALUES (?1, 'openrouter', '', 0, 0, '{}', 0)";
        let _ = world.database.run(Statement::new(insert).bind(slug));
    }
    for pattern in patterns {
        world.database.script("DELETE FROM refused_models");
        let refusal = NewRefusal::new(pattern, "no").unwrap();
        let batch = refusal.to_batch(&world.operator, &world.change());
        assert_eq!(world.made(&batch), Changed::Now);
        for line in models(&world, &world.operator, "") {
            let matches = pattern::matches(pattern, &line.slug);
            assert_eq!(
                line.refused_by.is_some(),
                matches,
                "{pattern} {}",
                line.slug
            );
        }
    }
}

#[test]
fn a_refusal_has_a_pattern_and_a_reason() {
    use RefusalProblem::{Pattern, Reason};
    let check = |pattern: &str, reason: &str, expect: Option<RefusalProblem>| {
        let refusal = NewRefusal::new(pattern, reason);
        assert_eq!(refusal.err(), expect, "{pattern} {reason}");
    };
    check("*", "no", None);
    check("", "no", Some(Pattern));
    check("a b", "no", Some(Pattern));
    check("*", "", Some(Reason));
    check("*", " ", Some(Reason));
    check("*", "a\nb", Some(Reason));
    check("*", &"r".repeat(201), Some(Reason));
}

fn log(world: &World, query: &AuditQuery<'_>) -> Vec<AuditEntry> {
    let reply = world.database.run(query.statement());
    reply
        .rows(0)
        .iter()
        .map(|row| read_audit_entry(row).unwrap())
        .collect()
}

#[test]
fn an_account_reads_its_own_log_and_the_operator_all_of_it() {
    let (world, caller) = sold();
    let operator = &world.operator;
    world.database.script(&format!(
        "INSERT INTO people (id, seller_id, account_id, email, name, created_at_ms) VALUES \
         ('per_ada', '{operator}', '{operator}', 'ada@example.com', 'Ada', 0)"
    ));
    for enabled in [false, true] {
        let change = world.by(operator);
        let _ = world.made(&switch_model(operator, (MODEL, enabled), &change));
    }
    let _ = world.made(&switch_model(
        operator,
        ("openai/gpt-4o", false),
        &world.change(),
    ));
    world.grant(&world.reseller, 5);
    let query = |scope| AuditQuery {
        scope,
        actor: "",
        action: "",
        subject: "",
        before: None,
        count: 100,
    };
    let all = log(&world, &query(AuditScope::Everything(operator)));
    assert!(all.is_sorted_by(|one, other| one.id > other.id));
    let of_ada = log(
        &world,
        &AuditQuery {
            actor: "person:per_ada",
            ..query(AuditScope::Everything(operator))
        },
    );
    let told: Vec<_> = of_ada
        .iter()
        .map(|entry| {
            (
                entry.by.as_str(),
                entry.before.as_str(),
                entry.after.as_str(),
            )
        })
        .collect();
    let (off, on) = (r#"{"enabled":0}"#, r#"{"enabled":1}"#);
    assert_eq!(told, [("Ada", off, on), ("Ada", on, off)]);
    let about = |action, subject| {
        let query = AuditQuery {
            action,
            subject,
            ..query(AuditScope::Own(operator))
        };
        log(&world, &query).len()
    };
    assert_eq!(about("model.", ""), 3);
    assert_eq!(about("model.", MODEL), 2);
    assert_eq!(about("model.%", ""), 0);
    assert_eq!(about("", "' OR 1 = 1 --"), 0);
    // A page at a time.
    let mut paged: Vec<AuditEntry> = Vec::new();
    loop {
        let page = AuditQuery {
            before: paged.last().map(|entry| entry.id),
            count: 3,
            ..query(AuditScope::Everything(operator))
        };
        let page = log(&world, &page);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    // A reseller reads what was done to its account, and not who of the operator's people did it.
    let own = log(&world, &query(AuditScope::Own(&world.reseller)));
    assert!(
        own.iter()
            .all(|entry| entry.account == world.reseller.as_str())
    );
    assert_eq!(
        (own.len(), own[0].action.as_str(), own[0].by.as_str()),
        (1, "ledger.post", "test")
    );
    for outsider in [&world.reseller, &caller.account] {
        assert_eq!(log(&world, &query(AuditScope::Everything(outsider))), []);
    }
}
