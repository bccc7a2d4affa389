//! Filters that walk over sequences and mappings.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::jinja::error::Error;
use crate::jinja::methods;
use crate::jinja::methods::text::joined;
use crate::jinja::print::print;
use crate::jinja::tests::test;
use crate::jinja::value::Value;
use crate::jinja::vm::{Args, Outcome, Vm};

/// Answers a sequence filter's value; None where `name` is none of them.
pub(super) fn filter(vm: &mut Vm<'_>, name: &str, value: &Value, args: &Args) -> Outcome<Option<Value>> {
    let items = || -> Result<Vec<Value>, Error> {
        value.items().ok_or_else(|| Error::runtime(format!("'{}' object is not iterable", value.type_name())))
    };
    Ok(Some(match name {
        "list" => Value::list(items()?),
        "first" => {
            items()?.into_iter().next().unwrap_or_else(|| Value::undefined("No first item, sequence was empty."))
        }
        "last" => items()?.pop().unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")),
        "reverse" => match value {
            Value::Str(text) => Value::from(text.chars().rev().collect::<String>()),
            _ => Value::list(items()?.into_iter().rev().collect()),
        },
        "join" => join(vm, items()?, args)?,
        "items" => match value {
            Value::Undefined(_) => Value::list(Vec::new()),
            Value::Dict(_) => return methods::call(vm, value, "items", &mut Args::default()),
            _ => return Err(Error::runtime("Can only get item pairs from a mapping.").into()),
        },
        "sum" => sum(vm, items()?, args)?,
        "min" | "max" => extreme(vm, items()?, name == "max", args)?,
        "sort" => sort(vm, items()?, args)?,
        "unique" => unique(vm, items()?, args)?,
        "map" => map(vm, items()?, args)?,
        "select" | "reject" => select(vm, items()?, args, name == "select", None)?,
        "selectattr" | "rejectattr" => {
            let attribute = args.need(0, "attribute")?;
            let rest = Args::of(args.positional.iter().skip(1).cloned().collect());
            select(vm, items()?, &rest, name == "selectattr", Some(attribute))?
        }
        "batch" => batch(items()?, args),
        "slice" => slices(items()?, args),
        "groupby" => group_by(vm, items()?, args)?,
        "dictsort" => dictsort(value, args)?,
        _ => return Ok(None),
    }))
}

/// Follows `a.b.0` from an item, as Jinja2's `make_attrgetter` does.
fn follow(vm: &mut Vm<'_>, item: &Value, path: &Value, default: Option<&Value>) -> Outcome<Value> {
    let Value::Str(path) = path else { return vm.item(item, path) };
    let mut value = item.clone();
    for part in path.split('.') {
        let key = part.parse().map_or_else(|_| Value::from(part), Value::Int);
        value = vm.item(&value, &key)?;
        if let (true, Value::Str(_), Value::Object(_)) = (value.is_undefined(), &key, item) {
            value = vm.attribute(item, part)?;
        }
        if value.is_undefined() {
            return Ok(default.cloned().unwrap_or(value));
        }
    }
    Ok(value)
}

fn keyed(vm: &mut Vm<'_>, items: Vec<Value>, attribute: Option<Value>) -> Outcome<Vec<(Value, Value)>> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = match &attribute {
            Some(path) => follow(vm, &item, path, None)?,
            None => item.clone(),
        };
        keyed.push((key, item));
    }
    Ok(keyed)
}

fn join(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args) -> Outcome<Value> {
    let separator = args.maybe_text(0, "d").unwrap_or_else(|| Rc::from(""));
    let keyed = keyed(vm, items, args.get(1, "attribute"))?;
    let parts: Vec<String> = keyed.iter().map(|(key, _)| print(key)).collect();
    Ok(Value::from(joined(&parts, &separator)?))
}

fn sum(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args) -> Outcome<Value> {
    let mut total = args.get(1, "start").unwrap_or(Value::Int(0));
    for (key, _) in keyed(vm, items, args.get(0, "attribute").filter(|a| !matches!(a, Value::None)))? {
        total = crate::jinja::operators::binary(crate::jinja::ir::Binary::Add, &total, &key)?;
    }
    Ok(total)
}

fn folded(value: &Value, case_sensitive: bool) -> Value {
    match value {
        Value::Str(text) if !case_sensitive => Value::from(text.to_lowercase()),
        other => other.clone(),
    }
}

