//! The operator's accounts at providers. A credential goes in and never comes out: the pages show its last
//! characters. What is sealed is opened here only to test it or to seal it anew.

mod credential;

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::hrana::{Batch, HranaFault};
use tollgate_core::ids::ProviderAccountId;
use tollgate_core::providers::{
    Credential, NewProviderAccount, ProviderAccountLine, TestResult, provider_accounts_statement,
    read_provider_account_line, remove_provider_account, switch_provider_account,
};
use tollgate_core::sealing::SealingKeys;
use tollgate_edge::clock::random_bytes;

use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Confirm, Field, Kind, Table, Tone, Zone, ago, badge, button_form, card,
    empty_state, form, page_head, submit, table,
};
use crate::place::Operator;
use crate::visit::Visit;

pub use credential::{reseal, test};

/// `GET /provider-accounts`.
pub async fn page(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    show(visit, operator, &Form::default(), None).await
}

/// `POST /provider-accounts`: adds one.
pub async fn create(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let language = operator.language();
    let typed = &visit.asked.form;
    let Some(credential) = Credential::parse(typed.get("credential")) else {
        let text =
            language.tr("This is no key. Copy it from the provider's page, whole and alone.");
        return show(visit, operator, typed, Some(("credential", text))).await;
    };
    let id = match ProviderAccountId::parse(typed.get("once")) {
        Some(id) => id,
        None => ProviderAccountId::from_random(random_bytes()?),
    };
    let sealed = credential
        .seal(&sealing_keys(visit)?, &id, random_bytes()?)
        .ok_or(Fault::Bug("a credential could not be sealed"))?;
    let named = NewProviderAccount::new(id, typed.get("name"), (&credential, sealed));
    let Some(account) = named else {
        let text = language.tr("Type a name: one line of at most 80 characters.");
        return show(visit, operator, typed, Some(("name", text))).await;
    };
    let batch = account.to_batch(operator.account(), &operator.change(visit));
    let changed = make(visit, &batch).await?;
    if changed == Changed::Refused {
        let known = read(visit, operator).await?;
        if !known.iter().any(|line| account.is(line)) {
            let text = language.tr(
                "This form was sent before with other values. Open the page anew and try again.",
            );
            return show(visit, operator, typed, Some(("name", text))).await;
        }
    }
    done(changed, "created")
}

/// `POST /provider-accounts/{id}/enable`.
pub async fn enable(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    switch(visit, operator, true).await
}

/// `POST /provider-accounts/{id}/disable`.
pub async fn disable(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    switch(visit, operator, false).await
}

async fn switch(visit: &Visit, operator: &Operator, enabled: bool) -> Outcome<Answer> {
    let id = visit.id(ProviderAccountId::parse)?;
    let change = operator.change(visit);
    let batch = switch_provider_account(operator.account(), (&id, enabled), &change);
    done(make(visit, &batch).await?, "saved")
}

/// `POST /provider-accounts/{id}/remove`.
pub async fn remove(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let id = visit.id(ProviderAccountId::parse)?;
    let batch = remove_provider_account(operator.account(), &id, &operator.change(visit));
    done(make(visit, &batch).await?, "removed")
}

fn done(changed: Changed, word: &str) -> Outcome<Answer> {
    match changed {
        // A second click finds that it is done.
        Changed::Now | Changed::Refused => {
            Ok(Answer::see_other(format!("/provider-accounts?done={word}")))
        }
        Changed::NotFound => Err(Fault::NotFound),
        Changed::Contended => Err(busy()),
    }
}

fn sealing_keys(visit: &Visit) -> Outcome<SealingKeys> {
    SealingKeys::parse(&visit.config.sealing_keys)
        .map_err(|_| Fault::Bug("`SEALING_KEYS` is not a list of keys"))
}

async fn read(visit: &Visit, operator: &Operator) -> Outcome<Vec<ProviderAccountLine>> {
    let mut batch = Batch::new();
    let step = batch.step(None, provider_accounts_statement(operator.account()));
    let reply = visit.execute(&batch).await?;
    let lines = reply.rows_of(step)?.iter().map(read_provider_account_line);
    Ok(lines.collect::<Result<_, HranaFault>>()?)
}

async fn show(
    visit: &Visit,
    operator: &Operator,
    typed: &Form,
    problem: Option<(&'static str, &'static str)>,
) -> Outcome<Answer> {
    let accounts = read(visit, operator).await?;
    let language = operator.language();
    let keys = sealing_keys(visit)?;
    let title = language.tr("Provider accounts");
    let body = html! {
        (page_head(title, language.tr("The official keys that calls go through. They are kept encrypted and shown to nobody. Of those that are switched on, the oldest is used."), html! {}))
        (card("", html! {
            @if accounts.is_empty() {
                (empty_state(language.tr("No provider account yet"),
                    language.tr("Until there is one, calls use the key in the gateway's own settings, if it has one."),
                    html! {}))
            } @else { (rows(visit, operator, &accounts, keys.current())) }
        }))
        (card(language.tr("Add a provider account"), new_form(operator, typed, problem)?))
    };
    let status = if problem.is_some() { 422 } else { 200 };
    let page = operator.page(visit, (title, "/provider-accounts"), body);
    Ok(page.status(status))
}

