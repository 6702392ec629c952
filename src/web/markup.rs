//! HTML that cannot be wrong about escaping: what is written as it is must be a constant of the program, and everything that comes
//! from outside goes through [`Html::text`].

use std::fmt::{self, Display, Write};

/// Most bytes that a page is given room for at once.
const ROOM_BYTES: usize = 16 * 1024;

/// A page as it is being written.
#[derive(Debug)]
pub struct Html(String);

impl Default for Html {
    fn default() -> Self {
        Html(String::with_capacity(ROOM_BYTES))
    }
}

impl Html {
    /// An empty one.
    pub fn new() -> Self {
        Html::default()
    }

    /// Adds markup, which only the program's own text can be.
    // Pages call it a thousand times: in each place it would be larger than the call.
    #[inline(never)]
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, whatever is in it: safe between tags and inside of quoted attributes.
    pub fn text(&mut self, value: impl Display) -> &mut Self {
        self.escape(&value)
    }

    #[inline(never)]
    fn escape(&mut self, value: &dyn Display) -> &mut Self {
        // Writing to memory does not fail.
        let _ = write!(Escaped(&mut self.0), "{value}");
        self
    }

    /// Adds a part of an address: every byte that is not a letter, a digit or one of `-._~` as `%XX`.
    pub fn part(&mut self, value: &str) -> &mut Self {
        self.0.push_str(&percent_encode(value));
        self
    }

    /// Adds what another piece has.
    pub fn append(&mut self, other: &Html) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// The whole.
    pub fn finish(self) -> String {
        self.0
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_special) {
            self.0.push_str(&rest[..at]);
            let special = rest[at..].chars().next().unwrap_or_default();
            self.0.push_str(match special {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                // HTML has no way to write the others, and they make the text look like what it is not.
                _ => "\u{fffd}",
            });
            rest = &rest[at + special.len_utf8()..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

/// Markup, control characters, and those that turn the direction of writing: with them a name would read like another.
fn is_special(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\'' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{7f}'..='\u{9f}')
        || (c < ' ' && !matches!(c, '\n' | '\t'))
}

/// As a part of an address has it.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Writes constants as they are, `(values)` as text, and `[parts]` of an address.
macro_rules! put {
    ($html:expr $(,)?) => { () };
    ($html:expr, $markup:literal $($rest:tt)*) => {{ $html.raw($markup); $crate::web::markup::put!($html, $($rest)*) }};
    ($html:expr, ($value:expr) $($rest:tt)*) => {{ $html.text(&$value); $crate::web::markup::put!($html, $($rest)*) }};
    ($html:expr, [$value:expr] $($rest:tt)*) => {{ $html.part($value); $crate::web::markup::put!($html, $($rest)*) }};
}
pub(crate) use put;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        let mut html = Html::new();
        put!(html, "<td title=\"" ("a\"b'c") "\">" ("</td><script>&") "</td>");
        assert_eq!(html.finish(), "<td title=\"a&quot;b&#39;c\">&lt;/td&gt;&lt;script&gt;&amp;</td>");
    }

    #[test]
    fn what_would_deceive_the_eye_is_replaced() {
        let mut html = Html::new();
        html.text("pay\u{202e}nur\u{1b}[31m\u{0}\n");
        assert_eq!(html.finish(), "pay\u{fffd}nur\u{fffd}[31m\u{fffd}\n");
    }

    #[test]
    fn parts_of_addresses() {
        assert_eq!(percent_encode("g:支付/a b?&%"), "g%3A%E6%94%AF%E4%BB%98%2Fa%20b%3F%26%25");
    }
}
