//! Parses a template with minijinja and turns its borrowed syntax tree into ours.

use std::sync::Arc;

use minijinja::Value as MiniValue;
use minijinja::machinery::{Span as MiniSpan, ast, parse};
use minijinja::syntax::SyntaxConfig;

use super::error::{Code, Error};
use super::ir::{Arg, Binary, Comparison, Const, Expr, For, Kind, MacroDef, Name, Pattern, Span, Stmt, Template};
use super::place::{Before, place_of};
use super::rewrite::{Rewritten, rewrite};
use crate::tree::Path;

/// Is a piece of a file that is one template.
pub(crate) struct Piece<'a> {
    pub(crate) path: &'a Path,
    pub(crate) file: &'a Arc<str>,
    pub(crate) range: std::ops::Range<usize>,
    /// Where `file` begins in the file of the tree.
    pub(crate) shift: usize,
    pub(crate) before: Before,
}

/// Parses a template.
///
/// # Errors
/// TEMPLATE_SYNTAX with its place.
pub(crate) fn template(piece: &Piece<'_>) -> Result<Template, Error> {
    let Piece { path, file, shift, before, .. } = *piece;
    let place = |at: usize| Some(before.shift(place_of(path, file, at)));
    let (offset, source) = (piece.range.start, &file[piece.range.clone()]);
    if !source.contains("{%") && !source.contains("{{") && !source.contains("{#") {
        let text = source.strip_suffix('\n').unwrap_or(source);
        let body = vec![Stmt::Raw(newlines(text), 0..text.len() as u32)];
        return Ok(Template { path: path.clone(), file: file.clone(), offset, shift, before, body });
    }
    let rewritten = rewrite(source);
    let lower = Lower { rewritten: &rewritten };
    let parsed = parse(&rewritten.text, path, SyntaxConfig::default()).map_err(|error| {
        let at = error.range().map_or(0, |range| rewritten.original(range.start));
        let message = error.detail().map_or_else(|| error.to_string(), ToOwned::to_owned);
        Error::new(Code::TemplateSyntax, message).at(|| place(offset + at))
    })?;
    let ast::Stmt::Template(parsed) = parsed else { return Err(Error::new(Code::TemplateSyntax, "not a template")) };
    let body = lower.body(&parsed.children).map_err(|error| error.at(|| place(offset)))?;
    Ok(Template { path: path.clone(), file: file.clone(), offset, shift, before, body })
}

/// dbt renders every line end as one line feed.
fn newlines(text: &str) -> Arc<str> {
    if text.contains('\r') { Arc::from(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Arc::from(text) }
}

struct Lower<'a> {
    rewritten: &'a Rewritten,
}

