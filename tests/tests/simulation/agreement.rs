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

/// The batches of the first seed that leaves many rows behind, with what the simulation heard, and
/// the database that heard them once more. Some seeds are poor, and most of their calls are refused.
fn rich_tape() -> (Vec<(Batch, Reply)>, Sqlite) {
    for seed in 0..100 {
        let plan = Plan {
            seed,
            operations: 400,
        };
        let (outcome, wire) = run(plan, Wire::sqlite(None).recording());
        assert!(outcome.is_ok());
        let tape = wire.into_tape();
        let sqlite = Sqlite::new(|sql| sql);
        for (batch, recorded) in &tape {
            let steps = batch.steps().len();
            let answer = said(&sqlite.execute(batch), steps);
            assert_eq!(answer, said(recorded, steps), "{batch:?}");
        }
        let contents = contents(&sqlite);
        let reply = sqlite.execute(&contents);
        let rows: usize = (0..contents.steps().len())
            .map(|step| reply.rows(step).len())
            .sum();
        if rows > 200 && tape.len() > 400 {
            return (tape, sqlite);
        }
    }
    panic!("every seed is poor");
}

#[test]
fn the_server_and_in_process_sqlite_answer_alike_and_end_alike() {
    let server = Server::start();
    let (tape, sqlite) = rich_tape();
    for (batch, recorded) in &tape {
        let steps = batch.steps().len();
        let answer = said(&server.execute(batch), steps);
        assert_eq!(answer, said(recorded, steps), "{batch:?}");
    }
    let contents = contents(&sqlite);
    let tables = contents.steps().len();
    assert!(tables > 12, "{tables}");
    let (left, right) = (sqlite.execute(&contents), server.execute(&contents));
    for (index, step) in contents.steps().iter().enumerate() {
        let sql = step.statement.sql();
        assert!(left.is_ok(index) && right.is_ok(index), "{sql}");
        assert_eq!(left.rows(index), right.rows(index), "{sql}");
    }
}
