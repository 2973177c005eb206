//! People make keys with everything set at once, change and revoke them, and see how they are used:
//! their own keys only.

use tollgate_core::accounts::{
    KeyCreated, KeyCreation, KeyEdit, KeyLine, KeyStatus, LimitEdit, MOST_LIVE_KEYS, NewKey, View,
    audit_statement, edit_key, key_line_statement, key_list_statements, read_audit_line,
    read_key_line, revoke_key,
};
use tollgate_core::admission::Admission;
use tollgate_core::audit::Change;
use tollgate_core::budget::{Budget, Period};
use tollgate_core::ids::{AccountId, KeyId};
use tollgate_core::key::ApiKey;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::usage_days::two_levels;
use crate::world::{Caller, NOW_MS, World};

fn creation(account: &AccountId, number: u8) -> KeyCreation {
    KeyCreation {
        key: NewKey {
            id: KeyId::from_random([number; 10]),
            account: account.clone(),
            key: ApiKey::from_random([number; 32]),
            name: format!("key {number}"),
            expires_at_ms: Some(NOW_MS + 1_000),
            limits: Limits {
                requests_per_minute: Some(60),
                allowed_models: Some(vec!["sim/*".to_owned()]),
                ..Limits::default()
            },
        },
        budget: Budget {
            total: Some(Nanos::new(5_000)),
            day: Some(Nanos::new(2_000)),
            ..Budget::default()
        },
    }
}

fn change(account: &AccountId) -> Change {
    Change {
        account: account.clone(),
        actor: "person:per_x".to_owned(),
        at_ms: NOW_MS,
    }
}

fn create(world: &World, creation: &KeyCreation) -> KeyCreated {
    let batch = creation.to_batch(&change(&creation.key.account));
    batch.read(&world.database.execute(&batch.batch)).unwrap()
}

fn lines(world: &World, account: &AccountId, by: &AccountId) -> [Vec<KeyLine>; 2] {
    key_list_statements(View { account, by }).map(|statement| {
        let reply = world.database.run(statement);
        reply
            .rows(0)
            .iter()
            .map(|row| read_key_line(row).unwrap())
            .collect()
    })
}

fn line(world: &World, account: &AccountId, key: &KeyId) -> Option<KeyLine> {
    let reply = world
        .database
        .run(key_line_statement(View::own(account), key));
    reply.rows(0).first().map(|row| read_key_line(row).unwrap())
}

fn audit(world: &World, account: &AccountId) -> Vec<(String, String, String)> {
    let reply = world.database.run(audit_statement(Some(account), 100));
    let lines = reply
        .rows(0)
        .iter()
        .map(|row| read_audit_line(row).unwrap());
    lines
        .map(|line| (line.action, line.before, line.after))
        .collect()
}

