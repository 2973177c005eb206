//! The playground: one page on which a buyer tries a model, pays for it like any other call, and sees the
//! answer and its price as it comes. Models, their prices and the key are decided by `core::playground`; what is
//! charged, by the gateway.

mod gateway;

use maud::{Markup, html};
use tollgate_core::accounts::{Account, KeyCreated};
use tollgate_core::money::{Nanos, Picos};
use tollgate_core::playground::{Choice, Choices, PlaygroundKey, PlaygroundKeys, Standing};
use tollgate_core::sign_in::Token;
use tollgate_edge::clock::random_bytes;

use self::gateway::Completion;
use crate::answer::Answer;
use crate::assets::PLAYGROUND;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{
    self, Field, Kind, Tone, alert, card, empty_state, form, link_button, money, page_head, submit,
};
use crate::place::Buyer;
use crate::visit::Visit;

/// The longest prompt, in bytes.
const MAX_PROMPT_BYTES: usize = 32_000;

/// What was asked, and what came of it.
#[derive(Default)]
struct Tried<'a> {
    model: &'a str,
    prompt: &'a str,
    error: Option<&'a str>,
    completion: Option<Completion>,
}

/// `GET /playground`.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let tried = Tried {
        model: visit.asked.query.get("model"),
        ..Tried::default()
    };
    show(visit, buyer, &tried).await
}

/// `POST /playground`: to the script as server-sent events, otherwise as a page.
pub async fn run(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let streams = visit.header("accept").contains("text/event-stream");
    let form = &visit.asked.form;
    let (model, prompt) = (form.get("model"), form.get("prompt"));
    let refuse = async |error: &str| {
        if streams {
            return Ok(gateway::refused(error));
        }
        let tried = Tried {
            model,
            prompt,
            error: Some(error),
            completion: None,
        };
        Ok(show(visit, buyer, &tried).await?.status(422))
    };
    if model.is_empty() || prompt.is_empty() {
        return refuse(language.tr("Choose a model and type a prompt.")).await;
    }
    if prompt.len() > MAX_PROMPT_BYTES {
        return refuse(
            language.tr("The prompt is too long for this page. Use the API for longer ones."),
        )
        .await;
    }
    let key = match key(visit, buyer).await? {
        Ok(key) => key,
        Err(why) => return refuse(&why).await,
    };
    let call = gateway::Call { model, prompt, key };
    if streams {
        return call.stream(visit).await;
    }
    let tried = Tried {
        model,
        prompt,
        error: None,
        completion: Some(call.complete(visit, form.get("once")).await?),
    };
    show(visit, buyer, &tried).await
}

/// The key that pays, made if it is not there; otherwise why there is none.
async fn key(visit: &Visit, buyer: &Buyer) -> Outcome<Result<PlaygroundKey, String>> {
    let language = buyer.language();
    let keys = PlaygroundKeys::of(&visit.sealing()?, buyer.account());
    let mut batch = tollgate_core::hrana::Batch::new();
    let standing = batch.step(None, keys.statement(buyer.account(), visit.now_ms));
    let reply = visit.execute(&batch).await?;
    let key = match keys.read(reply.rows_of(standing)?)? {
        Standing::Ready(key) => return Ok(Ok(key)),
        Standing::New(key) => key,
        Standing::UsedUp => {
            let why = language
                .tr("The playground's key was revoked too often. Use the API with a key of yours.");
            return Ok(Err(why.to_owned()));
        }
    };
    let create = key.creation().to_batch(&buyer.change(visit));
    // A repetition finds the key that the first attempt made.
    let created = create.read(&visit.execute(&create.batch).await?)?;
    Ok(match created {
        KeyCreated::Now | KeyCreated::Before => Ok(key),
        KeyCreated::TooMany => Err(language
            .tr("The account has as many keys as it may have. Revoke one, then try again.")
            .to_owned()),
        KeyCreated::NoAccount | KeyCreated::Contended => {
            return Err(Fault::Bug("the playground's key could not be made"));
        }
    })
}

