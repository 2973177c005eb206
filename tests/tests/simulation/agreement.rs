//! Both engines execute the same batches to the same end, so that what holds on in-process SQLite holds
//! on the server.

use tollgate_core::hrana::{Batch, Reply, Statement, StepResult};
use tollgate_tests::simulation::flight::result;
use tollgate_tests::simulation::wire::Wire;
use tollgate_tests::simulation::{Plan, run};
use tollgate_tests::{Server, Sqlite};

/// What a reply says of each step. Engines differ in the code of a failure.
fn said(reply: &Reply, steps: usize) -> Vec<StepResult> {
    let step = |step| match result(reply, step) {
        StepResult::Failed { .. } => StepResult::Failed {
            code: String::new(),
        },
        said => said,
    };
    (0..steps).map(step).collect()
}

/// Every table whole.
fn contents(sqlite: &Sqlite) -> Batch {
    let mut names = Batch::new();
    names.step(
        None,
        Statement::new(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
             ORDER BY name",
        ),
    );
    let mut all = Batch::new();
    for row in sqlite.execute(&names).rows(0) {
        let name: String = row.get(0).unwrap();
        all.step(
            None,
            Statement::new(format!("SELECT * FROM {name} ORDER BY rowid")),
        );
    }
    all
}

#[test]
fn the_server_and_in_process_sqlite_answer_alike_and_end_alike() {
    let server = Server::start();
    let sqlite = Sqlite::new(|sql| sql);
    let plan = Plan {
        seed: 4,
        operations: 400,
    };
    let (outcome, wire) = run(plan, Wire::sqlite(None).recording());
    assert!(outcome.is_ok());
    let tape = wire.into_tape();
    assert!(tape.len() > 400, "{}", tape.len());
    for (batch, recorded) in &tape {
        let steps = batch.steps().len();
        let recorded = said(recorded, steps);
        assert_eq!(said(&sqlite.execute(batch), steps), recorded, "{batch:?}");
        assert_eq!(said(&server.execute(batch), steps), recorded, "{batch:?}");
    }
    let contents = contents(&sqlite);
    let tables = contents.steps().len();
    assert!(tables > 12, "{tables}");
    let (left, right) = (sqlite.execute(&contents), server.execute(&contents));
    let mut rows = 0;
    for (index, step) in contents.steps().iter().enumerate() {
        let sql = step.statement.sql();
        assert!(left.is_ok(index) && right.is_ok(index), "{sql}");
        assert_eq!(left.rows(index), right.rows(index), "{sql}");
        rows += left.rows(index).len();
    }
    assert!(rows > 200, "{rows}");
}
