//! Which parameters each call takes and which it demands, held by hand against the types of
//! stripe-node 23.1.0. `expand` is taken by all calls and left out here.

use tollgate_simulator::stripe::endpoints::{ENDPOINTS, Endpoint};
use tollgate_simulator::stripe::parameters::{Kind, PAGING, Param};

/// `name!` is a parameter that cannot be left out, `name[]` a list.
fn names(params: &[Param], within: &str, list: &mut Vec<String>) {
    for param in params {
        let name = match within {
            "" => param.name.to_owned(),
            within => format!("{within}[{}]", param.name),
        };
        let required = if param.required { "!" } else { "" };
        match param.kind {
            Kind::Object(members) => {
                list.push(format!("{name}{required}"));
                names(members, &name, list);
            }
            Kind::List(members) => {
                list.push(format!("{name}[]{required}"));
                names(members, &format!("{name}[]"), list);
            }
            Kind::Texts => list.push(format!("{name}[]{required}")),
            _ => list.push(format!("{name}{required}")),
        }
    }
}

fn taken(endpoint: &Endpoint) -> String {
    let mut list = Vec::new();
    names(endpoint.params, "", &mut list);
    if endpoint.lists {
        names(&PAGING, "", &mut list);
    }
    list.join(" ")
}

#[test]
fn a_seller_reads_here_what_each_call_takes_and_demands() {
    let mut rest: Vec<String> = Vec::new();
    for endpoint in ENDPOINTS {
        rest.push(format!("{} {}", endpoint.method, endpoint.path));
    }
    let mut check = |call: &str, expect: &str| {
        let mut endpoints = ENDPOINTS.iter();
        let endpoint = endpoints
            .find(|found| format!("{} {}", found.method, found.path) == call)
            .unwrap();
        assert_eq!(taken(endpoint), expect, "{call}");
        rest.retain(|other| other != call);
    };
    check(
        "POST /v1/customers",
        "address address[city] address[country] address[line1] address[line2] \
         address[postal_code] address[state] business_name description email individual_name \
         metadata name phone preferred_locales[]",
    );
    check(
        "POST /v1/customers/{id}",
        "address address[city] address[country] address[line1] address[line2] \
         address[postal_code] address[state] business_name description email individual_name \
         metadata name phone preferred_locales[]",
    );
    check("GET /v1/customers/{id}", "");
    check(
        "POST /v1/checkout/sessions",
        "allow_promotion_codes allowed_payment_method_types[] automatic_tax \
         automatic_tax[enabled]! billing_address_collection cancel_url client_reference_id \
         currency customer customer_creation customer_email customer_update \
         customer_update[address] customer_update[name] customer_update[shipping] expires_at \
         invoice_creation invoice_creation[enabled]! invoice_creation[invoice_data] \
         invoice_creation[invoice_data][description] invoice_creation[invoice_data][footer] \
         invoice_creation[invoice_data][metadata] line_items[] line_items[][metadata] \
         line_items[][price_data] line_items[][price_data][currency]! \
         line_items[][price_data][product_data] \
         line_items[][price_data][product_data][description] \
         line_items[][price_data][product_data][images][] \
         line_items[][price_data][product_data][metadata] \
         line_items[][price_data][product_data][name]! \
         line_items[][price_data][product_data][tax_code] \
         line_items[][price_data][product_data][unit_label] \
         line_items[][price_data][tax_behavior] line_items[][price_data][unit_amount] \
         line_items[][quantity] locale metadata mode payment_intent_data \
         payment_intent_data[description] payment_intent_data[metadata] \
         payment_intent_data[receipt_email] payment_intent_data[setup_future_usage] \
         payment_intent_data[statement_descriptor] \
         payment_intent_data[statement_descriptor_suffix] saved_payment_method_options \
         saved_payment_method_options[payment_method_remove] \
         saved_payment_method_options[payment_method_save] setup_intent_data \
         setup_intent_data[description] setup_intent_data[metadata] submit_type success_url \
         tax_id_collection tax_id_collection[enabled]! tax_id_collection[required] ui_mode",
    );
    check(
        "GET /v1/checkout/sessions",
        "created customer payment_intent status ending_before limit starting_after",
    );
    check("GET /v1/checkout/sessions/{id}", "");
    check("POST /v1/checkout/sessions/{id}/expire", "");
    check(
        "POST /v1/payment_intents",
        "amount! automatic_payment_methods automatic_payment_methods[allow_redirects] \
         automatic_payment_methods[enabled]! confirm currency! customer description metadata \
         off_session payment_method receipt_email statement_descriptor \
         statement_descriptor_suffix",
    );
    check("GET /v1/payment_intents/{id}", "");
    check("GET /v1/setup_intents/{id}", "");
    check("GET /v1/payment_methods/{id}", "");
    check("POST /v1/payment_methods/{id}/detach", "");
    check("GET /v1/charges/{id}", "");
    check("GET /v1/invoices/{id}", "");
    check(
        "POST /v1/refunds",
        "amount charge metadata payment_intent reason",
    );
    check(
        "GET /v1/refunds",
        "charge created payment_intent ending_before limit starting_after",
    );
    check("GET /v1/refunds/{id}", "");
    check(
        "GET /v1/disputes",
        "charge created payment_intent ending_before limit starting_after",
    );
    check("GET /v1/disputes/{id}", "");
    check(
        "GET /v1/events",
        "created type types[] ending_before limit starting_after",
    );
    check("GET /v1/events/{id}", "");
    check(
        "POST /v1/billing_portal/sessions",
        "customer locale return_url",
    );
    assert_eq!(rest, [""; 0], "calls that this table leaves out");
}
