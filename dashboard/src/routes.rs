//! The complete list of routes, each with who may use it and what answers it. Who is let in is decided in
//! `entrance`.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::place::{Buyer, Operator, Person, Place, Seller};
use crate::visit::Visit;
use crate::{
    assets, audit, billing, brand, customers, domains, keys, models, overview, page, payments,
    playground, prices, provider_accounts, requests, resellers, revenue, second_factor, settings,
    sign_in,
};

/// What a handler comes to.
type Pending<'a> = Pin<Box<dyn Future<Output = Outcome<Answer>> + 'a>>;

/// Who may use a route, and what answers it. To everybody else the route does not exist, or it leads
/// to the sign-in.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Machines, at any host and without a session; who sends something proves itself by its signature.
    Machine(for<'a> fn(&'a Visit) -> Pending<'a>),
    /// Anybody at a known host.
    Anybody(for<'a> fn(&'a Visit, &'a Place) -> Pending<'a>),
    /// Who signed in, though perhaps not with the second factor yet.
    HalfSignedIn(for<'a> fn(&'a Visit, &'a Person) -> Pending<'a>),
    /// Who signed in.
    Person(for<'a> fn(&'a Visit, &'a Person) -> Pending<'a>),
    /// Who has a wallet: end users and resellers.
    Buyer(for<'a> fn(&'a Visit, &'a Buyer) -> Pending<'a>),
    /// Who has customers: resellers and the operator.
    Seller(for<'a> fn(&'a Visit, &'a Seller) -> Pending<'a>),
    /// The operator.
    Operator(for<'a> fn(&'a Visit, &'a Operator) -> Pending<'a>),
}

/// Who may use a route, without what answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Machines, at any host.
    Machine,
    /// Anybody at a known host.
    Anybody,
    /// Who signed in, though perhaps not with the second factor yet.
    HalfSignedIn,
    /// Who signed in.
    Person,
    /// End users and resellers.
    Buyer,
    /// Resellers and the operator.
    Seller,
    /// The operator.
    Operator,
}

impl Handler {
    const fn access(self) -> Access {
        match self {
            Self::Machine(_) => Access::Machine,
            Self::Anybody(_) => Access::Anybody,
            Self::HalfSignedIn(_) => Access::HalfSignedIn,
            Self::Person(_) => Access::Person,
            Self::Buyer(_) => Access::Buyer,
            Self::Seller(_) => Access::Seller,
            Self::Operator(_) => Access::Operator,
        }
    }
}

/// Every route's method, path and who may use it: what a test walks, so that no route is forgotten.
pub fn route_list() -> impl Iterator<Item = (&'static str, &'static str, Access)> {
    ROUTES
        .iter()
        .map(|route| (route.method, route.path, route.handler.access()))
}

/// One route.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path; `{name}` stands for one part of it.
    pub path: &'static str,
    /// Who may use it, and what answers it.
    pub handler: Handler,
}

macro_rules! routes {
    ($($method:ident $path:literal $who:ident($($arg:ident),+) $answer:expr;)+) => {
        &[$(Route {
            method: stringify!($method),
            path: $path,
            handler: Handler::$who(|$($arg),+| Box::pin($answer)),
        }),+]
    };
}

