//! Names, types and limits: from the parser's tree to what is evaluated.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};

use super::functions::{Sort, WALKS as WALK_NAMES};
use super::node::{Arithmetic, Comparison, Node, Variable};
use super::types::{Record, Type};
use super::{Compiled, DEEPEST, ExpressionFault, NODES};
use crate::documents::error::did_you_mean;

pub(super) type Checked = Result<(Node, Type), ExpressionFault>;

/// Resolves names, finds what is certainly wrong.
pub(super) fn check(text: &str, tree: &IdedExpr, places: SourceInfo) -> Result<Compiled, ExpressionFault> {
    let mut checker =
        Checker { text, places, nodes: 0, locals: Vec::new(), uses: BTreeSet::new(), parameters: BTreeSet::new(), joints: Vec::new() };
    let (root, of) = checker.node(tree, 0)?;
    if !Sort::Bool.may_be(&of) {
        let start = text.len() - text.trim_start().len();
        return Err(ExpressionFault::at(text, start, format!("a condition is wanted, true or false; this gives {of}")));
    }
    let clauses = match &root {
        Node::All(parts) => clauses(text, &checker.joints, parts.len()),
        _ => Vec::new(),
    };
    Ok(Compiled { text: text.to_owned(), root, clauses, uses: checker.uses, parameters: checker.parameters })
}

/// The text between the operators that join the root's parts; nothing where brackets around them make that no expression.
fn clauses(text: &str, joints: &[usize], parts: usize) -> Vec<String> {
    let mut joints = joints.to_vec();
    joints.sort_unstable();
    let ends = joints.iter().copied().chain([text.len()]);
    let starts = [0].into_iter().chain(joints.iter().map(|joint| joint + "&&".len()));
    let pieces: Vec<String> = starts.zip(ends).filter_map(|(start, end)| Some(text.get(start..end)?.trim().to_owned())).collect();
    let balanced = |piece: &String| piece.matches('(').count() == piece.matches(')').count();
    if pieces.len() == parts && pieces.iter().all(balanced) { pieces } else { Vec::new() }
}

/// The name of an item.
pub(super) struct Local {
    pub(super) name: String,
    pub(super) of: Type,
    /// Whether the item comes from a parameter, and from nowhere else.
    pub(super) from_parameter: bool,
}

/// Reads one tree.
pub(super) struct Checker<'t> {
    text: &'t str,
    places: SourceInfo,
    pub(super) nodes: usize,
    /// Names of the walks around, from the outside.
    pub(super) locals: Vec<Local>,
    uses: BTreeSet<Variable>,
    parameters: BTreeSet<String>,
    /// Where the operators stand that join the root's parts.
    joints: Vec<usize>,
}

