use super::*;
use crate::catalogue::{Override, UnitPrices};
use crate::ids::RuleId;
use crate::settlement::{Outcome, Prices};

const NOW_MS: i64 = 1_795_348_800_000;

fn rule(name: &str, pattern: &str, (markup_bps, min): (i64, i64)) -> PriceRule {
    PriceRule {
        id: RuleId::parse(&format!("rul_{name}")).unwrap(),
        pattern: pattern.to_owned(),
        markup_bps,
        min_charge: Nanos::new(min),
        priority: 0,
        starts_at_ms: 0,
        ends_at_ms: None,
    }
}

fn model(slug: &str, prompt: i64, completion: i64) -> Priceable {
    let price = |picos| Picos::new(picos).unwrap();
    Priceable {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        cost: Some(Cost {
            effective_from_ms: 0,
            prices: UnitPrices::new(price(prompt), price(completion)),
            overrides: Vec::new(),
        }),
    }
}

fn call(prompt_tokens: u64, completion_tokens: u64) -> Reference {
    Reference {
        usage: Usage {
            prompt_tokens,
            completion_tokens,
            ..Usage::default()
        },
        at_ms: NOW_MS,
    }
}

/// What a preview says, short: base, charge and the rule's name.
fn told<'a>(offer: &Result<Offer<'a>, NotSold>) -> Result<(i64, i64, &'a str), NotSold> {
    let offer = offer.as_ref().map_err(|not_sold| *not_sold)?;
    Ok((offer.base.get(), offer.charge.get(), offer.rule.id.as_str()))
}

#[test]
fn a_seller_sees_what_it_pays_what_it_takes_and_by_which_rule() {
    let mini = model("openai/mini", 1_000, 4_000);
    let check = |above: &[Vec<PriceRule>], own: &[PriceRule], expect| {
        let tariff = Tariff { above, own };
        assert_eq!(told(&offer(&mini, tariff, &call(1_000, 1_000))), expect);
    };
    let all = || rule("all", "*", (2_000, 0));
    let least = || rule("least", "openai/*", (0, 7_000));
    let other = || rule("other", "google/*", (0, 0));
    check(&[], &[all()], Ok((5_000, 6_000, "rul_all")));
    check(&[], &[all(), least()], Ok((5_000, 7_000, "rul_least")));
    check(&[], &[other()], Err(NotSold::NoRule));
    check(&[], &[], Err(NotSold::NoRule));
    check(&[vec![all()]], &[all()], Ok((6_000, 7_200, "rul_all")));
    check(
        &[vec![all()], vec![least()]],
        &[all()],
        Ok((7_000, 8_400, "rul_all")),
    );
    check(&[vec![other()]], &[all()], Err(NotSold::NotOffered));
    check(&[vec![]], &[], Err(NotSold::NotOffered));
    let overflow = Err(NotSold::NoAmount(MoneyError::Overflow));
    let dear = || rule("dear", "*", (i64::MAX, 0));
    check(&[vec![dear()]], &[dear()], overflow);

    let unpriced = Priceable { cost: None, ..mini };
    let (above, own) = (&[][..], &[all()][..]);
    let offered = offer(&unpriced, Tariff { above, own }, &call(1, 1));
    assert_eq!(told(&offered), Err(NotSold::NotOffered));
}

#[test]
fn a_margin_and_a_minimum_are_told_apart_from_the_markup() {
    let mini = model("openai/mini", 1_000, 4_000);
    let check = |min: i64, tokens: u64, expect: (i64, bool)| {
        let own = [rule("r", "*", (2_000, min))];
        let (above, own) = (&[][..], &own[..]);
        let offer = offer(&mini, Tariff { above, own }, &call(tokens, tokens)).unwrap();
        assert_eq!((offer.margin().get(), offer.by_minimum), expect, "{min}");
    };
    check(0, 1_000, (1_000, false));
    check(5_999, 1_000, (1_000, false));
    check(6_000, 1_000, (1_000, false));
    check(6_001, 1_000, (1_001, true));
    check(0, 0, (0, false));
    check(1, 0, (1, true));
}

#[test]
fn unit_prices_are_those_that_callers_are_told() {
    let mini = model("openai/mini", 150_000, 600_000);
    let above = [vec![rule("up", "*", (1_000, 0))]];
    let own = [rule("own", "*", (2_500, 9))];
    let tariff = Tariff {
        above: &above,
        own: &own,
    };
    let offer = offer(&mini, tariff, &call(1, 1)).unwrap();
    let unit = |dimension| {
        let unit = offer.unit(dimension).unwrap();
        let usd = [unit.base, unit.charge].map(Picos::to_usd_per_million);
        usd.join(" ")
    };
    assert_eq!(unit(Dimension::Prompt), "0.165 0.20625");
    assert_eq!(unit(Dimension::Completion), "0.66 0.825");
    assert_eq!(offer.unit(Dimension::WebSearch), None);
}

