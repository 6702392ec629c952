//! Python's `text % dict`: `%(name)s` with every flag, width, precision and conversion that a text or an integer takes.

use std::collections::BTreeMap;

use super::repr;

/// Widest field that a format may ask for, in characters: far beyond any use, and below the 65,535 at which formatting
/// itself would panic.
const WIDTH_CHARS_MAX: usize = 65_000;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// An integer: `process_num`, `numprocs`.
    Int(i64),
}

/// Why a text cannot be formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// `%(name)` with an unknown name.
    UnknownName(String),
    /// Anything else, in Python's words.
    Bad(String),
}

/// Formats `text` with the named values.
pub fn format(text: &str, values: &BTreeMap<String, Value>) -> Result<String, FormatError> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, arguments: Arguments::Table };
    let mut out = String::with_capacity(text.len());
    while let Some(&c) = reader.chars.get(reader.at) {
        reader.at += 1;
        if c == '%' {
            reader.directive(values, &mut out)?;
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

/// What the next conversion may consume: a dict hands out its named value once, or itself once.
enum Arguments<'a> {
    Table,
    Named(&'a Value),
    Used,
}

/// One directive, parsed.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

struct Reader<'a> {
    chars: Vec<char>,
    at: usize,
    arguments: Arguments<'a>,
}

impl<'a> Reader<'a> {
    /// Everything after a `%`, up to its conversion letter.
    fn directive(&mut self, values: &'a BTreeMap<String, Value>, out: &mut String) -> Result<(), FormatError> {
        if self.chars.get(self.at) == Some(&'%') {
            self.at += 1;
            out.push('%');
            return Ok(());
        }
        if self.chars.get(self.at) == Some(&'(') {
            let name = self.name()?;
            let value = values.get(&name).ok_or(FormatError::UnknownName(name))?;
            self.arguments = Arguments::Named(value);
        }
        let mut spec = self.flags()?;
        if let Some(width) = self.number("width")? {
            spec.left |= width < 0;
            spec.width = width.unsigned_abs().try_into().unwrap_or(WIDTH_CHARS_MAX);
        }
        if self.peek()? == '.' {
            self.at += 1;
            let precision = self.number("precision")?.unwrap_or(0);
            spec.precision = Some(usize::try_from(precision).unwrap_or(0));
        }
        if matches!(self.peek()?, 'h' | 'l' | 'L') {
            self.at += 1;
        }
        let conversion = self.peek()?;
        self.at += 1;
        let text = match self.take()? {
            Some(value) => self.convert(conversion, value, &spec)?,
            None => return Err(self.whole_table(conversion)),
        };
        out.push_str(&text);
        Ok(())
    }

    /// The name in parentheses, which may nest.
    fn name(&mut self) -> Result<String, FormatError> {
        let start = self.at + 1;
        let mut depth = 0_usize;
        for at in self.at..self.chars.len() {
            match self.chars[at] {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = at + 1;
                return Ok(self.chars[start..at].iter().collect());
            }
        }
        Err(bad("incomplete format key"))
    }

    fn flags(&mut self) -> Result<Spec, FormatError> {
        let mut spec = Spec::default();
        loop {
            match self.peek()? {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                '#' => spec.alternate = true,
                '0' => spec.zero = true,
                _ => return Ok(spec),
            }
            self.at += 1;
        }
    }

    /// A width or precision: digits, or `*` for the value itself.
    fn number(&mut self, what: &str) -> Result<Option<i64>, FormatError> {
        let too_big = || bad(&format!("{what} too big"));
        if self.peek()? == '*' {
            self.at += 1;
            return match self.take()? {
                Some(Value::Int(number)) if number.unsigned_abs() > WIDTH_CHARS_MAX as u64 => Err(too_big()),
                Some(Value::Int(number)) => Ok(Some(*number)),
                _ => Err(bad("* wants int")),
            };
        }
        let mut number = None;
        while let Some(digit) = self.peek()?.to_digit(10) {
            let sum = number.unwrap_or(0_i64) * 10 + i64::from(digit);
            if sum > WIDTH_CHARS_MAX as i64 {
                return Err(too_big());
            }
            number = Some(sum);
            self.at += 1;
        }
        Ok(number)
    }

    fn peek(&self) -> Result<char, FormatError> {
        self.chars.get(self.at).copied().ok_or_else(|| bad("incomplete format"))
    }

    /// The value to convert; `None` is the dict itself, which an unnamed `%s` means first.
    fn take(&mut self) -> Result<Option<&'a Value>, FormatError> {
        match std::mem::replace(&mut self.arguments, Arguments::Used) {
            Arguments::Named(value) => Ok(Some(value)),
            Arguments::Table => Ok(None),
            Arguments::Used => Err(bad("not enough arguments for format string")),
        }
    }

    /// An unnamed conversion. Python prints the whole table of names for `%s`, environment and all; that is never
    /// meant, so it is refused here.
    fn whole_table(&self, conversion: char) -> FormatError {
        match conversion {
            's' | 'r' | 'a' => bad("not enough arguments for format string"),
            _ => self.wrong_type(conversion, "dict"),
        }
    }

    fn convert(&self, conversion: char, value: &Value, spec: &Spec) -> Result<String, FormatError> {
        match (conversion, value) {
            ('s', Value::Text(text)) => Ok(pad_text(text, spec)),
            ('s' | 'r' | 'a', Value::Int(number)) => Ok(pad_text(&number.to_string(), spec)),
            ('r', Value::Text(text)) => Ok(pad_text(&repr::text(text), spec)),
            ('a', Value::Text(text)) => Ok(pad_text(&repr::ascii(text), spec)),
            ('c', _) => character(value).map(|text| pad_text(&text, &Spec { precision: None, ..*spec })),
            ('d' | 'i' | 'u' | 'o' | 'x' | 'X', Value::Int(number)) => Ok(integer(conversion, *number, spec)),
            ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Int(number)) => Ok(float(conversion, *number, spec)),
            (_, Value::Text(_)) => Err(self.wrong_type(conversion, "str")),
            (_, Value::Int(_)) => Err(self.wrong_type(conversion, "int")),
        }
    }

    fn wrong_type(&self, conversion: char, kind: &str) -> FormatError {
        match conversion {
            'd' | 'i' | 'u' => bad(&format!("%{conversion} format: a real number is required, not {kind}")),
            'o' | 'x' | 'X' => bad(&format!("%{conversion} format: an integer is required, not {kind}")),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => bad(&format!("must be real number, not {kind}")),
            'c' => bad("%c requires int or char"),
            _ => {
                let shown = if matches!(conversion, ' '..='~') { conversion } else { '?' };
                let (code, index) = (conversion as u32, self.at - 1);
                bad(&format!("unsupported format character '{shown}' (0x{code:x}) at index {index}"))
            }
        }
    }
}

