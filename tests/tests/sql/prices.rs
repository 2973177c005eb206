//! A seller's prices: rules that are saved, replaced and ended, and the preview of what customers pay,
//! held against what a call is charged.

use tollgate_core::accounts::NewRule;
use tollgate_core::audit::Changed;
use tollgate_core::call::{
    Wanted, caller_statements, model_statement, price_call, read_caller, read_model,
};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, RuleId};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::pricing::{NotSold, Reference};
use tollgate_core::selling::{
    MAX_LIVE_RULES, Market, MarketQuery, RuleInput, RuleLine, Saved, end_rule,
    ended_rules_statement, live_rules_statement, preview, read_rule_line, save_rule,
};
use tollgate_core::settlement::Outcome;
use tollgate_core::usage::Usage;

use crate::world::{Caller, NOW_MS, World};

fn new_rule(world: &World, seller: &AccountId, (pattern, markup): (&str, &str)) -> NewRule {
    let input = RuleInput {
        pattern,
        markup,
        ..RuleInput::default()
    };
    let mut random = [7; 10];
    random[..4].copy_from_slice(&world.draw().to_le_bytes());
    let draft = input.read(NOW_MS).unwrap();
    draft.to_new_rule(RuleId::from_random(random), seller)
}

fn save(world: &World, rule: &NewRule, replaces: Option<&RuleId>) -> Saved {
    let save = save_rule(rule, replaces, &world.by(&rule.account));
    save.read(&world.database.execute(&save.batch)).unwrap()
}

fn end(world: &World, seller: &AccountId, rule: &RuleId) -> Changed {
    world.made(&end_rule(seller, (rule, 0), &world.by(seller)))
}

fn rules(world: &World, statement: Statement) -> Vec<RuleLine> {
    let reply = world.database.run(statement);
    let rows = reply.rows(0).iter();
    rows.map(|row| read_rule_line(row).unwrap()).collect()
}

fn live(world: &World, seller: &AccountId) -> Vec<RuleId> {
    let lines = rules(world, live_rules_statement(seller, NOW_MS));
    lines.into_iter().map(|line| line.rule.id).collect()
}

fn query<'a>(seller: &'a AccountId) -> MarketQuery<'a> {
    MarketQuery {
        seller,
        now_ms: NOW_MS,
        at_ms: NOW_MS,
        search: "",
        after: "",
        count: 1_000,
    }
}

fn market(world: &World, query: &MarketQuery<'_>) -> Option<Market> {
    let read = query.to_batch();
    read.read(&world.database.execute(&read.batch)).unwrap()
}

fn reference(prompt_tokens: u64, completion_tokens: u64) -> Reference {
    Reference {
        usage: Usage {
            prompt_tokens,
            completion_tokens,
            ..Usage::default()
        },
        at_ms: NOW_MS,
    }
}

/// What a settled call of the caller's is charged, by account; none if the call is refused.
fn charged(world: &World, caller: &Caller, slug: &str, usage: Usage) -> Option<Vec<i64>> {
    let [snapshot, rules] = caller_statements(&caller.key.hash(), NOW_MS);
    let (snapshot, rules) = (world.database.run(snapshot), world.database.run(rules));
    let caller = read_caller(snapshot.rows(0), rules.rows(0))
        .unwrap()
        .unwrap();
    let models = world.database.run(model_statement(Some(slug)));
    let model = read_model(models.rows(0)).unwrap().pop()?;
    let wanted = Wanted {
        model: slug.to_owned(),
        streamed: false,
        max_tokens: Some(usage.completion_tokens),
        text_tokens: usage.prompt_tokens,
        prompt_estimate: usage.prompt_tokens,
        images: 0,
        hour_cache: false,
        first_portion: None,
        idempotency: None,
    };
    let call = price_call(wanted, &caller, &model, NOW_MS).ok()?;
    let priced = call.price(&Outcome::Exact(usage), &call.levels);
    let mut charges: Vec<i64> = priced.charges.iter().copied().map(Nanos::get).collect();
    charges.push(priced.cost.get());
    Some(charges)
}

#[test]
fn what_a_preview_shows_is_what_a_call_is_charged() {
    let world = World::with_catalogue();
    world.0.rule(&world.operator, "*", (2_000, 0));
    world.0.rule(&world.operator, "openai/*", (777, 100_000));
    world.0.rule(&world.reseller, "*", (1_000, 3_000));
    world.0.rule(&world.reseller, "anthropic/*", (2_555, 0));
    let below = world.caller(&world.reseller, 1_000_000_000_000, Limits::default());
    let direct = world.caller(&world.operator, 1_000_000_000_000, Limits::default());
    world.grant(&world.reseller, 1_000_000_000_000);
    for (seller, caller) in [(&world.reseller, &below), (&world.operator, &direct)] {
        let market = market(&world, &query(seller)).unwrap();
        for (prompt, completion) in [(1_000, 1_000), (1, 1), (123_457, 789)] {
            let reference = reference(prompt, completion);
            let lines = preview(&market, None, &reference);
            assert!(lines.len() >= 30);
            for line in lines {
                let offer = line.now.as_ref().unwrap();
                let charged = charged(&world, caller, line.slug, reference.usage);
                // A prompt longer than the model's context has a price all the same.
                let charged = charged.unwrap();
                let told = [offer.charge.get(), offer.base.get()];
                assert_eq!(charged[..2], told, "{} {prompt}", line.slug);
            }
        }
    }
}

