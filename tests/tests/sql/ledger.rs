//! Credit moves once per business event, a clawback never takes what is held, and every change
//! leaves its line in the audit log.

use tollgate_core::accounts::{AccountKind, NewAccount, revoke_key, set_suspended};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{
    Amount, EntryKind, LedgerEntry, Posted, Posting, Proceeds, Sale, Transfer,
};
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
    for account in [&nobody, &world.operator] {
        assert_eq!(
            world.post(&entry(account, EntryKind::Grant, 1, "grant:b")),
            Posted::Impossible
        );
    }
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
fn amounts_near_the_largest_are_booked_to_the_nano_or_not_at_all() {
    let check = |credit: i64, back: i64, expect: Posted, wallet: (i64, i64, i64, i64)| {
        let world = World::new();
        let caller = world.caller(&world.operator, credit, Limits::default());
        let dispute = entry(&caller.account, EntryKind::Dispute, back, "dispute:a");
        assert_eq!(world.post(&dispute), expect, "{credit} {back}");
        assert_eq!(world.wallet(&caller.account), wallet, "{credit} {back}");
    };
    check(1_001, -i64::MAX, Posted::Now, (0, 0, i64::MAX - 1_001, 0));
    check(0, -i64::MAX, Posted::Now, (0, 0, i64::MAX, 0));
    check(1_001, i64::MIN, Posted::Impossible, (1_001, 0, 0, 0));
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 1_000);
    let _ = world.admit(&ask);
    let dispute = entry(&caller.account, EntryKind::Dispute, -700, "dispute:a");
    assert_eq!(world.post(&dispute), Posted::Now);
    let credit = entry(&caller.account, EntryKind::Grant, i64::MAX - 500, "grant:a");
    assert_eq!(world.post(&credit), Posted::Now);
    let credited = (i64::MAX - 200, 1_000, 0, 0);
    assert_eq!(world.wallet(&caller.account), credited);
}

fn amount(nanos: i64) -> Amount {
    Amount::new(Nanos::new(nanos)).unwrap()
}

fn post(world: &World, posting: &Posting) -> Posted {
    let batch = posting.to_batch(&world.change());
    let reply = world.database.execute(&batch.batch);
    batch.read(&reply).unwrap()
}

fn transfer((from, to): (&AccountId, &AccountId), nanos: i64, event: &str) -> Posting {
    Posting::transfer(&Transfer {
        from: from.clone(),
        to: to.clone(),
        amount: amount(nanos),
        event: event.to_owned(),
        reason: "test".to_owned(),
    })
}

/// A customer of the reseller buys credit; the reseller earns what the second number says.
fn sale(world: &World, customer: &AccountId, (credit, proceeds): (i64, i64), event: &str) -> Sale {
    Sale {
        customer: customer.clone(),
        credit: amount(credit),
        proceeds: Amount::new(Nanos::new(proceeds)).map(|amount| Proceeds {
            reseller: world.reseller.clone(),
            amount,
        }),
        event: event.to_owned(),
        reason: "test".to_owned(),
    }
}

/// `(balance, debt)` of an account.
fn credit(world: &World, account: &AccountId) -> (i64, i64) {
    let (balance, _, debt, _) = world.wallet(account);
    (balance, debt)
}

fn entries(world: &World) -> i64 {
    let count = Statement::new("SELECT count(*) FROM ledger_entries");
    world.row(count).get(0).unwrap()
}

