//! The parameters of all calls: a subset of Stripe's, held against the types of stripe-node 23.1.0 (API
//! version 2026-10-28.endive). Which call takes which stands in `endpoints.rs`.
//!
//! `required` is what Stripe's types require. What Stripe requires only at times (`line_items` of a
//! payment) is refused where the call is done.

/// What a value has to look like.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text of at most that many characters.
    Text(usize),
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An absolute `http` or `https` URL.
    Url,
    /// An e-mail address.
    Email,
    /// A currency of the stand-in.
    Currency,
    /// Keys and values of the caller's own.
    Metadata,
    /// A list of texts.
    Texts,
    /// A Unix time, or an object of its bounds.
    Range,
    /// An object with these members.
    Object(&'static [Param]),
    /// A list of such objects.
    List(&'static [Param]),
}

/// One parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its form.
    pub kind: Kind,
    /// Whether the call, or the object it is in, cannot be without it.
    pub required: bool,
}

const fn may(name: &'static str, kind: Kind) -> Param {
    Param {
        name,
        kind,
        required: false,
    }
}

const fn must(name: &'static str, kind: Kind) -> Param {
    Param {
        name,
        kind,
        required: true,
    }
}

const AUTO_OR_NEVER: Kind = Kind::OneOf(&["auto", "never"]);

const ADDRESS: Kind = Kind::Object(&[
    may("city", Kind::Text(5_000)),
    may("country", Kind::Text(2)),
    may("line1", Kind::Text(5_000)),
    may("line2", Kind::Text(5_000)),
    may("postal_code", Kind::Text(5_000)),
    may("state", Kind::Text(5_000)),
]);

/// Of a customer, new or changed.
pub const CUSTOMER: &[Param] = &[
    may("address", ADDRESS),
    may("business_name", Kind::Text(150)),
    may("description", Kind::Text(5_000)),
    may("email", Kind::Email),
    may("individual_name", Kind::Text(150)),
    may("metadata", Kind::Metadata),
    may("name", Kind::Text(256)),
    may("phone", Kind::Text(20)),
    may("preferred_locales", Kind::Texts),
];

const LINE_ITEM: &[Param] = &[
    may("metadata", Kind::Metadata),
    may(
        "price_data",
        Kind::Object(&[
            must("currency", Kind::Currency),
            may(
                "product_data",
                Kind::Object(&[
                    may("description", Kind::Text(40_000)),
                    may("images", Kind::Texts),
                    may("metadata", Kind::Metadata),
                    must("name", Kind::Text(250)),
                    may("tax_code", Kind::Text(5_000)),
                    may("unit_label", Kind::Text(12)),
                ]),
            ),
            may(
                "tax_behavior",
                Kind::OneOf(&["exclusive", "inclusive", "unspecified"]),
            ),
            may("unit_amount", Kind::Integer),
        ]),
    ),
    may("quantity", Kind::Integer),
];

