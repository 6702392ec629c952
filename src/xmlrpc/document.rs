//! From bytes to a tree of elements, each already decoded to the value it stands for.
//!
//! The reading is as lenient as the one that existing clients were written against (`Supervisor: xmlrpc.py loads()`):
//! the first child decides what a `<value>` is, text after a child is ignored, and a tag nobody knows becomes its text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use thiserror::Error;

use super::Value;

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
        match name {
            "array" => Tag::Array,
            "base64" => Tag::Base64,
            "boolean" => Tag::Boolean,
            "data" => Tag::Data,
            "dateTime.iso8601" => Tag::DateTime,
            "double" => Tag::Double,
            "fault" => Tag::Fault,
            "int" | "i4" => Tag::Int,
            "methodName" => Tag::MethodName,
            "param" => Tag::Param,
            "params" => Tag::Params,
            "string" => Tag::String,
            "struct" => Tag::Struct,
            "value" => Tag::Value,
            _ => Tag::Other,
        }
    }
}

/// A closed element: what it is worth, and the elements inside it that its parent may still want to look at.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) tag: Tag,
    pub(super) value: Value,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child with this tag.
    pub(super) fn child(&self, tag: Tag) -> Option<&Element> {
        self.children.iter().find(|child| child.tag == tag)
    }
}

/// An element that is still open. Only the text before its first child counts.
struct Open {
    tag: Tag,
    text: String,
    children: Vec<Element>,
}

impl Open {
    fn close(self) -> Result<Element, ReadError> {
        let Open { tag, text, mut children } = self;
        let value = match tag {
            Tag::Int => Value::Int(text.trim().parse().map_err(|_| unmarshallable(format!("bad int {text:?}")))?),
            Tag::Boolean => Value::Bool(text == "1"),
            Tag::Double => {
                Value::Double(text.trim().parse().map_err(|_| unmarshallable(format!("bad double {text:?}")))?)
            }
            Tag::String => Value::Str(text),
            Tag::DateTime => Value::DateTime(text),
            Tag::Base64 => Value::Str(decode_base64(&text)?),
            Tag::Array | Tag::Param => match children.is_empty() {
                true => return Err(unmarshallable("an array or a parameter without a value")),
                false => children.swap_remove(0).value,
            },
            Tag::Data => Value::Array(children.drain(..).map(|child| child.value).collect()),
            Tag::Struct => Value::Struct(children.drain(..).map(read_member).collect::<Result<_, _>>()?),
            Tag::Value if children.is_empty() => Value::Str(text),
            Tag::Value => children.swap_remove(0).value,
            Tag::MethodName => Value::Str(text.trim().to_owned()),
            Tag::Fault | Tag::Params | Tag::Other if text.is_empty() => Value::Nil,
            Tag::Fault | Tag::Params | Tag::Other => Value::Str(text),
        };
        Ok(Element { tag, value, children })
    }
}

/// A `<member>`: exactly a name and a value, in this order whatever they are called.
fn read_member(member: Element) -> Result<(String, Value), ReadError> {
    let [name, value] = <[Element; 2]>::try_from(member.children)
        .map_err(|_| unmarshallable("a struct member needs a name and a value"))?;
    match name.value {
        Value::Str(text) => Ok((text, value.value)),
        Value::Nil => Ok((String::new(), value.value)),
        _ => Err(unmarshallable("the name of a struct member is not text")),
    }
}

fn decode_base64(text: &str) -> Result<String, ReadError> {
    let compact: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(compact).map_err(|error| unmarshallable(format!("bad base64: {error}")))?;
    String::from_utf8(bytes).map_err(|_| unmarshallable("base64 that is not UTF-8 text"))
}

/// Character references and the five entities that XML itself defines. There are no others to expand, because a
/// document type definition is refused: entities cannot multiply.
fn resolve(reference: &BytesRef<'_>) -> Result<char, ReadError> {
    if let Some(letter) = reference.resolve_char_ref().map_err(unmarshallable)? {
        return Ok(letter);
    }
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(unmarshallable(format!("unknown entity &{other};"))),
    }
}

/// Reads a whole document and returns its root element.
pub(super) fn read_document(bytes: &[u8], bytes_max: usize, elements_max: usize) -> Result<Element, ReadError> {
    if bytes.len() > bytes_max {
        return Err(unmarshallable(format!("more than {bytes_max} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unmarshallable("not UTF-8"))?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree { open: Vec::new(), root: None, elements_left: elements_max };
    loop {
        match reader.read_event().map_err(unmarshallable)? {
            Event::Start(tag) => tree.start(Tag::of(tag.name().as_ref()))?,
            Event::Empty(tag) => {
                tree.start(Tag::of(tag.name().as_ref()))?;
                tree.end()?;
            }
            Event::End(_) => tree.end()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(resolve(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err(unmarshallable("a document type definition is not accepted")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

/// The tree being built.
struct Tree {
    open: Vec<Open>,
    root: Option<Element>,
    elements_left: usize,
}

impl Tree {
    fn start(&mut self, tag: Tag) -> Result<(), ReadError> {
        if self.root.is_some() {
            return Err(unmarshallable("more than one root element"));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(unmarshallable(format!("nested deeper than {DEPTH_MAX} elements")));
        }
        self.elements_left = self.elements_left.checked_sub(1).ok_or_else(|| unmarshallable("too many elements"))?;
        self.open.push(Open { tag, text: String::new(), children: Vec::new() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReadError> {
        let element = self.open.pop().ok_or_else(|| unmarshallable("an end tag without its start"))?.close()?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ReadError> {
        match self.open.last_mut() {
            Some(element) if element.children.is_empty() => element.text.push_str(text),
            Some(_) => {}
            None if text.trim().is_empty() => {}
            None => return Err(unmarshallable("text outside the root element")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, ReadError> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(unmarshallable("the document ends too early")),
        }
    }
}