#[test]
fn a_reseller_gives_its_customers_what_is_free_and_no_more() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let customer = world.caller(&world.reseller, 0, Limits::default());
    let to = (&world.reseller, &customer.account);
    let missing = |nanos| Posted::NotCovered {
        missing: Nanos::new(nanos),
    };
    assert_eq!(post(&world, &transfer(to, 600, "a")), Posted::Now);
    assert_eq!(post(&world, &transfer(to, 600, "a")), Posted::Before);
    assert_eq!(
        post(&world, &transfer(to, 599, "a")),
        Posted::ReferenceTaken
    );
    assert_eq!(credit(&world, &world.reseller), (400, 0));
    assert_eq!(credit(&world, &customer.account), (600, 0));
    // What a call holds is not free.
    let ask = world.ask(&customer, 150);
    let _ = world.admit(&ask);
    assert_eq!(post(&world, &transfer(to, 251, "b")), missing(1));
    assert_eq!(post(&world, &transfer(to, 250, "b")), Posted::Now);
    // Nobody gives with debt, however little.
    let clawback = entry(&world.reseller, EntryKind::Adjustment, -7, "adjustment:a");
    assert_eq!(world.post(&clawback), Posted::Now);
    assert_eq!(post(&world, &transfer(to, 10, "c")), missing(17));
    // A customer gives back in the other direction, which repays the debt.
    let back = (&customer.account, &world.reseller);
    assert_eq!(post(&world, &transfer(back, 100, "d")), Posted::Now);
    assert_eq!(credit(&world, &world.reseller), (150 + 93, 0));
}

#[test]
fn a_transfer_is_between_a_reseller_and_an_account_right_below_it() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let below = world
        .caller(&world.reseller, 1_000, Limits::default())
        .account;
    let beside = world
        .caller(&world.operator, 1_000, Limits::default())
        .account;
    let nobody = AccountId::from_random([77; 10]);
    let before = entries(&world);
    let check = |from: &AccountId, to: &AccountId| {
        let refused = post(&world, &transfer((from, to), 10, "x"));
        assert_eq!(refused, Posted::NotRelated, "{from} {to}");
    };
    check(&world.reseller, &world.reseller);
    check(&world.reseller, &beside);
    check(&beside, &below);
    check(&world.operator, &world.reseller);
    check(&world.reseller, &world.operator);
    check(&beside, &world.operator);
    check(&world.reseller, &nobody);
    assert_eq!(entries(&world), before);
}

#[test]
fn credit_that_would_not_fit_where_it_goes_stays_where_it_is() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let rich = world
        .caller(&world.reseller, i64::MAX, Limits::default())
        .account;
    let give = transfer((&world.reseller, &rich), 1, "x");
    assert_eq!(post(&world, &give), Posted::Impossible);
    assert_eq!(credit(&world, &world.reseller), (1_000, 0));
}

#[test]
fn a_purchase_below_a_reseller_pays_both_and_a_refund_takes_from_both() {
    let world = World::new();
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    let both = || (credit(&world, &customer), credit(&world, &world.reseller));
    let bought = sale(&world, &customer, (1_000, 900), "order-1");
    assert_eq!(post(&world, &Posting::purchase(&bought)), Posted::Now);
    assert_eq!(post(&world, &Posting::purchase(&bought)), Posted::Before);
    assert_eq!(both(), ((1_000, 0), (900, 0)));
    let other = sale(&world, &customer, (1_000, 901), "order-1");
    assert_eq!(
        post(&world, &Posting::purchase(&other)),
        Posted::ReferenceTaken
    );
    // Half of it back; the reseller has spent most of its share meanwhile.
    world.post(&entry(
        &world.reseller,
        EntryKind::Adjustment,
        -800,
        "adjustment:a",
    ));
    let half = sale(&world, &customer, (500, 450), "refund-1");
    assert_eq!(post(&world, &Posting::refund(&half)), Posted::Now);
    assert_eq!(post(&world, &Posting::refund(&half)), Posted::Before);
    assert_eq!(both(), ((500, 0), (0, 350)));
    // The next sale repays what the reseller owes.
    let next = sale(&world, &customer, (400, 380), "order-2");
    assert_eq!(post(&world, &Posting::purchase(&next)), Posted::Now);
    assert_eq!(both(), ((900, 0), (30, 0)));
    let references: Vec<_> = Posting::refund(&half)
        .entries()
        .map(|entry| (entry.reference.clone(), entry.amount.get()))
        .collect();
    let expect = [
        ("refund:refund-1", -500),
        ("refund:refund-1:reseller", -450),
    ];
    assert_eq!(
        references,
        expect.map(|(name, nanos)| (name.to_owned(), nanos))
    );
}

