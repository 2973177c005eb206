//! A seller and the accounts right below it: finding them, suspending, limiting and giving credit, and
//! that none of it reaches an account of another's.

use tollgate_core::accounts::{AccountKind, BudgetEdit, LimitEdit};
use tollgate_core::audit::Changed;
use tollgate_core::budget::Period;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{Amount, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::selling::{
    Customer, CustomerLine, CustomerOrder, CustomersQuery, Gift, customer_batch, limit_customer,
    limit_spending, read_customer_line, suspend_customer,
};

use crate::world::{NOW_MS, World};

const TODAY: i64 = NOW_MS / 86_400_000;

fn query(seller: &AccountId) -> CustomersQuery<'_> {
    CustomersQuery {
        seller,
        kind: None,
        search: "",
        order: CustomerOrder::Name,
        after: None,
        count: 100,
        now_ms: NOW_MS,
    }
}

fn page(world: &World, query: &CustomersQuery<'_>) -> Vec<CustomerLine> {
    let reply = world.database.run(query.statement());
    let rows = reply.rows(0).iter();
    rows.map(|row| read_customer_line(row).unwrap()).collect()
}

fn names(world: &World, query: &CustomersQuery<'_>) -> Vec<String> {
    let lines = page(world, query).into_iter();
    lines.map(|line| line.name).collect()
}

fn read(world: &World, seller: &AccountId, customer: &AccountId) -> Option<Customer> {
    let read = customer_batch(seller, customer, NOW_MS);
    read.read(&world.database.execute(&read.batch)).unwrap()
}

/// A customer of this name, made at this moment, with one person.
fn named(world: &World, seller: &AccountId, (name, email): (&str, &str), at_ms: i64) -> AccountId {
    let account = world.caller(seller, 0, Limits::default()).account;
    let name_it = Statement::new("UPDATE accounts SET name = ?2, created_at_ms = ?3 WHERE id = ?1")
        .bind(account.as_str())
        .bind(name)
        .bind(at_ms);
    let _ = world.database.run(name_it);
    let person = Statement::new(
        "INSERT INTO people (id, seller_id, account_id, email, created_at_ms) VALUES (?1, ?2, ?3, ?4, 0)",
    )
    .bind(format!("per_{}", world.draw()))
    .bind(seller.as_str())
    .bind(account.as_str())
    .bind(email);
    let _ = world.database.run(person);
    account
}

/// Adds usage of a day: what the account was charged, and what its parent was.
fn used(world: &World, account: &AccountId, day: i64, (charge, base, true_up): (i64, i64, i64)) {
    let row = Statement::new(
        "INSERT INTO usage_days (account_id, day, key_id, model, caller_id, settled, voided, \
         prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, \
         charge_nanos, base_nanos, true_up_nanos) \
         VALUES (?1, ?2, ?3, 'sim/echo', ?1, 1, 0, 0, 0, 0, 0, 0, ?4, ?5, ?6)",
    )
    .bind(account.as_str())
    .bind(day)
    .bind(format!("key_{}", world.draw()))
    .bind(charge)
    .bind(base)
    .bind(true_up);
    let _ = world.database.run(row);
}

#[test]
fn a_seller_pages_through_its_customers_in_either_order() {
    let world = World::new();
    let other = world.new_reseller(0, 0);
    let _ = named(&world, &other, ("Aaa", "a@example.com"), 9);
    for (name, at_ms) in [
        ("delta", 4),
        ("Alpha", 3),
        ("charlie", 2),
        ("Bravo", 1),
        ("bravo", 5),
    ] {
        let email = format!("{name}{at_ms}@example.com").to_lowercase();
        let _ = named(&world, &world.reseller, (name, &email), at_ms);
    }
    let check = |order, expect: &[&str]| {
        let query = CustomersQuery {
            order,
            ..query(&world.reseller)
        };
        let all = page(&world, &query);
        let mut paged: Vec<CustomerLine> = Vec::new();
        for _ in 0..4 {
            let after = paged.last().map(|line| line.id.clone());
            paged.extend(page(
                &world,
                &CustomersQuery {
                    after: after.as_ref(),
                    count: 2,
                    ..query
                },
            ));
        }
        assert_eq!(paged, all);
        let mut found: Vec<String> = all.into_iter().map(|line| line.name).collect();
        // Names that differ by case alone are in the order of their ids, which were drawn.
        if order == CustomerOrder::Name && found[1] == "bravo" {
            found.swap(1, 2);
        }
        assert_eq!(found, expect);
    };
    check(
        CustomerOrder::Name,
        &["Alpha", "Bravo", "bravo", "charlie", "delta"],
    );
    check(
        CustomerOrder::Newest,
        &["bravo", "delta", "Alpha", "charlie", "Bravo"],
    );
}

