//! What strangers and hostile customers try at the dashboard: to fill its memory, to take a part for the
//! whole, and to leave with money on its way.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::browser::Browser;
use crate::signing_in::sign_in_with_code;
use crate::stage::shared;

/// The first line of the answer to an upload of which only the beginning was sent; the connection stays
/// open. An error: there was no answer without the rest.
fn begin_upload(origin: &str, cookie: &str) -> std::io::Result<String> {
    let host = origin.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = format!(
        "POST /brand/logo HTTP/1.1\r\nhost: {host}\r\ncookie: __Host-session={cookie}\r\n\
         origin: {origin}\r\ncontent-type: multipart/form-data; boundary=X\r\n\
         content-length: 4000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&[b'x'; 100_000])?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn nobody_fills_the_memory_with_files_who_has_not_signed_in_as_a_seller() {
    let mut stage = shared();
    stage.renew_links();
    let demo = &stage.demo;
    let check = |link: &str, expect: Option<&str>| {
        let (origin, _) = link.split_once("/sign-in").unwrap();
        let stranger = begin_upload(origin, "").unwrap();
        assert_eq!(stranger, "HTTP/1.1 403", "{origin}");
        let browser = Browser::signed_in(link);
        let session = browser.cookie("__Host-session").unwrap();
        assert_eq!(begin_upload(origin, session).ok().as_deref(), expect);
    };
    check(&demo.end_user.sign_in_url, Some("HTTP/1.1 403"));
    // Of a seller the rest is waited for.
    check(&demo.reseller.sign_in_url, None);
}

#[test]
fn a_file_with_a_filter_that_cannot_be_read_is_not_taken_for_all_calls() {
    let mut stage = shared();
    stage.renew_links();
    let mut browser = Browser::signed_in(&stage.demo.end_user.sign_in_url);
    let mut check = |query: &str, status: u16, location: &str| {
        let shown = browser.get(&format!("/requests/export?format=csv{query}"));
        assert_eq!((shown.status, shown.location.as_str()), (status, location));
    };
    check("&from=2026-11-01", 200, "");
    check("&from=9999-12-31", 303, "/requests?from=9999-12-31");
    check("&status=other", 303, "/requests?status=other");
}

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