/// Every route.
pub static ROUTES: &[Route] = routes! {
    GET "/health" Machine(_visit) health();

    GET "/assets/{file}" Machine(visit) asset(visit);

    GET "/sign-in" Anybody(visit, place) sign_in::page(visit, place);
    POST "/sign-in" Anybody(visit, place) sign_in::ask_for_code(visit, place);
    GET "/sign-in/code" Anybody(visit, place) sign_in::code_page(visit, place);
    POST "/sign-in/code" Anybody(visit, place) sign_in::enter_code(visit, place);
    GET "/sign-in/link/{token}" Anybody(visit, place) sign_in::use_link(visit, place);
    GET "/sign-in/github" Anybody(visit, place) sign_in::to_github(visit, place);
    GET "/sign-in/github/callback" Anybody(visit, place) sign_in::back_from_github(visit, place);

    POST "/sign-out" HalfSignedIn(visit, person) sign_in::sign_out(visit, person);

    GET "/second-factor" HalfSignedIn(visit, person) second_factor::page(visit, person);
    POST "/second-factor" HalfSignedIn(visit, person) second_factor::enter(visit, person);

    GET "/brand/color.css" Anybody(_visit, place) color_sheet(place);

    GET "/" Person(visit, person) overview::page(visit, person);

    GET "/keys" Buyer(visit, buyer) keys::list_page(visit, buyer);
    POST "/keys" Buyer(visit, buyer) keys::create(visit, buyer);
    GET "/keys/new" Buyer(visit, buyer) keys::new_page(visit, buyer);
    GET "/keys/{id}" Buyer(visit, buyer) keys::detail_page(visit, buyer);
    POST "/keys/{id}" Buyer(visit, buyer) keys::edit(visit, buyer);
    POST "/keys/{id}/revoke" Buyer(visit, buyer) keys::revoke(visit, buyer);

    GET "/quick-start" Buyer(visit, buyer) keys::quick_start(visit, buyer);

    GET "/requests" Buyer(visit, buyer) requests::list_page(visit, buyer);
    GET "/requests/newer" Buyer(visit, buyer) requests::newer(visit, buyer);
    GET "/requests/export" Buyer(visit, buyer) requests::download(visit, buyer);
    GET "/requests/{id}" Buyer(visit, buyer) requests::detail_page(visit, buyer);

    GET "/billing" Buyer(visit, buyer) billing::page(visit, buyer);
    POST "/billing/orders" Buyer(visit, buyer) billing::buy(visit, buyer);
    GET "/billing/orders/{id}" Buyer(visit, buyer) billing::order(visit, buyer);
    POST "/billing/orders/{id}/pay" Buyer(visit, buyer) billing::pay(visit, buyer);
    GET "/billing/orders/{id}/done" Buyer(visit, buyer) billing::done(visit, buyer);
    GET "/billing/orders/{id}/canceled" Buyer(visit, buyer) billing::canceled(visit, buyer);
    POST "/billing/orders/{id}/cancel" Buyer(visit, buyer) billing::cancel(visit, buyer);
    POST "/billing/orders/{id}/refund" Buyer(visit, buyer) billing::refund(visit, buyer);
    POST "/billing/top-up" Buyer(visit, buyer) billing::set_top_up(visit, buyer);
    POST "/billing/card" Buyer(visit, buyer) billing::save_card(visit, buyer);
    GET "/billing/card/done" Buyer(visit, buyer) billing::card_done(visit, buyer);
    POST "/billing/card/remove" Buyer(visit, buyer) billing::remove_card(visit, buyer);
    POST "/billing/portal" Buyer(visit, buyer) billing::portal(visit, buyer);
    GET "/billing/statement" Buyer(visit, buyer) billing::statement(visit, buyer);
    GET "/billing/statement.csv" Buyer(visit, buyer) billing::statement_file(visit, buyer);

    POST "/stripe/webhook" Machine(visit) payments::webhook(visit);

    GET "/prices" Seller(visit, seller) prices::page(visit, seller);
    POST "/prices/rules" Seller(visit, seller) prices::save(visit, seller);
    POST "/prices/rules/{id}/end" Seller(visit, seller) prices::end(visit, seller);
    GET "/prices/history" Seller(visit, seller) prices::history(visit, seller);

    GET "/customers" Seller(visit, seller) customers::list(visit, seller);
    GET "/customers/{id}" Seller(visit, seller) customers::page(visit, seller);
    POST "/customers/{id}/suspend" Seller(visit, seller) customers::suspend(visit, seller);
    POST "/customers/{id}/resume" Seller(visit, seller) customers::resume(visit, seller);
    POST "/customers/{id}/grants" Seller(visit, seller) customers::grant(visit, seller);
    POST "/customers/{id}/limits" Seller(visit, seller) customers::set_limits(visit, seller);
    POST "/customers/{id}/spend-limits" Seller(visit, seller) customers::set_spending(visit, seller);

    GET "/revenue" Seller(visit, seller) revenue::page(visit, seller);
    GET "/revenue/export" Seller(visit, seller) revenue::export(visit, seller);

    GET "/brand/logo" Anybody(visit, place) brand::logo(visit, place);
    GET "/brand/logo/own" Seller(visit, seller) brand::own_logo(visit, seller);
    GET "/brand" Seller(visit, seller) brand::page(visit, seller);
    POST "/brand" Seller(visit, seller) brand::save(visit, seller);
    POST "/brand/logo" Seller(visit, seller) brand::upload(visit, seller);
    POST "/brand/logo/remove" Seller(visit, seller) brand::remove_logo(visit, seller);
    POST "/brand/domains" Seller(visit, seller) brand::ask_for_domain(visit, seller);
    POST "/brand/domains/remove" Seller(visit, seller) brand::remove_domain(visit, seller);

    GET "/resellers" Operator(visit, operator) resellers::page(visit, operator);
    POST "/resellers" Operator(visit, operator) resellers::create(visit, operator);

    GET "/models" Operator(visit, operator) models::page(visit, operator);
    POST "/models/switch" Operator(visit, operator) models::switch(visit, operator);
    POST "/models/provider" Operator(visit, operator) models::switch_provider(visit, operator);
    POST "/models/refusals" Operator(visit, operator) models::refuse(visit, operator);
    POST "/models/refusals/remove" Operator(visit, operator) models::accept(visit, operator);
    POST "/models/import" Operator(visit, operator) models::paste(visit, operator);
    POST "/models/fetch" Operator(visit, operator) models::fetch(visit, operator);

    GET "/provider-accounts" Operator(visit, operator) provider_accounts::page(visit, operator);
    POST "/provider-accounts" Operator(visit, operator) provider_accounts::create(visit, operator);
    POST "/provider-accounts/{id}/enable" Operator(visit, operator) provider_accounts::enable(visit, operator);
    POST "/provider-accounts/{id}/disable" Operator(visit, operator) provider_accounts::disable(visit, operator);
    POST "/provider-accounts/{id}/remove" Operator(visit, operator) provider_accounts::remove(visit, operator);
    POST "/provider-accounts/{id}/test" Operator(visit, operator) provider_accounts::test(visit, operator);
    POST "/provider-accounts/{id}/reseal" Operator(visit, operator) provider_accounts::reseal(visit, operator);

    GET "/domains" Operator(visit, operator) domains::page(visit, operator);
    POST "/domains/verify" Operator(visit, operator) domains::verify(visit, operator);
    POST "/domains/remove" Operator(visit, operator) domains::remove(visit, operator);

    GET "/audit" Person(visit, person) audit::page(visit, person);

    GET "/playground" Buyer(visit, buyer) playground::page(visit, buyer);
    POST "/playground" Buyer(visit, buyer) playground::run(visit, buyer);

    GET "/settings" Person(visit, person) settings::page(visit, person);
    POST "/settings/profile" Person(visit, person) settings::save_profile(visit, person);
    POST "/settings/sessions/end" Person(visit, person) settings::end_session(visit, person);
    POST "/settings/sessions/end-all" Person(visit, person) settings::end_all_sessions(visit, person);
    POST "/settings/second-factor/remove" Person(visit, person) settings::remove_second_factor(visit, person);
    POST "/settings/github/remove" Person(visit, person) settings::unlink_github(visit, person);
    GET "/settings/data" Person(visit, person) settings::download(visit, person);
    GET "/settings/close" Buyer(visit, person) settings::close_page(visit, person);
    POST "/settings/close" Buyer(visit, person) settings::close(visit, person);
};

static PATHS: LazyLock<matchit::Router<&'static str>> = LazyLock::new(|| {
    let mut paths = matchit::Router::new();
    for route in ROUTES {
        // The same path comes once for each method.
        let _ = paths.insert(route.path, route.path);
    }
    paths
});

/// The path of the route list that an address has, and what stands in it where the route has a name.
pub fn find(path: &str) -> Option<(&'static str, Vec<(String, String)>)> {
    let found = PATHS.at(path).ok()?;
    let params = found.params.iter();
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some((*found.value, params.collect()))
}

async fn health() -> Outcome<Answer> {
    Ok(Answer::text("application/json", r#"{"status":"ok"}"#))
}

async fn color_sheet(place: &Place) -> Outcome<Answer> {
    let sheet = page::color_sheet(&place.site.brand.color);
    Ok(Answer::text("text/css; charset=utf-8", sheet)
        .with("cache-control", "private, max-age=86400"))
}

async fn asset(visit: &Visit) -> Outcome<Answer> {
    assets::find(&visit.asked.path)
        .map(Answer::asset)
        .ok_or(Fault::NotFound)
}
