//! Templates as the evaluator runs them: minijinja's syntax tree, owned, with spans in the original file.

use std::ops::Range;
use std::sync::Arc;

use super::place::{Before, place_of};
use crate::diagnostic::Place;
use crate::tree::Path;

/// Is a name: interned by pointer within one template, compared by text.
pub(crate) type Name = Arc<str>;

/// Is where something stands in the template's file, in bytes.
pub(crate) type Span = Range<u32>;

/// Is one parsed template.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) path: Path,
    /// The text that holds the template, from its byte `offset` on; spans count from there.
    pub(crate) file: Arc<str>,
    pub(crate) offset: usize,
    /// Where `file` begins in the file of the tree.
    pub(crate) shift: usize,
    pub(crate) before: Before,
    pub(crate) body: Vec<Stmt>,
}

impl Template {
    /// Answers where a byte of the template stands in the file of the tree.
    pub(crate) fn place(&self, at: u32) -> Place {
        self.before.shift(place_of(&self.path, &self.file, self.offset + at as usize))
    }
}

#[derive(Debug)]
pub(crate) enum Stmt {
    Raw(Arc<str>, Span),
    Emit(Expr, Span),
    For(Box<For>),
    If { test: Expr, then: Vec<Stmt>, otherwise: Vec<Stmt> },
    With { assignments: Vec<(Pattern, Expr)>, body: Vec<Stmt> },
    Set(Pattern, Expr),
    SetBlock { target: Pattern, filter: Option<Expr>, body: Vec<Stmt> },
    Filter { filter: Expr, body: Vec<Stmt> },
    Macro(Arc<MacroDef>),
    Call { call: Expr, caller: Arc<MacroDef>, span: Span },
    Do(Expr),
    Continue,
    Break,
}

#[derive(Debug)]
pub(crate) struct For {
    pub(crate) target: Pattern,
    pub(crate) iter: Expr,
    pub(crate) filter: Option<Expr>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) otherwise: Vec<Stmt>,
}

/// Is what can stand left of an assignment.
#[derive(Debug)]
pub(crate) enum Pattern {
    Name(Name),
    Attribute(Name, Name),
    Tuple(Vec<Pattern>),
}

/// Is a macro, or the body of a `call` block.
#[derive(Debug)]
pub(crate) struct MacroDef {
    pub(crate) name: Name,
    pub(crate) parameters: Vec<Name>,
    /// Of the last parameters.
    pub(crate) defaults: Vec<Expr>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) takes_varargs: bool,
    pub(crate) takes_kwargs: bool,
    pub(crate) takes_caller: bool,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Var(Name),
    Const(Const),
    Slice {
        of: Box<Expr>,
        start: Option<Box<Expr>>,
        stop: Option<Box<Expr>>,
        step: Option<Box<Expr>>,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If {
        test: Box<Expr>,
        then: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
    /// `of` is None at the head of a `filter` block's chain.
    Filter {
        name: Name,
        of: Option<Box<Expr>>,
        args: Vec<Arg>,
    },
    Test {
        name: Name,
        of: Box<Expr>,
        args: Vec<Arg>,
    },
    Attribute(Box<Expr>, Name),
    Item(Box<Expr>, Box<Expr>),
    Call(Box<Expr>, Vec<Arg>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    In,
    NotIn,
}

#[derive(Debug)]
pub(crate) enum Const {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
}

#[derive(Debug)]
pub(crate) enum Arg {
    Positional(Expr),
    Named(Name, Expr),
    Splat(Expr),
    NamedSplat(Expr),
}
