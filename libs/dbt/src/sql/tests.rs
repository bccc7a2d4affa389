//! Judges good and bad SQL.

use super::*;

fn rules(asks_grammar: bool) -> Rules {
    Rules { adapter: Adapter::Postgres, is_script: false, asks_grammar }
}

/// Answers the code, the place and whether it is certain.
fn found(sql: &str) -> Option<(&'static str, usize, bool)> {
    judge(sql, rules(true)).map(|wrong| (wrong.code.as_str(), wrong.at, wrong.is_certain))
}

#[test]
fn takes_what_postgres_takes() {
    for sql in [
        "",
        "-- nothing",
        "select 1;",
        "select 1;;  -- the end ; select",
        "select ';', 'it''s', e'a\\';', $$ ; ( $$, $a$ $$ ( $a$, \"a;(\" /* ; /* ( */ ; */ from t",
        "select '\\'",
        "select a[1], (array[1,2])[1:2], '{}'::jsonb #>> '{a,b}', b'01', x'1f', u&'\\0041' from t",
        "with recursive a as (select 1 union all select n + 1 from a) select * from a order by 1 nulls last limit 1",
        "select count(*) filter (where x), percentile_cont(0.5) within group (order by y) from t",
        "select distinct on (a) * from t, lateral (select 1) l cross join lateral unnest(t.c) with ordinality",
        "values (1), (2)",
        "table t",
    ] {
        assert_eq!(found(sql), None, "{sql}");
    }
}

#[test]
fn finds_what_is_certainly_wrong_at_its_place() {
    for (sql, code, at) in [
        ("select 1; drop table t", "SQL_MULTIPLE_STATEMENTS", 10),
        ("select 'é;';\n select 2", "SQL_MULTIPLE_STATEMENTS", 15),
        ("select (1", "SQL_SYNTAX", 7),
        ("select 1)", "SQL_SYNTAX", 8),
        ("select 'a", "SQL_SYNTAX", 7),
        ("select $$a", "SQL_SYNTAX", 10),
        ("select \"a", "SQL_SYNTAX", 7),
        ("select /* a", "SQL_SYNTAX", 11),
        ("select 1 union all\nselect e'\\'", "SQL_SYNTAX", 26),
    ] {
        assert_eq!(found(sql), Some((code, at, true)), "{sql}");
    }
}

#[test]
fn what_only_the_grammar_refuses_is_not_certain() {
    assert_eq!(found("select , from t"), Some(("SQL_SYNTAX", 7, false)));
    assert_eq!(judge("select , from t", rules(false)), None);
    let shown = judge("select 1\nfrom t whre x", rules(true)).map(|wrong| wrong.message);
    let expected = "DVT+ cannot read the SQL as postgres's, and leaves it to the database: expected the end of the statement, found x\nfrom t whre x\n            ^";
    assert_eq!(shown.as_deref(), Some(expected));
}

#[test]
fn a_script_may_hold_several_statements() {
    assert_eq!(judge("select 1; drop table t", Rules { is_script: true, ..rules(true) }), None);
}

#[test]
fn nesting_is_limited_and_costs_little() {
    let nested = |depth: usize| format!("select {}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(found(&nested(SQL_NESTED_MAX)), None);
    assert_eq!(found(&nested(SQL_NESTED_MAX + 1)), Some(("SQL_TOO_NESTED", 7 + SQL_NESTED_MAX, true)));
    assert_eq!(found(&nested(10_000)).map(|found| found.0), Some("SQL_TOO_NESTED"));
}
