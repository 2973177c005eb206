//! People page through their own calls, however many others there are, and find what they look for
//! without the database reading everything.

use tollgate_core::accounts::View;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, KeyId, RequestId};
use tollgate_core::limits::Limits;
use tollgate_core::request_log::{
    Cursor, Filter, LogPage, LogQuery, PAGE, RequestLine, RequestStatus, SCAN, read_request_line,
    request_lines_statement,
};

use crate::spending::explain;
use crate::usage_days::{call, open, true_up, two_levels};
use crate::world::{Caller, NOW_MS, World};

const MINUTE_MS: i64 = 60_000;

/// A page, and how many rows the database read for it.
fn page(
    world: &World,
    (account, by): (&AccountId, &AccountId),
    query: &LogQuery,
) -> (LogPage, u64) {
    let reply = world.database.run(query.statement(View { account, by }));
    (query.read(reply.rows(0)).unwrap(), reply.rows_read)
}

fn own(world: &World, account: &AccountId, query: &LogQuery) -> LogPage {
    page(world, (account, account), query).0
}

fn at(filter: &Filter, cursor: Option<Cursor>) -> LogQuery {
    LogQuery {
        filter: filter.clone(),
        cursor,
    }
}

/// Every page from the latest call on, as the ids that they show.
fn walk(world: &World, account: &AccountId, filter: &Filter) -> Vec<Vec<RequestId>> {
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let page = own(world, account, &at(filter, cursor));
        pages.push(page.lines.iter().map(|line| line.id).collect());
        cursor = page.older;
        if cursor.is_none() {
            return pages;
        }
    }
}

/// Rows as settlements leave them: `calls` of an account, one a second from `NOW_MS` on, every seventh
/// with an error, every tenth by another model, and in every `hundreds` hundred one by `rare`.
pub fn fill(world: &World, caller: &Caller, calls: i64) {
    let sql = "\
WITH d(x) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
n(x) AS (SELECT a.x + 10 * b.x + 100 * c.x + 1000 * d.x FROM d a, d b, d c, d d)
INSERT INTO requests (id, nonce, account_id, key_id, state, levels, lease_until_ms, model, provider,
  cost_id, streamed, max_tokens, prompt_estimate, reserved_tokens, created_at_ms, outcome,
  prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, cost_nanos,
  shortfall_nanos, status, error_code, total_ms, resolved_at_ms)
SELECT ?4 + ((n.x * 1000) << 22) + ?5, 1, ?1, ?2, 'settled',
  json_array(json_object('account', ?1, 'rule', 'rul_x', 'rules_version', 1, 'hold', 10, 'charge', 4)),
  0, CASE WHEN n.x % 1000 = 999 THEN 'sim/rare' WHEN n.x % 10 = 0 THEN 'sim/other' ELSE 'sim/echo' END,
  'openrouter', 1, 0, 1, 1, 1, ?6 + n.x * 1000, 'exact', 7, 0, 0, 5, 0, 3, 0,
  CASE WHEN n.x % 7 = 0 THEN 502 ELSE 200 END, CASE WHEN n.x % 7 = 0 THEN 'provider_unavailable' END,
  9, ?6 + n.x * 1000
FROM n WHERE n.x < ?3";
    let statement = Statement::new(sql)
        .bind(caller.account.as_str())
        .bind(caller.key_id.as_str())
        .bind(calls)
        .bind(RequestId::first_at(NOW_MS).get())
        .bind(i64::from(world.draw()))
        .bind(NOW_MS);
    let _ = world.database.run(statement);
}

#[test]
fn a_line_tells_what_a_call_was_and_cost() {
    let (world, caller) = two_levels();
    let first = call(&world, &caller, 0, &[300, 200]);
    true_up(&world, first, &caller.account, 40);
    true_up(&world, first, &world.reseller, 30);
    let voided = call(&world, &caller, 1, &[]);
    let held = open(&world, &caller, 2).request;
    let read = |by: &AccountId| {
        let (page, _) = page(&world, (&caller.account, by), &LogQuery::default());
        assert_eq!(
            (page.older, page.newer, page.stopped_looking),
            (None, None, false)
        );
        let line = |line: RequestLine| {
            let nanos = (
                line.hold.get(),
                line.charge.map(|n| n.get()),
                line.base.map(|n| n.get()),
            );
            (line.id, line.status, nanos, line.margin().map(|n| n.get()))
        };
        page.lines.into_iter().map(line).collect::<Vec<_>>()
    };
    // No status was sent in this world, so the calls count as failed.
    let (held_status, failed) = (RequestStatus::Held, RequestStatus::Failed);
    assert_eq!(
        read(&caller.account),
        [
            (held, held_status, (1_000, None, None), None),
            (voided, failed, (1_000, Some(0), None), None),
            (first, failed, (1_000, Some(260), None), None),
        ]
    );
    for seller in [&world.reseller, &world.operator] {
        assert_eq!(
            read(seller),
            [
                (held, held_status, (1_000, None, None), None),
                (voided, failed, (1_000, Some(0), Some(0)), Some(0)),
                (first, failed, (1_000, Some(260), Some(170)), Some(90)),
            ]
        );
    }
    let line = own(&world, &caller.account, &LogQuery::default())
        .lines
        .remove(2);
    assert_eq!(
        (&*line.key_name, &*line.model, line.created_at_ms),
        ("first", "sim/echo", NOW_MS)
    );
    let tokens = line.tokens.unwrap();
    assert_eq!(
        (tokens.prompt, tokens.completion, line.estimated),
        (7, 5, false)
    );
    assert_eq!(line.trued_up_at_ms, Some(1));
}

