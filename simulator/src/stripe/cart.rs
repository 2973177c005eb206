//! What a new Checkout session is for and for whom: the rules across its parameters, which their table
//! cannot say.

use super::form::{self, Field, Fields};
use super::intents::chargeable;
use super::objects::Objects;
use super::refusal::Refusal;

/// The rules about the customer that no single parameter shows.
pub fn customer(objects: &Objects, fields: &Fields) -> Result<Option<String>, Refusal> {
    let Some(id) = form::text(fields, "customer") else {
        if form::group(fields, "customer_update").is_some() {
            let message = "`customer_update` can only be used with `customer`.";
            return Err(Refusal::invalid(message).param("customer_update"));
        }
        return Ok(None);
    };
    let known = objects.customers.get(id);
    let known = known.ok_or_else(|| Refusal::no_such("customer", id, "customer"))?;
    for other in ["customer_email", "customer_creation"] {
        if form::text(fields, other).is_some() {
            let message =
                format!("You may only specify one of these parameters: customer, {other}.");
            return Err(Refusal::invalid(message)
                .code("parameters_exclusive")
                .param(other));
        }
    }
    let taxed = form::is_true(fields, "automatic_tax.enabled");
    let updates =
        |part: &str| form::text(fields, &format!("customer_update.{part}")) == Some("auto");
    if taxed && !known.has_address() && !updates("address") {
        let message = "Automatic tax calculation in Checkout requires a valid address on the \
                       Customer. Set `customer_update[address]` to `auto` to save the one that is \
                       entered in Checkout.";
        return Err(Refusal::invalid(message).code("customer_tax_location_invalid"));
    }
    if form::is_true(fields, "tax_id_collection.enabled") && !updates("name") {
        let message = "Tax ID collection requires updating the business name on the customer. Set \
                       `customer_update[name]` to `auto`.";
        return Err(Refusal::invalid(message).param("customer_update[name]"));
    }
    Ok(Some(id.to_owned()))
}

/// What is bought.
#[derive(Debug)]
pub struct Cart {
    /// Cents of all items.
    pub subtotal: i64,
    /// `usd`
    pub currency: Option<String>,
    /// Whether taxes come on top.
    pub tax_exclusive: bool,
    /// What the page calls the items.
    pub titles: Vec<String>,
}

/// The line items of a payment.
pub fn read(fields: &Fields) -> Result<Cart, Refusal> {
    let items = form::group(fields, "line_items").filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Refusal::missing("line_items"))?;
    if form::group(fields, "setup_intent_data").is_some() {
        return Err(not_in("setup_intent_data", "payment"));
    }
    let mut cart = Cart {
        subtotal: 0,
        currency: None,
        tax_exclusive: false,
        titles: Vec::new(),
    };
    for (index, item) in items {
        if let Field::Group(item) = item {
            add(&mut cart, item, &format!("line_items[{index}]"))?;
        }
    }
    let currency = cart.currency.as_deref().unwrap_or_default();
    chargeable(cart.subtotal, currency, "line_items")?;
    if form::text(fields, "currency").is_some_and(|wanted| wanted != currency) {
        let message = "`currency` is not the currency of the line items.";
        return Err(Refusal::invalid(message).param("currency"));
    }
    Ok(cart)
}

fn add(cart: &mut Cart, item: &Fields, name: &str) -> Result<(), Refusal> {
    let inside = |member: &str| format!("{name}[{member}]");
    let needs = |member: &str| Refusal::missing(&inside(member));
    let text = |path: &str| form::text(item, path);
    let amount = form::integer(item, "price_data.unit_amount");
    let quantity = form::integer(item, "quantity").ok_or_else(|| needs("quantity"))?;
    let currency = text("price_data.currency").ok_or_else(|| needs("price_data"))?;
    let amount = amount.ok_or_else(|| needs("price_data][unit_amount"))?;
    let title =
        text("price_data.product_data.name").ok_or_else(|| needs("price_data][product_data"))?;
    if amount < 0 || !(1..=999_999).contains(&quantity) {
        let param = if amount < 0 {
            "price_data][unit_amount"
        } else {
            "quantity"
        };
        let message = "This value must be greater than or equal to 1.";
        return Err(Refusal::invalid(message).param(&inside(param)));
    }
    if cart
        .currency
        .as_deref()
        .is_some_and(|other| other != currency)
    {
        let message = "All line items of a session must have the same currency.";
        return Err(Refusal::invalid(message).param(&inside("price_data][currency")));
    }
    cart.subtotal = cart
        .subtotal
        .saturating_add(amount.saturating_mul(quantity));
    cart.currency = Some(currency.to_owned());
    cart.tax_exclusive |= text("price_data.tax_behavior") != Some("inclusive");
    cart.titles.push(format!("{quantity} × {title}"));
    Ok(())
}

/// The cart of a session that only saves a card.
pub fn none(fields: &Fields) -> Result<Cart, Refusal> {
    for name in [
        "line_items",
        "payment_intent_data",
        "invoice_creation",
        "automatic_tax",
    ] {
        if fields.contains_key(name) {
            return Err(not_in(name, "setup"));
        }
    }
    let currency = form::text(fields, "currency").map(str::to_owned);
    // Source: the comment on `currency` in the types.
    if currency.is_none() && form::group(fields, "allowed_payment_method_types").is_none() {
        return Err(Refusal::missing("currency"));
    }
    Ok(Cart {
        subtotal: 0,
        currency,
        tax_exclusive: false,
        titles: Vec::new(),
    })
}

fn not_in(name: &str, mode: &str) -> Refusal {
    Refusal::invalid(format!("You can not pass `{name}` in `{mode}` mode.")).param(name)
}