#[test]
fn a_draft_is_seen_from_its_start_on_in_the_place_of_what_it_replaces() {
    let mini = model("openai/mini", 1_000, 4_000);
    let own = [rule("old", "openai/*", (1_000, 0))];
    let check = |draft: &PriceRule, replaces: Option<&str>, at_ms: i64, expect: (i64, &str)| {
        let own = with_draft(&own, draft, replaces);
        let (above, own) = (&[][..], &own[..]);
        let reference = Reference {
            at_ms,
            ..call(1_000, 1_000)
        };
        let offered = offer(&mini, Tariff { above, own }, &reference);
        let (_, charge, by) = told(&offered).unwrap();
        assert_eq!((charge, by), expect);
    };
    let wide = rule("new", "*", (9_000, 0));
    check(&wide, None, NOW_MS, (5_500, "rul_old"));
    check(&wide, Some("rul_old"), NOW_MS, (9_500, "rul_new"));
    let later = PriceRule {
        starts_at_ms: NOW_MS + 10,
        ..wide
    };
    check(&later, Some("rul_old"), NOW_MS, (5_500, "rul_old"));
    check(&later, Some("rul_old"), NOW_MS + 10, (9_500, "rul_new"));
    check(&later, Some("rul_none"), NOW_MS + 10, (5_500, "rul_old"));
}

#[test]
fn a_change_is_marked_where_some_call_would_cost_something_else() {
    let mini = model("openai/mini", 1_000, 4_000);
    let check = |draft: (i64, i64), expect: bool| {
        let own = [rule("old", "*", (1_000, 50))];
        let new = with_draft(&own, &rule("new", "openai/*", draft), None);
        let at = |own| offer(&mini, Tariff { above: &[], own }, &call(1_000, 1_000));
        assert_eq!(same_price(&at(&own), &at(&new)), expect, "{draft:?}");
    };
    check((1_000, 50), true);
    check((1_001, 50), false);
    // The reference call costs more than either minimum; a smaller one does not.
    check((1_000, 51), false);
    let unsold = || Err(NotSold::NoRule);
    let own = [rule("old", "*", (1_000, 50))];
    let tariff = Tariff {
        above: &[],
        own: &own,
    };
    let sold = offer(&mini, tariff, &call(1, 1));
    assert!(same_price(&unsold(), &unsold()));
    assert!(!same_price(&sold, &unsold()));
    assert!(!same_price(&Err(NotSold::NotOffered), &unsold()));
}

/// A small generator, so that a failure can be repeated.
struct Draws(u64);

impl Draws {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).checked_rem(below).unwrap_or_default()
    }

    fn amount(&mut self, below: u64) -> i64 {
        self.next(below).cast_signed()
    }

    fn rules(&mut self) -> Vec<PriceRule> {
        let count = self.next(5);
        let patterns = ["*", "a/*", "a/b", "*b", "c*", "a/*-x"];
        let rules = (0..count).map(|number| {
            let pattern = patterns[usize::try_from(self.next(6)).unwrap()];
            let price = (self.amount(30_000), self.amount(4_000));
            let mut rule = rule(&format!("r{number}"), pattern, price);
            rule.priority = self.amount(3).saturating_sub(1);
            rule.starts_at_ms = self.amount(7).saturating_add(NOW_MS - 5);
            rule.ends_at_ms =
                (self.next(3) == 0).then(|| self.amount(3).saturating_add(NOW_MS - 1));
            rule
        });
        rules.collect()
    }

    fn model(&mut self) -> Priceable {
        let slugs = ["a/b", "a/c-x", "c/b", "d"];
        let slug = slugs[usize::try_from(self.next(4)).unwrap()];
        let mut model = model(slug, self.amount(3_000_000), self.amount(9_000_000));
        let cost = model.cost.as_mut().unwrap();
        let request = Picos::new(self.amount(5_000_000)).unwrap();
        cost.prices = cost.prices.clone().with(Dimension::Request, request);
        cost.overrides.push(Override {
            min_prompt_tokens: Some(self.next(2_000)),
            window: None,
            prices: [(
                Dimension::Prompt,
                Picos::new(self.amount(9_000_000)).unwrap(),
            )]
            .into(),
        });
        model
    }
}

/// What the settlement of a real call takes, from its own price list and holds without a bound.
fn billed(model: &Priceable, tariff: Tariff<'_>, reference: &Reference) -> Option<(i64, i64)> {
    let levels = tariff.above.iter().map(Vec::as_slice).chain([tariff.own]);
    let rules: Option<Vec<PriceRule>> = levels
        .map(|rules| pick(rules, &model.slug, reference.at_ms).cloned())
        .collect();
    let rules_from_root = rules?;
    let holds = vec![Nanos::new(i64::MAX); rules_from_root.len()];
    let prices = Prices {
        cost: model.cost.clone().unwrap(),
        rules_from_root,
        at_ms: reference.at_ms,
    };
    let priced = prices.price(&Outcome::Exact(reference.usage), &holds);
    let base = priced.charges.get(1).copied().unwrap_or(priced.cost);
    Some((base.get(), priced.charges[0].get()))
}

#[test]
fn a_preview_is_what_the_settlement_of_the_same_call_bills() {
    let mut draws = Draws(7);
    let mut sold = 0;
    for round in 0..4_000 {
        let levels = draws.next(3);
        let above: Vec<Vec<PriceRule>> = (0..levels).map(|_| draws.rules()).collect();
        let own = draws.rules();
        let tariff = Tariff {
            above: &above,
            own: &own,
        };
        let model = draws.model();
        let reference = call(draws.next(3_000), draws.next(3_000));
        let told = offer(&model, tariff, &reference);
        let told = told
            .ok()
            .map(|offer| (offer.base.get(), offer.charge.get()));
        assert_eq!(told, billed(&model, tariff, &reference), "round {round}");
        sold += usize::from(told.is_some());
    }
    assert!(sold > 400, "{sold}");
}