#[test]
fn who_has_no_business_with_an_account_sees_none_of_its_calls() {
    let (world, caller) = two_levels();
    let request = call(&world, &caller, 0, &[300, 200]);
    let neighbour = world.caller(&world.reseller, 10, Limits::default());
    let stranger = world.new_reseller(10, 0);
    let filtered = Filter {
        model: Some("sim/echo".to_owned()),
        ..Filter::default()
    };
    let check = |by: &AccountId, expect: usize| {
        let view = View {
            account: &caller.account,
            by,
        };
        for filter in [Filter::default(), filtered.clone()] {
            let (page, _) = page(&world, (&caller.account, by), &at(&filter, None));
            assert_eq!(page.lines.len(), expect, "{by} {filter:?}");
        }
        let again = world
            .database
            .run(request_lines_statement(view, &[request]));
        assert_eq!(again.rows(0).len(), expect, "{by}");
    };
    check(&caller.account, 1);
    check(&world.reseller, 1);
    check(&world.operator, 1);
    check(&neighbour.account, 0);
    check(&stranger, 0);
    // Nor does one's own account lend a view of another's calls.
    let foreign = request_lines_statement(View::own(&neighbour.account), &[request]);
    assert_eq!(world.database.run(foreign).rows(0).len(), 0);
}

#[test]
fn pages_lead_through_all_calls_in_both_directions() {
    let (world, caller) = two_levels();
    fill(&world, &caller, 120);
    let all = Filter::default();
    let pages = walk(&world, &caller.account, &all);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    let ids: Vec<RequestId> = pages.concat();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");

    // Back from the end to the beginning, over the same calls.
    let last = own(
        &world,
        &caller.account,
        &at(&all, Some(Cursor::Older(ids[99]))),
    );
    assert_eq!((last.lines.len(), last.older), (20, None));
    let middle = own(&world, &caller.account, &at(&all, last.newer));
    assert_eq!(
        middle.lines.iter().map(|line| line.id).collect::<Vec<_>>(),
        pages[1]
    );
    assert_eq!(middle.older, Some(Cursor::Older(ids[99])));
    let first = own(&world, &caller.account, &at(&all, middle.newer));
    assert_eq!(
        first.lines.iter().map(|line| line.id).collect::<Vec<_>>(),
        pages[0]
    );
    assert_eq!(first.newer, None);

    // Beyond either end nothing is lost.
    let beyond = own(
        &world,
        &caller.account,
        &at(&all, Some(Cursor::Older(ids[119]))),
    );
    assert_eq!((beyond.lines.len(), beyond.older), (0, None));
    let back = own(&world, &caller.account, &at(&all, beyond.newer));
    assert_eq!(back.lines.last().unwrap().id, ids[119]);
    // A live list: nothing is newer, then one is.
    let live = at(&all, Some(Cursor::Newer(ids[0])));
    assert_eq!(own(&world, &caller.account, &live).lines, []);
    let new = call(&world, &caller, 60, &[300, 200]);
    let lines = own(&world, &caller.account, &live).lines;
    assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), [new]);
}

#[test]
fn a_call_that_was_held_can_be_looked_at_again() {
    let (world, caller) = two_levels();
    let ask = open(&world, &caller, 0);
    let again = || {
        let statement = request_lines_statement(View::own(&caller.account), &[ask.request]);
        read_request_line(&world.row(statement)).unwrap()
    };
    assert_eq!(
        (again().status, again().charge),
        (RequestStatus::Held, None)
    );
    let mut resolution = world.resolution(&caller, &ask, 5);
    resolution.facts.status = Some(200);
    let _ = world.resolve(&resolution);
    assert_eq!(
        (again().status, again().charge.unwrap().get()),
        (RequestStatus::Ok, 5)
    );
}

