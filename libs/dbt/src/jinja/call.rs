//! Calls: functions, methods, and macros with Jinja2's rules for their arguments.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use super::error::{Code, Error};
use super::ir::{Arg, Expr, Kind, MacroDef, Span, Template};
use super::methods;
use super::value::{Dict, Key, Object, Value};
use super::vm::{Args, Call, Out, Outcome, Scope, Stop, Vm};

/// Below this many bytes of free stack, a macro runs on a new piece of [`STACK_MORE`] bytes.
const STACK_LEFT: usize = 256 * 1024;
const STACK_MORE: usize = 2 * 1024 * 1024;

/// Is a macro defined inside a template, or the body of a `call` block, with the variables around it.
pub(crate) struct Closure {
    def: Arc<MacroDef>,
    template: Arc<Template>,
    scope: Rc<Scope>,
}

impl Object for Closure {
    fn type_name(&self) -> &'static str {
        "Macro"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok((name == "name").then(|| Value::from(&*self.def.name)))
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        let before = std::mem::replace(&mut vm.template, self.template.clone());
        let value = vm.run_macro(&self.def, &self.scope, args);
        vm.template = before;
        value
    }
}

/// Is one of the macros of the project, its packages or dbt itself.
pub(crate) struct DbtMacro {
    pub(crate) index: usize,
}

impl Object for DbtMacro {
    fn type_name(&self) -> &'static str {
        "MacroGenerator"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        vm.call_dbt_macro(self.index, args)
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| other.index == self.index)
    }
}

/// Is a function that DVT+ itself gives a template.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) body: fn(&mut Vm<'_>, Args) -> Outcome<Value>,
}

impl Object for Function {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        if let Some(value) = crate::context::of_function(vm, self.name, name) {
            return Ok(Some(value));
        }
        Err(Error::unsupported(format!("{}.{name}", self.name)).into())
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        (self.body)(vm, args)
    }

    fn print(&self) -> String {
        format!("<function {}>", self.name)
    }
}

