//! What an operator does by hand: migrations, what is shown of an account, limits one at a time, the
//! catalogue's import and the demo.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use tollgate_core::accounts::{
    Account, AccountKind, LimitEdit, account_statement, accounts_statement, ancestors_statement,
    audit_statement, calls_statement, edit_account_limits, edit_key_limits, end_rule,
    key_statement, keys_statement, ledger_statement, operator_statement, read_account,
    read_audit_line, read_call_line, read_key, read_ledger_line, read_rule, rule_statement,
    rules_statement,
};
use tollgate_core::call::{
    Wanted, caller_statements, model_statement, price_call, read_caller, read_model,
};
use tollgate_core::catalogue::{CostLine, costs_statement, read_cost_line};
use tollgate_core::hrana::{HranaFault, Row, Statement};
use tollgate_core::ids::AccountId;
use tollgate_core::key::ApiKey;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_tests::{Database, Server};
use xtask::admin::Session;
use xtask::{catalogue, demo};

use crate::world::{NOW_MS, World};

fn client(database: &Database) -> xtask::database::Database {
    xtask::database::Database::new(database.url(), None).unwrap()
}

fn list<T>(world: &World, statement: Statement, read: fn(&Row) -> Result<T, HranaFault>) -> Vec<T> {
    let reply = world.database.run(statement);
    reply.rows(0).iter().map(|row| read(row).unwrap()).collect()
}

fn ids(accounts: &[Account]) -> Vec<&AccountId> {
    accounts.iter().map(|account| &account.id).collect()
}

#[test]
fn an_account_shows_its_place_its_wallet_and_its_past() {
    let world = World::new();
    let caller = world.caller(&world.reseller, 1_000, Limits::default());
    world.grant(&world.reseller, 5_000);
    let settled = world.ask(&caller, 100);
    let _ = world.admit(&settled);
    let _ = world.resolve(&world.resolution(&caller, &settled, 40));
    let mut later = world.ask(&caller, 30);
    later.request = tollgate_core::ids::RequestId::new(NOW_MS + 1, 7);
    let _ = world.admit(&later);

    let account = list(&world, account_statement(&caller.account), read_account).remove(0);
    assert_eq!(
        (account.kind, account.active),
        (AccountKind::Customer, true)
    );
    assert_eq!(account.parent.as_ref(), Some(&world.reseller));
    let wallet = [account.balance, account.held, account.debt, account.charged];
    assert_eq!(wallet.map(Nanos::get), [960, 30, 0, 40]);

    let operator = list(&world, operator_statement(), read_account);
    assert_eq!(ids(&operator), [&world.operator]);
    let above = list(&world, ancestors_statement(&caller.account), read_account);
    assert_eq!(ids(&above), [&world.operator, &world.reseller]);
    assert_eq!(
        list(&world, ancestors_statement(&world.operator), read_account),
        []
    );
    let below = list(
        &world,
        accounts_statement(Some(&world.reseller)),
        read_account,
    );
    assert_eq!(ids(&below), [&caller.account]);
    assert_eq!(
        list(&world, accounts_statement(None), read_account).len(),
        3
    );

    let keys = list(&world, keys_statement(&caller.account), read_key);
    assert_eq!(keys, list(&world, key_statement(&caller.key_id), read_key));
    assert_eq!((keys[0].open_holds, keys[0].charged.get()), (1, 40));
    assert_eq!(keys[0].prefix, caller.key.display_prefix());

    let ledger = list(
        &world,
        ledger_statement(&caller.account, 10),
        read_ledger_line,
    );
    assert_eq!(ledger.len(), 1);
    assert_eq!(
        (ledger[0].kind.as_str(), ledger[0].amount.get()),
        ("grant", 1_000)
    );

    // The reseller sees the calls of its customer, with its own hold and charge.
    for account in [&caller.account, &world.reseller] {
        let calls = list(&world, calls_statement(account, NOW_MS, 10), read_call_line);
        let seen: Vec<_> = calls
            .iter()
            .map(|call| (call.id, call.state.as_str(), call.charge.map(Nanos::get)))
            .collect();
        assert_eq!(
            seen,
            [
                (later.request, "held", None),
                (settled.request, "settled", Some(40))
            ]
        );
        assert_eq!(calls[1].hold.get(), 100);
        assert_eq!(calls[1].outcome.as_deref(), Some("exact"));
        assert_eq!(
            (calls[1].prompt_tokens, calls[1].completion_tokens),
            (Some(7), Some(5))
        );
    }
    let of = |account, since_ms, count| {
        list(
            &world,
            calls_statement(account, since_ms, count),
            read_call_line,
        )
        .len()
    };
    assert_eq!(of(&caller.account, NOW_MS, 1), 1);
    assert_eq!(of(&caller.account, NOW_MS + 1, 10), 1);
    assert_eq!(of(&world.operator, NOW_MS, 10), 0);
}

