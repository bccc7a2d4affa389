//! A target that holds nothing: what `dvt compile --vacant` asks where a run asks its database.

use dvt_dbt::jinja::{Code, Database, Error, ExistingColumn, ExistingRelation, QueryResult, RunValues};

/// Answers every question about relations as a database without any would; a statement waits for its run.
pub(super) struct Vacant {
    pub(super) run: RunValues,
}

impl Database for Vacant {
    fn get_relation(&self, _: &str, _: &str, _: &str) -> Result<Option<ExistingRelation>, Error> {
        Ok(None)
    }

    fn columns(&self, _: &str, _: &str, _: &str) -> Result<Vec<ExistingColumn>, Error> {
        Ok(Vec::new())
    }

    fn list_relations(&self, _: &str, _: &str) -> Result<Vec<ExistingRelation>, Error> {
        Ok(Vec::new())
    }

    fn query(&self, _: &str) -> Result<QueryResult, Error> {
        Err(Error::new(Code::Deferred, "it asks the database: a statement at compile time"))
    }

    fn run(&self) -> RunValues {
        self.run.clone()
    }
}