impl Checker<'_> {
    fn offset(&self, id: u64) -> usize {
        self.places.offset_for(id).map_or(0, |(start, _)| start as usize)
    }

    pub(super) fn fault<T>(&self, id: u64, message: impl Into<String>) -> Result<T, ExpressionFault> {
        Err(ExpressionFault::at(self.text, self.offset(id), message))
    }

    /// At a name that the parser places by the bracket or dot beside it.
    pub(super) fn fault_at_name<T>(&self, id: u64, name: &str, message: impl Into<String>) -> Result<T, ExpressionFault> {
        let offset = self.offset(id);
        let before = self.text.get(..offset).unwrap_or_default().trim_end();
        let after = self.text.get(offset + 1..).unwrap_or_default();
        let place = if before.ends_with(name) {
            before.len() - name.len()
        } else if after.trim_start().starts_with(name) {
            self.text.len() - after.trim_start().len()
        } else {
            offset
        };
        Err(ExpressionFault::at(self.text, place, message))
    }

    pub(super) fn node(&mut self, tree: &IdedExpr, depth: usize) -> Checked {
        self.nodes += 1;
        if depth > DEEPEST {
            return self.fault(tree.id, format!("nested deeper than {DEEPEST}"));
        }
        if self.nodes > NODES {
            return self.fault(tree.id, format!("the expression has more than {NODES} parts"));
        }
        match &tree.expr {
            Expr::Literal(literal) => self.literal(tree.id, literal),
            Expr::Ident(name) => self.name(tree.id, name),
            Expr::Select(select) => self.select(tree.id, select, depth),
            Expr::Call(call) => self.call(tree.id, call, depth),
            Expr::List(list) => {
                let mut nodes = Vec::new();
                let mut of = None;
                for element in &list.elements {
                    let (node, element) = self.node(element, depth + 1)?;
                    nodes.push(node);
                    of = Some(of.map_or(element.clone(), |known: Type| known.join(element)));
                }
                Ok((Node::List(nodes), Type::List(Box::new(of.unwrap_or(Type::Any)))))
            }
            Expr::Map(map) => self.map(tree.id, &map.entries, depth),
            Expr::Struct(of) => self.fault_at_name(tree.id, &of.type_name, format!("there is no message type `{}`", of.type_name)),
            Expr::Comprehension(_) | Expr::Unspecified => self.fault(tree.id, "this cannot be read"),
        }
    }

    fn literal(&self, id: u64, literal: &LiteralValue) -> Checked {
        Ok(match literal {
            LiteralValue::Boolean(value) => (Node::Bool(*value.inner()), Type::Bool),
            LiteralValue::Double(value) => (Node::Double(*value.inner()), Type::Double),
            LiteralValue::Int(value) => (Node::Int(*value.inner()), Type::Int),
            LiteralValue::UInt(value) => (Node::Uint(*value.inner()), Type::Uint),
            LiteralValue::String(value) => (Node::Text(value.inner().to_owned()), Type::Text),
            LiteralValue::Null => (Node::Null, Type::Null),
            LiteralValue::Bytes(_) => return self.fault(id, "bytes are not known here; write a string"),
        })
    }

    fn name(&mut self, id: u64, name: &str) -> Checked {
        if let Some((place, local)) = self.locals.iter().enumerate().rev().find(|(_, local)| local.name == name) {
            return Ok((Node::Local { place, name: name.to_owned() }, local.of.clone()));
        }
        let Some(variable) = Variable::ALL.into_iter().find(|variable| variable.name() == name) else {
            let known: Vec<&str> = self.locals.iter().map(|local| local.name.as_str()).chain(Variable::ALL.map(Variable::name)).collect();
            return self.fault(id, format!("unknown variable `{name}`{}", did_you_mean(name, known)));
        };
        if variable == Variable::Params {
            return self.fault(id, "`params` is no value by itself; write params.NAME");
        }
        self.uses.insert(variable);
        Ok((Node::Variable(variable), Type::of(variable)))
    }

    /// Whether it is `params`, and no item of that name.
    pub(super) fn is_params(&self, tree: &IdedExpr) -> bool {
        let params = Variable::Params.name();
        matches!(&tree.expr, Expr::Ident(name) if name == params) && !self.locals.iter().any(|local| local.name == params)
    }

    fn parameter(&mut self, name: &str) -> (Node, Type) {
        self.nodes += 1;
        self.uses.insert(Variable::Params);
        self.parameters.insert(name.to_owned());
        (Node::Parameter(name.to_owned()), Type::List(Box::new(Type::Text)))
    }

    fn select(&mut self, id: u64, select: &SelectExpr, depth: usize) -> Checked {
        if self.is_params(&select.operand) {
            return Ok(self.parameter(&select.field));
        }
        let (of, operand) = self.node(&select.operand, depth + 1)?;
        let given = self.field(id, &of, &operand, &select.field)?;
        Ok((Node::Select { of: Box::new(of), field: select.field.clone() }, given))
    }

    /// The type of a field of what has this type.
    pub(super) fn field(&self, id: u64, of: &Node, operand: &Type, field: &str) -> Result<Type, ExpressionFault> {
        match operand {
            Type::Any => Ok(Type::Any),
            Type::Map(values) => Ok((**values).clone()),
            Type::Record(record) => match record.field(field) {
                Some(given) => Ok(given),
                None => self.fault_at_name(id, field, no_field(of, record, field)),
            },
            other => self.fault_at_name(id, field, format!("`{of}` is {other} and has no field `{field}`")),
        }
    }

    fn map(&mut self, id: u64, entries: &[IdedEntryExpr], depth: usize) -> Checked {
        let mut nodes = Vec::new();
        let mut of = None;
        let mut by_text = true;
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { return self.fault(id, "this cannot be read") };
            let (key, key_type) = self.node(&entry.key, depth + 1)?;
            if ![Sort::Text, Sort::Int, Sort::Uint, Sort::Bool].into_iter().any(|sort| sort.may_be(&key_type)) {
                return self.fault(entry.key.id, format!("a key of a map is string, int, uint or bool, not {key_type}"));
            }
            let (value, value_type) = self.node(&entry.value, depth + 1)?;
            nodes.push((key, value));
            by_text &= key_type == Type::Text;
            of = Some(of.map_or(value_type.clone(), |known: Type| known.join(value_type)));
        }
        Ok((Node::Map(nodes), if by_text { Type::Map(Box::new(of.unwrap_or(Type::Any))) } else { Type::Any }))
    }

    fn call(&mut self, id: u64, call: &CallExpr, depth: usize) -> Checked {
        match (&call.target, call.args.as_slice()) {
            (None, [one, other]) => match call.func_name.as_str() {
                operators::LOGICAL_AND | operators::LOGICAL_OR => self.logic(id, call, depth),
                operators::INDEX => self.index(id, one, other, depth),
                operators::IN => self.within(id, one, other, depth),
                operators::EQUALS => self.compare(id, Comparison::Equal, one, other, depth),
                operators::NOT_EQUALS => self.compare(id, Comparison::NotEqual, one, other, depth),
                operators::LESS => self.compare(id, Comparison::Less, one, other, depth),
                operators::LESS_EQUALS => self.compare(id, Comparison::LessOrEqual, one, other, depth),
                operators::GREATER => self.compare(id, Comparison::Greater, one, other, depth),
                operators::GREATER_EQUALS => self.compare(id, Comparison::GreaterOrEqual, one, other, depth),
                operators::ADD => self.calculate(id, Arithmetic::Add, one, other, depth),
                operators::SUBSTRACT => self.calculate(id, Arithmetic::Subtract, one, other, depth),
                operators::MULTIPLY => self.calculate(id, Arithmetic::Multiply, one, other, depth),
                operators::DIVIDE => self.calculate(id, Arithmetic::Divide, one, other, depth),
                operators::MODULO => self.calculate(id, Arithmetic::Remainder, one, other, depth),
                _ => self.function(id, call, depth),
            },
            (None, [only]) => match call.func_name.as_str() {
                operators::LOGICAL_NOT => {
                    let (node, _) = self.condition(only, "!", depth + 1)?;
                    Ok((Node::Not(Box::new(node)), Type::Bool))
                }
                operators::NEGATE => {
                    let (node, of) = self.node(only, depth + 1)?;
                    if ![Sort::Int, Sort::Double, Sort::Duration].into_iter().any(|sort| sort.may_be(&of)) {
                        return self.fault(id, format!("`-` does not take {of}"));
                    }
                    Ok((Node::Negate(Box::new(node)), of))
                }
                "has" => self.has(id, only, depth),
                "dyn" => Ok((self.node(only, depth + 1)?.0, Type::Any)),
                _ => self.function(id, call, depth),
            },
            (None, [condition, yes, no]) if call.func_name == operators::CONDITIONAL => {
                let (condition, _) = self.condition(condition, "?", depth + 1)?;
                let (yes, one) = self.node(yes, depth + 1)?;
                let (no, other) = self.node(no, depth + 1)?;
                Ok((Node::Choice(Box::new([condition, yes, no])), one.join(other)))
            }
            (Some(target), _) if WALK_NAMES.contains(&call.func_name.as_str()) => self.walk(id, target, call, depth),
            _ => self.function(id, call, depth),
        }
    }

    /// What has to be true or false.
    pub(super) fn condition(&mut self, tree: &IdedExpr, around: &str, depth: usize) -> Checked {
        let (node, of) = self.node(tree, depth)?;
        if !Sort::Bool.may_be(&of) {
            return self.fault(first(tree), format!("`{around}` takes bool, not {of}"));
        }
        Ok((node, of))
    }

    /// All that is joined by one of `&&` and `||`, however the parser pairs it.
    fn logic(&mut self, id: u64, call: &CallExpr, depth: usize) -> Checked {
        let operator = call.func_name.as_str();
        let symbol = if operator == operators::LOGICAL_AND { "&&" } else { "||" };
        let mut parts = Vec::new();
        let mut open: Vec<&IdedExpr> = call.args.iter().rev().collect();
        if depth == 0 {
            self.joints.push(self.offset(id));
        }
        while let Some(tree) = open.pop() {
            match &tree.expr {
                Expr::Call(inner) if inner.target.is_none() && inner.func_name == operator && inner.args.len() == 2 => {
                    self.nodes += 1;
                    if depth == 0 {
                        self.joints.push(self.offset(tree.id));
                    }
                    open.extend(inner.args.iter().rev());
                }
                _ => parts.push(self.condition(tree, symbol, depth + 1)?.0),
            }
        }
        Ok((if symbol == "&&" { Node::All(parts) } else { Node::Any(parts) }, Type::Bool))
    }

    fn index(&mut self, id: u64, of: &IdedExpr, at: &IdedExpr, depth: usize) -> Checked {
        if self.is_params(of) {
            return match &at.expr {
                Expr::Literal(LiteralValue::String(name)) => Ok(self.parameter(name.inner())),
                _ => self.fault(at.id, "the name of a parameter is written out: params[\"NAME\"]"),
            };
        }
        let (of, operand) = self.node(of, depth + 1)?;
        let (key, key_type) = self.node(at, depth + 1)?;
        let wanted: &[Sort] = match &operand {
            Type::Any => &[Sort::Int, Sort::Uint, Sort::Double, Sort::Text, Sort::Bool],
            Type::List(_) => &[Sort::Int, Sort::Uint, Sort::Double],
            Type::Map(_) | Type::Record(_) => &[Sort::Text],
            other => return self.fault(id, format!("`{of}` is {other}, neither list nor map")),
        };
        if !wanted.iter().any(|sort| sort.may_be(&key_type)) {
            return self.fault(at.id, format!("`{of}` is {operand} and has no place of type {key_type}"));
        }
        let given = match (&operand, &key) {
            (Type::List(items), _) => (**items).clone(),
            (Type::Map(values), _) => (**values).clone(),
            (Type::Record(record), Node::Text(field)) => match record.field(field) {
                Some(given) => given,
                None => return self.fault(at.id, no_field(&of, record, field)),
            },
            _ => Type::Any,
        };
        Ok((Node::Index { of: Box::new(of), at: Box::new(key) }, given))
    }

    fn within(&mut self, id: u64, one: &IdedExpr, other: &IdedExpr, depth: usize) -> Checked {
        let (item, item_type) = self.node(one, depth + 1)?;
        let (container, container_type) = self.node(other, depth + 1)?;
        let fits = match &container_type {
            Type::Any => true,
            Type::List(items) => item_type.may_compare(items),
            Type::Map(_) => [Sort::Text, Sort::Int, Sort::Uint, Sort::Bool].into_iter().any(|sort| sort.may_be(&item_type)),
            Type::Record(_) => Sort::Text.may_be(&item_type),
            other => return self.fault(id, format!("`in` looks into a list or the keys of a map, not into {other}")),
        };
        if !fits {
            return self.fault(id, format!("{item_type} is never in this {container_type}"));
        }
        Ok((Node::In(Box::new([item, container])), Type::Bool))
    }

    fn compare(&mut self, id: u64, comparison: Comparison, one: &IdedExpr, other: &IdedExpr, depth: usize) -> Checked {
        let (left, left_type) = self.node(one, depth + 1)?;
        let (right, right_type) = self.node(other, depth + 1)?;
        if !left_type.may_compare(&right_type) {
            return self.fault(id, format!("{left_type} and {right_type} cannot be compared"));
        }
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual)
            && let Some(without) = [left_type, right_type].iter().find(|of| !of.has_order())
        {
            return self.fault(id, format!("{without} has no order"));
        }
        Ok((Node::Compare(comparison, Box::new([left, right])), Type::Bool))
    }

    fn calculate(&mut self, id: u64, operator: Arithmetic, one: &IdedExpr, other: &IdedExpr, depth: usize) -> Checked {
        let (left, left_type) = self.node(one, depth + 1)?;
        let (right, right_type) = self.node(other, depth + 1)?;
        let Some(given) = calculated(operator, &left_type, &right_type) else {
            return self.fault(id, format!("`{}` does not take {left_type} and {right_type}", operator.symbol()));
        };
        Ok((Node::Calculate(operator, Box::new([left, right])), given))
    }
}

