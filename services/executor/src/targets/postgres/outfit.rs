//! What a relation carries beside its rows: grants and comments, as a node's config wants them.

use std::collections::BTreeMap;

use super::catalog;
use super::quote::{ident, idents, literal, relation};
use super::session::PgSession;
use crate::targets::{Docs, Error, Grants, Name, RelationKind};

/// Grants and revokes until a relation has exactly what is wanted. What is `new` has no grants yet.
pub(super) async fn grant(
    session: &mut PgSession,
    name: &Name,
    (wanted, is_new): (&Grants, bool),
) -> Result<(), Error> {
    if wanted.is_empty() {
        return Ok(());
    }
    let table = relation(name);
    let granted = if is_new { Grants::new() } else { granted(session, name).await? };
    for (privilege, roles) in difference(&granted, wanted) {
        let roles = idents(roles.iter().map(String::as_str));
        session.plain(format!("revoke {privilege} on {table} from {roles}")).await?;
    }
    for (privilege, roles) in difference(wanted, &granted) {
        // As dbt, roles are written as the project writes them: quoted or not.
        session.plain(format!("grant {privilege} on {table} to {}", roles.join(", "))).await?;
    }
    Ok(())
}

/// Lists what we granted to others.
async fn granted(session: &mut PgSession, name: &Name) -> Result<Grants, Error> {
    let rows = session
        .text(&format!(
            "select privilege_type, grantee
            from information_schema.role_table_grants
            where grantor = current_role and grantee <> current_role and table_schema = {} and table_name = {}",
            literal(&name.schema),
            literal(&name.identifier)
        ))
        .await?;
    let mut grants = Grants::new();
    for row in rows {
        if let [Some(privilege), Some(role)] = &row[..] {
            grants.entry(privilege.to_lowercase()).or_default().push(role.clone());
        }
    }
    Ok(grants)
}

/// Answers what `some` has and `others` does not, in any case.
fn difference(some: &Grants, others: &Grants) -> Grants {
    let lowered = |roles: &Vec<String>| roles.iter().map(|role| role.to_lowercase()).collect::<Vec<_>>();
    let others: BTreeMap<String, Vec<String>> =
        others.iter().map(|(privilege, roles)| (privilege.to_lowercase(), lowered(roles))).collect();
    let left = some.iter().map(|(privilege, roles)| {
        let known = others.get(&privilege.to_lowercase());
        let is_left = |role: &&String| !known.is_some_and(|known| known.contains(&role.to_lowercase()));
        (privilege.clone(), roles.iter().filter(is_left).cloned().collect::<Vec<_>>())
    });
    left.filter(|(_, roles)| !roles.is_empty()).collect()
}

/// Comments on a relation and its columns. A column that is described and not there is a notice.
pub(super) async fn comment(session: &mut PgSession, name: &Name, docs: &Docs) -> Result<(), Error> {
    if docs.relation.is_none() && docs.columns.is_empty() {
        return Ok(());
    }
    let table = relation(name);
    if let Some(description) = &docs.relation {
        let kind = catalog::kind(session, name).await?.unwrap_or(RelationKind::Table);
        session.plain(format!("comment on {} {table} is {}", catalog::word(kind), literal(description))).await?;
    }
    if docs.columns.is_empty() {
        return Ok(());
    }
    let columns = catalog::columns(session, &table).await?;
    let mut missing = Vec::new();
    for docs in &docs.columns {
        let is_meant = |known: &str| match docs.is_quoted {
            true => known == docs.name,
            false => known.eq_ignore_ascii_case(&docs.name),
        };
        match columns.iter().find(|column| is_meant(&column.name)) {
            Some(column) => {
                let written = format!("{table}.{}", ident(&column.name));
                session.plain(format!("comment on column {written} is {}", literal(&docs.description))).await?;
            }
            None => missing.push(docs.name.as_str()),
        }
    }
    if !missing.is_empty() {
        session.note(format!("warning: {table} has no columns that are described: {}", missing.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_both_have_in_any_case() {
        let grants = |privilege: &str, roles: &[&str]| -> Grants {
            [(privilege.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect())].into()
        };
        let (some, others) = (grants("select", &["Ada", "bob"]), grants("SELECT", &["ada", "eve"]));
        assert_eq!(difference(&some, &others), grants("select", &["bob"]));
        assert_eq!(difference(&others, &some), grants("SELECT", &["eve"]));
        assert_eq!(difference(&some, &some), Grants::new());
    }
}
