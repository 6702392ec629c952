//! A value of XML-RPC.

use std::borrow::Cow;

/// One value. Members of a struct keep the order they were written in.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `<int>`; capped to 32 bits when written (Supervisor clients parse no more).
    Int(i64),
    /// `<boolean>`.
    Bool(bool),
    /// `<string>`, or an untyped `<value>`.
    Str(String),
    /// `<double>`.
    Double(f64),
    /// `<dateTime.iso8601>`, as written.
    DateTime(String),
    /// `<array>`.
    Array(Vec<Value>),
    /// `<struct>`. The names of our own answers are constants: there are fourteen thousand of them for a thousand programs.
    Struct(Vec<(Cow<'static, str>, Value)>),
    /// An unknown or empty tag.
    Nil,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Str(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl Value {
    /// The member of a struct, by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Struct(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an int.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }
}
