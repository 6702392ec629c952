//! From text to tags and texts: as much of XML as XML-RPC uses, and no more.
//!
//! A parser for all of XML costs more than the rest of `supervisorctl status` together: a thousand programs are sixty
//! thousand elements. The tests hold this one to `quick-xml`.

use std::borrow::Cow;

use super::document::{ReadError, unmarshallable};

/// One thing in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<name ...>`.
    Start(&'a str),
    /// `<name ... />`.
    Empty(&'a str),
    /// `</name>`.
    End(&'a str),
    /// What is between tags, with references resolved and line ends as `\n`.
    Text(Cow<'a, str>),
}

/// A member of a struct as every writer of answers puts it, Python's and ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlainMember<'a> {
    pub(super) name: &'a str,
    pub(super) value: Plain<'a>,
}

/// What such a member is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain<'a> {
    Int(i64),
    Str(&'a str),
}

impl PlainMember<'_> {
    /// The elements that it consists of: itself, its name, its value, and the type of that.
    pub(super) const ELEMENTS: usize = 4;
    /// How deep they lie inside each other.
    pub(super) const DEPTH: usize = 3;
}

/// Reads a document from its beginning to its end.
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(document: &'a str) -> Self {
        Scanner { rest: document }
    }

    /// The next token; `None` at the end. Comments and processing instructions are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, ReadError> {
        loop {
            let Some(tag) = self.rest.strip_prefix('<') else { return self.text() };
            return match tag.as_bytes().first() {
                Some(b'/') => self.end_tag(&tag[1..]),
                Some(b'?') => {
                    self.take_until(&tag[1..], "?>")?;
                    continue;
                }
                Some(b'!') => match tag.strip_prefix("![CDATA[") {
                    Some(data) => self.take_until(data, "]]>").map(|data| Some(Token::Text(one_line_end(data)))),
                    None => match tag.strip_prefix("!--") {
                        Some(comment) => {
                            self.take_until(comment, "-->")?;
                            continue;
                        }
                        None => Err(unmarshallable("a document type definition is not accepted")),
                    },
                },
                Some(_) => self.start_tag(tag),
                None => Err(no_end()),
            };
        }
    }

    /// The member that begins here, if it is a plain one: an answer about a thousand programs has fourteen thousand of them, and
    /// takes four times as long to read tag by tag. `None` takes nothing away: it is read tag by tag, or refused, then.
    pub(super) fn plain_member(&mut self) -> Option<PlainMember<'a>> {
        let (name, rest) = plain_text(self.rest.strip_prefix("<member>\n<name>")?)?;
        let typed = rest.strip_prefix("</name>\n<value><")?;
        let (value, rest) = if let Some(rest) = typed.strip_prefix("string>") {
            let (text, rest) = plain_text(rest)?;
            (Plain::Str(text), rest.strip_prefix("</string>")?)
        } else {
            let (digits, rest) = plain_text(typed.strip_prefix("int>")?)?;
            (Plain::Int(digits.parse().ok()?), rest.strip_prefix("</int>")?)
        };
        self.rest = rest.strip_prefix("</value>\n</member>\n")?;
        Some(PlainMember { name, value })
    }

    /// Everything up to the next tag.
    fn text(&mut self) -> Result<Option<Token<'a>>, ReadError> {
        let bytes = self.rest.as_bytes();
        let mut is_plain = true;
        let mut end = 0;
        while let Some(byte) = bytes.get(end)
            && *byte != b'<'
        {
            is_plain &= !matches!(byte, b'&' | b'\r');
            end += 1;
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        match text {
            "" => Ok(None),
            text if is_plain => Ok(Some(Token::Text(text.into()))),
            text => resolve(text).map(|text| Some(Token::Text(text.into()))),
        }
    }

    fn start_tag(&mut self, tag: &'a str) -> Result<Option<Token<'a>>, ReadError> {
        let bytes = tag.as_bytes();
        let mut end = bytes.iter().position(|byte| *byte == b'>').ok_or_else(no_end)?;
        if bytes[..end].iter().any(|byte| matches!(byte, b'"' | b'\'')) {
            end = end_behind_quotes(bytes).ok_or_else(no_end)?;
        }
        self.rest = &tag[end + 1..];
        let (inside, is_empty) = match tag[..end].strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (&tag[..end], false),
        };
        let name = inside.split(|letter: char| letter.is_ascii_whitespace()).next().unwrap_or_default();
        match (name, is_empty) {
            ("", _) => Err(unmarshallable("a tag without a name")),
            (name, true) => Ok(Some(Token::Empty(name))),
            (name, false) => Ok(Some(Token::Start(name))),
        }
    }

    fn end_tag(&mut self, tag: &'a str) -> Result<Option<Token<'a>>, ReadError> {
        let end = tag.bytes().position(|byte| byte == b'>').ok_or_else(no_end)?;
        self.rest = &tag[end + 1..];
        Ok(Some(Token::End(tag[..end].trim_ascii_end())))
    }

    /// What `text` has before `mark`; the rest begins after it.
    fn take_until(&mut self, text: &'a str, mark: &str) -> Result<&'a str, ReadError> {
        let (before, rest) = text.split_once(mark).ok_or_else(|| unmarshallable(format!("no {mark}")))?;
        self.rest = rest;
        Ok(before)
    }
}

/// What is before the next tag and the rest from there, if it is written as what it stands for.
fn plain_text(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| matches!(byte, b'<' | b'&' | b'\r'))?;
    text.as_bytes().get(end).is_some_and(|byte| *byte == b'<').then(|| text.split_at(end))
}

