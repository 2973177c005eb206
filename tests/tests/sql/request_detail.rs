//! People see how the price of a call came about; what their seller pays stays the seller's business.

use tollgate_core::accounts::View;
use tollgate_core::catalogue::{Cost, Dimension, UnitPrices};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, RequestId, RuleId};
use tollgate_core::limits::Limits;
use tollgate_core::money::{Nanos, Picos};
use tollgate_core::pricing::{ChargeItem, PriceRule};
use tollgate_core::request_log::{
    RequestDetail, RequestStatus, read_request_detail, request_detail_statement,
};
use tollgate_core::settlement::{Outcome, Prices, Resolved};
use tollgate_core::usage::Usage;

use crate::usage_days::{true_up, two_levels};
use crate::world::{Caller, NOW_MS, World};

/// What two rules make of a call: the operator's for the reseller, the reseller's for its customer.
struct Sold {
    world: World,
    caller: Caller,
    rules: [(RuleId, i64, i64); 2],
    prices: Prices,
}

/// A token of the prompt costs the operator 1,000 picos, one of the answer 4,000.
fn sold(operator: (i64, i64), reseller: (i64, i64)) -> Sold {
    let (world, caller) = two_levels();
    let picos = |value| Picos::new(value).unwrap();
    let cost = Cost {
        prices: UnitPrices::new(picos(1_000), picos(4_000))
            .with(Dimension::InputCacheRead, picos(100)),
        ..Cost::default()
    };
    world.database.script(
        "INSERT INTO models (slug, provider, name, hidden_reasoning, free, details, imported_at_ms)
         VALUES ('sim/echo', 'openrouter', 'Echo', 0, 0, '{}', 0)",
    );
    let insert = "INSERT INTO costs (id, model, effective_from_ms, prices, source, recorded_at_ms) \
                  VALUES (1, 'sim/echo', 0, ?1, 'test', 0)";
    let _ = world
        .database
        .run(Statement::new(insert).bind(cost.to_json()));
    let of = |account: &AccountId, rule: (i64, i64)| {
        let wide = tollgate_tests::World::rule(&world, account, "sim/*", rule);
        (wide, rule.0, rule.1)
    };
    let rules = [of(&world.operator, operator), of(&world.reseller, reseller)];
    let from_root = rules.iter().map(|(id, markup_bps, min)| PriceRule {
        id: id.clone(),
        pattern: "*".to_owned(),
        markup_bps: *markup_bps,
        min_charge: Nanos::new(*min),
        priority: 0,
        starts_at_ms: 0,
        ends_at_ms: None,
    });
    let prices = Prices {
        cost,
        rules_from_root: from_root.collect(),
        at_ms: NOW_MS,
    };
    Sold {
        world,
        caller,
        rules,
        prices,
    }
}

impl Sold {
    /// A call that held so much at both levels and ended so.
    fn call(&self, hold: i64, outcome: Outcome) -> RequestId {
        let mut ask = self.world.ask(&self.caller, hold);
        for (level, (rule, _, _)) in ask.levels.iter_mut().zip(self.rules.iter().rev()) {
            level.rule = rule.clone();
        }
        assert!(format!("{:?}", self.world.admit(&ask)).starts_with("Admitted"));
        let mut resolution = self.world.resolution(&self.caller, &ask, 0);
        resolution.outcome = outcome;
        resolution.facts.status = Some(200);
        let holds: Vec<Nanos> = ask.levels.iter().map(|level| level.hold).collect();
        let resolution = resolution.with_prices(&self.prices.price(&outcome, &holds));
        assert_eq!(self.world.resolve(&resolution), Resolved::Now);
        ask.request
    }

    fn detail(&self, by: &AccountId, call: RequestId) -> Option<RequestDetail> {
        let view = View {
            account: &self.caller.account,
            by,
        };
        let reply = self
            .world
            .database
            .run(request_detail_statement(view, call));
        let row = reply.rows(0).first()?;
        Some(read_request_detail(view, row).unwrap())
    }

    fn own(&self, call: RequestId) -> RequestDetail {
        self.detail(&self.caller.account, call).unwrap()
    }
}

fn tokens(prompt: u64, completion: u64) -> Usage {
    Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        ..Usage::default()
    }
}

