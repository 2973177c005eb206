//! The operator's accounts at providers: which of them a call goes through, that a change counts from the
//! next call on, and that nobody reads a credential.

use tollgate_core::admission::Admission;
use tollgate_core::audit::Changed;
use tollgate_core::hrana::{Row, Statement};
use tollgate_core::ids::{AccountId, ProviderAccountId, RequestId};
use tollgate_core::limits::Limits;
use tollgate_core::providers::{
    Credential, NewProviderAccount, ProviderAccountLine, Replacement, StoredAccount, TestResult,
    call_account_statement, operators_account_statement, provider_accounts_statement,
    read_provider_account_line, read_stored_account, record_test, remove_provider_account,
    stored_account_statement, switch_provider_account,
};
use tollgate_core::sealing::SealingKeys;
use tollgate_core::sweep::{overdue_statement, read_overdue};

use crate::world::{NOW_MS, World};

const MODEL: &str = "openai/gpt-4o-mini";
const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

fn keys(setting: &str) -> SealingKeys {
    SealingKeys::parse(setting).unwrap()
}

/// Adds an account with this credential, sealed under the old key.
fn add(world: &World, operator: &AccountId, credential: &str) -> (ProviderAccountId, Changed) {
    let number = world.draw();
    let mut random = [5; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    let id = ProviderAccountId::from_random(random);
    let credential = Credential::parse(credential).unwrap();
    let sealed = credential.seal(&keys(OLD), &id, [9; 12]).unwrap();
    let account = NewProviderAccount::new(id.clone(), " main ", (&credential, sealed)).unwrap();
    let made = world.made(&account.to_batch(operator, &world.by(operator)));
    if made == Changed::Now {
        // A second click adds nothing.
        let again = account.to_batch(operator, &world.by(operator));
        assert_eq!(world.made(&again), Changed::Refused);
    }
    (id, made)
}

fn stored(world: &World, statement: Statement) -> Option<StoredAccount> {
    let reply = world.database.run(statement);
    reply
        .rows(0)
        .first()
        .map(|row| read_stored_account(row).unwrap())
}

/// What a call of the model is sent with.
fn in_use(world: &World, setting: &str) -> Option<String> {
    let account = stored(world, call_account_statement(MODEL))?;
    let credential = Credential::open(&keys(setting), &account.id, &account.sealed.bytes);
    Some(credential.unwrap().expose().to_owned())
}

fn listed(world: &World, operator: &AccountId) -> Vec<ProviderAccountLine> {
    let reply = world.database.run(provider_accounts_statement(operator));
    let rows = reply.rows(0).iter();
    rows.map(|row: &Row| read_provider_account_line(row).unwrap())
        .collect()
}

fn version(world: &World) -> i64 {
    world
        .row(Statement::new("SELECT version FROM catalogue"))
        .get(0)
        .unwrap()
}

#[test]
fn calls_go_through_the_oldest_account_that_is_enabled() {
    let world = World::with_catalogue();
    let operator = &world.operator;
    let change = world.by(operator);
    assert_eq!(in_use(&world, OLD), None);
    let (first, _) = add(&world, operator, "sk-or-first-0123456789");
    let (second, _) = add(&world, operator, "sk-or-second-0123456789");
    assert_eq!(
        in_use(&world, OLD).as_deref(),
        Some("sk-or-first-0123456789")
    );
    let used: Vec<bool> = listed(&world, operator)
        .iter()
        .map(|line| line.in_use)
        .collect();
    assert_eq!(used, [true, false]);
    let check = |account: &ProviderAccountId, enabled: bool, expect: Option<&str>| {
        let before = version(&world);
        let switch = switch_provider_account(operator, (account, enabled), &change);
        assert_eq!(world.made(&switch), Changed::Now);
        assert_eq!(world.made(&switch), Changed::Refused);
        assert_eq!(version(&world), before + 1);
        assert_eq!(in_use(&world, OLD).as_deref(), expect);
    };
    check(&first, false, Some("sk-or-second-0123456789"));
    check(&second, false, None);
    check(&first, true, Some("sk-or-first-0123456789"));
    // Only what is switched off can be forgotten.
    let forget = |account| world.made(&remove_provider_account(operator, account, &change));
    assert_eq!(forget(&first), Changed::Refused);
    assert_eq!(forget(&second), Changed::Now);
    assert_eq!(stored(&world, stored_account_statement(&second)), None);
    assert!(stored(&world, stored_account_statement(&first)).is_some());
}

#[test]
fn a_credential_is_sealed_anew_under_the_newest_key_and_can_be_replaced() {
    let world = World::with_catalogue();
    let operator = &world.operator;
    let change = world.by(operator);
    let (id, _) = add(&world, operator, "sk-or-first-0123456789");
    let both = keys(&format!("{NEW},{OLD}"));
    let tested = record_test(operator, (&id, TestResult::Works), &change);
    assert_eq!(world.made(&tested), Changed::Now);

    let old = stored(&world, operators_account_statement(operator, &id))
        .unwrap()
        .sealed;
    assert_eq!((old.key.as_str(), both.current()), ("old", "new"));
    let credential = Credential::open(&both, &id, &old.bytes).unwrap();
    let new = credential.seal(&both, &id, [8; 12]).unwrap();
    let reseal = Replacement {
        old: &old,
        new: &new,
        hint: None,
    };
    let reseal = reseal.to_batch(operator, &id, &change);
    assert_eq!(world.made(&reseal), Changed::Now);
    // Somebody else was faster: what they put there stays.
    assert_eq!(world.made(&reseal), Changed::Refused);
    assert_eq!(
        in_use(&world, NEW).as_deref(),
        Some("sk-or-first-0123456789")
    );
    let line = listed(&world, operator).remove(0);
    assert_eq!(
        (line.sealing_key.as_str(), line.hint.as_str()),
        ("new", "6789")
    );
    assert_eq!(line.test_result.as_deref(), Some("works"));
    assert_eq!(line.tested_at_ms, Some(NOW_MS));

    let other = Credential::parse("sk-or-other-abcdefghij").unwrap();
    let replaced = other.seal(&both, &id, [7; 12]).unwrap();
    let replace = Replacement {
        old: &new,
        new: &replaced,
        hint: Some(other.hint()),
    };
    let replace = replace.to_batch(operator, &id, &change);
    assert_eq!(world.made(&replace), Changed::Now);
    assert_eq!(
        in_use(&world, NEW).as_deref(),
        Some("sk-or-other-abcdefghij")
    );
    let line = listed(&world, operator).remove(0);
    assert_eq!((line.hint.as_str(), line.test_result), ("ghij", None));
}

#[test]
fn a_changed_account_counts_from_the_next_call_on_and_the_call_says_which_it_was() {
    let world = World::with_catalogue();
    let operator = &world.operator;
    let rule = world.rule(operator);
    let caller = world.caller(operator, 1_000, Limits::default());
    let ask = || {
        let mut ask = world.ask(&caller, 100);
        ask.levels[0].rule = rule.clone();
        ask
    };
    let before = ask();
    let (id, _) = add(&world, operator, "sk-or-first-0123456789");
    assert!(matches!(world.admit(&before), Admission::Reprice(_)));
    let mut through_it = ask();
    through_it.provider_account = Some(id.clone());
    assert!(matches!(world.admit(&through_it), Admission::Admitted(_)));
    let mut of_settings = ask();
    of_settings.request = RequestId::new(NOW_MS + 1, 1);
    assert!(matches!(world.admit(&of_settings), Admission::Admitted(_)));
    // The sweep asks for their records with the same accounts.
    let late_ms = NOW_MS + 1_000_000;
    let from = RequestId::from_stored(0);
    let reply = world.database.run(overdue_statement(late_ms, 0, (from, 9)));
    let accounts: Vec<_> = reply
        .rows(0)
        .iter()
        .map(|row| read_overdue(row).unwrap().provider_account)
        .collect();
    assert_eq!(accounts, [Some(id), None]);
}

#[test]
fn only_the_operator_reaches_provider_accounts_and_no_log_or_list_has_a_credential() {
    let world = World::with_catalogue();
    let operator = &world.operator;
    let (id, _) = add(&world, operator, "sk-or-first-0123456789");
    let sealed = stored(&world, stored_account_statement(&id))
        .unwrap()
        .sealed;
    let caller = world.caller(&world.reseller, 0, Limits::default());
    for outsider in [&world.reseller, &caller.account] {
        let change = world.by(outsider);
        let replace = Replacement {
            old: &sealed,
            new: &sealed,
            hint: Some("evil"),
        };
        for batch in [
            switch_provider_account(outsider, (&id, false), &change),
            remove_provider_account(outsider, &id, &change),
            replace.to_batch(outsider, &id, &change),
            record_test(outsider, (&id, TestResult::Refused), &change),
        ] {
            assert_eq!(world.made(&batch), Changed::NotFound);
        }
        assert_eq!(
            add(&world, outsider, "sk-or-evil-0123456789").1,
            Changed::NotFound
        );
        assert_eq!(listed(&world, outsider), []);
        assert_eq!(
            stored(&world, operators_account_statement(outsider, &id)),
            None
        );
    }
    assert_eq!(
        in_use(&world, OLD).as_deref(),
        Some("sk-or-first-0123456789")
    );
    let log = "SELECT group_concat(before || after, ' ') FROM audit_log";
    let log: String = world.row(Statement::new(log)).get(0).unwrap();
    let shown = format!("{log} {:?}", listed(&world, operator));
    assert!(shown.contains("\"hint\":\"6789\""), "{shown}");
    assert!(!shown.contains("sk-or"), "{shown}");
}

#[test]
fn an_account_has_a_name_of_one_line() {
    let check = |name: &str, expect: bool| {
        let id = ProviderAccountId::from_random([1; 10]);
        let credential = Credential::parse("sk-or-first").unwrap();
        let sealed = credential.seal(&keys(OLD), &id, [9; 12]).unwrap();
        let account = NewProviderAccount::new(id, name, (&credential, sealed));
        assert_eq!(account.is_some(), expect, "{name:?}");
    };
    check("main", true);
    check(" ", false);
    check("a\nb", false);
    check(&"n".repeat(80), true);
    check(&"n".repeat(81), false);
}
