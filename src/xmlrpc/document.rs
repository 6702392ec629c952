//! From bytes to a tree of elements, each already decoded to the value it stands for.
//!
//! The reading is as lenient as the one that existing clients were written against (`Supervisor: xmlrpc.py loads()`):
//! the first child decides what a `<value>` is, text after a child is ignored, and a tag nobody knows becomes its text.

use std::borrow::Cow;
use std::mem::take;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::Value;
use super::scan::{Plain, PlainMember, Scanner, Token};

/// Elements inside each other, at most. An array in an array costs three, a struct in a struct three.
pub const DEPTH_MAX: usize = 96;

/// A document that cannot be answered.
///
/// The texts begin as Supervisor's log lines do; what follows in brackets is for the person who reads the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Not XML, not XML-RPC, or beyond a limit.
    #[error("unmarshallable ({0})")]
    Unmarshallable(String),
    /// A call that does not say what it calls.
    #[error("no method name")]
    NoMethodName,
}

/// Shorthand for a document that cannot be understood.
pub(super) fn unmarshallable(reason: impl std::fmt::Display) -> ReadError {
    ReadError::Unmarshallable(reason.to_string())
}

/// The tags that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Array,
    Base64,
    Boolean,
    Data,
    DateTime,
    Double,
    Fault,
    Int,
    MethodName,
    Param,
    Params,
    String,
    Struct,
    Value,
    Other,
}

impl Tag {
    fn of(name: &str) -> Tag {
        // Bytes, so that a few instructions compare them: each element asks.
        match name.as_bytes() {
            b"array" => Tag::Array,
            b"base64" => Tag::Base64,
            b"boolean" => Tag::Boolean,
            b"data" => Tag::Data,
            b"dateTime.iso8601" => Tag::DateTime,
            b"double" => Tag::Double,
            b"fault" => Tag::Fault,
            b"int" | b"i4" => Tag::Int,
            b"methodName" => Tag::MethodName,
            b"param" => Tag::Param,
            b"params" => Tag::Params,
            b"string" => Tag::String,
            b"struct" => Tag::Struct,
            b"value" => Tag::Value,
            _ => Tag::Other,
        }
    }
}

/// The root element: what its children are worth, by tag. `<params>` are an array, `<fault>` is its `<value>`.
#[derive(Debug)]
pub(super) struct Root {
    children: Vec<(Tag, Value)>,
}

impl Root {
    /// Takes out the first child with this tag.
    pub(super) fn take(&mut self, wanted: Tag) -> Option<Value> {
        let index = self.children.iter().position(|(tag, _)| *tag == wanted)?;
        Some(self.children.swap_remove(index).1)
    }
}

/// An element that is still open. Only the text before its first child counts; most is line ends, so it is copied only
/// if it turns out to be a value.
struct Open<'a> {
    name: &'a str,
    tag: Tag,
    text: Cow<'a, str>,
    has_child: bool,
    inside: Inside,
}

