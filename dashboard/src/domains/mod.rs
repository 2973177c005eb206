//! Every host that a seller asked for, for the operator: verify it, or take it away.

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::brand::{
    DomainLine, domains_statement, read_domain_line, remove_domain, verify_domain,
};
use tollgate_core::hrana::{Batch, HranaFault};
use tollgate_core::ids::AccountId;

use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::page::{
    ButtonForm, Column, Confirm, Kind, Table, Tone, Zone, badge, button_form, card, day,
    empty_state, page_head, table,
};
use crate::place::Operator;
use crate::visit::Visit;

/// `GET /domains`.
pub async fn page(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let mut batch = Batch::new();
    let step = batch.step(None, domains_statement(operator.account(), true));
    let reply = visit.execute(&batch).await?;
    let domains: Vec<DomainLine> = reply
        .rows_of(step)?
        .iter()
        .map(read_domain_line)
        .collect::<Result<_, HranaFault>>()?;
    let language = operator.language();
    let title = language.tr("Domains");
    let body = html! {
        (page_head(title, language.tr("Which host shows whose pages. A host that you have not verified shows nothing. Before you verify one, make sure that it is the seller's and leads here."), html! {}))
        (card("", html! {
            @if domains.is_empty() {
                (empty_state(language.tr("No domains yet"),
                    language.tr("What sellers ask for on their brand page stands here."), html! {}))
            } @else { (rows(operator, &domains)) }
        }))
    };
    Ok(operator.page(visit, (title, "/domains"), body))
}

fn rows(operator: &Operator, domains: &[DomainLine]) -> Markup {
    let language = operator.language();
    let zone = Zone::named(&operator.session.time_zone);
    let rows: Vec<Vec<Markup>> = (0..)
        .zip(domains)
        .map(|(at, domain): (usize, &DomainLine)| {
            let state = if domain.verified_at_ms.is_some() {
                badge(Kind::Success, language.tr("verified"))
            } else {
                badge(Kind::Warning, language.tr("waits for you"))
            };
            vec![
                html! { (domain.host) },
                html! { (domain.account_name) },
                state,
                day(language, domain.created_at_ms, &zone),
                actions(operator, domain, at),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Domains"),
        columns: &[
            Column::text(language.tr("Host")),
            Column::text(language.tr("Seller")),
            Column::text(language.tr("State")),
            Column::text(language.tr("Asked for")).wide_only(),
            Column::text(language.tr("Actions")),
        ],
        rows: &rows,
        body_id: None,
    })
}

fn actions(operator: &Operator, domain: &DomainLine, at: usize) -> Markup {
    let language = operator.language();
    let button = |action, label, confirm| {
        let values = [
            ("host", domain.host.as_str()),
            ("seller", domain.account.as_str()),
        ];
        let button = ButtonForm {
            action,
            csrf: operator.place.csrf(),
            label,
            tone: Tone::Quiet,
            values: &values,
            confirm: Some(confirm),
        };
        button_form(language, &button)
    };
    let shown = language.fill(
        "From now on {host} shows the pages of {seller}, and people sign in there.",
        &[("host", &domain.host), ("seller", &domain.account_name)],
    );
    let (verify, remove) = (format!("verify-{at}"), format!("remove-{at}"));
    html! {
        div class="actions" {
            @if domain.verified_at_ms.is_none() {
                (button("/domains/verify", language.tr("Verify"), Confirm {
                    id: &verify,
                    title: language.tr("Does this host belong to the seller?"),
                    text: &shown,
                }))
            }
            // Whoever takes away the host of this page cannot come back to it.
            @if domain.host != operator.place.site.host() {
                (button("/domains/remove", language.tr("Remove"), Confirm {
                    id: &remove,
                    title: language.tr("Remove this domain?"),
                    text: language.tr("It shows nothing from now on, and links that lead there no longer work."),
                }))
            }
        }
    }
}

/// `POST /domains/verify`: the host as the operator saw it, with its seller.
pub async fn verify(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let form = &visit.asked.form;
    let seller = AccountId::parse(form.get("seller")).ok_or(Fault::NotFound)?;
    let claim = (form.get("host"), &seller);
    let batch = verify_domain(operator.account(), claim, &operator.change(visit));
    match make(visit, &batch).await? {
        Changed::NotFound => Err(Fault::NotFound),
        changed => done(changed, "saved"),
    }
}

/// `POST /domains/remove`; not of the host that this page is at, since nobody could come back to it.
pub async fn remove(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let host = visit.asked.form.get("host");
    if host == operator.place.site.host() {
        return Err(Fault::NotFound);
    }
    let batch = remove_domain(operator.account(), host, &operator.change(visit));
    done(make(visit, &batch).await?, "removed")
}

fn done(changed: Changed, word: &str) -> Outcome<Answer> {
    match changed {
        // A second click finds that it is done.
        Changed::Now | Changed::Refused | Changed::NotFound => {
            Ok(Answer::see_other(format!("/domains?done={word}")))
        }
        Changed::Contended => Err(busy()),
    }
}