#[test]
fn an_edit_of_limits_leaves_the_others_and_says_what_it_set() {
    let world = World::new();
    let limits = Limits {
        requests_per_minute: Some(5),
        max_tokens: Some(100),
        ..Limits::default()
    };
    let caller = world.caller(&world.operator, 0, limits.clone());
    let edits = [
        LimitEdit::RequestsPerMinute(None),
        LimitEdit::ParallelCalls(Some(2)),
        LimitEdit::AllowedModels(Some(vec!["openai/*".to_owned()])),
    ];
    world.commit(edit_key_limits(
        &caller.account,
        &caller.key_id,
        &edits,
        &world.change(),
    ));
    let expect = Limits {
        requests_per_minute: None,
        parallel_calls: Some(2),
        allowed_models: Some(vec!["openai/*".to_owned()]),
        ..limits
    };
    assert_eq!(
        list(&world, key_statement(&caller.key_id), read_key)[0].limits,
        expect
    );
    let line = list(&world, audit_statement(None, 1), read_audit_line).remove(0);
    assert_eq!(
        (line.action.as_str(), line.subject.as_str()),
        ("key.limits", caller.key_id.as_str())
    );
    assert!(
        line.before.contains(r#""requests_per_minute":5"#),
        "{}",
        line.before
    );
    assert_eq!(
        line.after,
        r#"{"allowed_models":["openai/*"],"parallel_calls":2,"requests_per_minute":null}"#
    );

    let edit = [LimitEdit::TokensPerMinute(Some(9))];
    world.commit(edit_account_limits(&caller.account, &edit, &world.change()));
    let account = list(&world, account_statement(&caller.account), read_account).remove(0);
    assert_eq!(account.limits.tokens_per_minute, Some(9));
    assert_eq!(world.snapshot(&caller).key.version, 3);
    let stranger = world.caller(&world.operator, 0, Limits::default());
    world.refused(edit_key_limits(
        &stranger.account,
        &caller.key_id,
        &edits,
        &world.change(),
    ));
    world.refused(edit_account_limits(&world.operator, &edit, &world.change()));
}

#[test]
fn an_ended_rule_stays_readable() {
    let world = World::new();
    let id = world.rule(&world.reseller);
    world.commit(end_rule(&world.reseller, &id, &world.change()));
    let rules = list(&world, rules_statement(&world.reseller), read_rule);
    assert_eq!(rules, list(&world, rule_statement(&id), read_rule));
    assert_eq!(
        (&rules[0].account, rules[0].rule.ends_at_ms),
        (&world.reseller, Some(NOW_MS))
    );
    assert_eq!(
        list(&world, rules_statement(&world.operator), read_rule),
        []
    );
}

fn write(dir: &Path, name: &str, sql: &str) {
    fs::write(dir.join(name), sql).unwrap();
}

#[test]
fn a_migration_applies_once_and_all_or_nothing() {
    let server = Server::start_empty();
    let database = client(&server);
    let dir = tempfile::tempdir().unwrap();
    let applied = || {
        let applied = database.migrate(dir.path());
        applied.map(|all| all.iter().map(|one| one.version).collect::<Vec<_>>())
    };
    write(
        dir.path(),
        "0001_a.sql",
        "CREATE TABLE a (x INTEGER) STRICT;\nCREATE TRIGGER t BEFORE UPDATE ON a BEGIN\n\
         SELECT RAISE(ABORT, 'no; never'); END;\n-- the end",
    );
    assert_eq!(applied().unwrap(), [1]);
    assert_eq!(applied().unwrap(), [0_i64; 0]);

    write(
        dir.path(),
        "0002_b.sql",
        "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
    );
    let error = applied().unwrap_err().to_string();
    assert!(
        error.contains("the migration `0002_b` failed: ") && error.contains("nowhere"),
        "{error}"
    );
    // A statement that does not parse, which sqld leaves out of a longer text without a word.
    write(
        dir.path(),
        "0002_b.sql",
        "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE c (x,);",
    );
    let error = applied().unwrap_err().to_string();
    assert!(error.contains("syntax error"), "{error}");
    let tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b', 't')";
    assert_eq!(
        server.run(Statement::new(tables)).rows(0)[0].get(0),
        Ok(2_i64)
    );

    write(
        dir.path(),
        "0002_b.sql",
        "CREATE TABLE b (x INTEGER) STRICT",
    );
    assert_eq!(applied().unwrap(), [2]);
    write(
        dir.path(),
        "0001_a.sql",
        "CREATE TABLE a (y INTEGER) STRICT;",
    );
    let error = applied().unwrap_err().to_string();
    assert!(
        error.contains("0001_a.sql` was changed after it had been applied"),
        "{error}"
    );
}

#[test]
fn two_people_may_migrate_at_the_same_time() {
    let server = Server::start_empty();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| client(&server).migrate(&dir).map(drop)))
            .collect();
        for run in runs {
            run.join().unwrap().unwrap();
        }
    });
    let count = Statement::new("SELECT count(*) FROM schema_migrations");
    let files = fs::read_dir(&dir).unwrap().count();
    assert_eq!(
        server.run(count).rows(0)[0].get(0),
        Ok(i64::try_from(files).unwrap())
    );
}