/// What an open element keeps of the elements inside it.
enum Inside {
    /// Nothing: its text counts.
    Text,
    /// What the first is worth.
    First(Option<Value>),
    /// What the first `<value>` is worth.
    Fault(Option<Value>),
    /// What each is worth.
    Items(Vec<Value>),
    /// The members of a struct.
    Members(Vec<(Cow<'static, str>, Value)>),
    /// Of whatever is directly in a struct: exactly a name and a value, in this order whatever they are called.
    Member { name: Option<Cow<'static, str>>, value: Option<Value> },
    /// What each is worth, and its tag.
    Root(Vec<(Tag, Value)>),
}

impl Inside {
    /// Of an element with this tag below `parent`.
    fn of(tag: Tag, parent: Option<&Inside>) -> Inside {
        match (parent, tag) {
            (None, _) => Inside::Root(Vec::new()),
            (Some(Inside::Members(_)), _) => Inside::Member { name: None, value: None },
            (Some(Inside::Root(_)), Tag::Params) => Inside::Items(Vec::new()),
            (Some(Inside::Root(_)), Tag::Fault) => Inside::Fault(None),
            (_, Tag::Array | Tag::Param | Tag::Value) => Inside::First(None),
            (_, Tag::Data) => Inside::Items(Vec::new()),
            (_, Tag::Struct) => Inside::Members(Vec::new()),
            _ => Inside::Text,
        }
    }

    /// Takes in an element that was closed.
    fn adopt(&mut self, child: &mut Open<'_>) -> Result<(), ReadError> {
        match self {
            Inside::Member { name: name @ None, value: None } => *name = Some(child.name()?),
            Inside::Member { name: Some(_), value: value @ None } => *value = Some(child.worth()?),
            Inside::Member { .. } => return Err(bad_member()),
            Inside::Members(members) => members.push(child.member()?),
            Inside::First(first @ None) => *first = Some(child.worth()?),
            Inside::Fault(first @ None) if child.tag == Tag::Value => *first = Some(child.worth()?),
            Inside::Items(items) => items.push(child.worth()?),
            Inside::Root(children) => children.push((child.tag, child.worth()?)),
            // It counts for nothing, but must be right all the same.
            Inside::Text | Inside::First(Some(_)) | Inside::Fault(_) => drop(child.worth()?),
        }
        Ok(())
    }
}

impl Open<'_> {
    /// What it is worth. Taken out in place, because moving elements around would take most of the time.
    fn worth(&mut self) -> Result<Value, ReadError> {
        match (&mut self.inside, self.tag) {
            (Inside::First(value @ Some(_)), _) => return Ok(value.take().unwrap_or(Value::Nil)),
            (Inside::First(None), Tag::Array | Tag::Param) => {
                return Err(unmarshallable("an array or a parameter without a value"));
            }
            (Inside::Fault(value), _) => return Ok(value.take().unwrap_or(Value::Nil)),
            (Inside::Items(items), _) => return Ok(Value::Array(take(items))),
            (Inside::Members(members), _) => return Ok(Value::Struct(take(members))),
            (Inside::Text | Inside::First(None) | Inside::Member { .. } | Inside::Root(_), _) => {}
        }
        let text = take(&mut self.text);
        Ok(match self.tag {
            Tag::Int => Value::Int(text.trim().parse().map_err(|_| unmarshallable(format!("bad int {text:?}")))?),
            Tag::Boolean => Value::Bool(text == "1"),
            Tag::Double => {
                Value::Double(text.trim().parse().map_err(|_| unmarshallable(format!("bad double {text:?}")))?)
            }
            Tag::String | Tag::Value => Value::Str(text.into_owned()),
            Tag::DateTime => Value::DateTime(text.into_owned()),
            Tag::Base64 => Value::Str(decode_base64(&text)?),
            Tag::MethodName => Value::Str(text.trim().to_owned()),
            // The text of an element around others is the line end before the first.
            _ if text.is_empty() || self.has_child && text.trim().is_empty() => Value::Nil,
            _ => Value::Str(text.into_owned()),
        })
    }

    /// It is the name of a member.
    fn name(&mut self) -> Result<Cow<'static, str>, ReadError> {
        if self.tag == Tag::Other
            && !self.has_child
            && let Some(known) = known_name(&self.text)
        {
            return Ok(Cow::Borrowed(known));
        }
        match self.worth()? {
            Value::Str(text) => Ok(text.into()),
            Value::Nil => Ok("".into()),
            _ => Err(unmarshallable("the name of a struct member is not text")),
        }
    }

    /// It is a member of a struct.
    fn member(&mut self) -> Result<(Cow<'static, str>, Value), ReadError> {
        match &mut self.inside {
            Inside::Member { name, value } => name.take().zip(value.take()).ok_or_else(bad_member),
            _ => Err(bad_member()),
        }
    }
}

/// Names that come thousands of times in one answer, those of `getAllProcessInfo`, are not copied.
fn known_name(name: &str) -> Option<&'static str> {
    Some(match name.as_bytes() {
        b"name" => "name",
        b"group" => "group",
        b"start" => "start",
        b"stop" => "stop",
        b"now" => "now",
        b"state" => "state",
        b"statename" => "statename",
        b"spawnerr" => "spawnerr",
        b"exitstatus" => "exitstatus",
        b"logfile" => "logfile",
        b"stdout_logfile" => "stdout_logfile",
        b"stderr_logfile" => "stderr_logfile",
        b"pid" => "pid",
        b"description" => "description",
        _ => return None,
    })
}

fn bad_member() -> ReadError {
    unmarshallable("a struct member needs a name and a value")
}

/// Compares short texts without a call.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| a == b)
}

fn decode_base64(text: &str) -> Result<String, ReadError> {
    let compact: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(compact).map_err(|error| unmarshallable(format!("bad base64: {error}")))?;
    String::from_utf8(bytes).map_err(|_| unmarshallable("base64 that is not UTF-8 text"))
}

