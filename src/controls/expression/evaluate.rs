//! The evaluation, node by node.

use std::cmp::Ordering;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::meter::{Meter, Stop};
use super::value::{Value, whole};
use super::{Bindings, function, time};
use crate::documents::{Arithmetic, Comparison, Node, Walk, WrittenPattern};

/// Most that a pattern of a parameter may take when it is compiled, in bytes.
const PATTERN: usize = 1 << 16;
/// Steps of compiling one.
const COMPILING: u64 = 2_000;
/// Steps of a part without value that another may make up for: what is said about it is made in any case.
const EXCUSED: u64 = 16;
/// Longest piece of the evidence that a message repeats, in characters.
const REPEATED: usize = 64;

/// One evaluation.
pub(super) struct Evaluation<'e, 'b> {
    bindings: &'b Bindings<'e>,
    pub(super) meter: Meter,
    locals: Vec<Value<'e>>,
}

pub(super) fn fault<T>(detail: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fault(detail.into()))
}

/// What the evidence says, short and in quotes.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

impl<'e, 'b> Evaluation<'e, 'b> {
    pub(super) fn new(bindings: &'b Bindings<'e>, meter: Meter) -> Self {
        Self { bindings, meter, locals: Vec::new() }
    }

    /// The number of the first clause that does not hold, if any.
    pub(super) fn root(&mut self, root: &'e Node) -> Result<Option<usize>, Stop> {
        match root {
            Node::All(parts) => self.decide(parts, false),
            other => Ok((!self.condition(other)?).then_some(0)),
        }
    }

    fn value(&mut self, node: &'e Node) -> Result<Value<'e>, Stop> {
        self.meter.spend(1)?;
        match node {
            Node::Null => Ok(Value::Null),
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(value) => Ok(Value::Int(*value)),
            Node::Uint(value) => Ok(Value::Uint(*value)),
            Node::Double(value) => Ok(Value::Double(*value)),
            Node::Text(text) => Ok(Value::borrowed(text)),
            Node::Variable(variable) => match self.bindings.value(*variable) {
                Some(value) => Ok(value),
                None => fault(format!("there is no `{}` here", variable.name())),
            },
            Node::Parameter(name) => match self.bindings.parameter(name) {
                Some(values) => Ok(Value::Texts(values)),
                None => fault(format!("the parameter {name:?} has no value")),
            },
            Node::Local { place, name } => match self.locals.get(*place) {
                Some(value) => Ok(value.clone()),
                None => fault(format!("there is no `{name}` here")),
            },
            Node::Select { of, field } => self.select(of, field),
            Node::Has { of, field } => {
                let operand = self.value(of)?;
                if operand.map_len().is_none() {
                    return fault(format!("`{of}` is {} and has no fields", operand.type_name()));
                }
                Ok(Value::Bool(operand.at(&Value::borrowed(field), &mut self.meter)?.is_some()))
            }
            Node::Index { of, at } => self.index(of, at),
            Node::List(nodes) => {
                self.meter.items(nodes.len())?;
                let items: Result<Vec<_>, Stop> = nodes.iter().map(|node| self.value(node)).collect();
                Ok(Value::List(Rc::new(items?)))
            }
            Node::Map(nodes) => self.map(nodes),
            Node::Not(of) => Ok(Value::Bool(!self.condition(of)?)),
            Node::Negate(of) => {
                let operand = self.value(of)?;
                let negated = match &operand {
                    Value::Int(value) => value.checked_neg().map(Value::Int),
                    Value::Double(value) => Some(Value::Double(-value)),
                    Value::Duration(value) => value.checked_neg().map(Value::Duration),
                    other => return fault(format!("`-` does not take {}", other.type_name())),
                };
                negated.map_or_else(|| fault(too_large("-")), Ok)
            }
            Node::All(parts) => Ok(Value::Bool(self.decide(parts, false)?.is_none())),
            Node::Any(parts) => Ok(Value::Bool(self.decide(parts, true)?.is_some())),
            Node::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                if self.condition(condition)? { self.value(yes) } else { self.value(no) }
            }
            Node::Compare(comparison, parts) => self.compare(*comparison, parts),
            Node::Calculate(operator, parts) => {
                let [left, right] = &**parts;
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.calculate(*operator, &left, &right)
            }
            Node::In(parts) => self.within(parts),
            Node::Call(name, nodes) => {
                let arguments: Result<Vec<_>, Stop> = nodes.iter().map(|node| self.value(node)).collect();
                function::call(*name, &arguments?, &mut self.meter)
            }
            Node::Matches(text, pattern) => self.matches(text, pattern),
            Node::Walk { walk, over, condition, result } => self.walk(*walk, over, condition.as_deref(), result.as_deref()),
        }
    }

