//! Contracts: the columns that a query must answer, and a table that is made of them with its constraints.

use super::quote::{ident, relation};
use super::session::PgSession;
use super::statement::Statement;
use crate::targets::{Constraint, ConstraintKind, Contract, ContractColumn, Error, Fault, Name};

/// Checks that a query answers exactly the columns of a contract, in any order.
pub(super) async fn check(session: &mut PgSession, sql: &str, contract: &Contract) -> Result<(), Error> {
    let declared: Vec<String> = contract
        .columns
        .iter()
        .map(|column| format!("cast(null as {}) as {}", column.data_type, name(column)))
        .collect();
    let declared = session.types(&Statement::plain(format!("select {}", declared.join(", ")))).await?;
    let around = Statement::around("select * from (", sql, ") as dvt_contract where false");
    let answered = session.types(&around).await?;
    let other = |of: &[(String, u32)], (name, oid): &(String, u32)| {
        let found = of.iter().find(|(known, _)| known == name);
        found.is_none_or(|(_, known)| kind(*known) != kind(*oid))
    };
    let wrong = answered.iter().filter(|column| other(&declared, column));
    let missing = declared.iter().filter(|(name, _)| !answered.iter().any(|(known, _)| known == name));
    let mut names: Vec<&str> = wrong.chain(missing).map(|(name, _)| name.as_str()).collect();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    let actual = session.shape(&format!("select * from (\n{sql}\n) as dvt_contract where false")).await?;
    let written = |columns: &[(String, String)]| {
        columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
    };
    let wanted: Vec<(String, String)> = declared
        .iter()
        .zip(&contract.columns)
        .map(|((name, _), column)| (name.clone(), column.data_type.clone()))
        .collect();
    let message = format!(
        "the contract is broken at {}: it has the columns {}; the model answers {}",
        names.join(", "),
        written(&wanted),
        written(&actual)
    );
    Err(Fault::new("CONTRACT_BROKEN", message).into())
}

/// Creates a table as a contract says, and fills it; answers how many rows it has.
pub(super) async fn create(
    session: &mut PgSession,
    (table, unlogged): (&Name, &str),
    (sql, contract): (&str, &Contract),
) -> Result<u64, Error> {
    let table = relation(table);
    let column = |column: &ContractColumn| {
        let constraints = column.constraints.iter().filter_map(of_column);
        [format!("{} {}", name(column), column.data_type)].into_iter().chain(constraints).collect::<Vec<_>>().join(" ")
    };
    let parts = contract.columns.iter().map(column).chain(contract.constraints.iter().filter_map(of_table));
    session.plain(format!("create {unlogged}table {table} (\n{}\n)", parts.collect::<Vec<_>>().join(",\n"))).await?;
    let names = contract.columns.iter().map(name).collect::<Vec<_>>().join(", ");
    let before = format!("insert into {table} ({names}) select {names} from (");
    session.run(&Statement::around(&before, sql, ") as dvt_contract")).await
}

/// Writes a column's name as the project means it: quoted to the letter, else folded by the server.
fn name(column: &ContractColumn) -> String {
    if column.is_quoted { ident(&column.name) } else { column.name.clone() }
}

/// Writes a constraint of a column; None for one that says too little, as in dbt.
fn of_column(constraint: &Constraint) -> Option<String> {
    let expression = constraint.expression.as_str();
    let written = match (constraint.kind, &constraint.to) {
        (ConstraintKind::Check, _) if !expression.is_empty() => format!("check ({expression})"),
        (ConstraintKind::NotNull, _) => format!("not null {expression}"),
        (ConstraintKind::Unique, _) => format!("unique {expression}"),
        (ConstraintKind::PrimaryKey, _) => format!("primary key {expression}"),
        (ConstraintKind::ForeignKey, Some(to)) => references(to),
        (ConstraintKind::ForeignKey, None) if !expression.is_empty() => format!("references {expression}"),
        (ConstraintKind::Custom, _) if !expression.is_empty() => expression.to_owned(),
        (ConstraintKind::Check | ConstraintKind::ForeignKey | ConstraintKind::Custom, _) => return None,
    };
    Some(written.trim().to_owned())
}

/// Writes a constraint of a table; None for one that says too little.
fn of_table(constraint: &Constraint) -> Option<String> {
    let (expression, columns) = (constraint.expression.as_str(), constraint.columns.join(", "));
    let gap = if expression.is_empty() { String::new() } else { format!(" {expression}") };
    let written = match (constraint.kind, &constraint.to) {
        (ConstraintKind::Check, _) if !expression.is_empty() => format!("check ({expression})"),
        (ConstraintKind::Unique, _) => format!("unique{gap} ({columns})"),
        (ConstraintKind::PrimaryKey, _) => format!("primary key{gap} ({columns})"),
        (ConstraintKind::ForeignKey, Some(to)) => format!("foreign key ({columns}) {}", references(to)),
        (ConstraintKind::ForeignKey, None) if !expression.is_empty() => {
            format!("foreign key ({columns}) references {expression}")
        }
        (ConstraintKind::Custom, _) if !expression.is_empty() => expression.to_owned(),
        (ConstraintKind::Check | ConstraintKind::NotNull | ConstraintKind::ForeignKey | ConstraintKind::Custom, _) => {
            return None;
        }
    };
    let name = constraint.name.as_ref().map_or_else(String::new, |name| format!("constraint {name} "));
    Some(format!("{name}{written}"))
}

fn references((to, columns): &(Name, Vec<String>)) -> String {
    format!("references {} ({})", relation(to), columns.join(", "))
}

/// Answers what stands for all types that dbt takes for the same, as its driver groups them.
fn kind(oid: u32) -> u32 {
    const GROUPS: [&[u32]; 8] = [
        &[23, 21],
        &[701, 700],
        &[25, 18, 19, 1042, 1043],
        &[1083, 1266],
        &[1007, 1005, 1006],
        &[1022, 1021],
        &[1009, 1002, 1003, 1014, 1015],
        &[1183, 1270],
    ];
    GROUPS.iter().find(|group| group.contains(&oid)).and_then(|group| group.first()).copied().unwrap_or(oid)
}