fn no_end() -> ReadError {
    unmarshallable("a tag without its end")
}

/// Where a tag ends whose attributes may hold its end as text.
fn end_behind_quotes(tag: &[u8]) -> Option<usize> {
    let mut quote = None;
    tag.iter().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        quote.is_none() && *byte == b'>'
    })
}

/// Character references and the five entities that XML itself defines. There are no others to expand, because a document
/// type definition is refused: entities cannot multiply.
fn resolve(text: &str) -> Result<String, ReadError> {
    let text = one_line_end(text);
    let mut resolved = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((before, reference)) = rest.split_once('&') {
        resolved.push_str(before);
        let (name, after) = reference.split_once(';').ok_or_else(|| unmarshallable("a reference without its end"))?;
        resolved.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => letter(name).ok_or_else(|| unmarshallable(format!("unknown entity &{name};")))?,
        });
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The letter of `#65` or `#x41`.
fn letter(reference: &str) -> Option<char> {
    let number = reference.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = if is_number { u32::from_str_radix(digits, radix).ok()? } else { return None };
    char::from_u32(code).filter(|letter| *letter != '\0')
}

/// XML knows one end of a line.
fn one_line_end(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    /// What `quick-xml` reads, as our tokens; `None` when it refuses, or finds a document type definition.
    fn theirs(document: &str) -> Option<Vec<Token<'static>>> {
        let mut reader = Reader::from_str(document);
        reader.config_mut().check_end_names = false;
        let name = |name: &str| &*Box::leak(name.to_owned().into_boxed_str());
        let mut tokens: Vec<Token<'static>> = Vec::new();
        let text = |tokens: &mut Vec<Token<'static>>, piece: &str| match tokens.last_mut() {
            Some(Token::Text(text)) => text.to_mut().push_str(piece),
            _ if piece.is_empty() => {}
            _ => tokens.push(Token::Text(piece.to_owned().into())),
        };
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => tokens.push(Token::Start(name(tag.name().as_ref()))),
                Event::Empty(tag) => tokens.push(Token::Empty(name(tag.name().as_ref()))),
                Event::End(tag) => tokens.push(Token::End(name(tag.name().as_ref()))),
                Event::Text(piece) => text(&mut tokens, &piece.xml10_content()),
                Event::CData(piece) => text(&mut tokens, &piece.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = super::resolve(&format!("&{};", &*reference)).ok()?;
                    text(&mut tokens, &resolved);
                }
                Event::DocType(_) => return None,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => return Some(tokens),
            }
        }
    }

    /// What we read, with neighbouring texts in one.
    fn ours(document: &str) -> Option<Vec<Token<'_>>> {
        let mut scanner = Scanner::new(document);
        let mut tokens: Vec<Token<'_>> = Vec::new();
        while let Some(token) = scanner.next().ok()? {
            match (tokens.last_mut(), token) {
                (Some(Token::Text(before)), Token::Text(text)) => before.to_mut().push_str(&text),
                (_, Token::Text(text)) if text.is_empty() => {}
                (_, token) => tokens.push(token),
            }
        }
        Some(tokens)
    }

    proptest! {
        #[test]
        fn what_a_full_parser_accepts_reads_alike(pieces in prop::collection::vec(prop::sample::select(vec![
            "<value>", "</value>", "<string>", "</string>", "<i4/>", "<nil />", "<a b='>' c=\"/\">", "</a >", "text", " ", "\n", "\r\n",
            "\r", "&amp;", "&lt;", "&#65;", "&#x4e2d;", "\u{4e2d}", "<!-- a > b -->", "<?xml version='1.0'?>", "<![CDATA[<&]]>", ">", "/", "=",
        ]), 0..24)) {
            let document = pieces.concat();
            if let Some(theirs) = theirs(&document) {
                prop_assert_eq!(ours(&document), Some(theirs));
            }
        }
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for document in [
            "<",
            "<a",
            "<a b='>",
            "</",
            "</a",
            "<>",
            "< >",
            "</>x<",
            "<!DOCTYPE a>",
            "<![CDATA[",
            "<!--",
            "<?",
            "&",
            "&;",
            "&x;",
            "&#;",
            "&#x;",
            "&#0;",
            "&#xd800;",
            "&#99999999999;",
            "&#+5;",
        ] {
            let mut scanner = Scanner::new(document);
            let outcome = std::iter::from_fn(|| scanner.next().transpose()).collect::<Result<Vec<_>, _>>();
            // An end tag without a name is refused where names are compared.
            assert!(outcome.is_err() || document.starts_with("</>"), "{document}: {outcome:?}");
        }
    }
}
