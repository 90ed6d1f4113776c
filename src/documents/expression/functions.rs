//! The functions of expressions: their names, how they are called, what they take and give.

use super::node::{Function, Part};
use super::types::Type;

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `name(value)`.
    Global,
    /// `value.name()`.
    Method,
    /// Either.
    Both,
}

/// A function.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) style: Style,
    /// What each argument may be, the value that it is called on first.
    pub(super) takes: &'static [&'static [Sort]],
    pub(super) gives: Sort,
}

/// A type without what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Timestamp,
    Duration,
    List,
    Map,
}

impl Sort {
    /// Whether a value of the type may be of this sort.
    pub(super) fn may_be(self, of: &Type) -> bool {
        match of {
            Type::Any => true,
            Type::Null => false,
            Type::Bool => self == Self::Bool,
            Type::Int => self == Self::Int,
            Type::Uint => self == Self::Uint,
            Type::Double => self == Self::Double,
            Type::Text => self == Self::Text,
            Type::Timestamp => self == Self::Timestamp,
            Type::Duration => self == Self::Duration,
            Type::List(_) => self == Self::List,
            Type::Map(_) | Type::Record(_) => self == Self::Map,
        }
    }

    /// As a type; only texts are ever listed.
    pub(super) fn as_type(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::Text => Type::Text,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::List => Type::List(Box::new(Type::Text)),
            Self::Map => Type::Map(Box::new(Type::Any)),
        }
    }
}

const TEXT: &[Sort] = &[Sort::Text];
const TIME: &[Sort] = &[Sort::Timestamp];
const SPAN: &[Sort] = &[Sort::Timestamp, Sort::Duration];

const fn method(name: &'static str, function: Function, takes: &'static [&'static [Sort]], gives: Sort) -> Signature {
    Signature { name, function, style: Style::Method, takes, gives }
}

const fn global(name: &'static str, function: Function, takes: &'static [&'static [Sort]], gives: Sort) -> Signature {
    Signature { name, function, style: Style::Global, takes, gives }
}

const fn part(name: &'static str, part: Part, of: &'static [&'static [Sort]]) -> Signature {
    method(name, Function::Part(part), of, Sort::Int)
}

/// Those of CEL's standard library that need no types as values, and four of the string library that Kubernetes has too
/// (<https://kubernetes.io/docs/reference/using-api/cel/>). `matches` is apart.
pub(super) const FUNCTIONS: &[Signature] = &[
    Signature {
        name: "size",
        function: Function::Size,
        style: Style::Both,
        takes: &[&[Sort::Text, Sort::List, Sort::Map]],
        gives: Sort::Int,
    },
    method("contains", Function::Contains, &[TEXT, TEXT], Sort::Bool),
    method("startsWith", Function::StartsWith, &[TEXT, TEXT], Sort::Bool),
    method("endsWith", Function::EndsWith, &[TEXT, TEXT], Sort::Bool),
    method("lowerAscii", Function::LowerAscii, &[TEXT], Sort::Text),
    method("upperAscii", Function::UpperAscii, &[TEXT], Sort::Text),
    method("trim", Function::Trim, &[TEXT], Sort::Text),
    method("split", Function::Split, &[TEXT, TEXT], Sort::List),
    global("int", Function::Int, &[&[Sort::Int, Sort::Uint, Sort::Double, Sort::Text, Sort::Timestamp]], Sort::Int),
    global("uint", Function::Uint, &[&[Sort::Int, Sort::Uint, Sort::Double, Sort::Text]], Sort::Uint),
    global("double", Function::Double, &[&[Sort::Int, Sort::Uint, Sort::Double, Sort::Text]], Sort::Double),
    global(
        "string",
        Function::Text,
        &[&[Sort::Bool, Sort::Int, Sort::Uint, Sort::Double, Sort::Text, Sort::Timestamp, Sort::Duration]],
        Sort::Text,
    ),
    global("bool", Function::Bool, &[&[Sort::Bool, Sort::Text]], Sort::Bool),
    global("timestamp", Function::Timestamp, &[&[Sort::Int, Sort::Text, Sort::Timestamp]], Sort::Timestamp),
    global("duration", Function::Duration, &[&[Sort::Text, Sort::Duration]], Sort::Duration),
    part("getFullYear", Part::FullYear, &[TIME]),
    part("getMonth", Part::Month, &[TIME]),
    part("getDate", Part::Date, &[TIME]),
    part("getDayOfMonth", Part::DayOfMonth, &[TIME]),
    part("getDayOfWeek", Part::DayOfWeek, &[TIME]),
    part("getDayOfYear", Part::DayOfYear, &[TIME]),
    part("getHours", Part::Hours, &[SPAN]),
    part("getMinutes", Part::Minutes, &[SPAN]),
    part("getSeconds", Part::Seconds, &[SPAN]),
    part("getMilliseconds", Part::Milliseconds, &[SPAN]),
];

/// What is no function of the tables, and has an argument that is not evaluated as it stands.
pub(super) const WALKS: [&str; 6] = ["all", "exists", "exists_one", "existsOne", "filter", "map"];

/// What other languages call them.
pub(super) const FOREIGN: &[(&str, &str)] = &[
    ("length", "size"),
    ("len", "size"),
    ("beginsWith", "startsWith"),
    ("hasPrefix", "startsWith"),
    ("hasSuffix", "endsWith"),
    ("includes", "contains"),
    ("toLower", "lowerAscii"),
    ("toLowerCase", "lowerAscii"),
    ("toUpper", "upperAscii"),
    ("toUpperCase", "upperAscii"),
    ("any", "exists"),
    ("some", "exists"),
    ("every", "all"),
    ("float", "double"),
    ("str", "string"),
];

/// Names that can be called on a value.
pub(super) fn methods() -> impl Iterator<Item = &'static str> {
    let listed = FUNCTIONS.iter().filter(|known| known.style != Style::Global).map(|known| known.name);
    listed.chain(WALKS).chain(["matches"])
}

/// Names that can be called by themselves.
pub(super) fn globals() -> impl Iterator<Item = &'static str> {
    let listed = FUNCTIONS.iter().filter(|known| known.style != Style::Method).map(|known| known.name);
    listed.chain(["has", "dyn", "matches"])
}