fn extreme(vm: &mut Vm<'_>, items: Vec<Value>, max: bool, args: &Args) -> Outcome<Value> {
    let case = args.flag(0, "case_sensitive", false);
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in keyed(vm, items, args.get(1, "attribute"))? {
        let key = folded(&key, case);
        let better = match &best {
            None => true,
            Some((other, _)) => ordering(&key, other)? == if max { Ordering::Greater } else { Ordering::Less },
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

fn ordering(a: &Value, b: &Value) -> Result<Ordering, Error> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    a.compare(b).ok_or_else(|| {
        Error::runtime(format!("'<' not supported between instances of '{}' and '{}'", a.type_name(), b.type_name()))
    })
}

/// Sorts as Python's `sorted` does, stably.
pub(crate) fn sorted(items: Vec<Value>, reverse: bool, case_sensitive: bool) -> Result<Vec<Value>, Error> {
    sorted_by(items.into_iter().map(|item| (folded(&item, case_sensitive), item)).collect(), reverse)
}

fn sorted_by(mut keyed: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>, Error> {
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let order = ordering(a, b).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

fn sort(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args) -> Outcome<Value> {
    let (reverse, case) = (args.flag(0, "reverse", false), args.flag(1, "case_sensitive", false));
    let paths: Vec<Value> = match args.get(2, "attribute") {
        Some(Value::Str(paths)) => paths.split(',').map(Value::from).collect(),
        Some(other) => vec![other],
        None => return Ok(Value::list(sorted(items, reverse, case)?)),
    };
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let mut key = Vec::with_capacity(paths.len());
        for path in &paths {
            key.push(folded(&follow(vm, &item, path, None)?, case));
        }
        keyed.push((Value::list(key), item));
    }
    Ok(Value::list(sorted_by(keyed, reverse)?))
}

fn unique(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args) -> Outcome<Value> {
    let case = args.flag(0, "case_sensitive", false);
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for (key, item) in keyed(vm, items, args.get(1, "attribute"))? {
        let key = folded(&key, case);
        if !seen.contains(&key) {
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn map(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args) -> Outcome<Value> {
    let mut mapped = Vec::with_capacity(items.len());
    if let (true, Some(attribute)) = (args.positional.is_empty(), args.named("attribute")) {
        let default = args.named("default");
        for item in items {
            mapped.push(follow(vm, &item, &attribute, default.as_ref())?);
        }
        return Ok(Value::list(mapped));
    }
    let name = args.text(0, "filter")?;
    let rest = Args { positional: args.positional[1..].to_vec(), named: args.named.clone() };
    for item in items {
        mapped.push(super::filter(vm, &name, item, rest.clone())?);
    }
    Ok(Value::list(mapped))
}

fn select(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args, keep: bool, attribute: Option<Value>) -> Outcome<Value> {
    let mut kept = Vec::new();
    for (key, item) in keyed(vm, items, attribute)? {
        let truth = match args.positional.first() {
            Some(name) => test(&print(name), &key, &Args::of(args.positional[1..].to_vec()))?,
            None => key.truth(),
        };
        if truth == keep {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn batch(items: Vec<Value>, args: &Args) -> Value {
    let size = usize::try_from(args.int(0, "linecount", 1)).unwrap_or(1).max(1);
    let fill = args.get(1, "fill_with");
    let rows = items.chunks(size).map(|row| {
        let mut row = row.to_vec();
        if let Some(fill) = &fill {
            row.resize(size, fill.clone());
        }
        Value::list(row)
    });
    Value::list(rows.collect())
}

fn slices(items: Vec<Value>, args: &Args) -> Value {
    let count = usize::try_from(args.int(0, "slices", 1)).unwrap_or(1).max(1);
    let (each, extra) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let mut rows = Vec::with_capacity(count);
    for i in 0..count {
        let mut row: Vec<Value> = rest.by_ref().take(each + usize::from(i < extra)).collect();
        if let (Some(fill), true) = (args.get(1, "fill_with"), i >= extra && extra > 0) {
            row.push(fill);
        }
        rows.push(Value::list(row));
    }
    Value::list(rows)
}

fn group_by(vm: &mut Vm<'_>, items: Vec<Value>, args: &Args) -> Outcome<Value> {
    let path = args.need(0, "attribute")?;
    let default = args.get(1, "default");
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((folded(&follow(vm, &item, &path, default.as_ref())?, false), item));
    }
    let sorted = sorted_by(
        keyed.iter().map(|(key, item)| (key.clone(), Value::tuple(vec![key.clone(), item.clone()]))).collect(),
        false,
    )?;
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pair in sorted {
        let Value::Tuple(pair) = pair else { continue };
        match groups.last_mut() {
            Some((key, members)) if *key == pair[0] => members.push(pair[1].clone()),
            _ => groups.push((pair[0].clone(), vec![pair[1].clone()])),
        }
    }
    let mut made = Vec::with_capacity(groups.len());
    for (_, members) in groups {
        let key = follow(vm, &members[0], &path, default.as_ref())?;
        made.push(Value::tuple(vec![key, Value::list(members)]));
    }
    Ok(Value::list(made))
}

fn dictsort(value: &Value, args: &Args) -> Result<Value, Error> {
    let Value::Dict(entries) = value else { return Err(Error::runtime("dictsort takes a mapping")) };
    let case = args.flag(0, "case_sensitive", false);
    let by_value = args.maybe_text(1, "by").as_deref() == Some("value");
    let keyed = entries
        .borrow()
        .iter()
        .map(|(key, value)| {
            let by = if by_value { value } else { &key.0 };
            (folded(by, case), Value::tuple(vec![key.0.clone(), value.clone()]))
        })
        .collect();
    Ok(Value::list(sorted_by(keyed, args.flag(2, "reverse", false))?))
}
