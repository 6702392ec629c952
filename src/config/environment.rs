//! `environment=KEY="value",KEY2=value2`.

use super::shlex::{self, Comments};

/// Advice for the commonest mistake.
pub(super) const QUOTING: &str = "write KEY=\"value\",KEY2=\"value\" with every value in quotes";

/// Variables in the order first set; a repeated name takes the last value.
///
/// Words are read in fours, KEY `=` VALUE and a separator that nobody looks at, so `A=1;B=2` works and a space between
/// two quoted values loses the second (`Supervisor 4.4: datatypes.py dict_of_key_value_pairs`).
pub fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let tokens = shlex::tokens(text, is_word, Comments::Dropped).map_err(|error| error.to_string())?;
    let mut variables = Vec::new();
    for four in tokens.chunks(4) {
        let [key, equals, value, ..] = four else { return Err(unexpected_end(text)) };
        if equals != "=" {
            return Err(unexpected_end(text));
        }
        set(&mut variables, key, value);
    }
    Ok(variables)
}

/// Sets a variable, keeping the place it already has.
pub fn set(variables: &mut Vec<(String, String)>, key: &str, value: &str) {
    match variables.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => value.clone_into(old),
        None => variables.push((key.to_owned(), value.to_owned())),
    }
}

fn unexpected_end(text: &str) -> String {
    format!("Unexpected end of key/value pairs in value '{text}'")
}

/// Characters that need no quotes: ASCII letters and digits, Latin-1 letters and `_/.+-():`.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "_/.+-():".contains(c)
        || (('\u{c0}'..='\u{ff}').contains(&c) && c != '\u{d7}' && c != '\u{f7}')
}
