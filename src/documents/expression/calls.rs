//! Calls: of functions, and of what looks like one and is a macro.

use cel::common::ast::{CallExpr, Expr, IdedExpr};
use regex::RegexBuilder;

use super::WALKS;
use super::check::{Checked, Checker, Local, first};
use super::functions::Sort;
use super::functions::{FOREIGN, FUNCTIONS, Style, globals, methods};
use super::node::{Node, Pattern, Walk};
use super::types::Type;
use crate::documents::error::nearest;

/// Most that a pattern may take when it is compiled, in bytes.
const PATTERN: usize = 1 << 18;

impl Checker<'_> {
    pub(super) fn has(&mut self, id: u64, tree: &IdedExpr, depth: usize) -> Checked {
        let Expr::Select(select) = &tree.expr else {
            return self.fault_at_name(id, "has", "`has` asks for a field: has(predicate.name)");
        };
        if self.is_params(&select.operand) {
            return self.fault_at_name(id, "has", "a parameter is always there; ask size(params.NAME) > 0");
        }
        self.nodes += 1;
        let (of, operand) = self.node(&select.operand, depth + 1)?;
        self.field(tree.id, &of, &operand, &select.field)?;
        Ok((Node::Has { of: Box::new(of), field: select.field.clone() }, Type::Bool))
    }

    pub(super) fn walk(&mut self, id: u64, target: &IdedExpr, call: &CallExpr, depth: usize) -> Checked {
        let name = call.func_name.as_str();
        let walk = match name {
            "all" => Walk::All,
            "exists" => Walk::Exists,
            "filter" => Walk::Filter,
            "map" => Walk::Map,
            _ => Walk::ExistsOne,
        };
        let (item, condition, result) = match (walk, call.args.as_slice()) {
            (Walk::Map, [item, result]) => (item, None, Some(result)),
            (Walk::Map, [item, condition, result]) => (item, Some(condition), Some(result)),
            (Walk::Map, _) => return self.fault_at_name(id, name, "`map` takes a name and a value: list.map(item, item.name)"),
            (_, [item, condition]) => (item, Some(condition), None),
            _ => return self.fault_at_name(id, name, format!("`{name}` takes a name and a condition: list.{name}(item, …)")),
        };
        let Expr::Ident(item_name) = &item.expr else {
            return self.fault(item.id, format!("the first argument of `{name}` is a name for the item: list.{name}(item, …)"));
        };
        let (over, over_type) = self.node(target, depth + 1)?;
        let item_type = match &over_type {
            Type::Any => Type::Any,
            Type::List(items) => (**items).clone(),
            Type::Map(_) | Type::Record(_) => Type::Text,
            other => return self.fault_at_name(id, name, format!("`{name}` goes over a list or the keys of a map, not over {other}")),
        };
        if self.locals.len() == WALKS {
            return self.fault_at_name(id, name, format!("more than {WALKS} of all, exists, filter and map inside each other"));
        }
        let from_parameter = self.is_of_parameter(&over);
        self.locals.push(Local { name: item_name.clone(), of: item_type.clone(), from_parameter });
        let condition = condition.map(|tree| self.condition(tree, name, depth + 1)).transpose()?;
        let result = result.map(|tree| self.node(tree, depth + 1)).transpose()?;
        self.locals.pop();
        let given = match (walk, &result) {
            (Walk::Map, Some((_, of))) => Type::List(Box::new(of.clone())),
            (Walk::Filter | Walk::Map, _) => Type::List(Box::new(item_type)),
            _ => Type::Bool,
        };
        let boxed = |checked: Option<(Node, Type)>| checked.map(|(node, _)| Box::new(node));
        Ok((Node::Walk { walk, over: Box::new(over), condition: boxed(condition), result: boxed(result) }, given))
    }

    pub(super) fn function(&mut self, id: u64, call: &CallExpr, depth: usize) -> Checked {
        let name = call.func_name.as_str();
        let on_value = call.target.is_some();
        let mut arguments = Vec::new();
        for tree in call.target.as_deref().into_iter().chain(&call.args) {
            // A walk's arguments mean nothing without its name: what is misspelt is said first.
            if !on_value && !globals().any(|known| known == name) || on_value && !methods().any(|known| known == name) {
                break;
            }
            let (node, of) = self.node(tree, depth + 1)?;
            arguments.push((first(tree), node, of));
        }
        if name == "matches" {
            return self.matches(id, arguments);
        }
        let known = FUNCTIONS.iter().find(|known| known.name == name);
        let Some(signature) = known.filter(|known| known.style == Style::Both || (known.style == Style::Method) == on_value) else {
            return self.fault_at_name(id, name, unknown_function(name, on_value, known.is_some()));
        };
        if arguments.len() != signature.takes.len() {
            let wanted = signature.takes.len() - usize::from(on_value);
            let given = call.args.len();
            let plural = if wanted == 1 { "" } else { "s" };
            return self.fault_at_name(id, name, format!("`{name}` takes {wanted} argument{plural}, not {given}"));
        }
        for (number, ((place, _, of), sorts)) in arguments.iter().zip(signature.takes).enumerate() {
            if !sorts.iter().any(|sort| sort.may_be(of)) {
                let wanted: Vec<String> = sorts.iter().map(|sort| sort.as_type().to_string()).collect();
                let wanted = wanted.join(" or ");
                if on_value && number == 0 {
                    return self.fault_at_name(id, name, format!("`{name}` is of {wanted}, not of {of}"));
                }
                return self.fault(*place, format!("`{name}` takes {wanted}, not {of}"));
            }
        }
        let nodes = arguments.into_iter().map(|(_, node, _)| node).collect();
        Ok((Node::Call(signature.function, nodes), signature.gives.as_type()))
    }

    /// The pattern is the author's: written out, or a parameter. One that came with the evidence could be of any cost.
    fn matches(&self, id: u64, arguments: Vec<(u64, Node, Type)>) -> Checked {
        let Ok([(_, text, text_type), (place, pattern, _)]) = <[_; 2]>::try_from(arguments) else {
            return self.fault_at_name(id, "matches", "`matches` takes a pattern: name.matches(\"^v[0-9]+\")");
        };
        if !Sort::Text.may_be(&text_type) {
            return self.fault_at_name(id, "matches", format!("`matches` is of string, not of {text_type}"));
        }
        let pattern = match pattern {
            Node::Text(written) => match RegexBuilder::new(&written).size_limit(PATTERN).build() {
                Ok(compiled) => Pattern::Written(compiled),
                Err(error) => return self.fault(place, bad_pattern(&error)),
            },
            other if self.is_of_parameter(&other) => Pattern::FromParameter(Box::new(other)),
            _ => return self.fault(place, "the pattern of `matches` is written out, or an item of a parameter"),
        };
        Ok((Node::Matches(Box::new(text), pattern), Type::Bool))
    }

    fn is_of_parameter(&self, node: &Node) -> bool {
        match node {
            Node::Parameter(_) => true,
            Node::Index { of, .. } => self.is_of_parameter(of),
            Node::Local { place, .. } => self.locals.get(*place).is_some_and(|local| local.from_parameter),
            _ => false,
        }
    }
}

/// What is wrong with a pattern, in one line.
fn bad_pattern(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    format!("this pattern cannot be read: {}", last.strip_prefix("error: ").unwrap_or(last))
}

fn unknown_function(name: &str, on_value: bool, known: bool) -> String {
    match (known, on_value) {
        (true, true) => format!("`{name}` is called with its value in brackets: {name}(…)"),
        (true, false) => format!("`{name}` is called on a value: ….{name}(…)"),
        (false, true) => format!("unknown method `{name}`{}", meant(name, methods())),
        (false, false) => format!("unknown function `{name}`{}", meant(name, globals())),
    }
}

/// The nearest name, also of those that other languages have for the same.
fn meant(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let known: Vec<&str> = known.collect();
    let foreign = FOREIGN.iter().filter(|(_, ours)| known.contains(ours));
    let names = known.iter().copied().chain(foreign.map(|(theirs, _)| *theirs));
    let found = nearest(name, names).map(|found| FOREIGN.iter().find(|(theirs, _)| *theirs == found).map_or(found, |(_, ours)| *ours));
    found.map_or_else(String::new, |found| format!("; did you mean {found}?"))
}