/// The lines in short, after it is made sure that they add up to the charge.
fn lines(detail: &RequestDetail) -> Vec<String> {
    let lines = detail.charge_lines.as_ref().expect("the prices are there");
    let sum: i64 = lines.iter().map(|line| line.amount.get()).sum();
    assert_eq!(Some(sum), detail.line.charge.map(Nanos::get).or(Some(0)));
    let short = lines.iter().map(|line| match line.item {
        ChargeItem::Units {
            dimension,
            units,
            unit_price,
        } => {
            let amount = line.amount.get();
            format!(
                "{units} {} at {} = {amount}",
                dimension.key(),
                unit_price.get()
            )
        }
        item => format!("{item:?} {}", line.amount.get()),
    });
    short.collect()
}

#[test]
fn an_end_user_sees_its_own_prices_and_nothing_of_its_seller_s() {
    let sold = sold((2_000, 0), (5_000, 0));
    let usage = Usage {
        cached_tokens: 100,
        reasoning_tokens: 10,
        ..tokens(1_100, 50)
    };
    let call = sold.call(10_000, Outcome::Exact(usage));
    let seen = sold.own(call);
    assert_eq!(
        lines(&seen),
        [
            "100 input_cache_read at 180 = 18",
            "1000 prompt at 1800 = 1800",
            "10 internal_reasoning at 7200 = 72",
            "40 completion at 7200 = 288",
        ]
    );
    assert_eq!(
        (seen.line.charge, seen.line.base, seen.line.margin()),
        (Some(Nanos::new(2_178)), None, None)
    );
    assert_eq!((seen.rule.as_ref(), seen.line.estimated), (None, false));
    assert_eq!(
        (seen.first_charge, seen.line.hold.get()),
        (seen.line.charge, 10_000)
    );
    assert_eq!(seen.resolved_at_ms, Some(NOW_MS + 500));
    // Wherever it is written, nothing tells the seller's price (1452), the cost (1210), the markups, the
    // rules or the accounts above.
    let all = format!("{seen:?}");
    let secrets = [
        "1452",
        "1210",
        "2000",
        "5000",
        "rul_",
        sold.world.reseller.as_str(),
    ];
    for secret in secrets {
        assert!(!all.contains(secret), "`{secret}` in {all}");
    }
}

#[test]
fn a_seller_sees_its_base_its_margin_and_the_rule_that_caught_the_call() {
    let sold = sold((2_000, 0), (5_000, 7));
    let call = sold.call(10_000, Outcome::Exact(tokens(1_000, 0)));
    for by in [&sold.world.reseller, &sold.world.operator] {
        let seen = sold.detail(by, call).unwrap();
        let rule = seen.rule.clone().unwrap();
        assert_eq!((&rule.id, &*rule.pattern), (&sold.rules[1].0, "sim/*"));
        assert_eq!((rule.markup_bps, rule.min_charge.get()), (5_000, 7));
        assert_eq!(seen.line.base.unwrap().get(), 1_200);
        assert_eq!(seen.line.margin().unwrap().get(), 600);
        assert_eq!(lines(&seen), ["1000 prompt at 1800 = 1800"]);
    }
}

#[test]
fn nobody_else_sees_the_call() {
    let sold = sold((2_000, 0), (5_000, 0));
    let call = sold.call(10_000, Outcome::Exact(tokens(1_000, 0)));
    let neighbour = sold
        .world
        .caller(&sold.world.reseller, 10, Limits::default());
    let stranger = sold.world.new_reseller(10, 0);
    assert_eq!(sold.detail(&neighbour.account, call), None);
    assert_eq!(sold.detail(&stranger, call), None);
    // Nor in one's own account by another's id.
    for account in [
        &neighbour.account,
        &sold.world.reseller,
        &sold.world.operator,
    ] {
        let foreign = request_detail_statement(View::own(account), call);
        assert_eq!(sold.world.database.run(foreign).rows(0).len(), 0);
    }
    let none = sold.detail(&sold.caller.account, RequestId::from_stored(call.get() + 1));
    assert_eq!(none, None);
}

