//! The document as a whole: what is expected of its shape, and that a bad entry is refused alone.
//! What an entry must hold is tested in the files beside this one.

use super::*;

#[test]
fn one_bad_model_never_spoils_the_rest() {
    let good = |slug: &str| format!(r#"{{"id":"{slug}","pricing":{PRICED}}}"#);
    let document = format!(
        r#"{{"data":[{}, 7, {{"id":"a/bad"}}, {{"id":"a b","pricing":{PRICED}}}, {}, {},
            {{"id":"a/odd","context_length":"long","pricing":{PRICED}}}, {}]}}"#,
        good("a/one"),
        good("a/one"),
        good("a/*"),
        good("a/two"),
    );
    let Import { models, refused } = import(document.as_bytes(), 0).unwrap();
    let slugs: Vec<&str> = models
        .iter()
        .map(|(model, _)| model.slug.as_str())
        .collect();
    assert_eq!(slugs, ["a/one", "a/two"]);
    let refused: Vec<(&str, &str)> = refused
        .iter()
        .map(|one| (one.slug.as_str(), one.reason.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        refused,
        [
            ("data[1]", "cannot be read"),
            ("a/bad", "no `pricing`"),
            ("a b", "its id is not a plain name"),
            ("a/one", "the document lists it twice"),
            ("a/*", "its id is not a plain name"),
            ("a/odd", "cannot be read"),
        ]
    );
}

#[test]
fn a_document_of_another_shape_says_what_was_expected() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"data":{}}"#,
        r#"{"error":{"code":401}}"#,
        "{\"data\":[]",
    ] {
        let error = import(text.as_bytes(), 0).unwrap_err().to_string();
        assert!(
            error.starts_with("not a list of models: "),
            "{text}: {error}"
        );
        assert!(
            error.contains("\nhint: expected OpenRouter's"),
            "{text}: {error}"
        );
    }
    assert_eq!(import(br#"{"data":[]}"#, 0), Ok(Import::default()));
}