/// Of a new Checkout session.
pub const SESSION: &[Param] = &[
    may("allow_promotion_codes", Kind::Boolean),
    may("allowed_payment_method_types", Kind::Texts),
    may(
        "automatic_tax",
        Kind::Object(&[must("enabled", Kind::Boolean)]),
    ),
    may(
        "billing_address_collection",
        Kind::OneOf(&["auto", "required"]),
    ),
    may("cancel_url", Kind::Url),
    may("client_reference_id", Kind::Text(200)),
    may("currency", Kind::Currency),
    may("customer", Kind::Text(5_000)),
    may("customer_creation", Kind::OneOf(&["always", "if_required"])),
    may("customer_email", Kind::Email),
    may(
        "customer_update",
        Kind::Object(&[
            may("address", AUTO_OR_NEVER),
            may("name", AUTO_OR_NEVER),
            may("shipping", AUTO_OR_NEVER),
        ]),
    ),
    may("expires_at", Kind::Integer),
    may(
        "invoice_creation",
        Kind::Object(&[
            must("enabled", Kind::Boolean),
            may(
                "invoice_data",
                Kind::Object(&[
                    may("description", Kind::Text(1_500)),
                    may("footer", Kind::Text(5_000)),
                    may("metadata", Kind::Metadata),
                ]),
            ),
        ]),
    ),
    may("line_items", Kind::List(LINE_ITEM)),
    may("locale", Kind::Text(10)),
    may("metadata", Kind::Metadata),
    may("mode", Kind::OneOf(&["payment", "setup"])),
    may(
        "payment_intent_data",
        Kind::Object(&[
            may("description", Kind::Text(1_000)),
            may("metadata", Kind::Metadata),
            may("receipt_email", Kind::Email),
            may(
                "setup_future_usage",
                Kind::OneOf(&["off_session", "on_session"]),
            ),
            may("statement_descriptor", Kind::Text(22)),
            may("statement_descriptor_suffix", Kind::Text(22)),
        ]),
    ),
    may(
        "saved_payment_method_options",
        Kind::Object(&[
            may(
                "payment_method_remove",
                Kind::OneOf(&["disabled", "enabled"]),
            ),
            may("payment_method_save", Kind::OneOf(&["disabled", "enabled"])),
        ]),
    ),
    may(
        "setup_intent_data",
        Kind::Object(&[
            may("description", Kind::Text(1_000)),
            may("metadata", Kind::Metadata),
        ]),
    ),
    may(
        "submit_type",
        Kind::OneOf(&["auto", "book", "donate", "pay", "subscribe"]),
    ),
    may("success_url", Kind::Url),
    may(
        "tax_id_collection",
        Kind::Object(&[
            must("enabled", Kind::Boolean),
            may("required", Kind::OneOf(&["if_supported", "never"])),
        ]),
    ),
    may("ui_mode", Kind::OneOf(&["hosted_page"])),
];

/// Of a new payment intent.
pub const INTENT: &[Param] = &[
    must("amount", Kind::Integer),
    may(
        "automatic_payment_methods",
        Kind::Object(&[
            may("allow_redirects", Kind::OneOf(&["always", "never"])),
            must("enabled", Kind::Boolean),
        ]),
    ),
    may("confirm", Kind::Boolean),
    must("currency", Kind::Currency),
    may("customer", Kind::Text(5_000)),
    may("description", Kind::Text(1_000)),
    may("metadata", Kind::Metadata),
    may("off_session", Kind::Boolean),
    may("payment_method", Kind::Text(5_000)),
    may("receipt_email", Kind::Email),
    may("statement_descriptor", Kind::Text(22)),
    may("statement_descriptor_suffix", Kind::Text(22)),
];

/// Of a new refund.
pub const REFUND: &[Param] = &[
    may("amount", Kind::Integer),
    may("charge", Kind::Text(5_000)),
    may("metadata", Kind::Metadata),
    may("payment_intent", Kind::Text(5_000)),
    may(
        "reason",
        Kind::OneOf(&["duplicate", "fraudulent", "requested_by_customer"]),
    ),
];

/// Of a new portal session.
pub const PORTAL: &[Param] = &[
    may("customer", Kind::Text(5_000)),
    may("locale", Kind::Text(10)),
    may("return_url", Kind::Url),
];

/// What every list takes.
pub const PAGING: [Param; 3] = [
    may("ending_before", Kind::Text(5_000)),
    may("limit", Kind::Integer),
    may("starting_after", Kind::Text(5_000)),
];

/// What every call takes.
pub const EXPAND: Param = may("expand", Kind::Texts);

/// Of a list of Checkout sessions.
pub const LISTED_SESSIONS: &[Param] = &[
    may("created", Kind::Range),
    may("customer", Kind::Text(5_000)),
    may("payment_intent", Kind::Text(5_000)),
    may("status", Kind::OneOf(&["complete", "expired", "open"])),
];

/// Of a list of refunds or disputes.
pub const LISTED_MONEY_BACK: &[Param] = &[
    may("charge", Kind::Text(5_000)),
    may("created", Kind::Range),
    may("payment_intent", Kind::Text(5_000)),
];

/// Of a list of events.
pub const LISTED_EVENTS: &[Param] = &[
    may("created", Kind::Range),
    may("type", Kind::Text(5_000)),
    may("types", Kind::Texts),
];
