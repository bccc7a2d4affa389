//! Which macros a macro may call, read from its text as dbt does: without running it.

use super::api::Macro;
use super::engine::Inner;
use super::ir::{Arg, Const, Expr, Kind, MacroDef, Stmt};

/// Answers all macros with `depends_on_macros` filled in.
pub(crate) fn with_dependencies(inner: &Inner) -> Vec<Macro> {
    inner
        .registry
        .entries()
        .iter()
        .map(|entry| {
            let mut info = entry.info.clone();
            if let Ok((_, def)) = entry.compiled() {
                let mut finder =
                    Finder { inner, package: &entry.info.package, of: &entry.info.unique_id, found: Vec::new() };
                finder.def(&def);
                info.depends_on_macros = finder.found;
            }
            info
        })
        .collect()
}

struct Finder<'a> {
    inner: &'a Inner,
    package: &'a str,
    /// The macro's own `unique_id`.
    of: &'a str,
    found: Vec<String>,
}

impl Finder<'_> {
    fn add(&mut self, index: Option<usize>) {
        if let Some(index) = index {
            let unique_id = &self.inner.registry.entry(index).info.unique_id;
            if !self.found.contains(unique_id) {
                self.found.push(unique_id.clone());
            }
        }
    }

    fn def(&mut self, def: &MacroDef) {
        def.defaults.iter().for_each(|expr| self.expr(expr));
        self.body(&def.body);
    }

    fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Emit(expr, _) | Stmt::Set(_, expr) | Stmt::Do(expr) => self.expr(expr),
            Stmt::For(each) => {
                self.expr(&each.iter);
                each.filter.iter().for_each(|expr| self.expr(expr));
                self.body(&each.body);
                self.body(&each.otherwise);
            }
            Stmt::If { test, then, otherwise } => {
                self.expr(test);
                self.body(then);
                self.body(otherwise);
            }
            Stmt::With { assignments, body } => {
                assignments.iter().for_each(|(_, expr)| self.expr(expr));
                self.body(body);
            }
            Stmt::SetBlock { filter, body, .. } => {
                filter.iter().for_each(|expr| self.expr(expr));
                self.body(body);
            }
            Stmt::Filter { filter, body } => {
                self.expr(filter);
                self.body(body);
            }
            Stmt::Macro(def) => self.def(def),
            Stmt::Call { call, caller, .. } => {
                self.expr(call);
                self.def(caller);
            }
            Stmt::Raw(..) | Stmt::Continue | Stmt::Break => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Call(callee, args) => {
                self.callee(callee, args);
                self.expr(callee);
                self.args(args);
            }
            Kind::Slice { of, start, stop, step } => {
                self.expr(of);
                [start, stop, step].into_iter().flatten().for_each(|expr| self.expr(expr));
            }
            Kind::Not(of) | Kind::Negate(of) | Kind::Attribute(of, _) => self.expr(of),
            Kind::Binary(_, a, b) | Kind::And(a, b) | Kind::Or(a, b) | Kind::Item(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Kind::Compare(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, expr)| self.expr(expr));
            }
            Kind::If { test, then, otherwise } => {
                self.expr(test);
                self.expr(then);
                otherwise.iter().for_each(|expr| self.expr(expr));
            }
            Kind::Filter { of, args, .. } => {
                of.iter().for_each(|expr| self.expr(expr));
                self.args(args);
            }
            Kind::Test { of, args, .. } => {
                self.expr(of);
                self.args(args);
            }
            Kind::List(items) | Kind::Tuple(items) => items.iter().for_each(|expr| self.expr(expr)),
            Kind::Dict(entries) => entries.iter().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Kind::Var(_) | Kind::Const(_) => {}
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            match arg {
                Arg::Positional(expr) | Arg::Named(_, expr) | Arg::Splat(expr) | Arg::NamedSplat(expr) => {
                    self.expr(expr)
                }
            }
        }
    }

    fn callee(&mut self, callee: &Expr, args: &[Arg]) {
        let (registry, root) = (&self.inner.registry, &self.inner.settings.root_package);
        match &callee.kind {
            // A macro that calls itself by its bare name does not depend on itself.
            Kind::Var(name) if self.of.ends_with(&format!(".{name}")) => {}
            Kind::Var(name) => self.add(registry.by_name(self.package, root, name)),
            Kind::Attribute(of, name) => match &of.kind {
                Kind::Var(adapter) if &**adapter == "adapter" && &**name == "dispatch" => self.dispatched(args),
                Kind::Var(package) if registry.is_package(package) => self.add(registry.in_package(package, name)),
                _ => {}
            },
            _ => {}
        }
    }

    fn dispatched(&mut self, args: &[Arg]) {
        let text = |index: usize, name: &str| {
            args.iter().enumerate().find_map(|(at, arg)| match arg {
                Arg::Positional(expr) if at == index => literal(expr),
                Arg::Named(key, expr) if **key == *name => literal(expr),
                _ => None,
            })
        };
        let Some(name) = text(0, "macro_name") else { return };
        let namespace = text(1, "macro_namespace");
        let found = crate::context::dispatch::resolve(self.inner, self.package, &name, namespace.as_deref());
        self.add(found.ok());
    }
}

fn literal(expr: &Expr) -> Option<String> {
    match &expr.kind {
        Kind::Const(Const::Str(text)) => Some(text.to_string()),
        _ => None,
    }
}