async fn show(visit: &Visit, buyer: &Buyer, tried: &Tried<'_>) -> Outcome<Answer> {
    let language = buyer.language();
    let seller = buyer.session.parent.as_ref();
    let seller = seller.ok_or(Fault::Bug("a buyer without a seller"))?;
    let choices = Choices::of(buyer.account(), seller, visit.now_ms);
    let read = choices.read(&visit.execute(choices.batch()).await?)?;
    let (account, models) = read.ok_or(Fault::NotFound)?;
    let title = language.tr("Playground");
    let text = language
        .tr("Try a model. A call costs what it costs over the API, and is in your requests.");
    let body = html! {
        (page_head(title, text, html! {}))
        @if models.is_empty() {
            (empty_state(
                language.tr("There is no model to try"),
                language.tr("None has a price for your account yet. Ask whoever you buy from."),
                html! {},
            ))
        } @else {
            (no_credit(language, &account))
            (ask(buyer, &models, tried, &Token::from_random(random_bytes()?)))
            (output(language, &models, tried))
            script src=(PLAYGROUND) defer {}
        }
    };
    Ok(buyer.page(visit, (title, "/playground"), body))
}

fn no_credit(language: Language, account: &Account) -> Markup {
    html! {
        @if account.balance <= Nanos::ZERO {
            (page::alert_with(Kind::Warning, language.tr("There is no credit"), html! {
                (language.tr("Calls are refused until you buy some.")) " "
                (link_button(language.tr("Buy credit"), "/billing", Tone::Plain))
            }))
        }
    }
}

fn ask(buyer: &Buyer, models: &[Choice], tried: &Tried<'_>, once: &Token) -> Markup {
    let language = buyer.language();
    let labels = models.iter().map(|model| {
        language.fill(
            "{model}: ${prompt} in, ${completion} out",
            &[
                ("model", &model.slug),
                ("prompt", &model.prompt.to_usd_per_million()),
                ("completion", &model.completion.to_usd_per_million()),
            ],
        )
    });
    let labels: Vec<String> = labels.collect();
    let choices = models.iter().zip(&labels);
    let choices: Vec<page::Choice<'_>> = choices
        .map(|(model, label)| page::Choice {
            value: &model.slug,
            label,
            chosen: model.slug == tried.model,
        })
        .collect();
    let once = once.reveal();
    card(
        "",
        html! {
            // The script finds the form in here.
            (marked(form("/playground", buyer.place.csrf(), Some(&once), html! {
                (Field::select("model", language.tr("Model"), &choices).required()
                    .hint(language.tr("With its prices for a million tokens.")))
                (Field::textarea("prompt", language.tr("Prompt"), 5).value(tried.prompt)
                    .error(tried.error).required())
                (submit(language.tr("Run"), Tone::Primary))
            })))
        },
    )
}

fn marked(form: Markup) -> Markup {
    html! { div id="playground-form" { (form) } }
}

/// What the script reckons with while the answer comes: a line a model with its slug and, in 1e-12 dollars,
/// what a token of the prompt, one of the answer, the call itself and the cheapest call cost.
fn prices(models: &[Choice]) -> String {
    let line = |model: &Choice| {
        let units = [model.prompt, model.completion, model.request].map(Picos::get);
        let [prompt, completion, request] = units;
        let least = i128::from(model.least.get()) * 1_000;
        format!("{} {prompt} {completion} {request} {least}", model.slug)
    };
    models.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Where the answer appears; the script shows it when there is something.
fn output(language: Language, models: &[Choice], tried: &Tried<'_>) -> Markup {
    let completion = tried.completion.as_ref();
    html! {
        section id="playground-output" class="panel" hidden[completion.is_none()]
            aria-label=(language.tr("Answer"))
            data-waiting=(language.tr("Waiting for the first words…"))
            data-prices=(prices(models))
            data-running=(language.tr("About {charge} so far, for some {n} tokens of answer…"))
            data-done=(language.tr("{prompt} tokens in, {completion} out. Charged: {charge}."))
            data-stopped=(language.tr("Stopped. What was written until then is charged; your requests show it."))
            data-failed=(language.tr("No answer came. Reload the page and try again; your requests show whether anything was charged.")) {
            div class="panel-head" {
                h2 { (language.tr("Answer")) }
                button type="button" class="btn btn-plain btn-sm" data-stop hidden { (language.tr("Stop")) }
            }
            @if let Some(message) = completion.and_then(Completion::refusal) {
                (alert(Kind::Danger, message))
            }
            div class="whitespace-pre-wrap break-words" data-answer aria-live="polite" {
                (completion.map_or("", Completion::text))
            }
            p class="muted mt-4" role="status" data-status {
                @if let Some(usage) = completion.and_then(Completion::usage) {
                    (language.fill("{prompt} tokens in, {completion} out.",
                        &[("prompt", &usage.prompt_tokens), ("completion", &usage.completion_tokens)]))
                    " "
                    @if let Some(charge) = usage.charge { (language.tr("Charged:")) " " (money(charge)) }
                }
            }
        }
    }
}
