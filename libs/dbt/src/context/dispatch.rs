//! `adapter.dispatch`: from a macro's name and namespace to the one that is called.

use crate::jinja::engine::Inner;
use crate::jinja::{Code, Error};

/// The adapter's own prefix, those it inherits from, and the default, in the order of the search.
fn prefixes(inner: &Inner) -> [&'static str; 2] {
    [inner.settings.environment.adapter.as_str(), "default"]
}

/// Finds the macro that `adapter.dispatch(name, namespace)` means for a node of `package`.
///
/// # Errors
/// MACRO_NOT_FOUND with every name that was looked for.
pub(crate) fn resolve(inner: &Inner, package: &str, name: &str, namespace: Option<&str>) -> Result<usize, Error> {
    if let Some((package, name)) = name.split_once('.') {
        let message = format!(
            "In adapter.dispatch, got a macro name of \"{package}.{name}\", but \".\" is not a valid macro name component. Did you \
             mean `adapter.dispatch(\"{name}\", macro_namespace=\"{package}\")`?"
        );
        return Err(Error::new(Code::CompilerError, message));
    }
    let mut tried = Vec::new();
    for place in search_packages(inner, namespace) {
        for prefix in prefixes(inner) {
            let candidate = format!("{prefix}__{name}");
            let found = match &place {
                Some(place) => inner.registry.in_package(place, &candidate),
                None => inner.registry.visible(package, &inner.settings.root_package, &candidate),
            };
            if let Some(index) = found {
                return Ok(index);
            }
            tried.push(match place {
                Some(place) => format!("'{place}.{candidate}'"),
                None => format!("'{candidate}'"),
            });
        }
    }
    let namespace = namespace.unwrap_or("None");
    let code = if super::names::is_dbt_macro(&format!("default__{name}")) {
        Code::MemberNotSupported
    } else {
        Code::MacroNotFound
    };
    Err(Error::new(
        code,
        format!(
            "In dispatch: No macro named '{name}' found within namespace: '{namespace}'\n    Searched for: {}",
            tried.join(", ")
        ),
    ))
}

fn search_packages<'a>(inner: &'a Inner, namespace: Option<&'a str>) -> Vec<Option<&'a str>> {
    let Some(namespace) = namespace else { return vec![None] };
    let settings = &inner.settings;
    if let Some(config) = settings.dispatch.iter().find(|config| config.macro_namespace == namespace) {
        return config.search_order.iter().map(|package| Some(package.as_str())).collect();
    }
    let is_dependency = super::runtime::INTERNAL.contains(&namespace)
        || settings.root_package == namespace
        || settings.packages.iter().any(|package| package == namespace);
    if is_dependency {
        return vec![Some(&settings.root_package), Some(namespace)];
    }
    vec![None]
}
