//! What is chosen of a small project; each answer is dbt's own, as `dbt ls` 1.11 gives it.

use super::fixture::project;
use super::*;

fn example() -> Project {
    project(&[
        ("dbt_project.yml", "name: p\nmodels: {p: {marts: {+materialized: table, +tags: [nightly]}}}"),
        ("models/staging/stg_a.sql", "select * from {{ source('raw', 'a') }}"),
        (
            "models/staging/stg_b.sql",
            "{{ config(tags='daily', meta={'owner': 'me'}) }} select * from {{ source('raw', 'b') }}",
        ),
        ("models/marts/c.sql", "select * from {{ ref('stg_a') }} join {{ ref('stg_b') }}"),
        ("models/marts/deep/d.sql", "select * from {{ ref('c') }}"),
        (
            "models/staging/_s.yml",
            "sources: [{name: raw, tables: [{name: a}, {name: b}]}]\nmodels: [{name: stg_a, columns: [{name: id, data_tests: [unique, {relationships: {arguments: {to: ref('stg_b'), field: id}}}]}]}]",
        ),
        ("tests/c_is_good.sql", "select * from {{ ref('c') }} where false"),
        ("analyses/look.sql", "select * from {{ ref('d') }}"),
    ])
}

fn chosen(criteria: Criteria) -> String {
    let project = example();
    let chosen = select(&project, &criteria).expect("the criteria are right");
    let mut names: Vec<&str> = chosen.iter().map(|id| name(&project.nodes()[id])).collect();
    names.sort_unstable();
    names.join(" ")
}

/// Shortens the names of the tests on columns.
fn name(node: &crate::node::Node) -> &str {
    node.test.as_ref().map_or(node.name.as_str(), |test| test.name.as_str())
}

fn by(select: &str, exclude: &str) -> String {
    chosen(Criteria { select: select.into(), exclude: exclude.into(), ..Criteria::default() })
}

#[test]
fn criteria_choose_what_dbt_chooses() {
    for (select, exclude, expected) in [
        ("", "", "a b c c_is_good d look relationships stg_a stg_b unique"),
        ("stg_a", "", "relationships stg_a unique"),
        ("stg_a+", "", "c c_is_good d look relationships stg_a unique"),
        ("stg_a+1", "", "c c_is_good relationships stg_a unique"),
        ("+c", "", "a b c c_is_good relationships stg_a stg_b unique"),
        ("1+c", "", "c c_is_good relationships stg_a stg_b unique"),
        ("@stg_a", "", "a b c c_is_good d look relationships stg_a stg_b unique"),
        ("tag:nightly", "", "c c_is_good d"),
        ("tag:night*,d", "", "d"),
        ("stg_a d", "", "d relationships stg_a unique"),
        ("path:models/marts/deep", "", "d"),
        ("models/marts", "", "c c_is_good d"),
        ("path:models/staging/_s.yml", "", "a b relationships stg_a unique"),
        ("d.sql", "", "d"),
        ("file:stg_?", "", "relationships stg_a stg_b unique"),
        ("p.staging", "", "relationships stg_a stg_b unique"),
        ("marts.*", "", "c c_is_good d"),
        ("*_b", "", "relationships stg_b"),
        ("source:raw.b+1", "", "b relationships stg_b"),
        ("source:p.raw.*", "", "a b"),
        ("source:raw", "", "a b"),
        ("config.materialized:table", "", "c c_is_good d"),
        ("config.meta.owner:me", "", "relationships stg_b"),
        ("config.tags:daily", "", "relationships stg_b"),
        ("config.enabled:true,resource_type:model", "", "c c_is_good d relationships stg_a stg_b unique"),
        ("test_type:singular", "", "c_is_good"),
        ("test_type:generic", "", "relationships unique"),
        ("test_name:uni*", "", "unique"),
        ("package:this,resource_type:analysis", "", "look"),
        ("package:other", "", ""),
        ("", "tag:nightly stg_b", "a b look stg_a unique"),
        ("stg_a+", "d+", "c c_is_good relationships stg_a unique"),
        ("+c", "test_type:generic", "a b c c_is_good stg_a stg_b"),
        ("exposure:*", "", ""),
    ] {
        assert_eq!(by(select, exclude), expected, "--select {select} --exclude {exclude}");
    }
}

