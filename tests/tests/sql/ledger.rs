//! Credit moves once per business event, a clawback never takes what is held, and every change
//! leaves its line in the audit log.

use tollgate_core::accounts::{AccountKind, NewAccount, revoke_key, set_suspended};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::world::World;

fn entry(account: &AccountId, kind: EntryKind, nanos: i64, reference: &str) -> LedgerEntry {
    LedgerEntry {
        account: account.clone(),
        kind,
        amount: Nanos::new(nanos),
        reference: reference.to_owned(),
        reason: "test".to_owned(),
    }
}

#[test]
fn the_same_event_enters_once() {
    let world = World::new();
    let caller = world.caller(&world.operator, 0, Limits::default());
    let grant = entry(&caller.account, EntryKind::Grant, 500, "grant:a");
    assert_eq!(world.post(&grant), Posted::Now);
    assert_eq!(world.post(&grant), Posted::Before);
    let other = entry(&caller.account, EntryKind::Grant, 501, "grant:a");
    assert_eq!(world.post(&other), Posted::ReferenceTaken);
    assert_eq!(world.wallet(&caller.account), (500, 0, 0, 0));
    let nobody = AccountId::from_random([77; 10]);
    assert_eq!(
        world.post(&entry(&nobody, EntryKind::Grant, 1, "grant:b")),
        Posted::Impossible
    );
}

#[test]
fn a_clawback_takes_what_is_free_and_later_credit_repays_the_rest() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    world.post(&entry(
        &caller.account,
        EntryKind::Dispute,
        -900,
        "dispute:a",
    ));
    assert_eq!(world.wallet(&caller.account), (400, 400, 300, 0));
    world.post(&entry(&caller.account, EntryKind::Grant, 100, "grant:c"));
    assert_eq!(world.wallet(&caller.account), (400, 400, 200, 0));
    world.post(&entry(&caller.account, EntryKind::Purchase, 250, "grant:d"));
    assert_eq!(world.wallet(&caller.account), (450, 400, 0, 0));
}

#[test]
fn an_amount_beyond_the_balance_s_range_changes_nothing() {
    let world = World::new();
    let caller = world.caller(&world.operator, i64::MAX, Limits::default());
    let more = entry(&caller.account, EntryKind::Grant, i64::MAX, "grant:e");
    assert_eq!(world.post(&more), Posted::Impossible);
    assert_eq!(world.wallet(&caller.account).0, i64::MAX);
}

#[test]
fn the_tree_refuses_what_is_no_tree() {
    let world = World::new();
    let caller = world.caller(&world.operator, 0, Limits::default());
    let account = |kind: AccountKind, parent: Option<&AccountId>| NewAccount {
        id: AccountId::from_random([world.draw() as u8; 10]),
        kind,
        parent: parent.cloned(),
        name: "x".to_owned(),
        limits: Limits::default(),
    };
    let nobody = AccountId::from_random([77; 10]);
    world.refused(account(AccountKind::Operator, None).to_batch(&world.change()));
    world.refused(account(AccountKind::Customer, None).to_batch(&world.change()));
    world.refused(account(AccountKind::Customer, Some(&nobody)).to_batch(&world.change()));
    world.refused(account(AccountKind::Customer, Some(&caller.account)).to_batch(&world.change()));
    world.refused(set_suspended(&world.operator, true, &world.change()));
    let below = account(AccountKind::Reseller, Some(&world.reseller));
    world.commit(below.to_batch(&world.change()));
    let read = Statement::new("SELECT chain FROM accounts WHERE id = ?1").bind(below.id.as_str());
    let chain = format!(r#"["{}","{}"]"#, below.id, world.reseller);
    assert_eq!(world.row(read).get(0), Ok(chain));
}

#[test]
fn every_change_leaves_its_line_and_a_refused_one_leaves_none() {
    let world = World::new();
    let caller = world.caller(&world.operator, 0, Limits::default());
    let stranger = world.caller(&world.operator, 0, Limits::default());
    let lines = || {
        let count = Statement::new("SELECT count(*) FROM audit_log");
        world.row(count).get::<i64>(0).unwrap()
    };
    let before = lines();
    world.refused(revoke_key(
        &stranger.account,
        &caller.key_id,
        &world.change(),
    ));
    assert_eq!(lines(), before);
    world.commit(revoke_key(&caller.account, &caller.key_id, &world.change()));
    let last = Statement::new(
        "SELECT actor, action, subject, before, after FROM audit_log ORDER BY id DESC LIMIT 1",
    );
    let row = world.row(last);
    let text = |column| row.get::<String>(column).unwrap();
    assert_eq!(
        (text(0), text(1)),
        ("test".to_owned(), "key.revoke".to_owned())
    );
    assert_eq!(
        (text(2), text(3)),
        (
            caller.key_id.to_string(),
            r#"{"revoked_at_ms":null}"#.to_owned()
        )
    );
    assert!(text(4).contains("revoked_at_ms"));
}