    fn condition(&mut self, node: &'e Node) -> Result<bool, Stop> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            other => fault(format!("`{node}` is {}, and true or false is wanted", other.type_name())),
        }
    }

    /// The number of the first part that decides, `false` for `&&` and `true` for `||`. A part without value decides nothing, and leaves
    /// all without value unless another decides.
    fn decide(&mut self, parts: &'e [Node], deciding: bool) -> Result<Option<usize>, Stop> {
        let mut without = None;
        for (number, part) in parts.iter().enumerate() {
            match self.condition(part) {
                Ok(value) if value == deciding => return Ok(Some(number)),
                Ok(_) => {}
                Err(Stop::Limit) => return Err(Stop::Limit),
                Err(stop) => {
                    self.meter.spend(EXCUSED)?;
                    without.get_or_insert(stop);
                }
            }
        }
        without.map_or(Ok(None), Err)
    }

    fn select(&mut self, of: &'e Node, field: &'e str) -> Result<Value<'e>, Stop> {
        let operand = self.value(of)?;
        if operand.map_len().is_none() {
            return fault(format!("`{of}` is {} and has no field `{field}`", operand.type_name()));
        }
        match operand.at(&Value::borrowed(field), &mut self.meter)? {
            Some(value) => Ok(value),
            None => fault(format!("`{of}` has no `{field}`; where it may be missing, write has({of}.{field}) && …")),
        }
    }

    fn index(&mut self, of: &'e Node, at: &'e Node) -> Result<Value<'e>, Stop> {
        let operand = self.value(of)?;
        let key = self.value(at)?;
        if let Some(length) = operand.list_len() {
            let number = match &key {
                Value::Int(number) => Some(*number),
                Value::Uint(number) => i64::try_from(*number).ok(),
                Value::Double(number) => whole(*number),
                other => return fault(format!("`{of}` is a list and has no place of type {}", other.type_name())),
            };
            let item = number.and_then(|number| usize::try_from(number).ok()).and_then(|number| operand.item(number));
            let missing = || fault(format!("`{of}` has {length} items and none at {at}; where it may be shorter, ask size({of}) first"));
            return item.map_or_else(missing, Ok);
        }
        if operand.map_len().is_none() {
            return fault(format!("`{of}` is {}, neither list nor map", operand.type_name()));
        }
        let Some(name) = key_name(&key) else {
            return fault(format!("`{of}` is a map, and {} is no key of one", key.type_name()));
        };
        match operand.at(&key, &mut self.meter)? {
            Some(value) => Ok(value),
            None => fault(format!("`{of}` has no key {name}; where it may be missing, write {at} in {of} && …")),
        }
    }

    fn map(&mut self, nodes: &'e [(Node, Node)]) -> Result<Value<'e>, Stop> {
        self.meter.items(nodes.len() * 2)?;
        let mut entries: Vec<(Value<'e>, Value<'e>)> = Vec::with_capacity(nodes.len());
        for (key, value) in nodes {
            let (key, value) = (self.value(key)?, self.value(value)?);
            let Some(name) = key_name(&key).filter(|_| !matches!(key, Value::Double(_))) else {
                return fault(format!("{} is no key of a map", key.type_name()));
            };
            for (known, _) in &entries {
                if known.equals(&key, &mut self.meter)? {
                    return fault(format!("the key {name} is written twice"));
                }
            }
            entries.push((key, value));
        }
        Ok(Value::Map(Rc::new(entries)))
    }

    fn compare(&mut self, comparison: Comparison, parts: &'e [Node; 2]) -> Result<Value<'e>, Stop> {
        let [left_node, right_node] = parts;
        let (left, right) = (self.value(left_node)?, self.value(right_node)?);
        let holds: fn(Ordering) -> bool = match comparison {
            Comparison::Equal => return Ok(Value::Bool(left.equals(&right, &mut self.meter)?)),
            Comparison::NotEqual => return Ok(Value::Bool(!left.equals(&right, &mut self.meter)?)),
            Comparison::Less => Ordering::is_lt,
            Comparison::LessOrEqual => Ordering::is_le,
            Comparison::Greater => Ordering::is_gt,
            Comparison::GreaterOrEqual => Ordering::is_ge,
        };
        match left.order(&right, &mut self.meter)? {
            Some(order) => Ok(Value::Bool(order.is_some_and(holds))),
            None => fault(format!("`{left_node}` is {} and `{right_node}` {}: they have no order", left.type_name(), right.type_name())),
        }
    }

    fn calculate(&mut self, operator: Arithmetic, left: &Value<'e>, right: &Value<'e>) -> Result<Value<'e>, Stop> {
        let symbol = operator.symbol();
        let result = match (operator, left, right) {
            (Arithmetic::Divide | Arithmetic::Remainder, Value::Int(_), Value::Int(0))
            | (Arithmetic::Divide | Arithmetic::Remainder, Value::Uint(_), Value::Uint(0)) => return fault("division by zero"),
            (operator, Value::Int(one), Value::Int(other)) => match operator {
                Arithmetic::Add => one.checked_add(*other),
                Arithmetic::Subtract => one.checked_sub(*other),
                Arithmetic::Multiply => one.checked_mul(*other),
                Arithmetic::Divide => one.checked_div(*other),
                Arithmetic::Remainder => one.checked_rem(*other),
            }
            .map(Value::Int),
            (operator, Value::Uint(one), Value::Uint(other)) => match operator {
                Arithmetic::Add => one.checked_add(*other),
                Arithmetic::Subtract => one.checked_sub(*other),
                Arithmetic::Multiply => one.checked_mul(*other),
                Arithmetic::Divide => one.checked_div(*other),
                Arithmetic::Remainder => one.checked_rem(*other),
            }
            .map(Value::Uint),
            (Arithmetic::Add, Value::Double(one), Value::Double(other)) => Some(Value::Double(one + other)),
            (Arithmetic::Subtract, Value::Double(one), Value::Double(other)) => Some(Value::Double(one - other)),
            (Arithmetic::Multiply, Value::Double(one), Value::Double(other)) => Some(Value::Double(one * other)),
            (Arithmetic::Divide, Value::Double(one), Value::Double(other)) => Some(Value::Double(one / other)),
            (Arithmetic::Add, Value::Text(one), Value::Text(other)) => {
                let (one, other) = (one.as_str(), other.as_str());
                self.meter.make(one.len() + other.len())?;
                Some(Value::made([one, other].concat()))
            }
            (Arithmetic::Add, one, other) if one.list_len().is_some() && other.list_len().is_some() => {
                self.meter.items(one.list_len().unwrap_or(0) + other.list_len().unwrap_or(0))?;
                let items = one.walk().into_iter().flatten().chain(other.walk().into_iter().flatten());
                Some(Value::List(Rc::new(items.collect())))
            }
            (_, Value::Timestamp(_) | Value::Duration(_), Value::Timestamp(_) | Value::Duration(_)) => {
                return time::calculate(operator, left, right);
            }
            _ => return fault(format!("`{symbol}` does not take {} and {}", left.type_name(), right.type_name())),
        };
        result.map_or_else(|| fault(too_large(symbol)), Ok)
    }

    fn within(&mut self, parts: &'e [Node; 2]) -> Result<Value<'e>, Stop> {
        let [item_node, container_node] = parts;
        let (item, container) = (self.value(item_node)?, self.value(container_node)?);
        if container.map_len().is_some() {
            if key_name(&item).is_none() {
                return fault(format!("`{container_node}` is a map, and {} is no key of one", item.type_name()));
            }
            return Ok(Value::Bool(container.at(&item, &mut self.meter)?.is_some()));
        }
        let Some(items) = container.list_len().and_then(|_| container.walk()) else {
            return fault(format!("`{container_node}` is {}; `in` looks into a list or the keys of a map", container.type_name()));
        };
        for known in items {
            if known.equals(&item, &mut self.meter)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn matches(&mut self, text: &'e Node, pattern: &'e WrittenPattern) -> Result<Value<'e>, Stop> {
        let operand = self.value(text)?;
        let Some(subject) = operand.as_text() else {
            return fault(format!("`{text}` is {}, and `matches` is of string", operand.type_name()));
        };
        self.meter.make(subject.len())?;
        let compiled: Regex;
        let pattern = match pattern {
            WrittenPattern::Written(pattern) => pattern,
            WrittenPattern::FromParameter(node) => {
                let written = self.value(node)?;
                self.meter.spend(COMPILING)?;
                let Some(written) = written.as_text() else {
                    return fault(format!("`{node}` is {}, and a pattern is string", written.type_name()));
                };
                compiled = match RegexBuilder::new(written).size_limit(PATTERN).build() {
                    Ok(compiled) => compiled,
                    Err(_) => return fault(format!("{} is no pattern, or too large a one", shown(written))),
                };
                &compiled
            }
        };
        Ok(Value::Bool(pattern.is_match(subject)))
    }

    fn walk(&mut self, walk: Walk, over: &'e Node, condition: Option<&'e Node>, result: Option<&'e Node>) -> Result<Value<'e>, Stop> {
        let range = self.value(over)?;
        let Some(items) = range.walk() else {
            return fault(format!("`{over}` is {}, neither list nor map", range.type_name()));
        };
        let place = self.locals.len();
        let mut fold = Fold { walk, found: 0, made: Vec::new(), without: None };
        for item in items {
            self.meter.spend(1)?;
            self.locals.push(item);
            let ended = self.step(&mut fold, condition, result);
            self.locals.truncate(place);
            if let Some(value) = ended? {
                return Ok(value);
            }
        }
        match (walk, fold.without) {
            (_, Some(stop)) => Err(stop),
            (Walk::All, None) => Ok(Value::Bool(true)),
            (Walk::Exists, None) => Ok(Value::Bool(false)),
            (Walk::ExistsOne, None) => Ok(Value::Bool(fold.found == 1)),
            (Walk::Filter | Walk::Map, None) => Ok(Value::List(Rc::new(fold.made))),
        }
    }

    /// One item, the innermost local; a value where it decides.
    fn step(&mut self, fold: &mut Fold<'e>, condition: Option<&'e Node>, result: Option<&'e Node>) -> Result<Option<Value<'e>>, Stop> {
        let holds = condition.map_or(Ok(true), |condition| self.condition(condition));
        match (fold.walk, holds) {
            (_, Err(Stop::Limit)) => return Err(Stop::Limit),
            (Walk::All, Ok(false)) => return Ok(Some(Value::Bool(false))),
            (Walk::Exists, Ok(true)) => return Ok(Some(Value::Bool(true))),
            (Walk::All | Walk::Exists, Err(stop)) => {
                self.meter.spend(EXCUSED)?;
                fold.without.get_or_insert(stop);
            }
            (_, Err(stop)) => return Err(stop),
            (Walk::All, Ok(true)) | (_, Ok(false)) => {}
            (Walk::ExistsOne, Ok(true)) => fold.found += 1,
            (Walk::Filter | Walk::Map, Ok(true)) => {
                self.meter.items(1)?;
                let made = match (result, self.locals.last()) {
                    (Some(result), _) => self.value(result)?,
                    (None, Some(item)) => item.clone(),
                    (None, None) => Value::Null,
                };
                fold.made.push(made);
            }
        }
        Ok(None)
    }
}

/// What a walk has come to.
struct Fold<'e> {
    walk: Walk,
    found: usize,
    made: Vec<Value<'e>>,
    /// The first item over which the condition of `all` or `exists` has no value.
    without: Option<Stop>,
}

/// A key as it is written, where the value may be one.
fn key_name(key: &Value<'_>) -> Option<String> {
    Some(match key {
        Value::Text(text) => shown(text.as_str()),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => format!("{number}u"),
        Value::Double(number) => format!("{number:?}"),
        Value::Bool(value) => value.to_string(),
        _ => return None,
    })
}

fn too_large(symbol: &str) -> String {
    format!("`{symbol}` gives a number that is too large")
}