#[test]
fn minimum_cap_estimate_and_correction_each_show() {
    let check = |rules: ((i64, i64), (i64, i64)), hold: i64, outcome: Outcome, expect: &[&str]| {
        let sold = sold(rules.0, rules.1);
        let call = sold.call(hold, outcome);
        let seen = sold.own(call);
        assert_eq!(lines(&seen), expect, "{rules:?} {outcome:?}");
        assert_eq!(seen.line.estimated, outcome.is_estimate());
        assert_eq!(seen.line.status, RequestStatus::Ok);
        (sold, call)
    };
    let plain = ((0, 0), (10_000, 0));
    let thousand = Outcome::Exact(tokens(1_000, 0));
    let minimum = ((0, 0), (10_000, 5_000));
    check(
        minimum,
        9_000,
        thousand,
        &["1000 prompt at 2000 = 2000", "Minimum 3000"],
    );
    check(
        plain,
        1_500,
        thousand,
        &["1000 prompt at 2000 = 2000", "AboveHold -500"],
    );
    check(plain, 9_000, Outcome::NotSent, &[]);
    check(plain, 9_000, Outcome::Exact(Usage::default()), &[]);
    let images = Usage {
        images: 2,
        ..tokens(1_000, 0)
    };
    check(
        plain,
        9_000,
        Outcome::Exact(images),
        &["1000 prompt at 2000 = 2000"],
    );
    let estimate = Outcome::AtLeast(tokens(1_000, 0));
    let (sold, call) = check(plain, 9_000, estimate, &["1000 prompt at 2000 = 2000"]);

    // The provider's record: 700 tokens. 600 nanos go back to the customer, 300 to its seller.
    let correct = "UPDATE requests SET outcome = 'exact', prompt_tokens = 700, cost_nanos = 700, \
                   trued_up_at_ms = 1 WHERE id = ?1";
    let _ = sold
        .world
        .database
        .run(Statement::new(correct).bind(call.get()));
    true_up(&sold.world, call, &sold.caller.account, 600);
    true_up(&sold.world, call, &sold.world.reseller, 300);
    let seen = sold.own(call);
    assert_eq!(lines(&seen), ["700 prompt at 2000 = 1400"]);
    assert_eq!(
        (seen.first_charge.unwrap().get(), seen.line.estimated),
        (2_000, false)
    );
    let seller = sold.detail(&sold.world.reseller, call).unwrap();
    assert_eq!(
        (
            seller.line.base.unwrap().get(),
            seller.line.margin().unwrap().get()
        ),
        (700, 700)
    );
}

#[test]
fn a_correction_that_could_not_be_taken_in_full_still_adds_up() {
    let sold = sold((0, 0), (10_000, 0));
    let call = sold.call(9_000, Outcome::AtLeast(tokens(1_000, 0)));
    let correct = "UPDATE requests SET outcome = 'exact', prompt_tokens = 2000, cost_nanos = 2000, \
                   trued_up_at_ms = 1 WHERE id = ?1";
    let _ = sold
        .world
        .database
        .run(Statement::new(correct).bind(call.get()));
    // 2,000 were owed, 500 were free.
    true_up(&sold.world, call, &sold.caller.account, -500);
    let seen = sold.own(call);
    assert_eq!(
        lines(&seen),
        ["2000 prompt at 2000 = 4000", "NotTaken -1500"]
    );
    assert_eq!(seen.line.charge.unwrap().get(), 2_500);
}

#[test]
fn a_call_that_runs_or_has_lost_its_prices_has_no_calculation() {
    let sold = sold((0, 0), (10_000, 0));
    let ask = sold.world.ask(&sold.caller, 700);
    let _ = sold.world.admit(&ask);
    let seen = sold.own(ask.request);
    assert_eq!(
        (seen.charge_lines.as_deref(), seen.first_charge),
        (Some(&[][..]), None)
    );
    assert_eq!(
        (seen.line.status, seen.line.hold.get()),
        (RequestStatus::Held, 700)
    );
    // Its rule does not exist in this world.
    assert_eq!(
        sold.world
            .resolve(&sold.world.resolution(&sold.caller, &ask, 5)),
        Resolved::Now
    );
    let seen = sold.own(ask.request);
    assert_eq!(
        (seen.charge_lines, seen.line.charge),
        (None, Some(Nanos::new(5)))
    );
}