#[test]
fn a_customer_is_found_by_the_beginning_of_its_name_or_address() {
    let world = World::new();
    let other = world.new_reseller(0, 0);
    let seller = world.reseller.clone();
    let _ = named(&world, &seller, ("Acme", "ann@acme.example"), 1);
    let _ = named(&world, &seller, ("Zeta 100%", "bob@acme.example"), 2);
    let _ = named(&world, &seller, ("Bo_b", "x@example.com"), 3);
    let _ = named(&world, &other, ("Acme", "ann@acme.example"), 4);
    let check = |search: &str, expect: &[&str]| {
        let query = CustomersQuery {
            search,
            ..query(&seller)
        };
        assert_eq!(names(&world, &query), expect, "{search}");
    };
    check("ac", &["Acme"]);
    check(" ACME ", &["Acme"]);
    check("ann@", &["Acme"]);
    check("Ann@ACME.example", &["Acme"]);
    check("bo", &["Bo_b", "Zeta 100%"]);
    check("cme", &[]);
    check("%", &[]);
    check("_", &[]);
    check("zeta 100%", &["Zeta 100%"]);
    check("'; DROP TABLE accounts; --", &[]);
    check("é", &[]);
}

#[test]
fn a_customers_line_says_what_it_has_owes_and_brings() {
    let world = World::new();
    world.rule(&world.operator);
    world.rule(&world.reseller);
    let caller = world.caller(&world.reseller, 1_000, Limits::default());
    world.grant(&world.reseller, 5_000);
    let _ = world.admit(&world.ask(&caller, 300));
    used(&world, &caller.account, TODAY, (100, 60, 5));
    used(&world, &caller.account, TODAY - 29, (10, 10, 0));
    used(&world, &caller.account, TODAY - 30, (7_000, 1, 0));
    let line = page(&world, &query(&world.reseller)).remove(0);
    let amounts = [line.balance, line.held, line.debt, line.spent, line.margin];
    assert_eq!(amounts.map(Nanos::get), [1_000, 300, 0, 115, 45]);
    assert!(line.active);
    assert_eq!(line.email, None);
    let customer = read(&world, &world.reseller, &caller.account).unwrap();
    assert_eq!((customer.spent, customer.margin), (line.spent, line.margin));
    assert_eq!(customer.account.balance, line.balance);
    assert_eq!((customer.keys, customer.people.len()), (1, 0));

    // The operator sees resellers and its own customers apart.
    let of_kind = |kind| {
        let query = CustomersQuery {
            kind: Some(kind),
            ..query(&world.operator)
        };
        let lines = page(&world, &query).into_iter();
        lines.map(|line| line.id).collect::<Vec<_>>()
    };
    assert_eq!(
        of_kind(AccountKind::Reseller),
        std::slice::from_ref(&world.reseller)
    );
    assert_eq!(of_kind(AccountKind::Customer), []);
}