#[test]
fn a_what_if_marks_what_would_change_and_saving_it_makes_it_so() {
    let world = World::with_catalogue();
    world.0.rule(&world.operator, "*", (2_000, 0));
    let old = world.0.rule(&world.reseller, "*", (1_000, 0));
    let draft = new_rule(&world, &world.reseller, ("openai/*", "50"));
    let before = market(&world, &query(&world.reseller)).unwrap();
    let rule = tollgate_core::pricing::PriceRule {
        id: draft.id.clone(),
        pattern: draft.pattern.clone(),
        markup_bps: draft.markup_bps,
        min_charge: draft.min_charge,
        priority: draft.priority,
        starts_at_ms: draft.starts_at_ms,
        ends_at_ms: None,
    };
    let added = before.with_draft(&rule, None);
    let replaced = before.with_draft(&rule, Some(&old));
    let reference = reference(1_000, 1_000);
    let lines = preview(&before, Some(&added), &reference);
    assert!(lines.iter().any(|line| line.changed));
    for line in &lines {
        assert_eq!(
            line.changed,
            line.slug.starts_with("openai/"),
            "{}",
            line.slug
        );
    }
    // In the place of the only rule for everything, the other models would not be sold any more.
    for line in preview(&before, Some(&replaced), &reference) {
        let unsold = line.then.as_ref().unwrap().as_ref().err();
        let openai = line.slug.starts_with("openai/");
        assert_eq!(
            unsold,
            (!openai).then_some(&NotSold::NoRule),
            "{}",
            line.slug
        );
        assert!(line.changed);
    }
    assert_eq!(save(&world, &draft, None), Saved::Now);
    let after = market(&world, &query(&world.reseller)).unwrap();
    let saved = preview(&after, None, &reference);
    for (then, now) in lines.iter().zip(&saved) {
        let then = then.then.as_ref().unwrap().as_ref().unwrap();
        assert_eq!(
            then.charge,
            now.now.as_ref().unwrap().charge,
            "{}",
            now.slug
        );
    }
}

#[test]
fn models_are_found_by_a_part_of_their_name_and_a_page_at_a_time() {
    let world = World::with_catalogue();
    world.0.rule(&world.operator, "*", (0, 0));
    let slugs = |query: &MarketQuery<'_>| -> Vec<String> {
        let market = market(&world, query).unwrap();
        let lines = preview(&market, None, &reference(1, 1));
        lines.iter().map(|line| line.slug.to_owned()).collect()
    };
    let all = slugs(&query(&world.operator));
    let mut paged = Vec::new();
    while let page @ [_, ..] = &slugs(&MarketQuery {
        after: paged.last().map_or("", String::as_str),
        count: 7,
        ..query(&world.operator)
    })[..]
    {
        paged.extend_from_slice(page);
    }
    assert_eq!(paged, all);
    let found = slugs(&MarketQuery {
        search: " OpenAI/ ",
        ..query(&world.operator)
    });
    assert!(!found.is_empty() && found.len() < all.len());
    assert!(found.iter().all(|slug| slug.starts_with("openai/")));
    let none = slugs(&MarketQuery {
        search: "%",
        ..query(&world.operator)
    });
    assert_eq!(none, Vec::<String>::new());
    let customer = world.caller(&world.operator, 0, Limits::default());
    assert_eq!(market(&world, &query(&customer.account)), None);
}

#[test]
fn a_reseller_that_is_sold_nothing_is_told_so_and_not_why() {
    let world = World::with_catalogue();
    world.0.rule(&world.operator, "openai/*", (2_000, 0));
    world.0.rule(&world.reseller, "*", (1_000, 0));
    let market = market(&world, &query(&world.reseller)).unwrap();
    for line in preview(&market, None, &reference(1, 1)) {
        let sold = line.slug.starts_with("openai/");
        assert_eq!(line.now.is_ok(), sold, "{}", line.slug);
        assert_eq!(line.now.err(), (!sold).then_some(NotSold::NotOffered));
    }
}