/// The node that stands first in what is written as one value.
pub(super) fn first(tree: &IdedExpr) -> u64 {
    let mut tree = tree;
    loop {
        tree = match &tree.expr {
            Expr::Select(select) => &select.operand,
            Expr::Call(CallExpr { target: Some(target), .. }) => target,
            Expr::Call(call) if call.args.len() > 1 && call.func_name.contains('_') && !call.func_name.starts_with(char::is_alphabetic) => {
                &call.args[0]
            }
            _ => return tree.id,
        };
    }
}

fn no_field(of: &Node, record: &Record, field: &str) -> String {
    let names: Vec<&str> = record.names().collect();
    let meant = did_you_mean(field, names.iter().copied());
    format!("`{of}` has no field `{field}`{}", if meant.is_empty() { format!("; it has {}", names.join(", ")) } else { meant })
}

/// What comes of it; nothing where it is certainly wrong.
fn calculated(operator: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    let either = |one: &Type| left == one || right == one;
    match (operator, left, right) {
        (_, Type::Any, other) | (_, other, Type::Any) => {
            let never = [Sort::Bool, Sort::Map].into_iter().any(|sort| *other != Type::Any && sort.may_be(other)) || *other == Type::Null;
            (!never).then_some(Type::Any)
        }
        (Arithmetic::Add, Type::List(one), Type::List(other)) => Some(Type::List(Box::new((**one).clone().join((**other).clone())))),
        (Arithmetic::Add, Type::Text, Type::Text) => Some(Type::Text),
        (Arithmetic::Add, Type::Timestamp | Type::Duration, Type::Timestamp | Type::Duration) if either(&Type::Duration) => {
            Some(if either(&Type::Timestamp) { Type::Timestamp } else { Type::Duration })
        }
        (Arithmetic::Subtract, Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        (Arithmetic::Subtract, Type::Timestamp | Type::Duration, Type::Duration) => Some(left.clone()),
        (Arithmetic::Remainder, Type::Double, Type::Double) => None,
        (_, Type::Int | Type::Uint | Type::Double, _) if left == right => Some(left.clone()),
        _ => None,
    }
}