#[test]
fn a_suspended_customer_is_refused_and_comes_back() {
    let world = World::new();
    world.rule(&world.operator);
    world.rule(&world.reseller);
    let caller = world.caller(&world.reseller, 1_000, Limits::default());
    let seller = &world.reseller;
    for (suspended, expect) in [
        (true, Changed::Now),
        (true, Changed::Refused),
        (false, Changed::Now),
        (false, Changed::Refused),
    ] {
        let change = suspend_customer(seller, (&caller.account, suspended), &world.by(seller));
        assert_eq!(world.made(&change), expect);
        let customer = read(&world, seller, &caller.account).unwrap();
        assert_eq!(customer.account.active, !suspended);
    }
    let log =
        "SELECT group_concat(action, ' ') FROM audit_log WHERE account_id = ?1 AND actor = ?2";
    let log = Statement::new(log)
        .bind(seller.as_str())
        .bind("person:per_ada");
    let actions: String = world.row(log).get(0).unwrap();
    assert_eq!(actions, "account.suspend account.resume");
}

#[test]
fn a_customers_limits_are_set_one_at_a_time() {
    let world = World::new();
    let caller = world.caller(&world.reseller, 0, Limits::default());
    let seller = &world.reseller;
    let version = world.snapshot(&caller).key.version;
    let edits = [
        LimitEdit::RequestsPerMinute(Some(5)),
        LimitEdit::AllowedModels(Some(vec!["openai/*".to_owned()])),
    ];
    let change = limit_customer(seller, (&caller.account, &edits), &world.by(seller));
    assert_eq!(world.made(&change), Changed::Now);
    let budget: [BudgetEdit; 1] = [(Period::Day, Some(Nanos::new(77)))];
    let change = limit_spending(seller, (&caller.account, &budget), &world.by(seller));
    assert_eq!(world.made(&change), Changed::Now);
    let snapshot = world.snapshot(&caller);
    assert_eq!(snapshot.key.version, version + 1);
    assert_eq!(snapshot.key.limits.requests_per_minute, Some(5));
    let customer = read(&world, seller, &caller.account).unwrap();
    assert_eq!(customer.purse.budget.day, Some(Nanos::new(77)));
    assert_eq!(customer.account.limits.requests_per_minute, Some(5));
    // An account without keys has limits, too.
    let bare =
        Statement::new("DELETE FROM keys WHERE account_id = ?1").bind(caller.account.as_str());
    let _ = world.database.run(bare);
    let change = limit_customer(seller, (&caller.account, &edits), &world.by(seller));
    assert_eq!(world.made(&change), Changed::Now);
}

fn gift(seller: &AccountId, customer: &AccountId, (nanos, event): (i64, &str)) -> Gift {
    Gift {
        seller: seller.clone(),
        customer: customer.clone(),
        amount: Amount::new(Nanos::new(nanos)).unwrap(),
        event: event.to_owned(),
        reason: "welcome".to_owned(),
    }
}

fn give(world: &World, gift: &Gift, by_operator: bool) -> Posted {
    let post = gift
        .to_posting(by_operator)
        .to_batch(&world.by(&gift.seller));
    post.read(&world.database.execute(&post.batch)).unwrap()
}

#[test]
fn a_resellers_gift_comes_out_of_its_own_wallet() {
    let world = World::new();
    let seller = world.reseller.clone();
    let customer = world.caller(&seller, 0, Limits::default()).account;
    world.grant(&seller, 1_000);
    let first = gift(&seller, &customer, (400, "evt_1"));
    assert_eq!(give(&world, &first, false), Posted::Now);
    assert_eq!(give(&world, &first, false), Posted::Before);
    let more = gift(&seller, &customer, (601, "evt_2"));
    let missing = Nanos::new(1);
    assert_eq!(give(&world, &more, false), Posted::NotCovered { missing });
    // It cannot make credit out of nothing, whatever its page says that it is.
    assert_eq!(give(&world, &more, true), Posted::NotRelated);
    assert_eq!(world.wallet(&seller).0, 600);
    assert_eq!(world.wallet(&customer).0, 400);
}

