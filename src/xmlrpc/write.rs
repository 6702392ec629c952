//! Writing responses (the daemon) and calls (`supervisorctl`), to the byte as Python's `xmlrpc.client.dumps` does:
//! there are clients that compare text.

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
        ("faultCode".to_owned(), Value::Int(i64::from(fault.code))),
        ("faultString".to_owned(), Value::Str(fault.text.clone())),
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
    out.push_str("<value>");
    match value {
        Value::Int(number) => push_tagged(out, "int", &capped(*number).to_string()),
        Value::Bool(truth) => push_tagged(out, "boolean", if *truth { "1" } else { "0" }),
        Value::Str(text) => push_tagged(out, "string", text),
        Value::Double(number) => push_tagged(out, "double", &format!("{number:?}")),
        Value::DateTime(text) => push_tagged(out, "dateTime.iso8601", text),
        Value::Array(items) => {
            out.push_str("<array><data>\n");
            items.iter().for_each(|item| push_value(out, item));
            out.push_str("</data></array>");
        }
        Value::Struct(members) => {
            out.push_str("<struct>\n");
            for (name, value) in members {
                out.push_str("<member>\n");
                push_tagged(out, "name", name);
                out.push('\n');
                push_value(out, value);
                out.push_str("</member>\n");
            }
            out.push_str("</struct>");
        }
        Value::Nil => out.push_str("<nil/>"),
    }
    out.push_str("</value>\n");
}

fn push_tagged(out: &mut String, tag: &str, text: &str) {
    out.push('<');
    out.push_str(tag);
    out.push('>');
    push_text(out, text);
    out.push_str("</");
    out.push_str(tag);
    out.push('>');
}

fn push_text(out: &mut String, text: &str) {
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

/// XML-RPC integers have 32 bits. A larger number is reported as the largest, rather than not at all.
fn capped(number: i64) -> i64 {
    number.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
}
