//! A model's contract: turns its columns and constraints into what a target is asked to keep.

use dvt_dbt::node::Node;
use serde_json::{Map, Value as Json};

use crate::targets::{Constraint, ConstraintKind, Contract, ContractColumn, Fault, Name, OnSchemaChange};
use crate::task::{Failure, Maker};

/// Says whether a node's contract is enforced.
pub(crate) fn is_enforced(node: &Node) -> bool {
    node.config.get("contract").and_then(|contract| contract.get("enforced")) == Some(&Json::Bool(true))
}

/// Refuses what a contract cannot survive, as dbt does.
pub(crate) fn check_change(node: &Node, change: OnSchemaChange) -> Result<(), Fault> {
    match change {
        OnSchemaChange::Ignore | OnSchemaChange::SyncAllColumns if is_enforced(node) => {
            let message = "on_schema_change of an incremental model with a contract is `append_new_columns` or `fail`";
            Err(Fault::new("CONFIG_TYPE", message))
        }
        _ => Ok(()),
    }
}

fn broken(message: String) -> Fault {
    Fault::new("CONTRACT_BROKEN", message)
}

impl Maker {
    /// Answers a model's contract, as far as it is enforced.
    ///
    /// # Errors
    /// When a column has no type, or a foreign key leads nowhere.
    pub(crate) fn contract(&self, node: &Node) -> Result<Option<Contract>, Failure> {
        if !is_enforced(node) {
            return Ok(None);
        }
        let mut columns = Vec::with_capacity(node.columns.len());
        for column in node.columns.values() {
            let name = column.name.clone();
            let missing = || broken(format!("the column {name} of the contract has no data_type"));
            let data_type = column.data_type.clone().filter(|kind| !kind.trim().is_empty()).ok_or_else(missing)?;
            let constraints = self.constraints(node, &column.constraints)?;
            columns.push(ContractColumn { name, is_quoted: column.quote.unwrap_or(false), data_type, constraints });
        }
        if columns.is_empty() {
            return Err(broken("the contract has no columns; a model's YAML lists them".to_owned()).into());
        }
        let of_model = node.properties.get("constraints").and_then(Json::as_array);
        let constraints = self.constraints(node, of_model.map(Vec::as_slice).unwrap_or_default())?;
        Ok(Some(Contract { columns, constraints }))
    }

    fn constraints(&self, node: &Node, written: &[Json]) -> Result<Vec<Constraint>, Failure> {
        written.iter().filter_map(Json::as_object).map(|written| self.constraint(node, written)).collect()
    }

    fn constraint(&self, node: &Node, written: &Map<String, Json>) -> Result<Constraint, Failure> {
        let text = |key: &str| written.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        let list = |key: &str| -> Vec<String> {
            let items = written.get(key).and_then(Json::as_array).into_iter().flatten();
            items.filter_map(Json::as_str).map(str::to_owned).collect()
        };
        let kind = match text("type").unwrap_or_default() {
            "check" => ConstraintKind::Check,
            "not_null" => ConstraintKind::NotNull,
            "unique" => ConstraintKind::Unique,
            "primary_key" => ConstraintKind::PrimaryKey,
            "foreign_key" => ConstraintKind::ForeignKey,
            "custom" => ConstraintKind::Custom,
            other => return Err(broken(format!("`{other}` is no type of constraint")).into()),
        };
        let to_columns = list("to_columns");
        let to = match text("to").filter(|_| !to_columns.is_empty()) {
            Some(to) => Some((self.relation_of(node, to)?, to_columns)),
            None => None,
        };
        let expression = text("expression").unwrap_or_default().to_owned();
        Ok(Constraint { kind, name: text("name").map(str::to_owned), expression, columns: list("columns"), to })
    }

    /// Answers the relation that a `ref()` or `source()` of a foreign key names.
    fn relation_of(&self, node: &Node, written: &str) -> Result<Name, Failure> {
        let wrong = || broken(format!("a foreign key leads to a ref() or source(), got `{written}`"));
        let found = self.referred(node, written)?.ok_or_else(wrong)?;
        Ok(self.project.relation(found))
    }
}
