//! An expression as it is evaluated: names resolved, macros and functions known.

use std::fmt;

use regex::Regex;

/// A variable of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// The workload that runs the container.
    Workload,
    /// The container that runs the image.
    Container,
    /// The image.
    Image,
    /// The in-toto statement without its predicate.
    Statement,
    /// The predicate: any JSON.
    Predicate,
    /// Who signed.
    Signer,
    /// The moment as of which is judged.
    AsOf,
    /// The control's parameters.
    Params,
    /// The bill of materials in one form, whatever its format.
    Sbom,
}

impl Variable {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Workload,
        Self::Container,
        Self::Image,
        Self::Statement,
        Self::Predicate,
        Self::Signer,
        Self::AsOf,
        Self::Params,
        Self::Sbom,
    ];

    /// Its name in an expression.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Container => "container",
            Self::Image => "image",
            Self::Statement => "statement",
            Self::Predicate => "predicate",
            Self::Signer => "signer",
            Self::AsOf => "asOf",
            Self::Params => "params",
            Self::Sbom => "sbom",
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Arithmetic; `+` also joins texts and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// As it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// What walks over the items of a list, or the keys of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// A part of a time (UTC) or, where it has one, of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A function; called on a value, that is its first argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Int,
    Uint,
    Double,
    Text,
    Bool,
    Timestamp,
    Duration,
    Part(Part),
}

/// What a text is matched with.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// Written out, and compiled when the document was read.
    Written(Regex),
    /// From a parameter.
    FromParameter(Box<Node>),
}

/// A node. What stands in a bracket is a node of its own.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Variable(Variable),
    /// The values of a parameter.
    Parameter(String),
    /// The name that the `place`-th walk around gives to its item, counted from the outside.
    Local {
        place: usize,
        name: String,
    },
    Select {
        of: Box<Node>,
        field: String,
    },
    Has {
        of: Box<Node>,
        field: String,
    },
    Index {
        of: Box<Node>,
        at: Box<Node>,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Not(Box<Node>),
    Negate(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Choice(Box<[Node; 3]>),
    Compare(Comparison, Box<[Node; 2]>),
    Calculate(Arithmetic, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Call(Function, Vec<Node>),
    Matches(Box<Node>, Pattern),
    Walk {
        walk: Walk,
        over: Box<Node>,
        /// Over each item; of `map` with three arguments, which items.
        condition: Option<Box<Node>>,
        /// What `map` makes of an item.
        result: Option<Box<Node>>,
    },
}

impl fmt::Display for Node {
    /// A path as it is written, and a word for anything else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => formatter.write_str(variable.name()),
            Self::Parameter(name) => write!(formatter, "params.{name}"),
            Self::Local { name, .. } => formatter.write_str(name),
            Self::Select { of, field } => write!(formatter, "{of}.{field}"),
            Self::Has { of, field } => write!(formatter, "has({of}.{field})"),
            Self::Index { of, at } => write!(formatter, "{of}[{at}]"),
            Self::Null => formatter.write_str("null"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Uint(value) => write!(formatter, "{value}u"),
            Self::Double(value) => write!(formatter, "{value:?}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
            _ => formatter.write_str("(…)"),
        }
    }
}
