//! Runs templates: scopes, statements and the budget.
//!
//! Responsible for control flow and output. Expressions are `eval`'s, macros `call`'s, names of dbt `context`'s.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::api::{Database, Graph, NodeContext, Parsed, SourceSpan};
use super::engine::Inner;
use super::error::{Code, Error, Frame};
use super::ir::{For, Kind, Name, Pattern, Span, Stmt, Template};
use super::looping::{Loop, Namespace};
use super::native;
use super::print::print;
use super::value::Value;

pub(crate) use super::scope::{Args, Scope};

/// The steps one rendering may take.
const MAX_STEPS: u64 = 10_000_000;
/// The bytes one rendering may write: 4 MiB.
pub(crate) const MAX_OUTPUT: usize = 4 << 20;
/// As many bytes of text that an expression makes count as one step: 320 MB are made at most.
const BYTES_A_STEP: usize = 32;
/// The macros that may be inside each other. Beyond, it is a cycle.
const MAX_DEPTH: usize = 120;

/// The macros of any kind that may be inside each other: each of dbt's may have its `caller()`.
const MAX_ALL_DEPTH: usize = 2 * MAX_DEPTH;

/// Says why evaluation left its usual way.
pub(crate) enum Stop {
    Error(Box<Error>),
    /// `return(x)`: caught by the dbt macro that called it.
    Return(Value),
    Continue,
    Break,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

pub(crate) type Outcome<T> = Result<T, Stop>;

/// Collects text and where it came from.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) text: String,
    pub(crate) spans: Vec<SourceSpan>,
    /// What is written, piece by piece with its type, where a YAML string is rendered.
    pub(crate) pieces: Option<Vec<Value>>,
}

/// Says which of dbt's two passes, or which YAML, is rendered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Parse,
    Run,
    /// Strings of dbt_project.yml and YAML files.
    Yaml,
    /// Strings of profiles.yml.
    Profile,
}

/// Is a call of a macro that has not returned.
pub(crate) struct Call {
    /// The macro's `unique_id`; empty until it is known.
    pub(crate) name: String,
    /// The byte of a template at which it is called.
    pub(crate) at: Option<(Arc<Template>, u32)>,
}

impl Call {
    fn frame(&self) -> Frame {
        let place = self.at.as_ref().map(|(template, at)| template.place(*at));
        Frame { name: self.name.clone(), place }
    }
}

/// Runs one rendering.
pub(crate) struct Vm<'e> {
    pub(crate) engine: &'e Inner,
    pub(crate) node: &'e NodeContext,
    pub(crate) phase: Phase,
    pub(crate) graph: Option<&'e dyn Graph>,
    pub(crate) database: Option<&'e dyn Database>,
    pub(crate) record: Parsed,
    /// The ephemeral models met in pass 2.
    pub(crate) ctes: Vec<String>,
    /// The answer of `is_incremental()` in this rendering, where it is not to be asked.
    pub(crate) incremental: Option<bool>,
    pub(crate) results: HashMap<String, Value>,
    /// Context members made once, and those a caller put in.
    pub(crate) members: HashMap<String, Value>,
    /// Undefined values may be called and walked into: how dbt parses models.
    pub(crate) lenient: bool,
    pub(crate) template: Arc<Template>,
    pub(crate) calls: Vec<Call>,
    /// How many dbt macros are inside each other.
    pub(crate) macro_depth: usize,
    /// How many macros of any kind are: also those that a template defines for itself, and `caller()`.
    pub(crate) depth: usize,
    pub(crate) map_source: bool,
    pub(crate) last_macro: Option<(Rc<str>, Vec<SourceSpan>)>,
    steps: u64,
}

impl<'e> Vm<'e> {
    pub(crate) fn new(engine: &'e Inner, node: &'e NodeContext, phase: Phase) -> Self {
        Self {
            engine,
            node,
            phase,
            graph: None,
            database: None,
            record: Parsed::default(),
            ctes: Vec::new(),
            incremental: None,
            results: HashMap::new(),
            members: HashMap::new(),
            lenient: false,
            template: engine.empty.clone(),
            calls: Vec::new(),
            macro_depth: 0,
            depth: 0,
            map_source: false,
            last_macro: None,
            steps: 0,
        }
    }

