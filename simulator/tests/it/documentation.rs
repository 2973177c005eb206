//! The README and the tables of models, cards and calls say the same.

use tollgate_simulator::provider::models::MODELS;
use tollgate_simulator::stripe::cards::CARDS;
use tollgate_simulator::stripe::endpoints::ENDPOINTS;

#[test]
fn the_readme_lists_every_model_and_no_other() {
    let readme = include_str!("../../README.md");
    let listed: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `sim/"))
        .collect();
    let models = MODELS.iter();
    let expect: Vec<String> = models
        .map(|model| format!("| `{}` | {} | {} |", model.slug, model.about, model.billed))
        .collect();
    assert_eq!(listed, expect);
}

#[test]
fn the_readme_lists_every_card_and_no_other() {
    let readme = include_str!("../../README.md");
    let is_card = |line: &&str| {
        let number = line.strip_prefix("| `");
        number.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let listed: Vec<&str> = readme.lines().filter(is_card).collect();
    let cards = CARDS.iter();
    let expect: Vec<String> = cards
        .map(|card| {
            format!(
                "| `{}` | {} | `{}` |",
                card.name, card.about, card.fingerprint
            )
        })
        .collect();
    assert_eq!(listed, expect);
}

#[test]
fn the_readme_lists_every_call_of_stripe_and_no_other() {
    let readme = include_str!("../../README.md");
    let rows = readme.lines().filter(|line| line.starts_with('|'));
    let mut listed: Vec<&str> = rows
        .flat_map(|line| line.split('`'))
        .filter(|part| part.contains(" /v1/"))
        .collect();
    listed.sort_unstable();
    let calls = ENDPOINTS.iter();
    let mut expect: Vec<String> = calls
        .map(|call| format!("{} {}", call.method, call.path))
        .collect();
    expect.sort_unstable();
    assert_eq!(listed, expect);
}
