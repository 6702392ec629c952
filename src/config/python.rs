//! The few Python text rules that existing configuration files rely on: what counts as blank, what reads as a number.

/// Longest part of a bad literal that an error repeats, in characters (`int()` cuts there too).
const LITERAL_CHARS_MAX: usize = 200;

/// `str.isspace` of one character: Unicode white space and the four ASCII separators.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.strip()`.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.rstrip()`.
pub fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.split()`: words between runs of blanks.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// `int(text, base)` for base 8 or 10: surrounding blanks, a sign, single underscores between digits, `0o` in base 8.
/// Numbers beyond 64 bits are held at the limit: every use of a number here means the same there.
pub fn int(text: &str, base: u32) -> Result<i64, String> {
    parse_int(trim(text), base).ok_or_else(|| {
        let literal: String = super::repr::text(text).chars().take(LITERAL_CHARS_MAX).collect();
        format!("invalid literal for int() with base {base}: {literal}")
    })
}

fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = match digits.strip_prefix("0o").or_else(|| digits.strip_prefix("0O")) {
        Some(digits) if base == 8 => digits.strip_prefix('_').unwrap_or(digits),
        _ => digits,
    };
    let mut value: i64 = 0;
    let mut after_digit = false;
    for c in digits.chars() {
        if c == '_' && after_digit {
            after_digit = false;
            continue;
        }
        let digit = i64::from(digit(c, base)?);
        let digit = if negative { -digit } else { digit };
        value = value.saturating_mul(i64::from(base)).saturating_add(digit);
        after_digit = true;
    }
    after_digit.then_some(value)
}

/// ASCII digits, and the full-width ones that Chinese input methods produce.
fn digit(c: char, base: u32) -> Option<u32> {
    let c = match c {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(c as u32 - 0xff10 + 0x30)?,
        _ => c,
    };
    c.to_digit(base)
}
