//! The logo: taken from an upload, checked by its bytes, and served as a picture and nothing else.

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::brand::Brand;
use tollgate_core::brand::{Logo, LogoProblem, logo_statement, read_logo};
use tollgate_core::hrana::Batch;
use tollgate_core::ids::AccountId;

use super::show;
use crate::answer::Answer;
use crate::change::make;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{
    ButtonForm, Confirm, Field, Tone, button_form, empty_state, submit, upload_form,
};
use crate::place::{Place, Seller};
use crate::visit::Visit;

/// `GET /brand/logo`: the logo of the seller whose host this is.
pub async fn shown(visit: &Visit, place: &Place) -> Outcome<Answer> {
    serve(visit, &place.site.seller, "private, max-age=86400").await
}

/// `GET /brand/logo/own`: the logo of the seller who signed in, who may be at another's host.
pub async fn own(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    serve(visit, seller.account(), "private, no-cache").await
}

async fn serve(visit: &Visit, seller: &AccountId, cache: &str) -> Outcome<Answer> {
    let mut batch = Batch::new();
    let step = batch.step(None, logo_statement(seller));
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(step)?.first().ok_or(Fault::NotFound)?;
    let logo = read_logo(row)?;
    // Whatever the bytes are, they are a picture or nothing: no sniffing (every answer says so), no
    // scripts, no frames.
    Ok(Answer::bytes(logo.format.as_str(), logo.bytes)
        .with("cache-control", cache)
        .with("content-security-policy", "default-src 'none'; sandbox"))
}

pub(super) fn section(seller: &Seller, brand: &Brand, error: Option<&str>) -> Markup {
    let language = seller.language();
    html! {
        @if brand.has_logo {
            img src={ "/brand/logo/own?v=" (brand.updated_at_ms) } class="max-h-24 max-w-full mb-4"
                alt=(language.tr("Your logo"));
            (button_form(language, &ButtonForm {
                action: "/brand/logo/remove",
                csrf: seller.place.csrf(),
                label: language.tr("Remove the logo"),
                tone: Tone::Quiet,
                values: &[],
                confirm: Some(Confirm {
                    id: "remove-logo",
                    title: language.tr("Remove the logo?"),
                    text: language.tr("Your pages then show your name alone."),
                }),
            }))
        } @else {
            (empty_state(language.tr("No logo yet"),
                language.tr("Your pages show your name alone."), html! {}))
        }
        (upload_form("/brand/logo", seller.place.csrf(), None, html! {
            (Field::file("logo", language.tr("Picture"), "image/png,image/jpeg,image/webp").required()
                .error(error).hint(language.tr("PNG, JPEG or WebP, at most 100 KB.")))
            (submit(language.tr("Use this picture"), Tone::Plain))
        }))
    }
}

/// `POST /brand/logo`.
pub async fn upload(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let language = seller.language();
    let form = &visit.asked.form;
    let refused = |text: &str| [("logo", text.to_owned())];
    let Some(bytes) = form.file("logo") else {
        let problems = refused(language.tr("Choose a file first."));
        return show(visit, seller, form, &problems).await;
    };
    let logo = match Logo::read(bytes.to_vec()) {
        Ok(logo) => logo,
        Err(problem) => {
            let problems = refused(logo_problem(language, problem));
            return show(visit, seller, form, &problems).await;
        }
    };
    let batch = logo.to_batch(seller.account(), &seller.change(visit));
    match make(visit, &batch).await? {
        Changed::Now => Ok(Answer::see_other("/brand?done=saved")),
        Changed::Refused => {
            let problems = refused(language.tr("Save your name and colour first, then the logo."));
            show(visit, seller, form, &problems).await
        }
        Changed::NotFound | Changed::Contended => Err(Fault::NotFound),
    }
}

/// `POST /brand/logo/remove`.
pub async fn remove(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let batch = Logo::removal(seller.account(), &seller.change(visit));
    match make(visit, &batch).await? {
        Changed::Now | Changed::Refused => Ok(Answer::see_other("/brand?done=removed")),
        Changed::NotFound | Changed::Contended => Err(Fault::NotFound),
    }
}

const fn logo_problem(language: Language, problem: LogoProblem) -> &'static str {
    match problem {
        LogoProblem::TooLarge => {
            language.tr("The file has more than 100 KB. Make the picture smaller.")
        }
        LogoProblem::UnknownFormat => language.tr("The file is no PNG, JPEG or WebP."),
        LogoProblem::Broken => {
            language.tr("The picture is broken or has something after its end. Save it anew.")
        }
        LogoProblem::BadSize => language.tr("A side of the picture has more than 4,096 pixels."),
    }
}
