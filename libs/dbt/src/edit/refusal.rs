//! Why an edit is refused.

use crate::diagnostic::Place;

/// Names a rule that an edit breaks; the same text in API, command line and UI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The edit cannot be written, or would change more or less than is meant.
    EditNotExpressible,
    NodeNotFound,
    FileNotFound,
    FileExists,
    /// The file is not UTF-8: it can be replaced, not edited.
    FileOpaque,
    PathInvalid,
    IdentifierInvalid,
    IdentifierTooLong,
    /// Another enabled node has the name.
    ModelDuplicate,
    /// Another node makes the same relation.
    RelationClash,
    GraphCycle,
    GraphTooLarge,
    EdgeSelf,
    EdgeDuplicate,
    RefNotFound,
    /// The edit goes through an alias or a merge key.
    YamlAlias,
    YamlSyntax,
    TestNotFound,
    TestDuplicate,
    SourceNotFound,
    MacroNotFound,
    /// The node is switched off.
    NodeDisabled,
    /// A config, or an argument, is of the wrong type.
    ConfigType,
    EnvVarNotDefined,
    SqlTooLarge,
    SqlMultipleStatements,
    SqlSyntax,
    SqlTooNested,
    TemplateSyntax,
    TemplateBudget,
    TemplateCycle,
    TemplateRuntime,
}

impl Code {
    /// Answers the code as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EditNotExpressible => "EDIT_NOT_EXPRESSIBLE",
            Self::NodeNotFound => "NODE_NOT_FOUND",
            Self::FileNotFound => "FILE_NOT_FOUND",
            Self::FileExists => "FILE_EXISTS",
            Self::FileOpaque => "FILE_OPAQUE",
            Self::PathInvalid => "PATH_INVALID",
            Self::IdentifierInvalid => "IDENTIFIER_INVALID",
            Self::IdentifierTooLong => "IDENTIFIER_TOO_LONG",
            Self::ModelDuplicate => "MODEL_DUPLICATE",
            Self::RelationClash => "RELATION_CLASH",
            Self::GraphCycle => "GRAPH_CYCLE",
            Self::GraphTooLarge => "GRAPH_TOO_LARGE",
            Self::EdgeSelf => "EDGE_SELF",
            Self::EdgeDuplicate => "EDGE_DUPLICATE",
            Self::RefNotFound => "REF_NOT_FOUND",
            Self::YamlAlias => "YAML_ALIAS",
            Self::YamlSyntax => "YAML_SYNTAX",
            Self::TestNotFound => "TEST_NOT_FOUND",
            Self::TestDuplicate => "TEST_DUPLICATE",
            Self::SourceNotFound => "SOURCE_NOT_FOUND",
            Self::MacroNotFound => "MACRO_NOT_FOUND",
            Self::NodeDisabled => "NODE_DISABLED",
            Self::ConfigType => "CONFIG_TYPE",
            Self::EnvVarNotDefined => "ENV_VAR_NOT_DEFINED",
            Self::SqlTooLarge => "SQL_TOO_LARGE",
            Self::SqlMultipleStatements => "SQL_MULTIPLE_STATEMENTS",
            Self::SqlSyntax => "SQL_SYNTAX",
            Self::SqlTooNested => "SQL_TOO_NESTED",
            Self::TemplateSyntax => "TEMPLATE_SYNTAX",
            Self::TemplateBudget => "TEMPLATE_BUDGET",
            Self::TemplateCycle => "TEMPLATE_CYCLE",
            Self::TemplateRuntime => "TEMPLATE_RUNTIME",
        }
    }

    /// Answers the code of an edit that would bring a diagnostic: the same where it is a rule of the graph or of a
    /// file, else that the edit does more than is meant.
    pub(crate) fn of_diagnostic(code: &str) -> Self {
        let rules = [
            Self::RefNotFound,
            Self::RelationClash,
            Self::SourceNotFound,
            Self::MacroNotFound,
            Self::NodeDisabled,
            Self::ModelDuplicate,
            Self::GraphCycle,
            Self::YamlSyntax,
            Self::ConfigType,
            Self::EnvVarNotDefined,
            Self::SqlTooLarge,
            Self::SqlMultipleStatements,
            Self::SqlSyntax,
            Self::SqlTooNested,
            Self::TemplateSyntax,
            Self::TemplateBudget,
            Self::TemplateCycle,
            Self::TemplateRuntime,
        ];
        rules.into_iter().find(|rule| rule.as_str() == code).unwrap_or(Self::EditNotExpressible)
    }
}

/// Says why an edit is not made. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub code: Code,
    /// Lowercase, no full stop; says what cannot be done and what to do.
    pub message: String,
    /// A JSON pointer to the field of the intent, e.g. `/to`.
    pub field: Option<&'static str>,
    pub limit: Option<usize>,
    /// What was given, where it says more than the message.
    pub got: Option<String>,
    pub places: Vec<Place>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, limit: None, got: None, places: Vec::new() }
    }

    pub(crate) fn at_field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    pub(crate) fn at(self, place: Place) -> Self {
        Self { places: vec![place], ..self }
    }

    pub(crate) fn at_all(self, places: Vec<Place>) -> Self {
        Self { places, ..self }
    }
}