#[test]
fn what_people_had_before_a_migration_they_have_after_it() {
    let server = Server::start_empty();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let older = std::env::temp_dir().join(format!("tollgate-older-{}", std::process::id()));
    fs::create_dir_all(&older).unwrap();
    let files = fs::read_dir(&dir).unwrap().map(|file| file.unwrap());
    for file in files.filter(|file| *file.file_name() <= *OsStr::new("0003_z")) {
        fs::copy(file.path(), older.join(file.file_name())).unwrap();
    }
    let migrated = client(&server).migrate(&older).unwrap().len();
    fs::remove_dir_all(&older).unwrap();
    assert_eq!(migrated, 3);
    for sql in [
        "INSERT INTO accounts (id, kind, chain, name, created_at_ms) VALUES ('acc_a', 'operator', '[]', 'A', 1)",
        "INSERT INTO people (id, seller_id, account_id, email, created_at_ms) \
         VALUES ('per_a', 'acc_a', 'acc_a', 'ada@example.com', 1)",
        "INSERT INTO sign_in_codes (browser_hash, seller_id, email, network_hash, code_hash, sent, next, \
         expires_at_ms, created_at_ms) VALUES (zeroblob(32), 'acc_a', 'ada+x@example.com', x'00', zeroblob(32), \
         1, '/', 2, 1)",
        "INSERT INTO stripe_customers (account_id, stripe_id, payment_method_id, card, created_at_ms) \
         VALUES ('acc_a', 'cus_a', 'pm_a', 'visa 4242', 1)",
        "INSERT INTO orders (id, account_id, seller_id, kind, attempt, price_cents, currency, credit_nanos, \
         state, livemode, expires_at_ms, created_at_ms) \
         VALUES ('ord_a', 'acc_a', 'acc_a', 'auto_top_up', 1, 100, 'usd', 100000000, 'new', 0, 2, 1)",
        "INSERT INTO auto_top_ups (account_id, enabled, threshold_nanos, amount_cents, month_limit_cents, \
         updated_at_ms) VALUES ('acc_a', 1, 5, 100, 100, 1)",
    ] {
        let _ = server.run(Statement::new(sql));
    }
    client(&server).migrate(&dir).unwrap();
    let all = "SELECT p.email || ' ' || p.barred || ' ' || s.mailbox || ' ' || s.known || ' ' || c.card || ' ' || \
               o.payment_method_id || ' ' || t.enabled || ' ' || t.untold FROM people p, sign_in_codes s, \
               stripe_customers c, orders o, auto_top_ups t";
    let reply = server.run(Statement::new(all));
    let all: String = reply.rows(0)[0].get(0).unwrap();
    assert_eq!(
        all,
        "ada@example.com 0 ada+x@example.com 0 visa 4242 pm_a 1 0"
    );
}

