//! What browsers send: queries, forms, cookies, preferences of language and compression.

use crate::config::Language;

/// Most fields of one form or query; what comes after is not read.
const FIELDS_MAX: usize = 4096;

/// The fields of a query or of an `application/x-www-form-urlencoded` body, in order. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads one; nothing that anybody sends is an error.
    pub fn parse(text: &str) -> Form {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(FIELDS_MAX);
        Form(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Every field of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

fn decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

/// `%XX` as the byte it stands for; a percent sign that begins nothing stays.
pub fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = &tail[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A cookie of a `Cookie` header.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The language of a page: what the visitor has chosen, else what the browser prefers, else English.
pub fn language(chosen: Option<&str>, accept_language: Option<&str>) -> Language {
    chosen.and_then(Language::named).unwrap_or_else(|| preferred(accept_language.unwrap_or_default()))
}

/// By `Accept-Language`: the first of the highest quality that we speak.
fn preferred(header: &str) -> Language {
    let mut best = (0.0, Language::English);
    for item in header.split(',') {
        let mut parts = item.split(';');
        let Some(language) = parts.next().map(str::trim).and_then(Language::named) else { continue };
        let quality =
            parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        if quality > best.0 {
            best = (quality, language);
        }
    }
    best.1
}

/// Whether an `Accept-Encoding` header lets us send gzip.
pub fn accepts_gzip(header: &str) -> bool {
    header.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_meant = matches!(parts.next(), Some("gzip" | "x-gzip" | "*"));
        is_meant && !parts.any(|part| matches!(part.strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000")))
    })
}

/// Whether an address may be gone to after signing in: a path of ours, not another host (`//host`, `/\host`).
pub fn is_local_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/\\")
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let form = Form::parse("p=a%3Ab&p=%E6%94%AF+x&&do=stop&bad=%zz%4&%ff=%ff&empty");
        assert_eq!(form.all("p").collect::<Vec<_>>(), ["a:b", "支 x"]);
        assert_eq!(form.get("do"), Some("stop"));
        assert_eq!(form.get("bad"), Some("%zz%4"));
        assert_eq!(form.get("empty"), Some(""));
        assert_eq!(form.get("\u{fffd}"), Some("\u{fffd}"));
        assert_eq!(form.number("do"), None);
    }

    #[test]
    fn languages() {
        let by = |header: &str| language(None, Some(header));
        assert_eq!(by("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(by("en-GB,zh;q=0.9"), Language::English);
        assert_eq!(by("fr, zh;q=0.5, en;q=0.4"), Language::Chinese);
        assert_eq!(by("fr;q=x,;;,*"), Language::English);
        assert_eq!(language(Some("en"), Some("zh")), Language::English);
        assert_eq!(language(Some("xx"), Some("zh")), Language::Chinese);
    }

    #[test]
    fn encodings() {
        assert!(accepts_gzip("deflate, gzip;q=1.0, *;q=0.5"));
        assert!(!accepts_gzip("identity"));
        assert!(!accepts_gzip("gzip;q=0"));
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert!(is_local_path("/program?name=a%3Ab"));
        for elsewhere in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nSet-Cookie: x"] {
            assert!(!is_local_path(elsewhere), "{elsewhere:?}");
        }
    }

    #[test]
    fn cookies() {
        assert_eq!(cookie("a=1; lang=zh; b=2", "lang"), Some("zh"));
        assert_eq!(cookie("xlang=zh", "lang"), None);
    }
}