#[test]
fn a_rule_is_saved_once_replaced_at_its_start_and_its_past_stays() {
    let world = World::new();
    let seller = world.reseller.clone();
    let first = new_rule(&world, &seller, ("*", "20"));
    assert_eq!(save(&world, &first, None), Saved::Now);
    assert_eq!(save(&world, &first, None), Saved::Before);
    let same_id = NewRule {
        markup_bps: 1,
        ..first.clone()
    };
    assert_eq!(save(&world, &same_id, None), Saved::Impossible);
    assert_eq!(live(&world, &seller), std::slice::from_ref(&first.id));

    let version = |world: &World| -> i64 {
        let select = "SELECT rules_version FROM accounts WHERE id = ?1";
        let statement = Statement::new(select).bind(seller.as_str());
        world.row(statement).get(0).unwrap()
    };
    let before = version(&world);
    let second = NewRule {
        starts_at_ms: NOW_MS + 5_000,
        ..new_rule(&world, &seller, ("*", "30"))
    };
    assert_eq!(save(&world, &second, Some(&first.id)), Saved::Now);
    assert_eq!(version(&world), before + 1);
    let lines = rules(&world, live_rules_statement(&seller, NOW_MS));
    let ends: Vec<_> = lines
        .iter()
        .map(|line| (line.rule.id.clone(), line.rule.ends_at_ms))
        .collect();
    assert_eq!(
        ends,
        [
            (second.id.clone(), None),
            (first.id.clone(), Some(NOW_MS + 5_000))
        ]
    );
    assert_eq!(lines[1].created_by.as_deref(), Some("person"));
    assert_eq!(lines[1].ended_by.as_deref(), Some("person"));
    assert_eq!(lines[0].ended_by, None);

    assert_eq!(end(&world, &seller, &second.id), Changed::Now);
    assert_eq!(end(&world, &seller, &second.id), Changed::Refused);
    let third = new_rule(&world, &seller, ("*", "40"));
    assert_eq!(
        save(&world, &third, Some(&second.id)),
        Saved::NothingToReplace
    );
    assert_eq!(live(&world, &seller), std::slice::from_ref(&first.id));
    assert_eq!(end(&world, &seller, &first.id), Changed::Now);
    let past = |after: Option<&RuleId>| -> Vec<RuleId> {
        let lines = rules(&world, ended_rules_statement(&seller, (after, 1), NOW_MS));
        lines.into_iter().map(|line| line.rule.id).collect()
    };
    let one = past(None);
    let two = past(one.first());
    assert_eq!(past(two.first()), []);
    let mut both = [one, two].concat();
    both.sort();
    let mut expect = [first.id, second.id];
    expect.sort();
    assert_eq!(both, expect);
}

#[test]
fn nobody_touches_or_sees_the_rules_of_another_seller() {
    let world = World::new();
    let other = world.new_reseller(0, 500);
    let theirs = live(&world, &other).remove(0);
    let customer = world.caller(&world.reseller, 0, Limits::default());
    for seller in [&world.reseller, &world.operator, &customer.account] {
        assert_eq!(end(&world, seller, &theirs), Changed::NotFound);
        let rule = new_rule(&world, seller, ("*", "1"));
        assert_eq!(save(&world, &rule, Some(&theirs)), Saved::NothingToReplace);
        let taken = NewRule {
            id: theirs.clone(),
            ..rule
        };
        assert_eq!(save(&world, &taken, None), Saved::Impossible);
        assert_eq!(live(&world, seller), []);
        let past = ended_rules_statement(seller, (Some(&theirs), 9), NOW_MS);
        assert_eq!(rules(&world, past), []);
    }
    let below = new_rule(&world, &customer.account, ("*", "1"));
    assert_eq!(save(&world, &below, None), Saved::Impossible);
    assert_eq!(live(&world, &other), [theirs]);
}

#[test]
fn a_seller_has_a_bounded_number_of_rules() {
    let world = World::new();
    let rule = new_rule(&world, &world.reseller, ("*", "1"));
    let rows = format!(
        "WITH n AS (SELECT value FROM json_each('[' || substr(replace(hex(zeroblob({MAX_LIVE_RULES})), '00', ',0'), 2) || ']')) \
         INSERT INTO price_rules (id, account_id, pattern, markup_bps, min_charge_nanos, priority, starts_at_ms, created_at_ms) \
         SELECT 'rul_many' || row_number() OVER (), '{}', '*', 0, 0, 0, 0, 0 FROM n",
        world.reseller
    );
    world.database.script(&rows);
    assert_eq!(live(&world, &world.reseller).len(), 200);
    assert_eq!(save(&world, &rule, None), Saved::TooMany);
    let one = live(&world, &world.reseller).remove(0);
    assert_eq!(save(&world, &rule, Some(&one)), Saved::Now);
}

#[test]
fn a_rule_of_a_persons_own_seller_names_the_person() {
    let world = World::new();
    let seller = &world.reseller;
    world.database.script(&format!(
        "INSERT INTO people (id, seller_id, account_id, email, name, created_at_ms) VALUES \
         ('per_ada', '{}', '{seller}', 'ada@example.com', '', 0)",
        world.operator
    ));
    let rule = new_rule(&world, seller, ("*", "1"));
    assert_eq!(save(&world, &rule, None), Saved::Now);
    let lines = rules(&world, live_rules_statement(seller, NOW_MS));
    assert_eq!(lines[0].created_by.as_deref(), Some("ada@example.com"));
}