fn bad(reason: &str) -> FormatError {
    FormatError::Bad(reason.to_owned())
}

/// Cuts to the precision, then pads with blanks.
fn pad_text(text: &str, spec: &Spec) -> String {
    let text: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
    let width = spec.width;
    if spec.left { format!("{text:<width$}") } else { format!("{text:>width$}") }
}

fn character(value: &Value) -> Result<String, FormatError> {
    match value {
        Value::Int(number) => u32::try_from(*number)
            .ok()
            .and_then(char::from_u32)
            .map(String::from)
            .ok_or_else(|| bad("%c arg not in range(0x110000)")),
        Value::Text(text) if text.chars().count() == 1 => Ok(text.clone()),
        Value::Text(_) => Err(bad("%c requires int or char")),
    }
}

fn integer(conversion: char, number: i64, spec: &Spec) -> String {
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match conversion {
        'o' => ("0o", format!("{magnitude:o}")),
        'x' => ("0x", format!("{magnitude:x}")),
        'X' => ("0X", format!("{magnitude:X}")),
        _ => ("", magnitude.to_string()),
    };
    let precision = spec.precision.unwrap_or(0);
    let prefix = if spec.alternate { prefix } else { "" };
    pad_number(number < 0, prefix, &format!("{digits:0>precision$}"), spec)
}

/// Sign, prefix and digits; zeros go between, blanks outside.
fn pad_number(negative: bool, prefix: &str, digits: &str, spec: &Spec) -> String {
    let sign = match (negative, spec.plus, spec.blank) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    let width = spec.width;
    if spec.zero && !spec.left {
        let width = width.saturating_sub(sign.len() + prefix.len());
        return format!("{sign}{prefix}{digits:0>width$}");
    }
    let text = format!("{sign}{prefix}{digits}");
    if spec.left { format!("{text:<width$}") } else { format!("{text:>width$}") }
}

/// An integer in a floating-point notation.
fn float(conversion: char, number: i64, spec: &Spec) -> String {
    let magnitude = number.unsigned_abs() as f64;
    let precision = spec.precision.unwrap_or(6);
    let digits = match conversion.to_ascii_lowercase() {
        'f' => {
            let point = if spec.alternate && precision == 0 { "." } else { "" };
            format!("{magnitude:.precision$}{point}")
        }
        'e' => exponential(magnitude, precision, spec.alternate),
        _ => general(magnitude, precision.max(1), spec.alternate),
    };
    let digits = if conversion.is_ascii_uppercase() { digits.to_ascii_uppercase() } else { digits };
    pad_number(number < 0, "", &digits, spec)
}

/// `1.5e+06`: at least two digits of exponent.
fn exponential(magnitude: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{mantissa}{point}e+{exponent:0>2}")
}

/// `%g`: the shorter notation, without trailing zeros unless the alternate form asks for them.
fn general(magnitude: f64, significant: usize, alternate: bool) -> String {
    let shown = exponential(magnitude, significant - 1, alternate);
    let (mantissa, exponent) = shown.split_once("e+").unwrap_or((&shown, "0"));
    let exponent: usize = exponent.parse().unwrap_or(0);
    let strip = |text: &str| match alternate {
        false if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        _ => text.to_owned(),
    };
    if exponent >= significant {
        return format!("{}e+{exponent:0>2}", strip(mantissa));
    }
    let decimals = significant - 1 - exponent;
    let point = if alternate && decimals == 0 { "." } else { "" };
    strip(&format!("{magnitude:.decimals$}{point}"))
}