    /// Counts one step against the budget.
    pub(crate) fn step(&mut self) -> Outcome<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(budget().into());
        }
        Ok(())
    }

    /// Counts a text that was made against the budget, so that a rendering cannot hold many large ones.
    pub(crate) fn made(&mut self, bytes: usize) -> Outcome<()> {
        self.steps += (bytes / BYTES_A_STEP) as u64;
        if self.steps > MAX_STEPS { Err(budget().into()) } else { Ok(()) }
    }

    /// Renders a template into `out`.
    pub(crate) fn render(&mut self, template: &Arc<Template>, out: &mut Out) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.template, template.clone());
        let outcome = self.body(&template.body, &Scope::root(), out);
        self.template = before;
        match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) => Err(*error),
            // dbt lets a model's own `return` end its rendering with an error; nothing real does that.
            Err(Stop::Return(_)) => Err(Error::runtime("return() outside of a macro")),
            Err(Stop::Continue | Stop::Break) => Err(Error::runtime("loop control outside of a loop")),
        }
    }

    pub(crate) fn enter(&mut self) -> Result<(), Error> {
        if self.calls.len() >= MAX_DEPTH {
            let chain: Vec<_> = self.calls.iter().rev().take(8).map(|frame| frame.name.as_str()).collect();
            let message = format!("macros call each other without end: {}", chain.join(" <- "));
            return Err(Error::new(Code::TemplateCycle, message));
        }
        Ok(())
    }

    /// Counts one more macro inside the others.
    pub(crate) fn go_down(&mut self) -> Result<(), Error> {
        if self.depth >= MAX_ALL_DEPTH {
            return Err(Error::new(Code::TemplateCycle, "macros of the template call each other without end"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Answers an error with its place and the macros around it.
    pub(crate) fn locate(&self, error: Error, span: &Span) -> Error {
        if error.place.is_some() {
            return error;
        }
        let mut error = error.at(|| Some(self.template.place(span.start)));
        if error.stack.is_empty() {
            error.stack = self.calls.iter().rev().map(Call::frame).collect();
        }
        error
    }

    pub(crate) fn located<T>(&self, outcome: Outcome<T>, span: &Span) -> Outcome<T> {
        outcome.map_err(|stop| match stop {
            Stop::Error(error) => self.locate(*error, span).into(),
            Stop::Return(_) | Stop::Continue | Stop::Break => stop,
        })
    }

    pub(crate) fn body(&mut self, body: &[Stmt], scope: &Rc<Scope>, out: &mut Out) -> Outcome<()> {
        for statement in body {
            self.step()?;
            self.statement(statement, scope, out)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Stmt, scope: &Rc<Scope>, out: &mut Out) -> Outcome<()> {
        match statement {
            Stmt::Raw(text, span) => self.write(out, text, span),
            Stmt::Emit(expr, span) => {
                self.last_macro = None;
                let value = self.eval(expr, scope)?;
                match &mut out.pieces {
                    Some(pieces) => pieces.push(native::piece(expr, value)),
                    None => self.emit(out, &value, span)?,
                }
                Ok(())
            }
            Stmt::For(each) => self.each(each, scope, out),
            Stmt::If { test, then, otherwise } => {
                let branch = if self.eval(test, scope)?.truth() { then } else { otherwise };
                self.body(branch, scope, out)
            }
            Stmt::With { assignments, body } => {
                let inner = Scope::inside(scope);
                for (target, expr) in assignments {
                    let value = self.eval(expr, &inner)?;
                    self.assign(target, value, &inner)?;
                }
                self.body(body, &inner, out)
            }
            Stmt::Set(target, expr) => {
                let value = self.eval(expr, scope)?;
                let outcome = self.assign(target, value, scope);
                self.located(outcome, &expr.span)
            }
            Stmt::SetBlock { target, filter, body } => {
                let text = self.capture(body, scope)?;
                let value = match filter {
                    Some(filter) => self.filter_chain(filter, text, scope)?,
                    None => text,
                };
                self.assign(target, value, scope)
            }
            Stmt::Filter { filter, body } => {
                let text = self.capture(body, scope)?;
                let value = self.filter_chain(filter, text, scope)?;
                self.emit(out, &value, &filter.span)
            }
            Stmt::Macro(def) => {
                let value = self.closure(def, scope);
                scope.set(&def.name, value);
                Ok(())
            }
            Stmt::Call { call, caller, span } => {
                self.last_macro = None;
                let Kind::Call(callee, args) = &call.kind else { return Ok(()) };
                let callee_value = self.eval(callee, scope)?;
                let mut args = self.args(args, scope)?;
                args.named.push((Name::from("caller"), self.closure(caller, scope)));
                let outcome = self.call_value(callee_value, args, span);
                let value = self.located(outcome, span)?;
                self.emit(out, &value, span)
            }
            Stmt::Do(expr) => self.eval(expr, scope).map(drop),
            Stmt::Continue => Err(Stop::Continue),
            Stmt::Break => Err(Stop::Break),
        }
    }

    fn capture(&mut self, body: &[Stmt], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut inner = Out::default();
        self.body(body, &Scope::inside(scope), &mut inner)?;
        Ok(Value::from(inner.text))
    }

    fn write(&mut self, out: &mut Out, text: &str, span: &Span) -> Outcome<()> {
        if let Some(pieces) = &mut out.pieces {
            pieces.push(Value::from(text));
            return Ok(());
        }
        if out.text.len() + text.len() > MAX_OUTPUT {
            return Err(self.locate(budget(), span).into());
        }
        if self.map_source && !text.is_empty() {
            let start = out.text.len();
            let at = self.template.shift + self.template.offset;
            out.spans.push(SourceSpan {
                output: start..start + text.len(),
                path: self.template.path.clone(),
                source: at + span.start as usize..at + span.end as usize,
            });
        }
        out.text.push_str(text);
        Ok(())
    }

    fn emit(&mut self, out: &mut Out, value: &Value, span: &Span) -> Outcome<()> {
        let Value::Str(text) = value else {
            return self.write(out, &print(value), span);
        };
        match self.last_macro.take() {
            Some((last, spans)) if Rc::ptr_eq(&last, text) && self.map_source => {
                let start = out.text.len();
                if start + text.len() > MAX_OUTPUT {
                    return Err(self.locate(budget(), span).into());
                }
                out.text.push_str(text);
                out.spans.extend(spans.into_iter().map(|mut inner| {
                    inner.output = start + inner.output.start..start + inner.output.end;
                    inner
                }));
                Ok(())
            }
            _ => self.write(out, text, span),
        }
    }

    fn each(&mut self, each: &For, scope: &Rc<Scope>, out: &mut Out) -> Outcome<()> {
        let value = self.eval(&each.iter, scope)?;
        let items = value.items().ok_or_else(|| {
            self.locate(Error::runtime(format!("'{}' object is not iterable", value.type_name())), &each.iter.span)
        })?;
        let items = match &each.filter {
            Some(filter) => self.filtered(each, filter, items, scope)?,
            None => items,
        };
        if items.is_empty() {
            return self.body(&each.otherwise, scope, out);
        }
        let name = Name::from("loop");
        let state = Rc::new(Loop::new(items));
        while let Some(item) = state.advance() {
            self.step()?;
            let inner = Scope::inside(scope);
            inner.set(&name, Value::Object(state.clone()));
            self.assign(&each.target, item, &inner)?;
            match self.body(&each.body, &inner, out) {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    fn filtered(
        &mut self,
        each: &For,
        filter: &super::ir::Expr,
        items: Vec<Value>,
        scope: &Rc<Scope>,
    ) -> Outcome<Vec<Value>> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            self.step()?;
            let inner = Scope::inside(scope);
            self.assign(&each.target, item.clone(), &inner)?;
            if self.eval(filter, &inner)?.truth() {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    pub(crate) fn assign(&mut self, target: &Pattern, value: Value, scope: &Rc<Scope>) -> Outcome<()> {
        match target {
            Pattern::Name(name) => scope.set(name, value),
            Pattern::Attribute(of, name) => {
                let object = self.lookup(of, scope)?;
                let Some(namespace) = object.downcast::<Namespace>() else {
                    return Err(Error::runtime("cannot assign attribute on non-namespace object").into());
                };
                namespace.set(name, value);
            }
            Pattern::Tuple(targets) => {
                let items = value.items().ok_or_else(|| {
                    Error::runtime(format!("cannot unpack non-iterable {} object", value.type_name()))
                })?;
                if items.len() != targets.len() {
                    let message = format!("expected {} values to unpack, got {}", targets.len(), items.len());
                    return Err(Error::runtime(message).into());
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, scope)?;
                }
            }
        }
        Ok(())
    }
}

/// Makes the error of a template that does too much.
pub(crate) fn budget() -> Error {
    Error::new(Code::TemplateBudget, "stopped after 10,000,000 steps or 4 MiB of output")
}
