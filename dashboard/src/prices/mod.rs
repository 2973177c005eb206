//! A seller's prices: the rules, what they make of every model, and what a rule that is not saved yet
//! would change. How a rule prices a call is decided by `core::pricing`; nothing here computes a charge.

mod draft;
mod history;
mod market;
mod rules;

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::hrana::HranaFault;
use tollgate_core::ids::RuleId;
use tollgate_core::selling::{
    Market, MarketQuery, RuleLine, Saved, end_rule, live_rules_statement, read_rule_line, save_rule,
};
use tollgate_edge::clock::random_bytes;

use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{Kind, Tab, Zone, alert, card, page_head, tabs};
use crate::place::Seller;
use crate::visit::Visit;
use draft::{Draft, Typed};

pub use history::page as history;

/// How many models a page of the table has.
const MODELS: u32 = 50;

/// With a draft all models are looked at, so that what changes can stand first.
const ALL_MODELS: u32 = 2_000;

/// `GET /prices`: with a draft in the query also what it would change. htmx asks for the preview alone.
pub async fn page(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let zone = Zone::named(&seller.session.time_zone);
    let typed = Typed::of(&visit.asked.query, &zone);
    let draft = typed.draft(seller.language(), visit.now_ms);
    let shop = read(visit, seller, &typed, &draft).await?;
    if visit.wants_part() {
        return Ok(Answer::html(preview(visit, seller, &shop, &typed, &draft)?));
    }
    let problems = draft.problems();
    show(visit, seller, &shop, (&typed, &draft, problems), None)
}

/// `POST /prices/rules`: saves a rule, in the place of another if it replaces one.
pub async fn save(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let language = seller.language();
    let zone = Zone::named(&seller.session.time_zone);
    let typed = Typed::of(&visit.asked.form, &zone);
    let draft = match typed.read(language, visit.now_ms) {
        Ok(rule) => rule,
        Err(problems) => {
            let draft = Draft::Wrong(problems);
            let shop = read(visit, seller, &typed, &draft).await?;
            let problems = draft.problems();
            return Ok(show(visit, seller, &shop, (&typed, &draft, problems), None)?.status(422));
        }
    };
    let id = match RuleId::parse(visit.asked.form.get("once")) {
        Some(id) => id,
        None => RuleId::from_random(random_bytes()?),
    };
    let rule = draft.to_new_rule(id, seller.account());
    let batch = save_rule(&rule, typed.replaces.as_ref(), &seller.change(visit));
    let mut saved = batch.read(&visit.execute(&batch.batch).await?)?;
    if saved == Saved::Contended {
        saved = batch.read(&visit.execute(&batch.batch).await?)?;
    }
    let refusal = match saved {
        Saved::Now | Saved::Before => return Ok(Answer::see_other("/prices?done=saved")),
        Saved::NothingToReplace => language.tr(
            "The rule that was to be replaced has ended in the meantime. Look at the rules below, then save this one as a new rule.",
        ),
        Saved::TooMany => {
            language.tr("You have 200 rules, which is the most. End one that you no longer need, then try again.")
        }
        Saved::Impossible => return Err(Fault::NotFound),
        Saved::Contended => return Err(busy()),
    };
    let draft = typed.draft(seller.language(), visit.now_ms);
    let shop = read(visit, seller, &typed, &draft).await?;
    let shown = (&typed, &draft, Vec::new());
    Ok(show(visit, seller, &shop, shown, Some(refusal))?.status(409))
}

/// `POST /prices/rules/{id}/end`: ends a rule now.
pub async fn end(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let rule = visit.id(RuleId::parse)?;
    let change = seller.change(visit);
    let batch = end_rule(seller.account(), (&rule, visit.now_ms), &change);
    match make(visit, &batch).await? {
        // A second click finds that it has ended.
        Changed::Now | Changed::Refused => Ok(Answer::see_other("/prices?done=ended")),
        Changed::NotFound | Changed::Contended => Err(Fault::NotFound),
    }
}

/// What a seller sells by.
struct Shop {
    market: Market,
    rules: Vec<RuleLine>,
}

async fn read(visit: &Visit, seller: &Seller, typed: &Typed<'_>, draft: &Draft) -> Outcome<Shop> {
    let whole = draft.rule().is_some();
    let query = MarketQuery {
        seller: seller.account(),
        now_ms: visit.now_ms,
        at_ms: draft.rule().map_or(visit.now_ms, |rule| rule.starts_at_ms),
        search: typed.search,
        after: if whole { "" } else { typed.after },
        count: if whole { ALL_MODELS } else { MODELS },
    };
    let mut read = query.to_batch();
    let rules = live_rules_statement(seller.account(), visit.now_ms);
    let rules = read.batch.step(None, rules);
    let reply = visit.execute(&read.batch).await?;
    let rules = reply.rows_of(rules)?.iter().map(read_rule_line);
    Ok(Shop {
        rules: rules.collect::<Result<_, HranaFault>>()?,
        market: read.read(&reply)?.ok_or(Fault::NotFound)?,
    })
}

/// A form with what is wrong with it: field and text.
type Shown<'a> = (&'a Typed<'a>, &'a Draft, Vec<(&'static str, &'static str)>);

fn show(
    visit: &Visit,
    seller: &Seller,
    shop: &Shop,
    (typed, draft, problems): Shown<'_>,
    refusal: Option<&str>,
) -> Outcome<Answer> {
    let language = seller.language();
    let title = language.tr("Prices");
    let zone = Zone::named(&seller.session.time_zone);
    let body = html! {
        (page_head(title, language.tr("What your customers pay: the first rule that catches a model prices its calls."), html! {}))
        (views(language, true))
        @if let Some(text) = refusal { (alert(Kind::Warning, text)) }
        (rules::overlap_warnings(language, &shop.market.own))
        (card(language.tr("Rules"), rules::list(seller, &shop.rules, &zone, visit.now_ms)))
        (card(language.tr("Try a rule"), draft::fields(language, typed, &problems)))
        section class="panel" id="preview" aria-label=(language.tr("Preview")) {
            (preview(visit, seller, shop, typed, draft)?)
        }
    };
    Ok(seller.page(visit, (title, "/prices"), body))
}

fn preview(
    visit: &Visit,
    seller: &Seller,
    shop: &Shop,
    typed: &Typed<'_>,
    draft: &Draft,
) -> Outcome<Markup> {
    let language = seller.language();
    let once = RuleId::from_random(random_bytes()?);
    let rule = draft.rule().map(|rule| rule.to_rule(once.clone()));
    let save = draft::save_form(seller, typed, &once);
    Ok(html! {
        @match draft {
            Draft::None => {},
            Draft::Wrong(_) => {
                div class="notices" {
                    @for (_, text) in draft.problems() { (alert(Kind::Warning, text)) }
                }
            },
            Draft::Rule(_) => (save),
        }
        (market::table_of(language, &shop.market, rule.as_ref(), typed, visit.now_ms))
    })
}

fn views(language: Language, current: bool) -> Markup {
    tabs(
        language.tr("Prices"),
        &[
            Tab {
                label: language.tr("In force and announced"),
                href: "/prices",
                active: current,
            },
            Tab {
                label: language.tr("History"),
                href: "/prices/history",
                active: !current,
            },
        ],
    )
}
