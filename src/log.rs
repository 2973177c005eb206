//! The log: one JSON line a request, and one for each fault on its way. Ids, counts and times;
//! never a key, a prompt, an answer or a database's message.

use std::error::Error;

use serde_json::{Value, json};
use tollgate_core::ids::RequestId;
use tollgate_core::settlement::{Resolution, Resolved};
use worker::{console_error, console_log};

use crate::admit::Admitted;
use crate::gateway::Gateway;

/// A fault that the caller is told nothing of, or only its kind.
pub fn fault(gateway: &Gateway, at: &str, fault: &dyn Error) {
    fault_of(gateway.request(), at, fault);
}

/// The same, where the request is another one or its surroundings are gone.
pub fn fault_of(request: RequestId, at: &str, fault: &dyn Error) {
    let line = json!({
        "level": "warn",
        "event": "fault",
        "request_id": request.to_string(),
        "at": at,
        "fault": fault.to_string(),
    });
    console_error!("{line}");
}

/// Something that needs the operator: a credential that is refused, a loss, a hold that stays open.
pub fn alarm(gateway: &Gateway, what: &str, more: &Value) {
    let line = json!({
        "level": "error",
        "event": "alarm",
        "request_id": gateway.request().to_string(),
        "what": what,
        "more": more,
    });
    console_error!("{line}");
}

/// A request that was answered without a call.
pub fn answered(gateway: &Gateway, route: &str, status: u16, code: Option<&str>) {
    let used = gateway.database.used();
    let line = json!({
        "level": "info",
        "event": "request",
        "request_id": gateway.request().to_string(),
        "route": route,
        "status": status,
        "error_code": code,
        "total_ms": gateway.elapsed_ms(),
        "database": { "trips": used.trips, "rows_read": used.rows_read, "rows_written": used.rows_written },
    });
    console_log!("{line}");
}

/// A call that ended, however it did.
pub fn settled(
    gateway: &Gateway,
    admitted: &Admitted,
    resolution: &Resolution,
    resolved: Option<Resolved>,
) {
    let used = gateway.database.used();
    let facts = &resolution.facts;
    let usage = resolution.outcome.usage();
    let line = json!({
        "level": "info",
        "event": "request",
        "request_id": admitted.request.to_string(),
        "route": "chat/completions",
        "account_id": resolution.account.as_str(),
        "key_id": resolution.key.as_str(),
        "model": admitted.ask.model,
        "provider": admitted.ask.provider,
        "provider_id": facts.provider_id,
        "streamed": admitted.ask.streamed,
        "status": facts.status,
        "error_code": facts.error_code,
        "finish_reason": facts.finish_reason,
        "outcome": resolution.outcome.as_str(),
        "resolved": resolved.map(|resolved| format!("{resolved:?}").to_ascii_lowercase()),
        "prompt_tokens": usage.map(|usage| usage.prompt_tokens),
        "completion_tokens": usage.map(|usage| usage.completion_tokens),
        "hold_nanos": admitted.ask.levels.first().map(|level| level.hold.get()),
        "charge_nanos": resolution.charge().get(),
        "cost_nanos": resolution.cost.get(),
        "admission_ms": gateway.timings.admission_ms.get(),
        "upstream_ms": gateway.timings.upstream_ms.get(),
        "first_byte_ms": facts.first_byte_ms,
        "total_ms": facts.total_ms,
        "database": { "trips": used.trips, "rows_read": used.rows_read, "rows_written": used.rows_written },
    });
    console_log!("{line}");
}
