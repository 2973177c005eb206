//! What strangers and hostile customers try at the dashboard, such as to leave with money on its way, and
//! that it comes to nothing.

use crate::browser::Browser;
use crate::signing_in::sign_in_with_code;
use crate::stage::shared;

#[test]
fn nobody_closes_an_account_for_which_money_may_still_come() {
    let stage = shared();
    let address = "leaving@customer.test";
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut browser, address);
    let order = [("choice", "other"), ("amount", "5")];
    let shown = browser.post("/billing/orders", &order);
    assert_eq!(shown.status, 303, "{}", shown.body);
    let close = |browser: &mut Browser| browser.post("/settings/close", &[("confirm", address)]);
    let refused = close(&mut browser);
    assert_eq!(refused.status, 409, "{}", refused.body);
    let (_, rest) = refused.body.split_once("/billing/orders/").unwrap();
    let order = rest.split('"').next().unwrap();
    let canceled = browser.post(&format!("/billing/orders/{order}/cancel"), &[]);
    assert_eq!(canceled.location, "/billing?done=canceled");
    assert_eq!(close(&mut browser).location, "/sign-in?done=closed");
}
