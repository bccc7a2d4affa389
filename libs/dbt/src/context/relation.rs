//! Relations: names of tables and views, quoted as the project says.

use std::any::Any;
use std::rc::Rc;

use crate::jinja::value::{Key, Object, StrKey, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};
use crate::jinja::{Error, Quoting, Resolved};

/// The longest name that Postgres keeps, in characters as dbt counts.
const MAX_NAME: usize = 63;

/// Is dbt's `Relation`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relation {
    pub(crate) database: Option<Rc<str>>,
    pub(crate) schema: Option<Rc<str>>,
    pub(crate) identifier: Option<Rc<str>>,
    pub(crate) quote: Quoting,
    pub(crate) include: Quoting,
    pub(crate) kind: Option<Rc<str>>,
    /// The view of `information_schema` that is meant, for what `information_schema()` makes.
    pub(crate) view: Option<Rc<str>>,
}

impl Relation {
    pub(crate) fn new(database: Option<&str>, schema: Option<&str>, identifier: Option<&str>) -> Self {
        Self {
            database: database.map(Rc::from),
            schema: schema.map(Rc::from),
            identifier: identifier.map(Rc::from),
            quote: Quoting::default(),
            include: Quoting::default(),
            kind: None,
            view: None,
        }
    }

    /// Makes what `ref()` answers for a node.
    pub(crate) fn resolved(found: &Resolved) -> Self {
        if found.ephemeral {
            return Self::cte(&found.identifier);
        }
        let mut relation = Self::new(found.database.as_deref(), Some(&found.schema), Some(&found.identifier));
        relation.quote = found.quoting;
        relation
    }

    /// Makes the name of an ephemeral model's CTE.
    pub(crate) fn cte(identifier: &str) -> Self {
        let mut relation = Self::new(None, None, Some(&format!("__dbt__cte__{identifier}")));
        relation.quote.identifier = false;
        relation.kind = Some(Rc::from("cte"));
        relation
    }

    /// Says whether Postgres would cut the name.
    pub(crate) fn too_long(&self) -> bool {
        self.identifier.as_deref().is_some_and(|name| name.chars().count() > MAX_NAME)
    }

    pub(crate) fn render(&self) -> String {
        let part = |text: &Option<Rc<str>>, include: bool, quote: bool| {
            let text = text.as_ref().filter(|_| include)?;
            Some(if quote { format!("\"{text}\"") } else { text.to_string() })
        };
        let parts = [
            part(&self.database, self.include.database, self.quote.database),
            part(&self.schema, self.include.schema, self.quote.schema),
            part(&self.identifier, self.include.identifier, self.quote.identifier),
        ];
        let mut parts: Vec<String> = parts.into_iter().flatten().collect();
        if let Some(view) = &self.view {
            parts.push(view.to_string());
        }
        parts.join(".")
    }

    fn policy(quoting: Quoting) -> Value {
        let entries = [("database", quoting.database), ("schema", quoting.schema), ("identifier", quoting.identifier)];
        Value::dict(entries.into_iter().map(|(name, flag)| (Key::from(name), Value::Bool(flag))).collect())
    }

    fn property(&self, name: &str) -> Option<Value> {
        let text = |text: &Option<Rc<str>>| text.clone().map_or(Value::None, Value::Str);
        let is = |kind: &str| Value::Bool(self.kind.as_deref() == Some(kind));
        Some(match name {
            "database" => text(&self.database),
            "schema" => text(&self.schema),
            "identifier" | "name" | "table" => text(&self.identifier),
            "type" => text(&self.kind),
            "is_table" => is("table"),
            "is_view" => is("view"),
            "is_cte" => is("cte"),
            "is_materialized_view" => is("materialized_view"),
            "quote_policy" => Self::policy(self.quote),
            "include_policy" => Self::policy(self.include),
            "quote_character" => Value::from("\""),
            "limit" => Value::None,
            "dbt_created" => Value::Bool(false),
            "path" => Value::dict(
                [("database", &self.database), ("schema", &self.schema), ("identifier", &self.identifier)]
                    .into_iter()
                    .map(|(name, part)| (Key::from(name), text(part)))
                    .collect(),
            ),
            "can_be_renamed" => Value::Bool(matches!(self.kind.as_deref(), Some("table" | "view"))),
            "can_be_replaced" => is("view"),
            "View" => Value::from("view"),
            "Table" => Value::from("table"),
            "CTE" => Value::from("cte"),
            "MaterializedView" => Value::from("materialized_view"),
            "External" => Value::from("external"),
            _ => return None,
        })
    }
}

fn policy(args: &Args, base: Quoting) -> Quoting {
    let part = |index: usize, name: &str, base: bool| match args.get(index, name) {
        None | Some(Value::None) => base,
        Some(value) => value.truth(),
    };
    Quoting {
        database: part(0, "database", base.database),
        schema: part(1, "schema", base.schema),
        identifier: part(2, "identifier", base.identifier),
    }
}

fn replaced(path: &Value, relation: &mut Relation) {
    let Value::Dict(path) = path else { return };
    let path = path.borrow();
    let part = |name: &str, slot: &mut Option<Rc<str>>| match path.get(&StrKey(name)) {
        None => {}
        Some(Value::Str(text)) => *slot = Some(text.clone()),
        Some(_) => *slot = None,
    };
    part("database", &mut relation.database);
    part("schema", &mut relation.schema);
    part("identifier", &mut relation.identifier);
}

