//! People take everything with them that is kept of them: all of it, nothing secret, nobody else's.

use serde_json::Value;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use tollgate_core::personal_data::Download;

use crate::request_log::fill;
use crate::spending::explain;
use crate::usage_days::{call, roll_up, two_levels};
use crate::world::{NOW_MS, World};

fn download(world: &World, account: &AccountId, person: &str) -> (Value, String) {
    let mut download = Download::new(account.clone(), person.to_owned());
    let mut text = String::new();
    while let Some(statement) = download.statement() {
        let reply = world.database.run(statement);
        text.push_str(&download.take(reply.rows(0)).unwrap());
    }
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (document, text)
}

/// Gives an account a person and one row of everything that the dashboard keeps.
fn furnish(world: &World, account: &AccountId, name: &str) {
    let (seller, account) = (world.reseller.as_str(), account.as_str());
    world.database.script(&format!(
        "INSERT INTO people (id, seller_id, account_id, email, totp_sealed, totp_sealing_key,
             created_at_ms)
           VALUES ('per_{name}', '{seller}', '{account}', '{name}@example.com', x'5ec7e7', 'k1', 1);
         INSERT INTO sessions (hash, person_id, seller_id, agent, expires_at_ms, seen_at_ms, created_at_ms)
           VALUES (CAST(substr('{name}' || hex(zeroblob(32)), 1, 32) AS BLOB), 'per_{name}', '{seller}',
             'Firefox of {name}', 1, 1, 1);
         INSERT INTO orders (id, account_id, seller_id, kind, price_cents, currency, credit_nanos,
             proceeds_nanos, state, payment_intent_id, livemode, expires_at_ms, created_at_ms)
           VALUES ('ord_{name}', '{account}', '{seller}', 'checkout', 1000, 'usd', 10000000000, 987654000,
             'paid', 'pi_{name}', 0, 1, 1);
         INSERT INTO refunds (id, order_id, account_id, amount_cents, credit_nanos, proceeds_nanos, state,
             created_at_ms) VALUES ('ref_{name}', 'ord_{name}', '{account}', 5, 50000000, 987654321, 'asked', 1);
         INSERT INTO disputes (id, order_id, account_id, amount_cents, credit_nanos, reason, state,
             serious, withdrawn, returned, created_at_ms)
           VALUES ('dp_{name}', 'ord_{name}', '{account}', 5, 50000000, 'fraudulent', 'open', 1, 0, 0, 1);
         INSERT INTO stripe_customers (account_id, stripe_id, card, card_fingerprint, created_at_ms)
           VALUES ('{account}', 'cus_{name}', 'visa 4242', 'fingerprint', 1);
         INSERT INTO auto_top_ups (account_id, enabled, threshold_nanos, amount_cents, month_limit_cents,
             updated_at_ms) VALUES ('{account}', 1, 5, 1000, 2000, 1);
         INSERT INTO audit_log (account_id, actor, action, subject, before, after, created_at_ms) VALUES
           ('{account}', 'person:per_{name}', 'profile.edit', 'per_{name}', '{{}}', '{{\"name\":\"x\"}}', 1),
           ('{account}', 'person:per_seller', 'account.create', '{account}', '{{}}',
             '{{\"kind\":\"customer\",\"parent\":\"acc_above\"}}', 1);"
    ));
}

const SECTIONS: [&str; 13] = [
    "person",
    "sessions",
    "account",
    "keys",
    "orders",
    "refunds",
    "disputes",
    "card",
    "automatic_top_up",
    "ledger",
    "usage_days",
    "requests",
    "audit_log",
];

#[test]
fn a_person_gets_everything_of_its_account_and_nothing_secret() {
    let (world, caller) = two_levels();
    let neighbour = world.caller(&world.reseller, 1_000_000, Limits::default());
    furnish(&world, &caller.account, "ann");
    furnish(&world, &neighbour.account, "robert");
    call(&world, &caller, 0, &[345, 222]);
    call(&world, &neighbour, 0, &[345, 222]);
    roll_up(&world, NOW_MS + 3_600_000);
    call(&world, &caller, 60, &[345, 222]);

    let (document, text) = download(&world, &caller.account, "per_ann");
    let members: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), SECTIONS.len());
    for section in SECTIONS {
        let rows = document[section].as_array().unwrap().len();
        let expect = match section {
            "requests" => 2,
            // The grant, and the two of this test.
            "audit_log" => 3,
            _ => 1,
        };
        assert_eq!(rows, expect, "{section}: {}", document[section]);
    }
    assert_eq!(document["person"][0]["email"], "ann@example.com");
    assert_eq!(document["person"][0]["second_factor"], true);
    assert_eq!(document["card"][0]["card"], "visa 4242");
    assert_eq!(document["requests"][0]["charge_usd"], "0.000000345");
    assert_eq!(document["usage_days"][0]["day"], "2026-11-22");
    assert!(
        text.contains("account.create") && !text.contains("acc_above"),
        "{text}"
    );
    let actors: Vec<&str> = document["audit_log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["actor"].as_str().unwrap())
        .collect();
    assert_eq!(actors, ["somebody else", "person:per_ann", "somebody else"]);
    let hash: String = caller
        .key
        .hash()
        .0
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let secrets = [
        "robert",
        "base_",
        "margin_",
        "987654321",
        "fingerprint",
        "per_seller",
        &hash,
        &hash.to_uppercase(),
        caller.key.reveal(),
        world.reseller.as_str(),
        neighbour.account.as_str(),
        "5ec7e7",
        "5EC7E7",
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}

#[test]
fn another_account_s_person_is_nobody_here() {
    let (world, caller) = two_levels();
    let neighbour = world.caller(&world.reseller, 1_000_000, Limits::default());
    furnish(&world, &neighbour.account, "robert");
    let (document, text) = download(&world, &caller.account, "per_robert");
    assert_eq!(document["person"], Value::Array(vec![]));
    assert_eq!(document["sessions"], Value::Array(vec![]));
    assert!(!text.contains("robert"), "{text}");
}

#[test]
fn a_long_history_comes_in_parts() {
    let (world, caller) = two_levels();
    fill(&world, &caller, 2_000);
    let many = "WITH d(x) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
        n(x) AS (SELECT a.x + 10 * b.x + 100 * c.x FROM d a, d b, d c)
        INSERT INTO audit_log (account_id, actor, action, subject, before, after, created_at_ms)
        SELECT ?1, 'x', 'many', x, '{}', '{}', 1 FROM n";
    for _ in 0..3 {
        let many = tollgate_core::hrana::Statement::new(many).bind(caller.account.as_str());
        let _ = world.database.run(many);
    }
    let (document, _) = download(&world, &caller.account, "per_x");
    let count = |section: &str| document[section].as_array().unwrap().len();
    assert_eq!(
        (count("requests"), count("audit_log"), count("orders")),
        (2_000, 3_001, 0)
    );
}

#[test]
fn nothing_is_found_by_looking_through_everybody_s_rows() {
    let (world, caller) = two_levels();
    let mut download = Download::new(caller.account.clone(), "per_x".to_owned());
    while let Some(statement) = download.statement() {
        let plan = explain(&world, statement.clone());
        assert!(!plan.contains("SCAN"), "{}: {plan}", statement.sql());
        assert!(!plan.contains("rowid>?"), "{}: {plan}", statement.sql());
        let _ = download.take(&[]).unwrap();
    }
}