impl Vm<'_> {
    pub(crate) fn closure(&self, def: &Arc<MacroDef>, scope: &Rc<Scope>) -> Value {
        Value::object(Closure { def: def.clone(), template: self.template.clone(), scope: scope.clone() })
    }

    pub(crate) fn call_expr(&mut self, expr: &Expr, callee: &Expr, args: &[Arg], scope: &Rc<Scope>) -> Outcome<Value> {
        let value = match &callee.kind {
            Kind::Attribute(of, name) => {
                let receiver = self.eval(of, scope)?;
                let mut args = self.args(args, scope)?;
                self.call_method(&receiver, name, &mut args, &expr.span)
            }
            _ => {
                let callee = self.eval(callee, scope)?;
                let args = self.args(args, scope)?;
                self.call_value(callee, args, &expr.span)
            }
        };
        self.located(value, &expr.span)
    }

    fn call_method(&mut self, receiver: &Value, name: &str, args: &mut Args, span: &Span) -> Outcome<Value> {
        let called = match receiver {
            Value::Object(object) => object.method(self, name, args)?,
            _ => methods::call(self, receiver, name, args)?,
        };
        if let Some(value) = called {
            return Ok(value);
        }
        let callee = self.attribute(receiver, name)?;
        self.call_value(callee, std::mem::take(args), span)
    }

    pub(crate) fn call_value(&mut self, callee: Value, args: Args, span: &Span) -> Outcome<Value> {
        match callee {
            Value::Object(object) if object.as_any().is::<DbtMacro>() => {
                self.calls.push(Call { name: String::new(), at: Some((self.template.clone(), span.start)) });
                let value = object.call(self, args);
                self.calls.pop();
                value
            }
            Value::Object(object) => object.call(self, args),
            Value::Undefined(hint) if self.lenient => {
                self.record.is_guess = true;
                Ok(Value::Undefined(hint))
            }
            Value::Undefined(hint) => {
                let hint = hint.as_deref().unwrap_or("the callee is undefined");
                let message = format!("{hint}. This can happen when calling a macro that does not exist");
                Err(Error::new(Code::MacroNotFound, message).into())
            }
            other => Err(Error::runtime(format!("'{}' object is not callable", other.type_name())).into()),
        }
    }

    /// Calls a dbt macro in the current context and records that it was called.
    pub(crate) fn call_dbt_macro(&mut self, index: usize, args: Args) -> Outcome<Value> {
        self.enter()?;
        let entry = self.engine.registry.entry(index);
        let unique_id = &entry.info.unique_id;
        if self.macro_depth == 0 && !self.record.macros.contains(unique_id) {
            self.record.macros.push(unique_id.clone());
        }
        if !self.record.reads.macros.contains(unique_id) {
            self.record.reads.macros.push(unique_id.clone());
        }
        if entry.info.unique_id == "macro.dbt.is_incremental" {
            self.record.reads.is_incremental = true;
        }
        let (template, def) = entry.compiled()?;
        match self.calls.last_mut() {
            Some(frame) if frame.name.is_empty() => frame.name.clone_from(unique_id),
            _ => {}
        }
        let lenient = std::mem::replace(&mut self.lenient, false);
        let before = std::mem::replace(&mut self.template, template);
        self.macro_depth += 1;
        let value = self.run_macro(&def, &Scope::root(), args);
        self.macro_depth -= 1;
        self.template = before;
        self.lenient = lenient;
        match value {
            Err(Stop::Return(value)) => Ok(value),
            other => other,
        }
    }

    fn run_macro(&mut self, def: &Arc<MacroDef>, outer: &Rc<Scope>, args: Args) -> Outcome<Value> {
        self.go_down()?;
        let value = self.macro_text(def, outer, args);
        self.depth -= 1;
        value
    }

    fn macro_text(&mut self, def: &Arc<MacroDef>, outer: &Rc<Scope>, args: Args) -> Outcome<Value> {
        let scope = Scope::inside(outer);
        self.bind(def, &scope, args)?;
        let mut out = Out::default();
        // A macro in a macro in a macro takes more stack than a thread has; the limit on calls is the vm's.
        let ran = stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.body(&def.body, &scope, &mut out));
        match ran {
            Ok(()) => {}
            Err(Stop::Continue | Stop::Break) => return Err(Error::runtime("loop control outside of a loop").into()),
            Err(stop) => return Err(stop),
        }
        let text: Rc<str> = Rc::from(out.text);
        if self.map_source {
            self.last_macro = Some((text.clone(), out.spans));
        }
        Ok(Value::Str(text))
    }

    fn bind(&mut self, def: &Arc<MacroDef>, scope: &Rc<Scope>, args: Args) -> Outcome<()> {
        let Args { positional, mut named } = args;
        let mut positional = positional.into_iter();
        let first_default = def.parameters.len() - def.defaults.len();
        for (index, parameter) in def.parameters.iter().enumerate() {
            let given = positional.next();
            let by_name = named.iter().position(|(name, _)| name == parameter).map(|at| named.remove(at).1);
            let value = match (given, by_name) {
                (Some(_), Some(_)) => {
                    let message = format!("macro '{}' got multiple values for argument '{parameter}'", def.name);
                    return Err(Error::runtime(message).into());
                }
                (Some(value), None) | (None, Some(value)) => value,
                (None, None) if index >= first_default => self.eval(&def.defaults[index - first_default], scope)?,
                (None, None) => Value::undefined(&format!("parameter '{parameter}' was not provided")),
            };
            scope.set(parameter, value);
        }
        let caller = named.iter().position(|(name, _)| &**name == "caller").map(|at| named.remove(at).1);
        if def.takes_caller {
            scope.set(&"caller".into(), caller.unwrap_or_else(|| Value::undefined("No caller defined")));
        }
        let rest: Vec<Value> = positional.collect();
        if def.takes_varargs {
            scope.set(&"varargs".into(), Value::tuple(rest));
        } else if !rest.is_empty() {
            let message = format!("macro '{}' takes not more than {} argument(s)", def.name, def.parameters.len());
            return Err(Error::runtime(message).into());
        }
        if def.takes_kwargs {
            let entries: Dict = named.into_iter().map(|(name, value)| (Key::from(&*name), value)).collect();
            scope.set(&"kwargs".into(), Value::dict(entries));
        } else if let Some((name, _)) = named.first() {
            let message = format!("macro '{}' takes no keyword argument '{name}'", def.name);
            return Err(Error::runtime(message).into());
        }
        Ok(())
    }

    pub(crate) fn filter_chain(&mut self, filter: &Expr, value: Value, scope: &Rc<Scope>) -> Outcome<Value> {
        let Kind::Filter { name, of, args } = &filter.kind else {
            return Err(Error::runtime("expected a filter").into());
        };
        let value = match of {
            Some(inner) => self.filter_chain(inner, value, scope)?,
            None => value,
        };
        let args = self.args(args, scope)?;
        let value = super::filters::filter(self, name, value, args);
        self.located(value, &filter.span)
    }

    /// Answers what a name stands for: a variable, a macro, a member of dbt's context, one of Jinja's own.
    pub(crate) fn lookup(&mut self, name: &str, scope: &Rc<Scope>) -> Outcome<Value> {
        if let Some(value) = scope.find(name) {
            return Ok(value);
        }
        if let Some(value) = crate::context::find(self, name)? {
            return Ok(value);
        }
        Ok(Value::undefined(&format!("'{name}' is undefined")))
    }
}
