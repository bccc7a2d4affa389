//! Errors of templates: a stable code, what is wrong, and where, through the macros that led there.

use std::fmt;

use crate::diagnostic::Place;

/// Names what kind of failure a template met; the same codes as in diagnostics and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// More than [`crate::SQL_BYTES_MAX`], as written or compiled.
    SqlTooLarge,
    /// More than one statement where a node is one.
    SqlMultipleStatements,
    SqlSyntax,
    /// More than [`crate::SQL_NESTED_MAX`].
    SqlTooNested,
    TemplateSyntax,
    TemplateBudget,
    TemplateCycle,
    /// A failure while the template ran: a wrong type, an undefined value called, a missing argument.
    TemplateRuntime,
    EnvVarNotDefined,
    EnvVarSecret,
    VarNotDefined,
    RefNotFound,
    SourceNotFound,
    NodeDisabled,
    RefAmbiguous,
    RefUndeclared,
    MacroNotFound,
    MacroDuplicate,
    MemberNotSupported,
    /// `exceptions.raise_compiler_error` and its like: the project itself refuses.
    CompilerError,
    MaterializationCustom,
    /// The compilation needs what only a run has; not a failure, the node is deferred.
    Deferred,
    DatabaseError,
}

impl Code {
    /// Answers the code's stable text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SqlTooLarge => "SQL_TOO_LARGE",
            Self::SqlMultipleStatements => "SQL_MULTIPLE_STATEMENTS",
            Self::SqlSyntax => "SQL_SYNTAX",
            Self::SqlTooNested => "SQL_TOO_NESTED",
            Self::TemplateSyntax => "TEMPLATE_SYNTAX",
            Self::TemplateBudget => "TEMPLATE_BUDGET",
            Self::TemplateCycle => "TEMPLATE_CYCLE",
            Self::TemplateRuntime => "TEMPLATE_RUNTIME",
            Self::EnvVarNotDefined => "ENV_VAR_NOT_DEFINED",
            Self::EnvVarSecret => "ENV_VAR_SECRET",
            Self::VarNotDefined => "VAR_NOT_DEFINED",
            Self::RefNotFound => "REF_NOT_FOUND",
            Self::SourceNotFound => "SOURCE_NOT_FOUND",
            Self::NodeDisabled => "NODE_DISABLED",
            Self::RefAmbiguous => "REF_AMBIGUOUS",
            Self::RefUndeclared => "REF_UNDECLARED",
            Self::MacroNotFound => "MACRO_NOT_FOUND",
            Self::MacroDuplicate => "MACRO_DUPLICATE",
            Self::MemberNotSupported => "MEMBER_NOT_SUPPORTED",
            Self::CompilerError => "COMPILER_ERROR",
            Self::MaterializationCustom => "MATERIALIZATION_CUSTOM",
            Self::Deferred => "DEFERRED",
            Self::DatabaseError => "DATABASE_ERROR",
        }
    }
}

/// Reports why a template could not be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    /// Lowercase, no full stop; a project's own message is as the project wrote it.
    pub message: String,
    /// Where it happened, innermost.
    pub place: Option<Place>,
    /// The calls that led there, innermost first.
    pub stack: Vec<Frame>,
}

/// Names one macro call on the way to an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The macro's `unique_id`.
    pub name: String,
    /// Where the macro was called.
    pub place: Option<Place>,
}

impl Error {
    /// Makes an error that does not know its place yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, stack: Vec::new() }
    }

    /// Makes a [`Code::TemplateRuntime`] error.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self::new(Code::TemplateRuntime, message)
    }

    /// Makes an error for a name that DVT+ does not support yet.
    pub fn unsupported(member: impl fmt::Display) -> Self {
        Self::new(Code::MemberNotSupported, format!("`{member}` is not supported yet"))
    }

    /// Answers this error with a place, unless it has one from further inside.
    #[must_use]
    pub fn at(mut self, place: impl FnOnce() -> Option<Place>) -> Self {
        if self.place.is_none() {
            self.place = place();
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
