//! The frame of each kind of page: whose brand it shows, and which pages its navigation leads to. What
//! a frame looks like is in `page`.

use maud::Markup;
use tollgate_core::people::Role;

use crate::answer::Answer;
use crate::language::Language;
use crate::page::{self, Brand, Entry, Flash, Frame, Icon, Kind, Nav};
use crate::place::{Person, Place};
use crate::visit::Visit;

impl Place {
    /// A page for whoever has not signed in.
    pub fn door(&self, visit: &Visit, title: &str, body: Markup) -> Answer {
        let frame = Frame {
            title: title.to_owned(),
            language: visit.language(),
            brand: self.brand(),
            nav: None,
            flash: None,
        };
        Answer::html(page::door(&frame, body))
    }

    fn brand(&self) -> Brand {
        let brand = &self.site.brand;
        let version = brand.updated_at_ms;
        Brand {
            name: brand.name.clone(),
            logo: brand.has_logo.then(|| format!("/brand/logo?v={version}")),
            color_sheet: Some(format!("/brand/color.css?v={version}")),
            support_url: brand.support_url.clone(),
        }
    }
}

impl Person {
    /// A page for who signed in; `active` is the path of the navigation's entry that is open. What was
    /// just done, if the address says that something was, stands above it.
    pub fn page(&self, visit: &Visit, (title, active): (&str, &str), body: Markup) -> Answer {
        let flash = done(self.language(), visit.asked.query.get("done"));
        self.page_with(visit, (title, active), flash, body)
    }

    /// The same with a message of its own, such as why a form was refused.
    pub fn page_with(
        &self,
        _visit: &Visit,
        (title, active): (&str, &str),
        flash: Option<Flash>,
        body: Markup,
    ) -> Answer {
        let language = self.language();
        let session = &self.session;
        let person = Some(session.name.as_str()).filter(|name| !name.is_empty());
        let frame = Frame {
            title: title.to_owned(),
            language,
            brand: self.place.brand(),
            nav: Some(Nav {
                role: role_name(language, session.role),
                entries: entries(language, session.role),
                active: active.to_owned(),
                person: person.unwrap_or(session.email.as_str()).to_owned(),
                csrf: self.place.csrf().to_owned(),
            }),
            flash,
        };
        Answer::html(page::frame(&frame, body))
    }
}

const fn role_name(language: Language, role: Role) -> &'static str {
    match role {
        Role::EndUser => "",
        Role::Reseller => language.tr("Reseller"),
        Role::Operator => language.tr("Operator"),
    }
}

/// The message after a form was carried out: the form leads to a page with `?done=` and one of these
/// words.
fn done(language: Language, word: &str) -> Option<Flash> {
    let text = match word {
        "saved" => language.tr("Saved."),
        "created" => language.tr("Created."),
        "ended" => language.tr("Ended."),
        "removed" => language.tr("Removed."),
        "protected" => {
            language.tr("The second factor is set up. Your other sessions ask for it, too.")
        }
        "tested" => language.tr("The provider was asked. What it said stands in the list."),
        "revoked" => language.tr("The key is revoked. Its next call is refused."),
        "suspended" => language.tr("Suspended. The next call is refused."),
        "resumed" => language.tr("Active again."),
        "granted" => language.tr("The credit is granted."),
        "refunded" => language.tr("The refund is on its way."),
        "paid" => language.tr("Thank you. The credit is on your account."),
        "card_saved" => language.tr("The card is saved."),
        "card_removed" => language.tr("The card is removed, and automatic top-up is off."),
        "pending" => {
            language.tr("Thank you. The credit comes as soon as the payment is confirmed.")
        }
        "canceled" => language.tr("The payment was canceled. Nothing was charged."),
        _ => return None,
    };
    Some(Flash {
        kind: Kind::Success,
        text: text.to_owned(),
    })
}

/// The pages of each role. A page that a role may not open is not among them.
fn entries(language: Language, role: Role) -> Vec<Entry> {
    let entry = |label, path, icon| Entry { label, path, icon };
    let buyer = [
        entry(language.tr("Overview"), "/", Icon::Overview),
        entry(language.tr("Keys"), "/keys", Icon::Keys),
        entry(language.tr("Requests"), "/requests", Icon::Requests),
        entry(language.tr("Billing"), "/billing", Icon::Billing),
        entry(language.tr("Playground"), "/playground", Icon::Playground),
    ];
    let seller = [
        entry(language.tr("Prices"), "/prices", Icon::Prices),
        entry(language.tr("Customers"), "/customers", Icon::Customers),
        entry(language.tr("Revenue"), "/revenue", Icon::Revenue),
        entry(language.tr("Brand"), "/brand", Icon::Brand),
    ];
    let operator = [
        entry(language.tr("Resellers"), "/resellers", Icon::Resellers),
        entry(language.tr("Models"), "/models", Icon::Models),
        entry(
            language.tr("Provider accounts"),
            "/provider-accounts",
            Icon::Providers,
        ),
        entry(language.tr("Domains"), "/domains", Icon::Domains),
    ];
    let rest = [
        entry(language.tr("Audit log"), "/audit", Icon::Audit),
        entry(language.tr("Settings"), "/settings", Icon::Settings),
    ];
    let mut entries = Vec::new();
    match role {
        Role::EndUser => entries.extend(buyer),
        Role::Reseller => {
            entries.extend(seller);
            entries.extend(buyer);
        }
        Role::Operator => {
            entries.extend(seller);
            entries.extend(operator);
        }
    }
    entries.extend(rest);
    entries
}
