//! Expressions of controls, in the Common Expression Language (<https://cel.dev>): read and checked once, when the document is.
//!
//! The text is parsed by the `cel` crate. What comes of it is checked against the variables' types as far as they are known, so that what
//! is certainly wrong is said when the control is read and not when it judges; `controls` evaluates what is left.

mod calls;
mod check;
mod functions;
mod node;
mod syntax;
mod types;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use node::Variable;
pub(crate) use node::{Arithmetic, Comparison, Function, Node, Part, Pattern, Walk};

/// Longest text, in bytes.
const LONGEST: usize = 4096;
/// Deepest nesting.
const DEEPEST: usize = 32;
/// Deepest nesting of walks over lists and maps, each of which multiplies the cost.
const WALKS: usize = 3;
/// Most nodes.
const NODES: usize = 1024;
/// Stack for reading one expression, in bytes: the parser needs up to 200 KiB for each bracket.
const STACK: usize = 32 << 20;

/// A condition that is written as an expression.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    text: String,
    root: Node,
    /// The conditions that are joined by `&&`, as they are written.
    clauses: Vec<String>,
    uses: BTreeSet<Variable>,
    parameters: BTreeSet<String>,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression, line {line}, column {column}: {message}")]
pub struct ExpressionFault {
    /// Line inside the expression, from 1.
    pub line: u64,
    /// Column in that line, in characters from 1.
    pub column: u64,
    /// What is wrong, and what to write.
    pub message: String,
}

impl ExpressionFault {
    /// At a byte of the text.
    fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() as u64 + 1;
        Self { line, column, message: message.into() }
    }
}

impl Expression {
    /// Reads and checks an expression.
    ///
    /// # Errors
    /// The first thing that is certainly wrong, or a limit: 4096 bytes, 1024 nodes, nesting of 32, three walks inside each other.
    pub fn compile(text: &str) -> Result<Self, ExpressionFault> {
        if text.len() > LONGEST {
            let message = format!("the expression has {} bytes; the limit is {LONGEST}", text.len());
            return Err(ExpressionFault::at(text, 0, message));
        }
        stacker::grow(STACK, || {
            let (tree, places) = syntax::parse(text)?;
            check::check(text, &tree, places)
        })
        .map(|compiled| Self(Arc::new(compiled)))
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether it reads a variable.
    #[must_use]
    pub fn uses(&self, variable: Variable) -> bool {
        self.0.uses.contains(&variable)
    }

    /// Names of the parameters that it reads, sorted.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.parameters.iter().map(String::as_str)
    }

    /// What is evaluated.
    pub(crate) fn root(&self) -> &Node {
        &self.0.root
    }

    /// The text of the root's part of this number, where the root joins several by `&&`.
    pub(crate) fn clause(&self, number: usize) -> Option<&str> {
        self.0.clauses.get(number).map(String::as_str)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Expression").field(&self.text()).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Expression {}

impl FromStr for Expression {
    type Err = ExpressionFault;

    fn from_str(text: &str) -> Result<Self, ExpressionFault> {
        Self::compile(text)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::compile(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = Variable::ALL.map(Variable::name).join(", ");
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            "description": format!("A condition in the Common Expression Language (https://cel.dev) over {names}.")
        })
    }
}

#[cfg(test)]
mod tests;