impl Lower<'_> {
    fn span(&self, span: MiniSpan) -> Span {
        let start = self.rewritten.original(span.start_offset as usize) as u32;
        start..self.rewritten.original(span.end_offset as usize).max(start as usize) as u32
    }

    fn body(&self, statements: &[ast::Stmt<'_>]) -> Result<Vec<Stmt>, Error> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&self, statement: &ast::Stmt<'_>) -> Result<Stmt, Error> {
        Ok(match statement {
            ast::Stmt::EmitRaw(raw) => Stmt::Raw(newlines(raw.raw), self.span(raw.span())),
            ast::Stmt::EmitExpr(emit) => Stmt::Emit(self.expr(&emit.expr)?, self.span(emit.span())),
            ast::Stmt::ForLoop(each) => {
                if each.recursive {
                    return Err(Error::unsupported("for … recursive"));
                }
                Stmt::For(Box::new(For {
                    target: self.pattern(&each.target)?,
                    iter: self.expr(&each.iter)?,
                    filter: self.maybe(each.filter_expr.as_ref())?,
                    body: self.body(&each.body)?,
                    otherwise: self.body(&each.else_body)?,
                }))
            }
            ast::Stmt::IfCond(cond) => Stmt::If {
                test: self.expr(&cond.expr)?,
                then: self.body(&cond.true_body)?,
                otherwise: self.body(&cond.false_body)?,
            },
            ast::Stmt::WithBlock(with) => Stmt::With {
                assignments: with
                    .assignments
                    .iter()
                    .map(|(target, expr)| Ok((self.pattern(target)?, self.expr(expr)?)))
                    .collect::<Result<_, Error>>()?,
                body: self.body(&with.body)?,
            },
            ast::Stmt::Set(set) => Stmt::Set(self.pattern(&set.target)?, self.expr(&set.expr)?),
            ast::Stmt::SetBlock(set) => Stmt::SetBlock {
                target: self.pattern(&set.target)?,
                filter: self.maybe(set.filter.as_ref())?,
                body: self.body(&set.body)?,
            },
            ast::Stmt::FilterBlock(block) => {
                Stmt::Filter { filter: self.expr(&block.filter)?, body: self.body(&block.body)? }
            }
            ast::Stmt::Macro(def) => Stmt::Macro(Arc::new(self.macro_def(def, def.span())?)),
            ast::Stmt::CallBlock(block) => Stmt::Call {
                call: self.call(&block.call, block.call_expr_span)?,
                caller: Arc::new(self.macro_def(&block.macro_decl, block.macro_decl.span())?),
                span: self.span(block.call_expr_span),
            },
            ast::Stmt::Do(done) => match done.call.args.as_slice() {
                [ast::CallArg::Pos(expr)] => Stmt::Do(self.expr(expr)?),
                _ => return Err(Error::new(Code::TemplateSyntax, "`do` takes one expression")),
            },
            ast::Stmt::Continue(_) => Stmt::Continue,
            ast::Stmt::Break(_) => Stmt::Break,
            ast::Stmt::Template(inner) => Stmt::With { assignments: Vec::new(), body: self.body(&inner.children)? },
            ast::Stmt::AutoEscape(_) => return Err(Error::unsupported("autoescape")),
            ast::Stmt::Block(_) => return Err(Error::unsupported("block")),
            ast::Stmt::Import(_) | ast::Stmt::FromImport(_) => return Err(Error::unsupported("import")),
            ast::Stmt::Extends(_) => return Err(Error::unsupported("extends")),
            ast::Stmt::Include(_) => return Err(Error::unsupported("include")),
        })
    }

    /// Jinja2 looks for these three names in a macro's body to know what it takes.
    fn mentions(&self, span: MiniSpan, word: &str) -> bool {
        self.rewritten.text[span.start_offset as usize..span.end_offset as usize].contains(word)
    }

    fn macro_def(&self, def: &ast::Macro<'_>, span: MiniSpan) -> Result<MacroDef, Error> {
        let parameters = def
            .args
            .iter()
            .map(|arg| match arg {
                ast::Expr::Var(var) => Ok(Name::from(var.id)),
                _ => Err(Error::new(Code::TemplateSyntax, "a macro's parameter must be a name")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let defaults = def.defaults.iter().map(|default| self.expr(default)).collect::<Result<_, _>>()?;
        Ok(MacroDef {
            name: Name::from(def.name),
            parameters,
            defaults,
            body: self.body(&def.body)?,
            takes_varargs: self.mentions(span, "varargs"),
            takes_kwargs: self.mentions(span, "kwargs"),
            takes_caller: self.mentions(span, "caller"),
        })
    }

    fn pattern(&self, target: &ast::Expr<'_>) -> Result<Pattern, Error> {
        Ok(match target {
            ast::Expr::Var(var) => Pattern::Name(Name::from(var.id)),
            ast::Expr::List(list) => {
                Pattern::Tuple(list.items.iter().map(|item| self.pattern(item)).collect::<Result<_, _>>()?)
            }
            ast::Expr::GetAttr(attribute) => match &attribute.expr {
                ast::Expr::Var(var) => Pattern::Attribute(Name::from(var.id), Name::from(attribute.name)),
                _ => return Err(Error::new(Code::TemplateSyntax, "cannot assign to a nested attribute")),
            },
            other => {
                return Err(Error::new(Code::TemplateSyntax, format!("cannot assign to a {}", other.description())));
            }
        })
    }

    fn maybe(&self, expr: Option<&ast::Expr<'_>>) -> Result<Option<Expr>, Error> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    fn boxed(&self, expr: &ast::Expr<'_>) -> Result<Box<Expr>, Error> {
        self.expr(expr).map(Box::new)
    }

    fn maybe_boxed(&self, expr: Option<&ast::Expr<'_>>) -> Result<Option<Box<Expr>>, Error> {
        Ok(self.maybe(expr)?.map(Box::new))
    }

    fn all(&self, exprs: &[ast::Expr<'_>]) -> Result<Vec<Expr>, Error> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn args(&self, args: &[ast::CallArg<'_>]) -> Result<Vec<Arg>, Error> {
        args.iter()
            .map(|arg| {
                Ok(match arg {
                    ast::CallArg::Pos(expr) => Arg::Positional(self.expr(expr)?),
                    ast::CallArg::Kwarg(name, expr) => Arg::Named(Name::from(*name), self.expr(expr)?),
                    ast::CallArg::PosSplat(expr) => Arg::Splat(self.expr(expr)?),
                    ast::CallArg::KwargSplat(expr) => Arg::NamedSplat(self.expr(expr)?),
                })
            })
            .collect()
    }

    fn call(&self, call: &ast::Call<'_>, span: MiniSpan) -> Result<Expr, Error> {
        Ok(Expr { kind: Kind::Call(self.boxed(&call.expr)?, self.args(&call.args)?), span: self.span(span) })
    }

    fn expr(&self, expr: &ast::Expr<'_>) -> Result<Expr, Error> {
        let span = self.span(expr.span());
        let kind = match expr {
            ast::Expr::Var(var) => Kind::Var(Name::from(var.id)),
            ast::Expr::Const(value) => Kind::Const(constant(&value.value)?),
            ast::Expr::Slice(slice) => Kind::Slice {
                of: self.boxed(&slice.expr)?,
                start: self.maybe_boxed(slice.start.as_ref())?,
                stop: self.maybe_boxed(slice.stop.as_ref())?,
                step: self.maybe_boxed(slice.step.as_ref())?,
            },
            ast::Expr::UnaryOp(unary) => match unary.op {
                ast::UnaryOpKind::Not => Kind::Not(self.boxed(&unary.expr)?),
                ast::UnaryOpKind::Neg => Kind::Negate(self.boxed(&unary.expr)?),
            },
            ast::Expr::BinOp(binary) => self.binary(binary)?,
            ast::Expr::Compare(chain) => {
                let rest = chain.ops.iter().map(|op| Ok((comparison(op.op), self.expr(&op.expr)?)));
                Kind::Compare(self.boxed(&chain.expr)?, rest.collect::<Result<_, Error>>()?)
            }
            ast::Expr::IfExpr(cond) => Kind::If {
                test: self.boxed(&cond.test_expr)?,
                then: self.boxed(&cond.true_expr)?,
                otherwise: self.maybe_boxed(cond.false_expr.as_ref())?,
            },
            ast::Expr::Filter(filter) => Kind::Filter {
                name: Name::from(filter.name),
                of: self.maybe_boxed(filter.expr.as_ref())?,
                args: self.args(&filter.args)?,
            },
            ast::Expr::Test(test) => {
                Kind::Test { name: Name::from(test.name), of: self.boxed(&test.expr)?, args: self.args(&test.args)? }
            }
            ast::Expr::GetAttr(attribute) => Kind::Attribute(self.boxed(&attribute.expr)?, Name::from(attribute.name)),
            ast::Expr::GetItem(item) => Kind::Item(self.boxed(&item.expr)?, self.boxed(&item.subscript_expr)?),
            ast::Expr::Call(call) => Kind::Call(self.boxed(&call.expr)?, self.args(&call.args)?),
            ast::Expr::List(list) => Kind::List(self.all(&list.items)?),
            ast::Expr::Tuple(tuple) => Kind::Tuple(self.all(&tuple.items)?),
            ast::Expr::Map(map) => {
                let (keys, values) = (self.all(&map.keys)?, self.all(&map.values)?);
                Kind::Dict(keys.into_iter().zip(values).collect())
            }
        };
        Ok(Expr { kind, span })
    }

    fn binary(&self, binary: &ast::BinOp<'_>) -> Result<Kind, Error> {
        use ast::BinOpKind as Op;
        let (left, right) = (self.boxed(&binary.left)?, self.boxed(&binary.right)?);
        let compare = |op, left, right: Box<Expr>| Kind::Compare(left, vec![(op, *right)]);
        Ok(match binary.op {
            Op::ScAnd => Kind::And(left, right),
            Op::ScOr => Kind::Or(left, right),
            Op::Eq => compare(Comparison::Eq, left, right),
            Op::Ne => compare(Comparison::Ne, left, right),
            Op::Lt => compare(Comparison::Lt, left, right),
            Op::Lte => compare(Comparison::Lte, left, right),
            Op::Gt => compare(Comparison::Gt, left, right),
            Op::Gte => compare(Comparison::Gte, left, right),
            Op::In => compare(Comparison::In, left, right),
            Op::Add => Kind::Binary(Binary::Add, left, right),
            Op::Sub => Kind::Binary(Binary::Sub, left, right),
            Op::Mul => Kind::Binary(Binary::Mul, left, right),
            Op::Div => Kind::Binary(Binary::Div, left, right),
            Op::FloorDiv => Kind::Binary(Binary::FloorDiv, left, right),
            Op::Rem => Kind::Binary(Binary::Rem, left, right),
            Op::Pow => Kind::Binary(Binary::Pow, left, right),
            Op::Concat => Kind::Binary(Binary::Concat, left, right),
        })
    }
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Eq,
        ast::CompareOpKind::Ne => Comparison::Ne,
        ast::CompareOpKind::Lt => Comparison::Lt,
        ast::CompareOpKind::Lte => Comparison::Lte,
        ast::CompareOpKind::Gt => Comparison::Gt,
        ast::CompareOpKind::Gte => Comparison::Gte,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}

fn constant(value: &MiniValue) -> Result<Const, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Const::Str(newlines(text)));
    }
    if value.is_none() {
        return Ok(Const::None);
    }
    if value.is_integer() {
        let int = value.as_i64().ok_or_else(|| Error::unsupported(format!("the integer {value}")))?;
        return Ok(Const::Int(int));
    }
    match bool::try_from(value.clone()) {
        Ok(value) => Ok(Const::Bool(value)),
        Err(_) => f64::try_from(value.clone())
            .map(Const::Float)
            .map_err(|_| Error::new(Code::TemplateSyntax, format!("the constant {value} cannot be read"))),
    }
}