#[test]
fn a_key_is_made_with_limits_budgets_models_and_expiry_at_once() {
    let (world, caller) = two_levels();
    let new = creation(&caller.account, 7);
    assert_eq!(create(&world, &new), KeyCreated::Now);
    // A double click.
    assert_eq!(create(&world, &new), KeyCreated::Before);
    let made = line(&world, &caller.account, &new.key.id).unwrap();
    assert_eq!(made.key.limits, new.key.limits);
    assert_eq!(made.purse.budget, new.budget);
    assert_eq!(
        (&*made.key.name, made.key.expires_at_ms),
        ("key 7", Some(NOW_MS + 1_000))
    );
    assert_eq!(
        (made.last_used_at_ms, made.status(NOW_MS)),
        (None, KeyStatus::Active)
    );
    assert_eq!(made.status(NOW_MS + 1_000), KeyStatus::Expired);
    let entries = audit(&world, &caller.account);
    let [entry] = &entries[..entries.len() - 1] else {
        panic!("one entry besides the grant: {entries:?}");
    };
    assert_eq!(entry.0, "key.create");
    assert!(
        entry.2.contains(r#""budget":{"day":2000,"total":5000}"#),
        "{}",
        entry.2
    );
    assert!(
        entry.2.contains(r#""allowed_models":["sim/*"]"#),
        "{}",
        entry.2
    );
    assert!(!entry.2.contains(new.key.key.reveal()));

    // It is a key like any other: it calls, and its use is seen.
    let with_key = Caller {
        key_id: new.key.id.clone(),
        key: new.key.key.clone(),
        account: caller.account.clone(),
    };
    let ask = world.ask(&with_key, 1_500);
    assert!(matches!(world.admit(&ask), Admission::Admitted(_)));
    let used = line(&world, &caller.account, &new.key.id).unwrap();
    assert_eq!(used.last_used_at_ms, Some(NOW_MS));
    assert_eq!((used.purse.held.get(), used.key.open_holds), (1_500, 1));
    assert_eq!(used.purse.left(NOW_MS), Some(Nanos::new(500)));
    assert!(matches!(
        world.admit(&world.ask(&with_key, 501)),
        Admission::Refused(..)
    ));
}

#[test]
fn nobody_makes_keys_without_end_or_for_who_is_not_there() {
    let (world, caller) = two_levels();
    // The world gave the account its first key.
    for number in 1..u8::try_from(MOST_LIVE_KEYS).unwrap() {
        assert_eq!(
            create(&world, &creation(&caller.account, number)),
            KeyCreated::Now
        );
    }
    let more = creation(&caller.account, 200);
    assert_eq!(create(&world, &more), KeyCreated::TooMany);
    world.commit(revoke_key(
        &caller.account,
        &caller.key_id,
        &change(&caller.account),
    ));
    assert_eq!(create(&world, &more), KeyCreated::Now);
    let [live, revoked] = lines(&world, &caller.account, &caller.account);
    assert_eq!((live.len(), revoked.len()), (100, 1));
    assert_eq!(revoked[0].key.id, caller.key_id);
    assert_eq!(revoked[0].status(NOW_MS), KeyStatus::Revoked);

    let check = |account: &AccountId, expect: KeyCreated| {
        assert_eq!(create(&world, &creation(account, 201)), expect);
    };
    check(&AccountId::from_random([99; 10]), KeyCreated::NoAccount);
    check(&world.operator, KeyCreated::NoAccount);
    // An id of another account's key is neither shown nor taken over.
    let mut taken = creation(&world.reseller, 202);
    taken.key.id = caller.key_id.clone();
    assert_eq!(create(&world, &taken), KeyCreated::Contended);
    assert_eq!(line(&world, &world.reseller, &caller.key_id), None);
}

#[test]
fn what_is_named_changes_and_the_rest_stays() {
    let (world, caller) = two_levels();
    let new = creation(&caller.account, 7);
    assert_eq!(create(&world, &new), KeyCreated::Now);
    let check = |edit: KeyEdit, expect: &dyn Fn(&mut KeyLine), after: &str| {
        let mut expected = line(&world, &caller.account, &new.key.id).unwrap();
        expect(&mut expected);
        world.commit(edit_key(
            &caller.account,
            &new.key.id,
            &edit,
            &change(&caller.account),
        ));
        assert_eq!(
            line(&world, &caller.account, &new.key.id).unwrap(),
            expected
        );
        // Sent twice, it is one change.
        let again = change(&caller.account);
        world.refused(edit_key(&caller.account, &new.key.id, &edit, &again));
        let entry = audit(&world, &caller.account).remove(0);
        assert_eq!((entry.0.as_str(), entry.2.as_str()), ("key.edit", after));
        assert!(
            entry.1.contains(r#""requests_per_minute":60"#),
            "{}",
            entry.1
        );
    };
    let rename = KeyEdit {
        name: Some("büro".to_owned()),
        ..KeyEdit::default()
    };
    check(
        rename,
        &|line| line.key.name = "büro".to_owned(),
        r#"{"name":"büro"}"#,
    );
    let forever = KeyEdit {
        expires_at_ms: Some(None),
        ..KeyEdit::default()
    };
    check(
        forever,
        &|line| line.key.expires_at_ms = None,
        r#"{"expires_at_ms":null}"#,
    );
    let all = KeyEdit {
        limits: vec![
            LimitEdit::ParallelCalls(Some(3)),
            LimitEdit::AllowedModels(None),
        ],
        budgets: vec![(Period::Day, None), (Period::Month, Some(Nanos::new(9)))],
        ..KeyEdit::default()
    };
    let expect = |line: &mut KeyLine| {
        line.key.limits.parallel_calls = Some(3);
        line.key.limits.allowed_models = None;
        line.purse.budget.day = None;
        line.purse.budget.month = Some(Nanos::new(9));
    };
    let after = r#"{"allowed_models":null,"budget_day_nanos":null,"budget_month_nanos":9,"parallel_calls":3}"#;
    check(all, &expect, after);
}

#[test]
fn another_account_s_key_is_not_there() {
    let (world, caller) = two_levels();
    let neighbour = world.caller(&world.reseller, 10, Limits::default());
    let edit = KeyEdit {
        name: Some("mine".to_owned()),
        ..KeyEdit::default()
    };
    for account in [&neighbour.account, &world.reseller, &world.operator] {
        assert_eq!(line(&world, account, &caller.key_id), None);
        world.refused(edit_key(account, &caller.key_id, &edit, &change(account)));
        world.refused(revoke_key(account, &caller.key_id, &change(account)));
        // Nothing is in the log of who tried.
        let tried = audit(&world, account);
        assert!(
            tried
                .iter()
                .all(|entry| !entry.0.starts_with("key.") || entry.0 == "key.create")
        );
    }
    assert_eq!(
        lines(&world, &caller.account, &neighbour.account),
        [vec![], vec![]]
    );
    assert_eq!(lines(&world, &caller.account, &world.reseller)[0].len(), 1);
    assert_eq!(lines(&world, &caller.account, &world.operator)[0].len(), 1);

    world.commit(revoke_key(
        &caller.account,
        &caller.key_id,
        &change(&caller.account),
    ));
    world.refused(edit_key(
        &caller.account,
        &caller.key_id,
        &edit,
        &change(&caller.account),
    ));
}