fn new_form(
    operator: &Operator,
    typed: &Form,
    problem: Option<(&'static str, &'static str)>,
) -> Outcome<Markup> {
    let language = operator.language();
    let once = match ProviderAccountId::parse(typed.get("once")) {
        Some(once) => once,
        None => ProviderAccountId::from_random(random_bytes()?),
    };
    let error = |field: &str| {
        let found = problem.filter(|(known, _)| *known == field);
        found.map(|(_, text)| text)
    };
    Ok(form(
        "/provider-accounts",
        operator.place.csrf(),
        Some(once.as_str()),
        html! {
            (Field::text("name", language.tr("Name")).value(typed.get("name")).required()
                .max_length(80).error(error("name")).hint(language.tr("For you, such as Main account.")))
            // What was typed is not sent back, also not after a mistake.
            (Field::secret("credential", language.tr("OpenRouter key")).required()
                .error(error("credential")).hint(language.tr("It is encrypted at once and cannot be read here again.")))
            (submit(language.tr("Add"), Tone::Primary))
        },
    ))
}

fn rows(
    visit: &Visit,
    operator: &Operator,
    accounts: &[ProviderAccountLine],
    sealing_key: &str,
) -> Markup {
    let language = operator.language();
    let rows: Vec<Vec<Markup>> = accounts
        .iter()
        .map(|account| {
            vec![
                html! { (account.name) br; span class="muted" { (account.provider) } },
                html! { @if account.hint.is_empty() { "–" } @else { code { "…" (account.hint) } } },
                state(language, account),
                tested(visit, operator, account),
                html! {
                    (account.sealing_key)
                    @if account.sealing_key != sealing_key {
                        " " (badge(Kind::Warning, language.tr("old key")))
                    }
                },
                actions(operator, account, account.sealing_key != sealing_key),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Provider accounts"),
        columns: &[
            Column::text(language.tr("Name")),
            Column::text(language.tr("Key")),
            Column::text(language.tr("State")),
            Column::text(language.tr("Last test")),
            Column::text(language.tr("Encrypted with")).wide_only(),
            Column::text(language.tr("Actions")),
        ],
        rows: &rows,
        body_id: None,
    })
}

fn state(language: Language, account: &ProviderAccountLine) -> Markup {
    match (account.enabled, account.in_use) {
        (true, true) => badge(Kind::Success, language.tr("in use")),
        (true, false) => badge(Kind::Neutral, language.tr("in reserve")),
        (false, _) => badge(Kind::Danger, language.tr("off")),
    }
}

fn tested(visit: &Visit, operator: &Operator, account: &ProviderAccountLine) -> Markup {
    let language = operator.language();
    let result = account.test_result.as_deref().and_then(TestResult::parse);
    let Some((result, at_ms)) = result.zip(account.tested_at_ms) else {
        return html! { span class="muted" { (language.tr("never")) } };
    };
    let (kind, text) = match result {
        TestResult::Works => (Kind::Success, language.tr("works")),
        TestResult::Refused => (Kind::Danger, language.tr("refused by the provider")),
        TestResult::Unclear => (Kind::Warning, language.tr("unclear answer")),
        TestResult::Unreachable => (Kind::Warning, language.tr("no answer")),
    };
    let zone = Zone::named(&operator.session.time_zone);
    html! { (badge(kind, text)) " " (ago(language, at_ms, visit.now_ms, &zone)) }
}

fn actions(operator: &Operator, account: &ProviderAccountLine, old_seal: bool) -> Markup {
    let language = operator.language();
    let id = &account.id;
    let button = |word: &str, label, confirm| {
        let button = ButtonForm {
            action: &format!("/provider-accounts/{id}/{word}"),
            csrf: operator.place.csrf(),
            label,
            tone: Tone::Quiet,
            values: &[],
            confirm,
        };
        button_form(language, &button)
    };
    let (disable, forget) = (format!("disable-{id}"), format!("remove-{id}"));
    html! {
        div class="actions" {
            (button("test", language.tr("Test"), None))
            @if old_seal { (button("reseal", language.tr("Encrypt anew"), None)) }
            @if account.enabled {
                (button("disable", language.tr("Switch off"), Some(Confirm {
                    id: &disable,
                    title: language.tr("Switch this account off?"),
                    text: language.tr("The next call goes through the next account that is switched on."),
                })))
            } @else {
                (button("enable", language.tr("Switch on"), None))
                (button("remove", language.tr("Remove"), Some(Confirm {
                    id: &forget,
                    title: language.tr("Forget this account and its key?"),
                    text: language.tr("Calls that wait for the provider's own record keep their estimates."),
                })))
            }
        }
    }
}
