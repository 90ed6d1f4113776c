//! What is known of types before anything is evaluated: enough to say what is certainly wrong.

use std::fmt;

use super::node::Variable;

/// A type. `Any` is what only the run shows: nothing is wrong about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Any,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Timestamp,
    Duration,
    List(Box<Type>),
    /// With texts as keys.
    Map(Box<Type>),
    Record(&'static Record),
}

/// Something with fields that are known.
#[derive(Debug, PartialEq)]
pub(super) struct Record {
    fields: &'static [(&'static str, Field)],
}

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    Text,
    Texts,
    List(&'static Record),
}

impl Record {
    /// The type of a field.
    pub(super) fn field(&self, name: &str) -> Option<Type> {
        let (_, field) = self.fields.iter().find(|(known, _)| *known == name)?;
        Some(match field {
            Field::Text => Type::Text,
            Field::Texts => Type::Map(Box::new(Type::Text)),
            Field::List(record) => Type::List(Box::new(Type::Record(record))),
        })
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|(name, _)| *name)
    }
}

static WORKLOAD: Record = Record {
    fields: &[
        ("apiVersion", Field::Text),
        ("kind", Field::Text),
        ("labels", Field::Texts),
        ("name", Field::Text),
        ("namespace", Field::Text),
    ],
};
static CONTAINER: Record = Record { fields: &[("kind", Field::Text), ("name", Field::Text)] };
static IMAGE: Record = Record {
    fields: &[
        ("digest", Field::Text),
        ("reference", Field::Text),
        ("registry", Field::Text),
        ("repository", Field::Text),
        ("tag", Field::Text),
    ],
};
static SUBJECT: Record = Record { fields: &[("digest", Field::Texts), ("name", Field::Text)] };
static STATEMENT: Record = Record { fields: &[("predicateType", Field::Text), ("subject", Field::List(&SUBJECT)), ("type", Field::Text)] };
static SIGNER: Record =
    Record { fields: &[("extensions", Field::Texts), ("issuer", Field::Text), ("key", Field::Text), ("subject", Field::Text)] };
static PACKAGE: Record = Record {
    fields: &[("license", Field::Text), ("name", Field::Text), ("purl", Field::Text), ("supplier", Field::Text), ("version", Field::Text)],
};
static SBOM: Record = Record {
    fields: &[
        ("created", Field::Text),
        ("format", Field::Text),
        ("packages", Field::List(&PACKAGE)),
        ("specVersion", Field::Text),
        ("tool", Field::Text),
    ],
};

impl Type {
    /// The type of a variable.
    pub(super) fn of(variable: Variable) -> Self {
        match variable {
            Variable::Workload => Self::Record(&WORKLOAD),
            Variable::Container => Self::Record(&CONTAINER),
            Variable::Image => Self::Record(&IMAGE),
            Variable::Statement => Self::Record(&STATEMENT),
            Variable::Predicate => Self::Any,
            Variable::Signer => Self::Record(&SIGNER),
            Variable::AsOf => Self::Timestamp,
            Variable::Params => Self::Map(Box::new(Self::List(Box::new(Self::Text)))),
            Variable::Sbom => Self::Record(&SBOM),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    fn is_map(&self) -> bool {
        matches!(self, Self::Map(_) | Self::Record(_))
    }

    /// Whether a value of one type may be equal to, or ordered with, one of the other.
    pub(super) fn may_compare(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (one, other) if one.is_number() && other.is_number() => true,
            (Self::List(one), Self::List(other)) | (Self::Map(one), Self::Map(other)) => one.may_compare(other),
            (one, other) if one.is_map() && other.is_map() => true,
            (one, other) => one == other,
        }
    }

    /// Whether it has an order.
    pub(super) fn has_order(&self) -> bool {
        self.is_number() || matches!(self, Self::Any | Self::Bool | Self::Text | Self::Timestamp | Self::Duration)
    }

    /// What both are.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.join(*other))),
            (Self::Map(one), Self::Map(other)) => Self::Map(Box::new(one.join(*other))),
            (one, other) if one == other => one,
            _ => Self::Any,
        }
    }
}

impl fmt::Display for Type {
    /// CEL's name for it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Any => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::List(_) => "list",
            Self::Map(_) | Self::Record(_) => "map",
        })
    }
}
