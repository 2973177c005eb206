//! What a seller's pages look like and where they are found: name, colour, support link, logo, hosts. What
//! a brand and a logo may be is decided by `core::brand`; nothing is fetched from anywhere.

mod domains;
mod logo;

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::brand::{Brand, brand_statement, read_brand};
use tollgate_core::brand::{
    BrandInput, BrandProblem, ColorProblem, DomainLine, domains_statement, read_domain_line,
};
use tollgate_core::hrana::{Batch, HranaFault};

use crate::answer::Answer;
use crate::change::make;
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::language::Language;
use crate::page::{Field, Tone, card, form, page_head, submit};
use crate::place::Seller;
use crate::visit::Visit;

pub use domains::{ask_for as ask_for_domain, remove as remove_domain};
pub use logo::{own as own_logo, remove as remove_logo, shown as logo, upload};

/// What was wrong with a form of the page: the field and the text.
type Problem = (&'static str, String);

/// `GET /brand`.
pub async fn page(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    show(visit, seller, &Form::default(), &[]).await
}

/// `POST /brand`: name, colour and support link.
pub async fn save(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let typed = &visit.asked.form;
    let input = BrandInput {
        name: typed.get("name"),
        color: typed.get("color"),
        support_url: typed.get("support_url"),
    };
    let edit = match input.read() {
        Ok(edit) => edit,
        Err(problems) => {
            let language = seller.language();
            let told = |problem: BrandProblem| (problem.field(), brand_problem(language, problem));
            let problems: Vec<Problem> = problems.into_iter().map(told).collect();
            return show(visit, seller, typed, &problems).await;
        }
    };
    let batch = edit.to_batch(seller.account(), &seller.change(visit));
    match make(visit, &batch).await? {
        Changed::Now => Ok(Answer::see_other("/brand?done=saved")),
        Changed::NotFound | Changed::Refused | Changed::Contended => Err(Fault::NotFound),
    }
}

/// The page, with what was typed into one of its forms and what was wrong with it.
async fn show(
    visit: &Visit,
    seller: &Seller,
    typed: &Form,
    problems: &[Problem],
) -> Outcome<Answer> {
    let mut batch = Batch::new();
    let brand = batch.step(None, brand_statement(seller.account()));
    let domains = batch.step(None, domains_statement(seller.account(), false));
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(brand)?.first().ok_or(Fault::NotFound)?;
    let brand = read_brand(row)?;
    let domains: Vec<DomainLine> = reply
        .rows_of(domains)?
        .iter()
        .map(read_domain_line)
        .collect::<Result<_, HranaFault>>()?;
    let language = seller.language();
    let title = language.tr("Brand");
    let body = html! {
        (page_head(title, language.tr("How your pages look to your customers, and where they find them."), html! {}))
        div class="grid gap-6 lg:grid-cols-2" {
            (card(language.tr("Name and colour"), brand_form(seller, &brand, typed, problems)))
            (card(language.tr("Logo"), logo::section(seller, &brand, problem(problems, "logo"))))
        }
        (card(language.tr("Domains"), domains::section(seller, &domains, typed, problem(problems, "host"))))
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    Ok(seller.page(visit, (title, "/brand"), body).status(status))
}

fn brand_form(seller: &Seller, brand: &Brand, typed: &Form, problems: &[Problem]) -> Markup {
    let language = seller.language();
    let support_url = brand.support_url.clone().unwrap_or_default();
    let value = |name: &str, stored: &str| -> String {
        typed.all(name).next().unwrap_or(stored).to_owned()
    };
    let name = value("name", &brand.name);
    let color = value("color", &brand.color);
    let support_url = value("support_url", &support_url);
    form(
        "/brand",
        seller.place.csrf(),
        None,
        html! {
            (Field::text("name", language.tr("Name")).value(&name).required().max_length(60)
                .error(problem(problems, "name")))
            (Field::color("color", language.tr("Colour")).value(&color)
                .error(problem(problems, "color"))
                .hint(language.tr("Buttons and links have it. White text must be readable on it.")))
            (Field::url("support_url", language.tr("Support link")).value(&support_url)
                .error(problem(problems, "support_url")).placeholder("https://help.example")
                .hint(language.tr("Where your customers get help. Empty: no link.")))
            (submit(language.tr("Save"), Tone::Primary))
        },
    )
}

fn problem<'a>(problems: &'a [Problem], field: &str) -> Option<&'a str> {
    let found = problems.iter().find(|(known, _)| *known == field);
    found.map(|(_, text)| text.as_str())
}

fn brand_problem(language: Language, problem: BrandProblem) -> String {
    let text = match problem {
        BrandProblem::NameMissing => language.tr("Say what you are called."),
        BrandProblem::NameTooLong => language.tr("A name has at most 60 characters."),
        BrandProblem::NameNotPlain => language.tr("A name is one line without hidden characters."),
        BrandProblem::Color(ColorProblem::NotAColor) => {
            language.tr("Type a colour as # and six digits, such as #2563eb.")
        }
        BrandProblem::Color(ColorProblem::TooLight { contrast }) => {
            let contrast = format!("{}.{:02}", contrast / 100, contrast % 100);
            return language.fill(
                "This colour is too light to read white text on: its contrast is {contrast}, and 4.5 is the least. Choose a darker one.",
                &[("contrast", &contrast)],
            );
        }
        BrandProblem::UrlNotHttps => {
            language.tr("Type an address that begins with https:// and a host.")
        }
        BrandProblem::UrlTooLong => language.tr("An address has at most 500 characters."),
    };
    text.to_owned()
}