fn document(prompt: &str) -> String {
    format!(
        r#"{{"data":[
            {{"id":"a/one","pricing":{{"prompt":"{prompt}","completion":"0.000002"}},"source":"a page"}},
            {{"id":"a/two","pricing":{{"prompt":"0.000001","completion":"0.000002"}}}},
            {{"id":"a/free","pricing":{{"prompt":"0","completion":"0"}}}}]}}"#
    )
}

#[test]
fn an_import_tells_what_changed_and_keeps_where_each_cost_is_from() {
    let world = World::new();
    let database = client(&world.database);
    let import = |prompt: &str| {
        let session = Session::of(&database, "admin:test".to_owned());
        let all = catalogue::import(&session, document(prompt).as_bytes(), "a list").unwrap();
        assert_eq!(all.refused[0].slug, "a/free");
        [all.added, all.changed, all.unchanged].map(|slugs| slugs.join(" "))
    };
    assert_eq!(import("0.000001"), ["a/one a/two", "", ""]);
    assert_eq!(import("0.000001"), ["", "", "a/one a/two"]);
    assert_eq!(import("0.000003"), ["", "a/one", "a/two"]);
    let costs: Vec<CostLine> = list(&world, costs_statement(), read_cost_line);
    let seen: Vec<_> = costs
        .iter()
        .map(|line| (line.model.as_str(), line.source.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("a/one", "a page"),
            ("a/one", "a page"),
            ("a/two", "a list")
        ]
    );
    let line = list(
        &world,
        audit_statement(Some(&world.operator), 1),
        read_audit_line,
    )
    .remove(0);
    assert_eq!(
        (line.actor.as_str(), line.action.as_str()),
        ("admin:test", "catalogue.import")
    );
}

const PER_REQUEST: &str = r#"{"data":[{"id":"sim/per-request","context_length":1000,
    "pricing":{"prompt":"0","completion":"0","request":"0.01"}}]}"#;

#[test]
fn the_demo_s_dollar_is_for_exactly_ten_calls_and_it_is_seeded_once() {
    let server = Server::start();
    let database = client(&server);
    let seeded = demo::seed(&database, &[(PER_REQUEST.as_bytes(), "simulator")]).unwrap();
    let demo = seeded.expect("a fresh database");
    assert_eq!(demo::seed(&database, &[]).unwrap(), None);

    let now_ms = xtask::clock::now_ms();
    let charge = |key: &str| {
        let key = ApiKey::parse(key).unwrap();
        let [snapshot, rules] = caller_statements(&key.hash(), now_ms);
        let [snapshot, rules] = database.read_all([snapshot, rules]).unwrap();
        let caller = read_caller(&snapshot, &rules).unwrap().unwrap();
        let rows = database
            .read(model_statement(Some("sim/per-request")))
            .unwrap();
        let model = read_model(&rows).unwrap().remove(0);
        let wanted = Wanted {
            model: "sim/per-request".to_owned(),
            streamed: false,
            max_tokens: None,
            text_tokens: 9,
            prompt_estimate: 9,
            images: 0,
            hour_cache: false,
            first_portion: None,
            idempotency: None,
        };
        let call = price_call(wanted, &caller, &model, now_ms).unwrap();
        let free: Vec<i64> = caller
            .snapshot
            .levels
            .iter()
            .map(|level| level.free().get())
            .collect();
        let holds: Vec<i64> = call.levels.iter().map(|level| level.hold.get()).collect();
        (free, holds)
    };
    assert_eq!(
        charge(&demo.low_balance_key),
        (vec![1_000_000_000], vec![100_000_000])
    );
    assert_eq!(
        charge(&demo.key),
        (vec![100_000_000_000], vec![100_000_000])
    );
    assert_eq!(
        charge(&demo.reseller_customer_key),
        (
            vec![50_000_000_000, 1_000_000_000_000],
            vec![125_000_000, 100_000_000]
        )
    );
    let text = demo.to_text();
    for part in [
        &demo.key,
        &demo.low_balance_key,
        &demo.revoked_key,
        &demo.reseller_id,
    ] {
        assert!(text.contains(part), "{text}");
        assert!(!format!("{demo:?}").contains(&demo.key));
    }
}