#[test]
fn the_operators_gift_is_new_credit_for_an_account_right_below_it() {
    let world = World::new();
    let operator = world.operator.clone();
    let customer = world.caller(&operator, 0, Limits::default()).account;
    let below = world.caller(&world.reseller, 0, Limits::default()).account;
    for (to, event) in [(&customer, "evt_1"), (&world.reseller, "evt_2")] {
        let gift = gift(&operator, to, (400, event));
        assert_eq!(give(&world, &gift, true), Posted::Now);
        assert_eq!(give(&world, &gift, true), Posted::Before);
        assert_eq!(world.wallet(to).0, 400);
    }
    let too_low = gift(&operator, &below, (400, "evt_3"));
    assert_eq!(give(&world, &too_low, true), Posted::NotRelated);
    assert_eq!(give(&world, &too_low, false), Posted::NotRelated);
    assert_eq!(world.wallet(&below).0, 0);
}

#[test]
fn nobody_reaches_the_customers_of_another_seller() {
    let world = World::new();
    let other = world.new_reseller(1_000, 0);
    let theirs = world.caller(&other, 500, Limits::default()).account;
    let seller = world.reseller.clone();
    let sibling = world.caller(&seller, 500, Limits::default()).account;
    let wallets = || [&other, &theirs, &seller, &sibling].map(|account| world.wallet(account));
    let before = wallets();
    // A reseller, the operator two levels up, a customer beside it, and the customer itself.
    for outsider in [&seller, &world.operator, &sibling, &theirs] {
        assert_eq!(read(&world, outsider, &theirs), None);
        let change = world.by(outsider);
        let edits = [LimitEdit::MaxTokens(Some(1))];
        let budget: [BudgetEdit; 1] = [(Period::Total, None)];
        for change in [
            suspend_customer(outsider, (&theirs, true), &change),
            limit_customer(outsider, (&theirs, &edits), &change),
            limit_spending(outsider, (&theirs, &budget), &change),
        ] {
            assert_eq!(world.made(&change), Changed::NotFound);
        }
        for by_operator in [true, false] {
            let gift = gift(outsider, &theirs, (1, "evt_x"));
            assert_eq!(give(&world, &gift, by_operator), Posted::NotRelated);
        }
        let after = CustomersQuery {
            after: Some(&theirs),
            ..query(outsider)
        };
        assert_eq!(page(&world, &after), []);
        let lines = page(&world, &query(outsider));
        assert!(lines.iter().all(|line| line.id != theirs));
    }
    assert_eq!(wallets(), before);
    let changes = "SELECT count(*) FROM audit_log WHERE actor = 'person:per_ada'";
    assert_eq!(world.row(Statement::new(changes)).get(0), Ok(0_i64));
    // The operator itself is nobody's customer.
    let root = suspend_customer(
        &world.operator,
        (&world.operator, true),
        &world.by(&world.operator),
    );
    assert_eq!(world.made(&root), Changed::NotFound);
}

#[test]
fn a_page_of_many_customers_is_read_in_order_from_an_index() {
    let world = World::new();
    let after = world.reseller.clone();
    for (order, index) in [
        (CustomerOrder::Name, "accounts_by_name"),
        (CustomerOrder::Newest, "accounts_by_age"),
    ] {
        for after in [None, Some(&after)] {
            for search in ["", "a"] {
                let page = CustomersQuery {
                    search,
                    order,
                    after,
                    ..query(&world.operator)
                }
                .statement();
                let explain = Statement::new(format!("EXPLAIN QUERY PLAN {}", page.sql()));
                let explain = page.args().iter().cloned().fold(explain, Statement::bind);
                let reply = world.database.run(explain);
                let plan: Vec<String> = reply
                    .rows(0)
                    .iter()
                    .map(|row| row.get(3).unwrap())
                    .collect();
                let plan = plan.join("\n");
                // What comes after is done for the rows of the page alone.
                let page = plan.split("SCAN a").next().unwrap_or_default();
                assert!(!page.contains("SCAN"), "{plan}");
                if search.is_empty() {
                    let begins = after.map_or("parent_id=?)", |_| "parent_id=? AND ");
                    assert!(page.contains(&format!("{index} ({begins}")), "{plan}");
                    assert!(!page.contains("TEMP"), "{plan}");
                } else {
                    assert!(
                        page.contains("SEARCH a USING INDEX sqlite_autoindex_accounts_1"),
                        "{plan}"
                    );
                }
            }
        }
    }
}