#[test]
fn tests_are_chosen_with_their_parents_as_asked() {
    for (indirect, select, expected) in [
        (Indirect::Eager, "stg_a", "relationships stg_a unique"),
        (Indirect::Cautious, "stg_a", "stg_a unique"),
        (Indirect::Cautious, "stg_a stg_b", "relationships stg_a stg_b unique"),
        (Indirect::Buildable, "stg_a", "stg_a unique"),
        (Indirect::Buildable, "c", "c c_is_good"),
        (Indirect::Empty, "stg_a", "stg_a"),
    ] {
        let criteria = Criteria { select: select.into(), indirect, ..Criteria::default() };
        assert_eq!(chosen(criteria), expected, "{indirect:?} {select}");
    }
}

#[test]
fn kinds_narrow_what_is_chosen() {
    let criteria =
        Criteria { select: "stg_a+".into(), resource_types: vec![ResourceType::Model], ..Criteria::default() };
    assert_eq!(chosen(criteria), "c d stg_a");
}

#[test]
fn what_is_no_criterion_is_refused_by_name() {
    let project = example();
    for (select, code) in [
        ("state:modified", "SELECTOR_NOT_SUPPORTED"),
        ("colour:red", "SELECTOR_INVALID"),
        ("@a+", "SELECTOR_INVALID"),
        ("test_type:odd", "SELECTOR_INVALID"),
        ("resource_type:table", "SELECTOR_INVALID"),
        ("source:a.b.c.d", "SELECTOR_INVALID"),
        ("99999999999999999999999+a", "SELECTOR_INVALID"),
    ] {
        let refused = select_all(&project, select).expect_err(select);
        assert_eq!(refused.code(), code, "{select}");
    }
}

fn select_all(project: &Project, select: &str) -> Result<IndexSet<UniqueId>, Error> {
    super::select(project, &Criteria { select: select.into(), ..Criteria::default() })
}

fn with_selectors(selectors: &str) -> Project {
    project(&[
        ("dbt_project.yml", "name: p"),
        ("selectors.yml", selectors),
        ("models/a.sql", "select 1"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        ("models/c.sql", "{{ config(tags='x') }} select * from {{ ref('b') }}"),
    ])
}

fn by_selector(project: &Project, selector: Option<&str>) -> Result<Vec<UniqueId>, Error> {
    let criteria = Criteria { selector: selector.map(str::to_owned), ..Criteria::default() };
    select(project, &criteria).map(|chosen| chosen.into_iter().collect())
}

#[test]
fn selectors_of_the_project_are_known_by_name() {
    let project = with_selectors(
        "selectors:
  - {name: tagged, definition: {tag: x}}
  - {name: near, default: true, definition: {method: fqn, value: b, parents: true, exclude: [b]}}
  - name: all
    definition: {union: [{method: selector, value: tagged}, {method: selector, value: near}, 'b']}",
    );
    assert_eq!(by_selector(&project, Some("tagged")), Ok(vec!["model.p.c".to_owned()]));
    assert_eq!(by_selector(&project, Some("all")).map(|chosen| chosen.len()), Ok(3));
    assert_eq!(by_selector(&project, None), Ok(vec!["model.p.a".to_owned()]));
    assert_eq!(by_selector(&project, Some("none")), Err(Error::Selector("none".to_owned())));
    assert_eq!(select_all(&project, "b").expect("it is right").len(), 1);
}

#[test]
fn a_wrong_definition_is_refused_by_its_selector() {
    for definition in ["[a]", "{method: tag, depth: 1}", "{union: a}", "{union: [{exclude: [a]}, {exclude: [b]}]}"] {
        let project = with_selectors(&format!("selectors: [{{name: odd, definition: {definition}}}]"));
        let refused = by_selector(&project, Some("odd")).expect_err(definition);
        assert!(matches!(&refused, Error::Definition { selector, .. } if selector == "odd"), "{refused}");
    }
}
