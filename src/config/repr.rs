//! Python's `repr`, which Supervisor's messages are full of and which scripts match.

/// `repr(str)`: single quotes, or double ones when the text holds `'` and no `"`.
pub fn text(text: &str) -> String {
    quoted(text, text.chars(), |c, out| {
        if is_printable(c) {
            out.push(c);
        } else {
            escape(c as u32, out);
        }
    })
}

/// `ascii(str)`: as [`text`], with everything beyond ASCII escaped.
pub fn ascii(text: &str) -> String {
    quoted(text, text.chars(), |c, out| {
        if c.is_ascii() && !c.is_ascii_control() {
            out.push(c);
        } else {
            escape(c as u32, out);
        }
    })
}

/// `repr(bytes)`: `b'...'` with `\xNN` for everything that is not printable ASCII.
pub fn bytes(bytes: &[u8]) -> String {
    let latin1: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    format!("b{}", ascii(&latin1))
}

/// The quotes and the escapes that all three share; `other` writes the remaining characters.
fn quoted(text: &str, chars: impl Iterator<Item = char>, other: impl Fn(char, &mut String)) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in chars {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => other(c, &mut out),
        }
    }
    out.push(quote);
    out
}

/// `\xNN`, `\uNNNN` or `\UNNNNNNNN`.
fn escape(code: u32, out: &mut String) {
    out.push_str(&match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    });
}

/// `str.isprintable`: not a control, format, private, unassigned or separator character, but for the space.
/// The standard library keeps that very table for `escape_debug`; a letter in front stops it from escaping
/// combining marks.
fn is_printable(c: char) -> bool {
    if c == '"' || c == '\'' {
        return true;
    }
    let mut probe = String::from("a");
    probe.push(c);
    probe.escape_debug().nth(1) == Some(c)
}
