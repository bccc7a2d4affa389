use super::World;
use crate::targets::{Constraint, ConstraintKind, Contract, ContractColumn, Error, Materialization, Name, Table};

fn column(name: &str, data_type: &str, constraints: &[(ConstraintKind, &str)]) -> ContractColumn {
    let constraint = |(kind, expression): &(ConstraintKind, &str)| Constraint {
        kind: *kind,
        expression: (*expression).to_owned(),
        ..Constraint::default()
    };
    let constraints = constraints.iter().map(constraint).collect();
    ContractColumn { name: name.into(), is_quoted: false, data_type: data_type.into(), constraints }
}

fn table(sql: &str, contract: &Contract) -> Materialization {
    Materialization::Table(Table { sql: sql.into(), contract: Some(contract.clone()), ..Table::default() })
}

fn fault(refused: Result<crate::targets::Built, Error>) -> String {
    match refused {
        Err(Error::Fault(fault)) => format!("{}: {}", fault.code, fault.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_table_has_the_columns_and_constraints_of_its_contract() {
    let world = World::new("contract_table").await;
    world.execute("create table dev.kinds (kind text primary key); insert into dev.kinds values ('a'), ('b')").await;
    let key = Constraint {
        kind: ConstraintKind::PrimaryKey,
        name: Some("orders_key".into()),
        columns: vec!["id".into(), "kind".into()],
        ..Constraint::default()
    };
    let to = Some((Name::new("dev", "kinds"), vec!["kind".to_owned()]));
    let foreign =
        Constraint { kind: ConstraintKind::ForeignKey, columns: vec!["kind".into()], to, ..Constraint::default() };
    let contract = Contract {
        columns: vec![
            column("ID", "int", &[(ConstraintKind::NotNull, ""), (ConstraintKind::Check, "id > 0")]),
            column("kind", "varchar(3)", &[]),
            column("price", "numeric(6,2)", &[(ConstraintKind::Custom, "default 1")]),
        ],
        constraints: vec![key, foreign],
    };
    let build = async |sql: &str| world.build("orders", table(sql, &contract)).await;
    // Another order, and types that dbt takes for the same.
    let sql = "select 1.555::numeric as price, 1::smallint as id, 'a'::text as kind -- all";
    assert_eq!(build(sql).await.unwrap().rows, Some(1));
    assert_eq!(world.rows("select id, kind, price from dev.orders").await, ["1 a 1.56"]);
    let types = "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'dev.orders'::regclass and attnum > 0";
    assert_eq!(world.rows(types).await, ["integer", "character varying(3)", "numeric(6,2)"]);
    let kinds = "select contype from pg_constraint where conrelid = 'dev.orders'::regclass order by 1";
    assert_eq!(world.rows(kinds).await, ["c", "f", "p"]);

    world.execute("alter table dev.orders drop constraint orders_key").await;
    for (sql, state) in [
        ("select -1 as id, 'a' as kind, 1.0 as price", "23514"),
        ("select null::int as id, 'a' as kind, 1.0 as price", "23502"),
        ("select 1 as id, 'z' as kind, 1.0 as price", "23503"),
        ("select 1 as id, 'a' as kind, 1.0 as price from generate_series(1, 2)", "23505"),
    ] {
        let refused = build(sql).await;
        assert!(matches!(&refused, Err(Error::Refused(refusal)) if refusal.sqlstate == state), "{sql}: {refused:?}");
    }
    assert_eq!(world.rows("select id from dev.orders").await, ["1"], "the table stays as it was");
}

#[tokio::test]
async fn a_model_that_breaks_its_contract_is_not_built() {
    let world = World::new("contract_broken").await;
    let contract =
        Contract { columns: vec![column("id", "bigint", &[]), column("name", "text", &[])], ..Contract::default() };
    for (sql, names) in [
        ("select 1 as id, 'x' as name", "id"),
        ("select 1::bigint as id", "name"),
        ("select 1::bigint as id, 'x' as name, 2 as more", "more"),
        ("select 1::bigint as id, 'x' as title", "title, name"),
    ] {
        let view = Materialization::View { sql: sql.to_owned(), contract: Some(contract.clone()) };
        for wanted in [table(sql, &contract), view] {
            let said = fault(world.build("broken", wanted).await);
            assert!(said.starts_with(&format!("CONTRACT_BROKEN: the contract is broken at {names}: ")), "{said}");
        }
    }
    let sql = "select 'x' as name, 1::bigint as id";
    let view = Materialization::View { sql: sql.to_owned(), contract: Some(contract.clone()) };
    world.build("kept", view).await.unwrap();
    assert_eq!(world.rows("select id, name from dev.kept").await, ["1 x"]);
}