#[test]
fn every_filter_finds_what_it_names() {
    let (world, caller) = two_levels();
    fill(&world, &caller, 140);
    open(&world, &caller, 10);
    let count = |filter: &Filter| walk(&world, &caller.account, filter).concat().len();
    let check = |filter: Filter, expect: usize| assert_eq!(count(&filter), expect, "{filter:?}");
    let all = Filter::default;
    check(all(), 141);
    check(
        Filter {
            key: Some(caller.key_id.clone()),
            ..all()
        },
        141,
    );
    check(
        Filter {
            key: Some(KeyId::from_random([77; 10])),
            ..all()
        },
        0,
    );
    check(
        Filter {
            model: Some("sim/other".to_owned()),
            ..all()
        },
        14,
    );
    check(
        Filter {
            model: Some("sim/%".to_owned()),
            ..all()
        },
        0,
    );
    check(
        Filter {
            status: Some(RequestStatus::Ok),
            ..all()
        },
        120,
    );
    check(
        Filter {
            status: Some(RequestStatus::Failed),
            ..all()
        },
        20,
    );
    check(
        Filter {
            status: Some(RequestStatus::Held),
            ..all()
        },
        1,
    );
    check(
        Filter {
            from_ms: Some(NOW_MS + 100_000),
            ..all()
        },
        41,
    );
    check(
        Filter {
            to_ms: Some(NOW_MS + 100_000),
            ..all()
        },
        100,
    );
    let minute = Filter {
        from_ms: Some(NOW_MS),
        to_ms: Some(NOW_MS + MINUTE_MS),
        ..all()
    };
    check(minute.clone(), 60);
    let everything = Filter {
        key: Some(caller.key_id.clone()),
        model: Some("sim/other".to_owned()),
        status: Some(RequestStatus::Ok),
        ..minute
    };
    check(everything, 5);
    check(
        Filter {
            from_ms: Some(NOW_MS),
            to_ms: Some(NOW_MS),
            ..all()
        },
        0,
    );
}

#[test]
fn what_is_rare_is_found_by_going_on_looking() {
    let (world, caller) = two_levels();
    fill(&world, &caller, 3_500);
    let rare = Filter {
        model: Some("sim/rare".to_owned()),
        ..Filter::default()
    };
    let first = own(&world, &caller.account, &at(&rare, None));
    assert_eq!((first.lines.len(), first.stopped_looking), (1, true));
    let pages = walk(&world, &caller.account, &rare);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 0]);
    // The other way, from the oldest call on.
    let oldest = *walk(&world, &caller.account, &Filter::default())
        .concat()
        .last()
        .unwrap();
    let mut found = 0;
    let mut cursor = Some(Cursor::Newer(oldest));
    while cursor.is_some() {
        let page = own(&world, &caller.account, &at(&rare, cursor));
        found += page.lines.len();
        cursor = page.newer;
    }
    assert_eq!(found, 3);
}

#[test]
fn a_page_reads_little_among_a_hundred_thousand_calls() {
    let (world, caller) = two_levels();
    // 100,000 calls of a thousand accounts, beside the caller's own, all interleaved in time.
    world.database.script(
        "WITH d(x) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
         n(x) AS (SELECT a.x + 10*b.x + 100*c.x + 1000*d.x + 10000*e.x FROM d a, d b, d c, d d, d e)
         INSERT INTO requests (id, nonce, account_id, key_id, state, levels, lease_until_ms, model,
           provider, cost_id, streamed, max_tokens, prompt_estimate, reserved_tokens, created_at_ms,
           outcome, status, cost_nanos)
         SELECT 382862780006400000 + ((n.x * 100) << 22), 1, 'acc_' || (n.x % 1000), 'key_' || (n.x % 1000),
           'settled', '[{\"account\":\"acc_x\",\"hold\":9,\"charge\":4}]', 0, 'sim/echo', 'openrouter', 1, 0,
           1, 1, 1, 1795348800000 + n.x * 100, 'exact', 200, 3 FROM n",
    );
    fill(&world, &caller, 5_000);
    let own = (&caller.account, &caller.account);
    let check = |query: &LogQuery, lines: usize, most: u64| {
        let (page, rows_read) = page(&world, own, query);
        assert_eq!(page.lines.len(), lines, "{query:?}");
        assert!(rows_read <= most, "{rows_read} rows for {query:?}");
        page
    };
    let plain = check(&LogQuery::default(), PAGE, 250);
    let older = check(&at(&Filter::default(), plain.older), PAGE, 250);
    check(&at(&Filter::default(), older.newer), PAGE, 250);
    let times = Filter {
        from_ms: Some(NOW_MS + 1_000_000),
        to_ms: Some(NOW_MS + 2_000_000),
        ..Filter::default()
    };
    check(&at(&times, None), PAGE, 250);
    let scan = u64::try_from(SCAN).unwrap();
    let rare = Filter {
        model: Some("sim/rare".to_owned()),
        ..Filter::default()
    };
    check(&at(&rare, None), 1, 3 * scan + 250);
    let none = Filter {
        model: Some("sim/none".to_owned()),
        ..Filter::default()
    };
    let page = check(&at(&none, None), 0, 3 * scan + 250);
    assert!(page.stopped_looking && page.older.is_some());

    for filter in [Filter::default(), times, rare] {
        for cursor in [None, plain.older, older.newer] {
            let query = at(&filter, cursor);
            let plan = explain(&world, query.statement(View::own(&caller.account)));
            assert!(
                plan.contains("INDEX requests_by_account (account_id=? AND id>? AND id<?)"),
                "{plan}"
            );
            assert!(
                !plan.contains("SCAN requests") && !plan.contains("SCAN r\n"),
                "{plan}"
            );
        }
    }
}
