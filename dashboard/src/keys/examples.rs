//! Examples that are ready to paste: a first call in curl, Python and JavaScript. The clients are those of
//! OpenAI, since the gateway speaks their language.

use maud::{Markup, html};

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{Tone, card, copy_box, definition_list, link_button, page_head};
use crate::place::Buyer;
use crate::visit::Visit;

/// What the examples call where nothing says which model.
const MODEL: &str = "openai/gpt-4o-mini";

/// What stands for a key where none may be shown.
const PLACEHOLDER: &str = "YOUR_KEY";

/// `GET /quick-start`: the examples without a key.
pub async fn quick_start(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let gateway = &visit.config.gateway_url;
    let title = language.tr("Quick start");
    let about = language.tr(
        "Whatever speaks to OpenAI or OpenRouter speaks to us: change its base URL and its key.",
    );
    let actions = html! {
        (link_button(language.tr("Create a key"), "/keys/new", Tone::Primary))
        (link_button(language.tr("Watch your calls"), "/requests", Tone::Plain))
    };
    let addresses = [
        (language.tr("Base URL"), html! { code { (gateway) "/v1" } }),
        (
            language.tr("Key"),
            html! { (language.tr("In the header")) " " code { "Authorization: Bearer " (PLACEHOLDER) } },
        ),
        (
            language.tr("Models and prices"),
            html! { code { "GET " (gateway) "/v1/models" } },
        ),
        (
            language.tr("All routes"),
            html! { code { "GET " (gateway) "/v1/openapi.json" } },
        ),
    ];
    let body = html! {
        (page_head(title, about, actions))
        (card("", definition_list(&addresses)))
        (examples(language, gateway, PLACEHOLDER, MODEL))
    };
    Ok(buyer.page(visit, (title, "/keys"), body))
}

/// The first model that a key may call, if its list names one without a wildcard.
pub(super) fn example_model(allowed: Option<&[String]>) -> String {
    let mut allowed = allowed.unwrap_or_default().iter();
    let named = allowed.find(|pattern| is_plain(pattern));
    named.map_or_else(|| MODEL.to_owned(), String::clone)
}

/// Whether a pattern is a model's name that needs no escape in a shell or a program.
fn is_plain(pattern: &str) -> bool {
    pattern
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte))
}

/// The three examples, each with a button that copies it.
pub(super) fn examples(language: Language, gateway: &str, key: &str, model: &str) -> Markup {
    let all = [
        ("curl", "example-curl", curl(gateway, key, model)),
        ("Python", "example-python", python(gateway, key, model)),
        (
            "JavaScript",
            "example-javascript",
            javascript(gateway, key, model),
        ),
    ];
    html! {
        @for (name, id, text) in all {
            @let label = language.fill("Example in {name}", &[("name", &name)]);
            (card(name, copy_box(language, id, &label, &text)))
        }
    }
}

fn curl(gateway: &str, key: &str, model: &str) -> String {
    format!(
        "curl {gateway}/v1/chat/completions \\\n  \
         -H 'Authorization: Bearer {key}' \\\n  \
         -H 'Content-Type: application/json' \\\n  \
         -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n"
    )
}

fn python(gateway: &str, key: &str, model: &str) -> String {
    format!(
        "# pip install openai\n\
         from openai import OpenAI\n\n\
         client = OpenAI(\n    base_url=\"{gateway}/v1\",\n    api_key=\"{key}\",\n)\n\
         answer = client.chat.completions.create(\n    model=\"{model}\",\n    \
         messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n)\n\
         print(answer.choices[0].message.content)\n"
    )
}

fn javascript(gateway: &str, key: &str, model: &str) -> String {
    format!(
        "// npm install openai\n\
         import OpenAI from \"openai\";\n\n\
         const client = new OpenAI({{\n  baseURL: \"{gateway}/v1\",\n  apiKey: \"{key}\",\n}});\n\
         const answer = await client.chat.completions.create({{\n  model: \"{model}\",\n  \
         messages: [{{ role: \"user\", content: \"Hello\" }}],\n}});\n\
         console.log(answer.choices[0].message.content);\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_calls_a_model_that_the_key_may_call() {
        let check = |allowed: Option<&[&str]>, expect: &str| {
            let allowed: Option<Vec<String>> =
                allowed.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
            assert_eq!(example_model(allowed.as_deref()), expect, "{allowed:?}");
        };
        check(None, MODEL);
        check(Some(&["openai/*"]), MODEL);
        check(Some(&["openai/*", "google/gemini-3"]), "google/gemini-3");
        check(Some(&["a'; rm -rf /", "x\"y"]), MODEL);
    }

    #[test]
    fn the_body_of_the_curl_example_is_json() {
        let text = curl("https://gate.example", "KEY", "a/b");
        let body = text.split("-d '").nth(1).unwrap();
        let body = body.trim_end().trim_end_matches('\'');
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["model"], "a/b");
        assert_eq!(text.lines().count(), 4);
    }
}