#[test]
fn a_dispute_that_is_won_gives_back_what_it_took_once_and_only_then() {
    let world = World::new();
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    let both = || (credit(&world, &customer), credit(&world, &world.reseller));
    let bought = sale(&world, &customer, (1_000, 900), "order-1");
    assert_eq!(post(&world, &Posting::purchase(&bought)), Posted::Now);
    let disputed = sale(&world, &customer, (1_000, 900), "dp_1");
    let won = |sale: &Sale| post(&world, &Posting::dispute_won(sale));
    assert_eq!(won(&disputed), Posted::NothingToReverse);
    assert_eq!(post(&world, &Posting::dispute(&disputed)), Posted::Now);
    assert_eq!(both(), ((0, 0), (0, 0)));
    let more = sale(&world, &customer, (1_000, 901), "dp_1");
    assert_eq!(won(&more), Posted::NothingToReverse);
    assert_eq!(won(&disputed), Posted::Now);
    assert_eq!(won(&disputed), Posted::Before);
    assert_eq!(both(), ((1_000, 0), (900, 0)));
}

#[test]
fn a_sale_pays_the_reseller_above_its_customer_and_nobody_else() {
    let world = World::new();
    let direct = world.caller(&world.operator, 0, Limits::default()).account;
    let wrong = sale(&world, &direct, (1_000, 900), "order-1");
    assert_eq!(post(&world, &Posting::purchase(&wrong)), Posted::NotRelated);
    assert_eq!(credit(&world, &world.reseller), (0, 0));
    let right = sale(&world, &direct, (1_000, 0), "order-1");
    assert_eq!(post(&world, &Posting::purchase(&right)), Posted::Now);
    assert_eq!(credit(&world, &direct), (1_000, 0));
}

#[test]
fn a_posting_whose_second_entry_is_refused_leaves_no_first_one() {
    let world = World::new();
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    let taken = entry(&customer, EntryKind::Grant, 1, "purchase:order-1:reseller");
    assert_eq!(world.post(&taken), Posted::Now);
    let bought = Posting::purchase(&sale(&world, &customer, (1_000, 900), "order-1"));
    assert_eq!(post(&world, &bought), Posted::ReferenceTaken);
    assert_eq!(credit(&world, &customer), (1, 0));
    assert_eq!(entries(&world), 1);
    let lines = Statement::new("SELECT count(*) FROM audit_log WHERE action = 'ledger.post'");
    assert_eq!(world.row(lines).get::<i64>(0), Ok(1));
}

#[test]
fn both_accounts_of_a_transfer_have_it_in_their_log() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    post(&world, &transfer((&world.reseller, &customer), 600, "a"));
    let logged = |account: &AccountId| {
        let read = "SELECT after ->> 'amount_nanos' FROM audit_log WHERE account_id = ?1 \
                    AND after ->> 'kind' = 'transfer'";
        let row = world.row(Statement::new(read).bind(account.as_str()));
        row.get::<i64>(0).unwrap()
    };
    assert_eq!((logged(&world.reseller), logged(&customer)), (-600, 600));
}

#[test]
fn many_transfers_at_once_never_give_more_than_there_is() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    let give = |number: i64| loop {
        let name = format!("race-{number}");
        match post(&world, &transfer((&world.reseller, &customer), 300, &name)) {
            Posted::Contended => {}
            end => break end,
        }
    };
    let ends: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                let give = &give;
                scope.spawn(move || give(number))
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let missing = Posted::NotCovered {
        missing: Nanos::new(200),
    };
    let count = |end: Posted| ends.iter().filter(|one| **one == end).count();
    assert_eq!((count(Posted::Now), count(missing)), (3, 5), "{ends:?}");
    assert_eq!(credit(&world, &customer), (900, 0));
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
    world.refused(revoke_key(&caller.account, &caller.key_id, &world.change()));
    assert_eq!(lines(), before + 1);
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