/// Reads a whole document and returns its root element.
pub(super) fn read_document(bytes: &[u8], bytes_max: usize, elements_max: usize) -> Result<Root, ReadError> {
    if bytes.len() > bytes_max {
        return Err(unmarshallable(format!("more than {bytes_max} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unmarshallable("not UTF-8"))?;
    let mut scanner = Scanner::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree { open: Vec::new(), depth: 0, root: None, elements_left: elements_max };
    loop {
        while tree.has_room_for_member()
            && let Some(member) = scanner.plain_member()
        {
            tree.member(member);
        }
        let Some(token) = scanner.next()? else { return tree.finish() };
        match token {
            Token::Start(name) => tree.start(name)?,
            Token::Empty(name) => {
                tree.start(name)?;
                tree.end(name)?;
            }
            Token::End(name) => tree.end(name)?,
            Token::Text(text) => tree.text(text)?,
        }
    }
}

/// The tree being built: the way from the root to where the reader is.
struct Tree<'a> {
    /// The first `depth` are open; the places behind them are used again.
    open: Vec<Open<'a>>,
    depth: usize,
    root: Option<Root>,
    elements_left: usize,
}

impl<'a> Tree<'a> {
    fn start(&mut self, name: &'a str) -> Result<(), ReadError> {
        let tag = Tag::of(name);
        if self.root.is_some() {
            return Err(unmarshallable("more than one root element"));
        }
        if self.depth == DEPTH_MAX {
            return Err(unmarshallable(format!("nested deeper than {DEPTH_MAX} elements")));
        }
        self.elements_left = self.elements_left.checked_sub(1).ok_or_else(|| unmarshallable("too many elements"))?;
        let parent = self.depth.checked_sub(1).map(|index| &mut self.open[index]);
        let inside = Inside::of(tag, parent.as_ref().map(|parent| &parent.inside));
        if let Some(parent) = parent {
            parent.has_child = true;
        }
        match self.open.get_mut(self.depth) {
            Some(place) => {
                (place.name, place.tag, place.text, place.has_child) = (name, tag, Cow::Borrowed(""), false);
                place.inside = inside;
            }
            None => self.open.push(Open { name, tag, text: Cow::Borrowed(""), has_child: false, inside }),
        }
        self.depth += 1;
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), ReadError> {
        let index = self.depth.checked_sub(1).ok_or_else(|| unmarshallable("an end tag without its start"))?;
        if !is_same(self.open[index].name, name) {
            return Err(unmarshallable(format!("</{name}> where </{}> should be", self.open[index].name)));
        }
        self.depth = index;
        let (above, element) = self.open.split_at_mut(index);
        match (above.last_mut(), &mut element[0]) {
            (Some(parent), element) => parent.inside.adopt(element)?,
            (None, Open { inside: Inside::Root(children), .. }) => self.root = Some(Root { children: take(children) }),
            (None, _) => {}
        }
        Ok(())
    }

    /// Whether a whole plain member could come here, within the limits.
    fn has_room_for_member(&self) -> bool {
        matches!(self.open[..self.depth].last(), Some(Open { inside: Inside::Members(_), .. }))
            && self.depth + PlainMember::DEPTH <= DEPTH_MAX
            && self.elements_left >= PlainMember::ELEMENTS
    }

    /// A whole member at once.
    fn member(&mut self, PlainMember { name, value }: PlainMember<'_>) {
        if let Some(Open { inside: Inside::Members(members), has_child, .. }) = self.open[..self.depth].last_mut() {
            let name = known_name(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed);
            let value = match value {
                Plain::Int(number) => Value::Int(number),
                Plain::Str(text) => Value::Str(text.to_owned()),
            };
            members.push((name, value));
            *has_child = true;
            self.elements_left -= PlainMember::ELEMENTS;
        }
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<(), ReadError> {
        match self.open[..self.depth].last_mut() {
            Some(element) if element.has_child => {}
            Some(element) if element.text.is_empty() => element.text = text,
            Some(element) => element.text.to_mut().push_str(&text),
            None if text.trim().is_empty() => {}
            None => return Err(unmarshallable("text outside the root element")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Root, ReadError> {
        match self.root {
            Some(root) if self.depth == 0 => Ok(root),
            _ => Err(unmarshallable("the document ends too early")),
        }
    }
}
