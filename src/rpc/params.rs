//! Reading the parameters of a call, as forgiving about types as Python is, and no more.

use crate::xmlrpc::{Fault, Value, code};

/// The parameters of one call.
pub struct Params<'a>(pub &'a [Value]);

impl Params<'_> {
    /// Refuses a call with fewer than `least` or more than `most` parameters.
    pub fn count(&self, least: usize, most: usize) -> Result<(), Fault> {
        if (least..=most).contains(&self.0.len()) { Ok(()) } else { Err(Fault::new(code::INCORRECT_PARAMETERS)) }
    }

    /// The text at `index`.
    pub fn text(&self, index: usize) -> Result<String, Fault> {
        match self.0.get(index) {
            Some(Value::Str(text)) => Ok(text.clone()),
            _ => Err(Fault::new(code::INCORRECT_PARAMETERS)),
        }
    }

    /// A signal at `index`: clients send it by name, or by number as text or int.
    pub fn signal(&self, index: usize) -> Result<String, Fault> {
        match self.0.get(index) {
            Some(Value::Int(number)) => Ok(number.to_string()),
            _ => self.text(index),
        }
    }

    /// The number at `index`; digits in a string count too.
    pub fn int(&self, index: usize) -> Result<i64, Fault> {
        match self.0.get(index) {
            Some(Value::Int(number)) => Ok(*number),
            Some(Value::Bool(truth)) => Ok(i64::from(*truth)),
            Some(Value::Double(number)) => Ok(*number as i64),
            Some(Value::Str(text)) => text.trim().parse().map_err(|_| Fault::new(code::INCORRECT_PARAMETERS)),
            _ => Err(Fault::new(code::INCORRECT_PARAMETERS)),
        }
    }

    /// The truth at `index`, or `true` when it is left out: the `wait` of start and stop.
    pub fn wait(&self, index: usize) -> bool {
        match self.0.get(index) {
            None => true,
            Some(Value::Bool(truth)) => *truth,
            Some(Value::Int(number)) => *number != 0,
            Some(Value::Double(number)) => *number != 0.0,
            Some(Value::Str(text) | Value::DateTime(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Struct(members)) => !members.is_empty(),
            Some(Value::Nil) => false,
        }
    }
}
