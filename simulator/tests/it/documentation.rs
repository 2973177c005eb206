//! The README and the table of models say the same.

use tollgate_simulator::provider::models::MODELS;

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
