//! Replies of the database: a reply is read as exactly the steps that were asked for, each cell as
//! it was written, or it is a fault.

use serde_json::Value as Json;
use tollgate_core::hrana::{HranaFault, Reply, read_reply};

/// Lengths of batches; replies of all of them are in the corpus.
const STEPS: [usize; 6] = [0, 1, 2, 3, 4, 9];

/// Checks a reply to batches of several lengths.
///
/// # Panics
/// When a property is broken.
pub fn check(body: &[u8]) {
    let mut read = 0;
    for steps in STEPS {
        match read_reply(200, body, steps) {
            Ok(reply) => {
                read += 1;
                check_reply(&reply, body, steps);
            }
            Err(HranaFault::Malformed | HranaFault::Refused(_)) => {}
            Err(fault @ HranaFault::UnexpectedColumn(_)) => panic!("{fault} before it was read"),
        }
        let refused = read_reply(500, body, steps);
        assert!(matches!(refused, Err(HranaFault::Refused(_))));
    }
    assert!(read <= 1, "a reply to batches of different lengths");
}

fn check_reply(reply: &Reply, body: &[u8], steps: usize) {
    assert!(!reply.is_ok(steps) && reply.rows(steps).is_empty());
    let failed: Vec<_> = reply.failures().map(|(step, _)| step).collect();
    for step in 0..steps {
        assert!(!(reply.is_ok(step) && failed.contains(&step)));
        assert!(reply.is_ok(step) || reply.rows(step).is_empty());
    }
    assert!(failed.iter().all(|step| *step < steps));
    // serde also reads a struct out of an array of its fields; no server sends that.
    let json: Json = serde_json::from_slice(body).expect("a reply is JSON");
    let result = &json["results"][0]["response"]["result"];
    let Some(results) = result["step_results"].as_array() else {
        return;
    };
    assert_eq!(results.len(), steps);
    for (step, result) in results.iter().enumerate() {
        assert_eq!(reply.is_ok(step), !result.is_null(), "step {step}");
        if let Some(rows) = result["rows"].as_array() {
            check_rows(reply, step, rows);
        }
    }
}

fn check_rows(reply: &Reply, step: usize, rows: &[Json]) {
    let read = reply.rows(step);
    assert_eq!(read.len(), rows.len());
    for (row, written) in read.iter().zip(rows) {
        let cells = written.as_array().expect("a row is an array");
        assert!(row.get::<Option<i64>>(cells.len()).is_err());
        for (column, cell) in cells.iter().enumerate() {
            let (integer, text) = (row.get::<i64>(column), row.get::<String>(column));
            match cell["type"].as_str().unwrap_or_default() {
                "integer" => {
                    let value = cell["value"].as_str().expect("integers are text");
                    assert_eq!(integer.ok(), value.parse().ok());
                }
                "text" => assert_eq!(text.ok().as_deref(), cell["value"].as_str()),
                "null" => assert_eq!(row.get::<Option<i64>>(column), Ok(None)),
                "float" => panic!("a float was read"),
                "blob" => assert!(integer.is_err() && text.is_err()),
                _ => assert!(cell.is_array(), "{cell}"),
            }
        }
    }
}
