//! Writes alarms: what an account's people must know, beside the log that only the operator reads.
//! Which alarms there are, and that a flood writes one a minute, is the core's.

use tollgate_core::alarm::Alarm;
use tollgate_core::ids::RequestId;
use tollgate_edge::clock::now_ms;
use tollgate_edge::turso::Turso;

use crate::gateway::Gateway;
use crate::log;

/// Writes an alarm, from a run that has no response. That it could not is in the log.
pub async fn raise(gateway: &Gateway, alarm: &Alarm) {
    write(&gateway.database, gateway.request(), alarm).await;
}

/// Writes an alarm in a task that the response does not wait for.
pub fn raise_beyond_response(gateway: &Gateway, alarm: Alarm) {
    let database = Turso::new(&gateway.config.turso_url, &gateway.config.turso_token);
    let request = gateway.request();
    gateway.run_beyond_response(async move {
        write(&database, request, &alarm).await;
    });
}

async fn write(database: &Turso, request: RequestId, alarm: &Alarm) {
    if let Err(fault) = database.execute(&alarm.to_batch(now_ms())).await {
        log::fault_of(request, "alarm", &fault);
    }
}
