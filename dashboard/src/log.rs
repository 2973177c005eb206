//! The log: one JSON line a request. Ids, counts and times; never a cookie, a code, a key, a form's
//! content or a database's message.

use serde_json::json;
use worker::{console_error, console_log};

use crate::fault::Fault;
use crate::visit::Visit;

/// A request that was answered.
pub fn answered(visit: &Visit, route: &str, status: u16, total_ms: i64) {
    let used = visit.database.used();
    let line = json!({
        "level": "info",
        "event": "page",
        "request_id": visit.request.to_string(),
        "route": route,
        "status": status,
        "total_ms": total_ms,
        "database": {
            "trips": used.trips,
            "rows_read": used.rows_read,
            "rows_written": used.rows_written,
            "ms": visit.database_ms(),
        },
    });
    console_log!("{line}");
}

/// A fault that the visitor is told only the kind of.
pub fn fault(visit: &Visit, at: &str, fault: &Fault) {
    let line = json!({
        "level": "error",
        "event": "fault",
        "request_id": visit.request.to_string(),
        "at": at,
        "fault": fault.to_string(),
    });
    console_error!("{line}");
}

/// Something that the operator must see, such as a payment that does not match its order.
pub fn alarm(visit: &Visit, what: &str, more: &serde_json::Value) {
    let line = json!({
        "level": "error",
        "event": "alarm",
        "request_id": visit.request.to_string(),
        "what": what,
        "more": more,
    });
    console_error!("{line}");
}
