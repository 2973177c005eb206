//! The hosts of a seller's pages, as the seller asks for them. The operator verifies them elsewhere.

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::brand::{
    DomainLine, DomainProblem, Host, Requested, remove_domain, request_domain,
};

use super::show;
use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Confirm, Field, Kind, Table, Tone, Zone, badge, button_form, day,
    empty_state, form, submit, table,
};
use crate::place::Seller;
use crate::visit::Visit;

pub(super) fn section(
    seller: &Seller,
    domains: &[DomainLine],
    typed: &Form,
    error: Option<&str>,
) -> Markup {
    let language = seller.language();
    html! {
        @if domains.is_empty() {
            (empty_state(language.tr("No domain yet"),
                language.tr("Ask for a host of your own, such as ai.example.com. As soon as the operator has verified it, it shows your pages."),
                html! {}))
        } @else {
            (rows(seller, domains))
        }
        (form("/brand/domains", seller.place.csrf(), None, html! {
            (Field::text("host", language.tr("Host")).value(typed.get("host")).required()
                .max_length(253).placeholder("ai.example.com").error(error)
                .hint(language.tr("Point it to this installation at your DNS provider, then ask for it.")))
            (submit(language.tr("Ask for this domain"), Tone::Plain))
        }))
    }
}

fn rows(seller: &Seller, domains: &[DomainLine]) -> Markup {
    let language = seller.language();
    let zone = Zone::named(&seller.session.time_zone);
    let rows: Vec<Vec<Markup>> = (0..)
        .zip(domains)
        .map(|(at, domain): (usize, &DomainLine)| {
            vec![
                html! { (domain.host) },
                match domain.verified_at_ms {
                    Some(_) => badge(Kind::Success, language.tr("in use")),
                    None => badge(Kind::Info, language.tr("waits for the operator")),
                },
                day(language, domain.created_at_ms, &zone),
                button_form(language, &ButtonForm {
                    action: "/brand/domains/remove",
                    csrf: seller.place.csrf(),
                    label: language.tr("Remove"),
                    tone: Tone::Quiet,
                    values: &[("host", &domain.host)],
                    confirm: Some(Confirm {
                        id: &format!("remove-{at}"),
                        title: language.tr("Give up this domain?"),
                        text: language.tr("It shows nothing from now on, and links that lead there no longer work."),
                    }),
                }),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Domains"),
        columns: &[
            Column::text(language.tr("Host")),
            Column::text(language.tr("State")),
            Column::text(language.tr("Asked for")).wide_only(),
            Column::text(language.tr("Actions")),
        ],
        rows: &rows,
        body_id: None,
    })
}

/// `POST /brand/domains`.
pub async fn ask_for(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let language = seller.language();
    let typed = &visit.asked.form;
    let refused = |text: &str| [("host", text.to_owned())];
    let host = match Host::parse(typed.get("host")) {
        Ok(host) => host,
        Err(problem) => {
            let problems = refused(host_problem(language, problem));
            return show(visit, seller, typed, &problems).await;
        }
    };
    let batch = request_domain(seller.account(), &host, &seller.change(visit));
    let mut requested = batch.read(&visit.execute(batch.batch()).await?);
    if requested == Requested::Contended {
        requested = batch.read(&visit.execute(batch.batch()).await?);
    }
    let text = match requested {
        Requested::Now | Requested::Before => return Ok(Answer::see_other("/brand?done=saved")),
        Requested::Taken => language
            .tr("Somebody else asked for this host before. If it is yours, write to the operator."),
        Requested::TooMany => {
            language.tr("You have five domains, which is the most. Remove one first.")
        }
        Requested::Impossible => return Err(Fault::NotFound),
        Requested::Contended => return Err(busy()),
    };
    show(visit, seller, typed, &refused(text)).await
}

/// `POST /brand/domains/remove`: of the seller's own, also when the seller is the operator.
pub async fn remove(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let host = visit.asked.form.get("host");
    let batch = remove_domain(seller.account(), host, &seller.change(visit));
    match make(visit, &batch).await? {
        // A second click finds nothing more to remove.
        Changed::Now | Changed::Refused | Changed::NotFound => {
            Ok(Answer::see_other("/brand?done=removed"))
        }
        Changed::Contended => Err(busy()),
    }
}

/// What to do about a host that is none.
pub(crate) const fn host_problem(language: Language, problem: DomainProblem) -> &'static str {
    match problem {
        DomainProblem::Missing => language.tr("Type the name of a host."),
        DomainProblem::TooLong => language.tr("The name of a host has at most 253 characters."),
        DomainProblem::NotOnlyAHost => {
            language.tr("Type the host alone, without https://, port or path.")
        }
        DomainProblem::Number => language.tr("Type a name, not an address of numbers."),
        DomainProblem::NotAName => language.tr(
            "This is no name that a host on the internet can have. Letters beyond A to Z are written as xn--….",
        ),
    }
}
