//! The functions of expressions.

use std::rc::Rc;

use super::evaluate::{fault, shown};
use super::meter::{Meter, Stop};
use super::time;
use super::value::Value;
use crate::documents::Function;

type Result<T> = std::result::Result<T, Stop>;

/// Calls a function. How many arguments it takes was seen to when the expression was read.
pub(super) fn call<'e>(function: Function, arguments: &[Value<'e>], meter: &mut Meter) -> Result<Value<'e>> {
    let [first, rest @ ..] = arguments else { return fault("a function without arguments") };
    for text in arguments.iter().filter_map(Value::as_text) {
        meter.read(text.len())?;
    }
    let second = rest.first();
    match function {
        Function::Size => size(first),
        Function::Contains => texts(first, second, "contains", |text, part| text.contains(part)),
        Function::StartsWith => texts(first, second, "startsWith", |text, part| text.starts_with(part)),
        Function::EndsWith => texts(first, second, "endsWith", |text, part| text.ends_with(part)),
        Function::LowerAscii => changed(first, "lowerAscii", meter, str::to_ascii_lowercase),
        Function::UpperAscii => changed(first, "upperAscii", meter, str::to_ascii_uppercase),
        Function::Trim => changed(first, "trim", meter, |text| text.trim().to_owned()),
        Function::Split => split(first, second, meter),
        Function::Int => to_int(first).map(Value::Int),
        Function::Uint => to_uint(first).map(Value::Uint),
        Function::Double => to_double(first).map(Value::Double),
        Function::Text => to_text(first, meter),
        Function::Bool => to_bool(first),
        Function::Timestamp => match first {
            Value::Timestamp(time) => Ok(Value::Timestamp(*time)),
            Value::Text(text) => time::timestamp(text.as_str()).map(Value::Timestamp),
            Value::Int(seconds) => time::from_seconds(*seconds).map(Value::Timestamp),
            other => wrong("timestamp", other),
        },
        Function::Duration => match first {
            Value::Duration(length) => Ok(Value::Duration(*length)),
            Value::Text(text) => time::duration(text.as_str()).map(Value::Duration),
            other => wrong("duration", other),
        },
        Function::Part(part) => time::part(part, first).map(Value::Int),
    }
}

fn wrong<T>(name: &str, value: &Value<'_>) -> Result<T> {
    fault(format!("`{name}` does not take {}", value.type_name()))
}

fn size<'e>(value: &Value<'e>) -> Result<Value<'e>> {
    let size = match value {
        Value::Text(text) => text.as_str().chars().count(),
        other => match other.list_len().or(other.map_len()) {
            Some(size) => size,
            None => return wrong("size", other),
        },
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn texts<'e>(text: &Value<'e>, part: Option<&Value<'e>>, name: &str, holds: impl FnOnce(&str, &str) -> bool) -> Result<Value<'e>> {
    let Some(whole) = text.as_text() else { return wrong(name, text) };
    let Some(part) = part else { return fault(format!("`{name}` has no argument")) };
    let Some(part_text) = part.as_text() else { return wrong(name, part) };
    Ok(Value::Bool(holds(whole, part_text)))
}

fn changed<'e>(text: &Value<'e>, name: &str, meter: &mut Meter, change: impl FnOnce(&str) -> String) -> Result<Value<'e>> {
    let Some(whole) = text.as_text() else { return wrong(name, text) };
    meter.make(whole.len())?;
    Ok(Value::made(change(whole)))
}

fn split<'e>(text: &Value<'e>, separator: Option<&Value<'e>>, meter: &mut Meter) -> Result<Value<'e>> {
    let Some(whole) = text.as_text() else { return wrong("split", text) };
    let Some(by) = separator.and_then(Value::as_text) else { return fault("`split` takes string") };
    meter.make(whole.len())?;
    let mut parts = Vec::new();
    let mut add = |part: &str| {
        meter.items(1)?;
        parts.push(Value::made(part.to_owned()));
        Ok(())
    };
    if by.is_empty() {
        // Into its characters, with nothing before and after.
        let mut letter = [0; 4];
        whole.chars().try_for_each(|each| add(each.encode_utf8(&mut letter)))?;
    } else {
        whole.split(by).try_for_each(&mut add)?;
    }
    Ok(Value::List(Rc::new(parts)))
}

fn to_int(value: &Value<'_>) -> Result<i64> {
    let read = match value {
        Value::Int(number) => Some(*number),
        Value::Uint(number) => i64::try_from(*number).ok(),
        #[expect(clippy::cast_possible_truncation, reason = "inside the range; the fraction is dropped, as CEL has it")]
        Value::Double(number) => (*number > -TWO_TO_63 && *number < TWO_TO_63).then_some(*number as i64),
        Value::Text(text) => text.as_str().parse().ok(),
        Value::Timestamp(time) => Some(time.as_second()),
        other => return wrong("int", other),
    };
    read.map_or_else(|| no_number(value, "int"), Ok)
}

fn to_uint(value: &Value<'_>) -> Result<u64> {
    let read = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Uint(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the range; the fraction is dropped")]
        Value::Double(number) => (*number >= 0.0 && *number < 2.0 * TWO_TO_63).then_some(*number as u64),
        Value::Text(text) => text.as_str().parse().ok(),
        other => return wrong("uint", other),
    };
    read.map_or_else(|| no_number(value, "uint"), Ok)
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

fn to_double(value: &Value<'_>) -> Result<f64> {
    #[expect(clippy::cast_precision_loss, reason = "the nearest double, as CEL has it")]
    match value {
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        Value::Double(number) => Ok(*number),
        Value::Text(text) => text.as_str().parse().or_else(|_| no_number(value, "double")),
        other => wrong("double", other),
    }
}

fn no_number<T>(value: &Value<'_>, name: &str) -> Result<T> {
    match value {
        Value::Text(text) => fault(format!("{} is no {name}", shown(text.as_str()))),
        _ => fault(format!("a number is out of the range of {name}")),
    }
}

fn to_text<'e>(value: &Value<'e>, meter: &mut Meter) -> Result<Value<'e>> {
    let made = match value {
        Value::Text(_) => return Ok(value.clone()),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Timestamp(time) => time.to_string(),
        Value::Duration(length) => time::duration_text(*length),
        other => return wrong("string", other),
    };
    meter.make(made.len())?;
    Ok(Value::made(made))
}

fn to_bool<'e>(value: &Value<'e>) -> Result<Value<'e>> {
    match value {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::Text(text) => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Value::Bool(false)),
            other => fault(format!("{} is neither true nor false", shown(other))),
        },
        other => wrong("bool", other),
    }
}
