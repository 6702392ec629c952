//! POSIX word splitting with the rules of Python's `shlex`, for command lines and for `environment=`.

/// Why a text cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShlexError {
    /// A quote is open at the end.
    #[error("No closing quotation")]
    Quotation,
    /// A backslash is the last character.
    #[error("No escaped character")]
    Escape,
}

/// `shlex.split(text)`: words between blanks; quotes and backslashes as in a shell, no comments, no expansion.
///
/// ```
/// assert_eq!(supervisor_kit::config::shlex::split(r#"sh -c "echo 'a b'""#)?, ["sh", "-c", "echo 'a b'"]);
/// # Ok::<(), supervisor_kit::config::shlex::ShlexError>(())
/// ```
pub fn split(text: &str) -> Result<Vec<String>, ShlexError> {
    tokens(text, |_| true, Comments::Kept)
}

/// What an unquoted `#` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// It is a character like any other.
    Kept,
    /// It drops the rest of the line.
    Dropped,
}

/// Where in a word the reader is.
#[derive(Clone, Copy)]
enum State {
    Between,
    Word,
    Quoted(char),
    /// After a backslash; inside double quotes or not.
    Escaped {
        quoted: bool,
    },
}

/// `list(shlex.shlex(text, posix=True))`: words of the characters `is_word` accepts, with quoted parts joined on;
/// every other character is a token of its own.
pub(super) fn tokens(
    text: &str,
    is_word: impl Fn(char) -> bool,
    comments: Comments,
) -> Result<Vec<String>, ShlexError> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut state = State::Between;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        state = match (state, c) {
            (State::Quoted(quote), c) if c == quote => State::Word,
            (State::Quoted('"'), '\\') => State::Escaped { quoted: true },
            (State::Escaped { quoted: true }, c) => {
                if c != '"' && c != '\\' {
                    word.push('\\');
                }
                word.push(c);
                State::Quoted('"')
            }
            (State::Quoted(_), c) => {
                word.push(c);
                state
            }
            (State::Escaped { quoted: false }, c) => {
                word.push(c);
                State::Word
            }
            (State::Between | State::Word, ' ' | '\t' | '\r' | '\n') => {
                end_word(state, &mut word, &mut tokens);
                State::Between
            }
            (State::Between | State::Word, '#') if comments == Comments::Dropped => {
                end_word(state, &mut word, &mut tokens);
                chars.by_ref().find(|c| *c == '\n');
                State::Between
            }
            (State::Between | State::Word, '\'' | '"') => State::Quoted(c),
            (State::Between | State::Word, '\\') => State::Escaped { quoted: false },
            (State::Between | State::Word, c) if is_word(c) => {
                word.push(c);
                State::Word
            }
            (State::Between | State::Word, c) => {
                end_word(state, &mut word, &mut tokens);
                tokens.push(c.to_string());
                State::Between
            }
        };
    }
    match state {
        State::Quoted(_) => Err(ShlexError::Quotation),
        State::Escaped { .. } => Err(ShlexError::Escape),
        State::Between | State::Word => {
            end_word(state, &mut word, &mut tokens);
            Ok(tokens)
        }
    }
}

/// A word begun is a token even when it is empty (`""`).
fn end_word(state: State, word: &mut String, tokens: &mut Vec<String>) {
    if matches!(state, State::Word) {
        tokens.push(std::mem::take(word));
    }
}
