//! What an expression of a control gives over one statement of one image.
//!
//! The tree that the `cel` crate parses is evaluated here and not by the crate's interpreter, for three reasons: every step is counted, so
//! that no evidence makes an evaluation long or large; the keys of a map come in order, so that the same evidence gives the same answer;
//! and the evidence is borrowed as it was read. Where both give a value, it is the same one: a test asks them.
//!
//! A field that is not there gives no value, neither true nor false, and nothing but another clause that decides alone (`false && …`,
//! `true || …`) makes up for it. What has no value does not hold.

mod evaluate;
mod function;
mod meter;
#[cfg(test)]
mod tests;
mod time;
mod value;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::documents::{ControlParameters, Expression, Variable};
use crate::model::Cause;
use evaluate::Evaluation;
use meter::{Meter, STEPS, Stop};
use value::Value;

/// What an expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    True,
    /// It does not hold.
    False {
        /// The clause that does not hold, for a person.
        detail: String,
    },
    /// It would cost too much to know.
    Unknown {
        /// Why.
        cause: Cause,
        /// The same, for a person.
        detail: String,
    },
    /// It has no value over this evidence, so it does not hold.
    Failed {
        /// What is missing, and what to write.
        detail: String,
    },
}

/// What the variables stand for. JSON is read where it lies: binding a predicate costs nothing, however often it is done. A variable
/// that is not bound has no value, and an expression that needs it does not hold.
#[derive(Debug, Clone)]
pub struct Bindings<'b> {
    values: [Option<&'b Json>; Variable::ALL.len()],
    parameters: &'b ControlParameters,
    as_of: Timestamp,
}

impl<'b> Bindings<'b> {
    /// No variable but `asOf` and `params`.
    #[must_use]
    pub fn new(as_of: Timestamp, parameters: &'b ControlParameters) -> Self {
        Self { values: [None; Variable::ALL.len()], parameters, as_of }
    }

    /// With a value for a variable. Of the variables with fields that are known, every field is to be there.
    #[must_use]
    pub fn with(mut self, variable: Variable, value: &'b Json) -> Self {
        if let Some(slot) = self.values.get_mut(variable as usize) {
            *slot = Some(value);
        }
        self
    }

    fn value(&self, variable: Variable) -> Option<Value<'b>> {
        match variable {
            Variable::AsOf => Some(Value::Timestamp(self.as_of)),
            _ => self.values.get(variable as usize).copied().flatten().map(Value::of),
        }
    }

    fn parameter(&self, name: &str) -> Option<&'b [String]> {
        self.parameters.get(name).map(Vec::as_slice)
    }
}

/// Evaluates an expression.
#[must_use]
pub fn evaluate(expression: &Expression, bindings: &Bindings<'_>) -> Outcome {
    let mut evaluation = Evaluation::new(bindings, Meter::new(STEPS));
    match evaluation.root(expression.root()) {
        Ok(None) => Outcome::True,
        Ok(Some(part)) => {
            let clause = expression.clause(part).unwrap_or(expression.text());
            Outcome::False { detail: format!("`{clause}` does not hold") }
        }
        Err(Stop::Limit) => Outcome::Unknown {
            cause: Cause::ExpressionLimit,
            detail: format!("the expression takes more than {STEPS} steps over this evidence"),
        },
        Err(Stop::Fault(detail)) => Outcome::Failed { detail },
    }
}
