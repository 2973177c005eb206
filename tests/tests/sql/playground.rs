//! The playground's key comes when it is needed, stays, and is replaced when it is revoked.

use tollgate_core::accounts::{KeyCreated, revoke_key};
use tollgate_core::audit::Change;
use tollgate_core::catalogue::{Cost, UnitPrices};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::money::{Nanos, Picos};
use tollgate_core::playground::{Choices, PlaygroundKeys, Standing};
use tollgate_core::sealing::SealingKeys;

use crate::usage_days::two_levels;
use crate::world::{NOW_MS, World};

fn standing(world: &World, account: &AccountId) -> Standing {
    let keys = "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let keys = PlaygroundKeys::of(&SealingKeys::parse(keys).unwrap(), account);
    let reply = world.database.run(keys.statement(account, NOW_MS));
    keys.read(reply.rows(0)).unwrap()
}

#[test]
fn one_key_pays_until_it_is_revoked_and_then_the_next() {
    let (world, caller) = two_levels();
    let account = &caller.account;
    let change = Change {
        account: account.clone(),
        actor: "person:per_x".to_owned(),
        at_ms: NOW_MS,
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        let Standing::New(key) = standing(&world, account) else {
            panic!("there is a key already");
        };
        assert!(!seen.contains(&key.id));
        let batch = key.creation().to_batch(&change);
        let created = batch.read(&world.database.execute(&batch.batch)).unwrap();
        assert_eq!(created, KeyCreated::Now);
        assert_eq!(standing(&world, account), Standing::Ready(key.clone()));
        let (batch, commit) = revoke_key(account, &key.id, &change);
        assert!(world.database.execute(&batch).is_ok(commit));
        seen.push(key.id);
    }
    assert!(matches!(standing(&world, account), Standing::New(_)));
}

#[test]
fn an_account_is_offered_what_it_can_call() {
    let (world, caller) = two_levels();
    for (slug, enabled) in [
        ("sim/echo", 1),
        ("sim/off", 0),
        ("sim/refused", 1),
        ("sim/unpriced", 1),
    ] {
        let model = Statement::new(
            "INSERT INTO models (slug, provider, enabled, name, hidden_reasoning, free, details, \
             imported_at_ms) VALUES (?1, 'openrouter', ?2, 'A model', 0, 0, '{}', 1)",
        );
        let _ = world.database.run(model.bind(slug).bind(enabled));
    }
    let costs = "INSERT INTO costs (model, effective_from_ms, prices, source, recorded_at_ms) \
                 SELECT slug, 1, ?1, 'test', 1 FROM models WHERE slug <> 'sim/unpriced'";
    let [prompt, completion] = [1_000_000, 2_000_000].map(|picos| Picos::new(picos).unwrap());
    let cost = Cost {
        effective_from_ms: 1,
        prices: UnitPrices::new(prompt, completion),
        overrides: Vec::new(),
    };
    let _ = world
        .database
        .run(Statement::new(costs).bind(cost.to_json()));
    let refused = "INSERT INTO refused_models (pattern, reason, created_at_ms) VALUES ('*/refused', 'test', 1)";
    let _ = world.database.run(Statement::new(refused));
    let check = |expect: &[&str]| {
        let choices = Choices::of(&caller.account, &world.reseller, NOW_MS);
        let read = choices.read(&world.database.execute(choices.batch()));
        let (account, models) = read.unwrap().unwrap();
        assert_eq!(account.id, caller.account);
        let slugs: Vec<&str> = models.iter().map(|model| model.slug.as_str()).collect();
        assert_eq!(slugs, expect);
        // Ten percent at the operator, and ten at the reseller.
        for model in models {
            let units = [model.prompt, model.completion, model.request].map(Picos::get);
            assert_eq!(
                (units, model.least),
                ([1_210_000, 2_420_000, 0], Nanos::ZERO)
            );
        }
    };
    for level in ["operator", "reseller"] {
        let end = "UPDATE price_rules SET ends_at_ms = ?1 WHERE account_id IN \
                   (SELECT id FROM accounts WHERE kind = ?2)";
        world.rule(&world.operator);
        world.rule(&world.reseller);
        check(&["sim/echo"]);
        let end = Statement::new(end).bind(NOW_MS).bind(level);
        let _ = world.database.run(end);
        check(&[]);
    }
    let nobody = Choices::of(&AccountId::from_random([99; 10]), &world.reseller, NOW_MS);
    let read = nobody.read(&world.database.execute(nobody.batch()));
    assert_eq!(read.unwrap(), None);
}