impl Object for Relation {
    fn type_name(&self) -> &'static str {
        "PostgresRelation"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn mapping(&self) -> bool {
        true
    }

    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        // In pass 1 the relation stands for any.
        vm.record.is_guess = true;
        Ok(self.property(name))
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let mut relation = self.clone();
        match name {
            "render" | "render_limited" | "render_event_time_filtered" => return Ok(Some(Value::from(self.render()))),
            "get" => {
                let key = args.text(0, "key")?;
                if &*key == "metadata" {
                    let entries = [(Key::from("type"), Value::from("PostgresRelation"))];
                    return Ok(Some(Value::dict(entries.into_iter().collect())));
                }
                let found = self.property(&key).or_else(|| args.get(1, "default"));
                return Ok(Some(found.unwrap_or(Value::None)));
            }
            "quote" => relation.quote = policy(args, self.quote),
            "include" => relation.include = policy(args, self.include),
            "without_identifier" => {
                relation.include.identifier = false;
                relation.identifier = None;
            }
            "replace_path" => {
                let entries = args.named.iter().map(|(name, value)| (Key::from(&**name), value.clone())).collect();
                replaced(&Value::dict(entries), &mut relation);
            }
            "incorporate" | "replace" => {
                if let Some(path) = args.named("path") {
                    replaced(&path, &mut relation);
                }
                if let Some(kind) = args.maybe_text(9, "type") {
                    relation.kind = Some(kind);
                }
            }
            "information_schema" | "information_schema_only" => {
                let view = args.maybe_text(0, "view_name");
                relation.include = Quoting { database: true, schema: false, identifier: true };
                relation.quote = Quoting { database: self.quote.database, schema: false, identifier: false };
                (relation.schema, relation.identifier) = (None, Some(Rc::from("INFORMATION_SCHEMA")));
                relation.view = view;
            }
            "quoted" => return Ok(Some(Value::from(format!("\"{}\"", args.text(0, "identifier")?)))),
            "create" => return create(vm, args).map(Some),
            "add_ephemeral_prefix" => {
                return Ok(Some(Value::from(format!("__dbt__cte__{}", args.text(0, "name")?))));
            }
            "matches" => {
                let same = |part: &Option<Rc<str>>, index, name| {
                    args.maybe_text(index, name).is_none_or(|wanted| part.as_deref() == Some(&*wanted))
                };
                let matches = same(&self.database, 0, "database")
                    && same(&self.schema, 1, "schema")
                    && same(&self.identifier, 2, "identifier");
                return Ok(Some(Value::Bool(matches)));
            }
            "relation_max_name_length" => return Ok(Some(Value::from(MAX_NAME))),
            "to_dict" | "get_default_quote_policy" | "get_default_include_policy" => {
                return Err(Error::unsupported(format!("relation.{name}")).into());
            }
            _ => return Ok(None),
        }
        Ok(Some(Value::object(relation)))
    }

    fn print(&self) -> String {
        self.render()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }
}

/// Is the class itself: `api.Relation`.
pub(super) struct RelationType;

impl Object for RelationType {
    fn type_name(&self) -> &'static str {
        "RelationProxy"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(Relation::new(None, None, None).property(name))
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        match name {
            "create" => create(vm, args).map(Some),
            "add_ephemeral_prefix" => Relation::new(None, None, None).method(vm, name, args),
            "scd_args" => {
                let mut items = match args.need(0, "primary_key")? {
                    Value::List(keys) => keys.borrow().clone(),
                    key => vec![key],
                };
                items.push(args.need(1, "updated_at")?);
                Ok(Some(Value::list(items)))
            }
            _ => Err(Error::unsupported(format!("api.Relation.{name}")).into()),
        }
    }
}

fn create(vm: &mut Vm<'_>, args: &Args) -> Outcome<Value> {
    let text = |index, name| args.maybe_text(index, name);
    let mut relation = Relation::new(None, None, None);
    (relation.database, relation.schema) = (text(0, "database"), text(1, "schema"));
    (relation.identifier, relation.kind) = (text(2, "identifier"), text(3, "type"));
    relation.quote = vm.engine.settings.quoting;
    if let Some(Value::Dict(entries)) = args.named("quote_policy") {
        let named =
            entries.borrow().iter().filter_map(|(key, value)| Some((key.0.as_str()?.into(), value.clone()))).collect();
        relation.quote = policy(&Args { positional: Vec::new(), named }, relation.quote);
    }
    Ok(Value::object(relation))
}

/// Makes `this`, or at parse time the relation that stands for any `ref()`.
pub(crate) fn this(vm: &Vm<'_>) -> Value {
    let node = vm.node;
    if vm.phase == Phase::Run && matches!(node.resource_type.as_str(), "operation" | "macro" | "exposure") {
        return Value::None;
    }
    let mut relation = Relation::new(Some(&node.database), Some(&node.schema), Some(&node.alias));
    relation.quote = vm.engine.settings.quoting;
    if let Some(quoting) = node.config.get("quoting").and_then(|quoting| quoting.as_object()) {
        let part = |name: &str, base: bool| quoting.get(name).and_then(serde_json::Value::as_bool).unwrap_or(base);
        relation.quote = Quoting {
            database: part("database", relation.quote.database),
            schema: part("schema", relation.quote.schema),
            identifier: part("identifier", relation.quote.identifier),
        };
    }
    Value::object(relation)
}
