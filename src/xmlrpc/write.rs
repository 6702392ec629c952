//! Writing responses (the daemon) and calls (`supervisorctl`), to the byte as Python's `xmlrpc.client.dumps` does:
//! there are clients that compare text.

use std::borrow::Cow;

use super::{Fault, Value};

const PROLOG: &str = "<?xml version='1.0'?>\n";

/// What stands for a character that XML 1.0 cannot carry, such as the ESC of a coloured log.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The response that returns a value.
pub fn write_response(value: &Value) -> Vec<u8> {
    let mut out = String::from(PROLOG);
    out.push_str("<methodResponse>\n<params>\n<param>\n");
    push_value(&mut out, value);
    out.push_str("</param>\n</params>\n</methodResponse>\n");
    out.into_bytes()
}

/// The response that reports a fault.
pub fn write_fault(fault: &Fault) -> Vec<u8> {
    let members = vec![
        ("faultCode".into(), Value::Int(i64::from(fault.code))),
        ("faultString".into(), Value::Str(fault.text.clone())),
    ];
    let mut out = String::from(PROLOG);
    out.push_str("<methodResponse>\n<fault>\n");
    push_value(&mut out, &Value::Struct(members));
    out.push_str("</fault>\n</methodResponse>\n");
    out.into_bytes()
}

/// A call.
pub fn write_call(method: &str, params: &[Value]) -> Vec<u8> {
    let mut out = String::from(PROLOG);
    out.push_str("<methodCall>\n<methodName>");
    push_text(&mut out, method);
    out.push_str("</methodName>\n<params>\n");
    for param in params {
        out.push_str("<param>\n");
        push_value(&mut out, param);
        out.push_str("</param>\n");
    }
    out.push_str("</params>\n</methodCall>\n");
    out.into_bytes()
}

fn push_value(out: &mut String, value: &Value) {
    match value {
        Value::Int(number) => {
            let mut digits = itoa::Buffer::new();
            push_scalar(out, "<value><int>", digits.format(capped(*number)), "</int></value>\n");
        }
        Value::Bool(true) => out.push_str("<value><boolean>1</boolean></value>\n"),
        Value::Bool(false) => out.push_str("<value><boolean>0</boolean></value>\n"),
        Value::Str(text) => push_scalar(out, "<value><string>", text, "</string></value>\n"),
        Value::Double(number) => {
            push_scalar(out, "<value><double>", &format!("{number:?}"), "</double></value>\n");
        }
        Value::DateTime(text) => {
            push_scalar(out, "<value><dateTime.iso8601>", text, "</dateTime.iso8601></value>\n");
        }
        Value::Array(items) => {
            out.push_str("<value><array><data>\n");
            items.iter().for_each(|item| push_value(out, item));
            out.push_str("</data></array></value>\n");
        }
        Value::Struct(members) => {
            out.push_str("<value><struct>\n");
            for (name, value) in members {
                push_name(out, name, matches!(name, Cow::Borrowed(_)));
                push_value(out, value);
                out.push_str("</member>\n");
            }
            out.push_str("</struct></value>\n");
        }
        Value::Nil => out.push_str("<value><nil/></value>\n"),
    }
}

/// Inlined, so that the tags are copied by a few instructions: the answer about a thousand programs has fourteen thousand
/// members, and a call of musl's `memcpy` for each tag would take most of its time.
#[inline(always)]
fn push_scalar(out: &mut String, open: &str, text: &str, close: &str) {
    out.push_str(open);
    push_text(out, text);
    out.push_str(close);
}

/// Names that are constants of this program are plain: nobody has to look.
#[inline(always)]
fn push_name(out: &mut String, name: &str, is_constant: bool) {
    out.push_str("<member>\n<name>");
    if is_constant {
        debug_assert!(name.bytes().all(|byte| IS_PLAIN[usize::from(byte)]), "{name}");
        out.push_str(name);
    } else {
        push_text(out, name);
    }
    out.push_str("</name>\n");
}

fn push_text(out: &mut String, text: &str) {
    // Nearly all texts are such: they are copied as a whole.
    if text.bytes().all(|byte| IS_PLAIN[usize::from(byte)]) {
        return out.push_str(text);
    }
    out.reserve(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(letter),
            _ => out.push(REPLACEMENT),
        }
    }
}

/// Whether a byte stands for itself wherever it is: a table, because every byte of every answer is looked up.
/// 0xEF is not one: U+FFFE and U+FFFF, which XML cannot carry, begin with it.
static IS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = !matches!(byte as u8, b'&' | b'<' | b'>' | 0xef | 0..=8 | 11 | 12 | 14..=31);
        byte += 1;
    }
    table
};

/// XML-RPC integers have 32 bits. A larger number is reported as the largest, rather than not at all.
fn capped(number: i64) -> i64 {
    number.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
}
