//! People take their calls with them, all of them and once each, as files that open anywhere.

use serde_json::Value;
use tollgate_core::accounts::{KeyEdit, View, edit_key};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::request_log::{Export, Filter, Format};

use crate::request_log::fill;
use crate::usage_days::{call, open, two_levels};
use crate::world::{Caller, NOW_MS, World};

/// The whole file, and in how many parts it was read.
fn export(world: &World, view: View<'_>, filter: &Filter, format: Format) -> (String, usize) {
    let mut export = Export::new(filter.clone(), format);
    let (mut file, mut parts) = (String::new(), 0);
    while let Some(statement) = export.statement(view) {
        let reply = world.database.run(statement);
        file.push_str(&export.take(view, reply.rows(0)).unwrap());
        parts += 1;
    }
    (file, parts)
}

fn own(world: &World, caller: &Caller, filter: &Filter, format: Format) -> (String, usize) {
    export(world, View::own(&caller.account), filter, format)
}

const HEADER: &str = "id,time,key_id,key_name,model,status,http_status,error_code,finish_reason,\
streamed,prompt_tokens,cached_tokens,cache_write_tokens,completion_tokens,reasoning_tokens,estimated,\
held_usd,charge_usd,first_byte_ms,total_ms";

#[test]
fn a_file_has_every_call_once_however_many_parts_it_takes() {
    let (world, caller) = two_levels();
    fill(&world, &caller, 2_500);
    let check = |filter: Filter, calls: usize, parts: usize| {
        let (csv, read) = own(&world, &caller, &filter, Format::Csv);
        let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
        assert_eq!(
            (lines[0], lines.len() - 1, read),
            (HEADER, calls, parts),
            "{filter:?}"
        );
        let mut ids: Vec<&str> = lines[1..].iter().map(|line| &line[..17]).collect();
        assert!(ids.is_sorted(), "the oldest first");
        ids.dedup();
        assert_eq!(ids.len(), calls);
        let (json, read) = own(&world, &caller, &filter, Format::Json);
        let json: Vec<Value> = serde_json::from_str(&json).expect("one array");
        assert_eq!((json.len(), read), (calls, parts));
    };
    check(Filter::default(), 2_500, 3);
    let rare = Filter {
        model: Some("sim/rare".to_owned()),
        ..Filter::default()
    };
    check(rare, 2, 1);
    let none = Filter {
        to_ms: Some(NOW_MS),
        ..Filter::default()
    };
    check(none, 0, 1);
}

#[test]
fn a_rare_call_is_exported_from_a_long_log_part_by_part() {
    let (world, caller) = two_levels();
    fill(&world, &caller, 10_000);
    let rare = Filter {
        model: Some("sim/rare".to_owned()),
        ..Filter::default()
    };
    let (json, parts) = own(&world, &caller, &rare, Format::Json);
    let json: Vec<Value> = serde_json::from_str(&json).expect("one array");
    // Two parts of five thousand, and one that finds nothing behind them.
    assert_eq!((json.len(), parts), (10, 3));
}

#[test]
fn amounts_are_exact_and_names_are_no_formulas() {
    let (world, caller) = two_levels();
    let rename = KeyEdit {
        name: Some("=HYPERLINK(\"x\"),\"".to_owned()),
        ..KeyEdit::default()
    };
    world.commit(edit_key(
        &caller.account,
        &caller.key_id,
        &rename,
        &world.change(),
    ));
    let ended = call(&world, &caller, 0, &[300, 200]);
    let held = open(&world, &caller, 1).request;
    let (csv, _) = own(&world, &caller, &Filter::default(), Format::Csv);
    let (key, name) = (&caller.key_id, r#""'=HYPERLINK(""x""),""""#);
    assert_eq!(
        csv,
        format!(
            "{HEADER}\r\n\
             {ended},2026-11-22T12:00:00Z,{key},{name},sim/echo,failed,,,,false,7,0,0,5,0,false,,0.0000003,,\r\n\
             {held},2026-11-22T12:01:00Z,{key},{name},sim/echo,held,,,,false,,,,,,,0.000001,,,\r\n"
        )
    );
    let (json, _) = own(&world, &caller, &Filter::default(), Format::Json);
    let json: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["key_name"], "=HYPERLINK(\"x\"),\"");
    assert_eq!(
        (&json[0]["charge_usd"], &json[0]["prompt_tokens"]),
        (&"0.0000003".into(), &7.into())
    );
    assert_eq!(
        (&json[1]["charge_usd"], &json[1]["held_usd"]),
        (&Value::Null, &"0.000001".into())
    );
    assert_eq!(json[0]["streamed"], false);
    assert_eq!(json[0]["base_usd"], Value::Null);
}

#[test]
fn sellers_have_two_columns_more_and_strangers_have_no_lines() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let neighbour = world.caller(
        &world.reseller,
        10,
        tollgate_core::limits::Limits::default(),
    );
    let lines = |by: &AccountId| {
        let view = View {
            account: &caller.account,
            by,
        };
        let (csv, _) = export(&world, view, &Filter::default(), Format::Csv);
        let lines: Vec<String> = csv.split_terminator("\r\n").map(str::to_owned).collect();
        lines
    };
    for by in [&world.reseller, &world.operator] {
        let lines = lines(by);
        assert!(
            lines[0].ends_with(",total_ms,base_usd,margin_usd"),
            "{lines:?}"
        );
        assert!(
            lines[1].ends_with(",0.0000003,,,0.0000002,0.0000001"),
            "{lines:?}"
        );
    }
    assert_eq!(lines(&caller.account)[0], HEADER);
    assert!(lines(&caller.account)[1].ends_with(",0.0000003,,"));
    assert_eq!(lines(&neighbour.account).len(), 1);
    // Not even a reseller of the same name can read another's customer.
    let stranger = world.new_reseller(10, 0);
    assert_eq!(lines(&stranger).len(), 1);
    let rows = Statement::new("SELECT count(*) FROM requests");
    assert_eq!(world.row(rows).get(0), Ok(1_i64));
}
