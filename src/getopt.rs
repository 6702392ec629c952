//! Command-line options as Python's `getopt.getopt` reads them, which is what scripts written for Supervisor expect:
//! reading stops at the first word that is no option, long options may be cut to a unique prefix, short ones bundled.

/// Options in the order given, each under its canonical name (`-x` or `--long`) with its value if it takes one.
pub type Options = Vec<(String, Option<String>)>;

/// Why a command line was refused; `Display` is the sentence users of Supervisor know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GetoptError {
    /// No such option; the option as typed, with its dashes.
    #[error("option {0} not recognized")]
    NotRecognized(String),
    /// A cut long option that fits more than one.
    #[error("option {0} not a unique prefix")]
    NotUnique(String),
    /// The value is missing.
    #[error("option {0} requires argument")]
    RequiresArgument(String),
    /// `--flag=value` for a flag.
    #[error("option {0} must not have an argument")]
    MustNotHaveArgument(String),
}

/// Splits `args` (without the program name) into options and the words after them.
///
/// `short` lists option letters, each followed by `:` when it takes a value (`"c:hi"`); `long` lists names without
/// dashes and whether they take a value.
pub fn parse(args: &[String], short: &str, long: &[(&str, bool)]) -> Result<(Options, Vec<String>), GetoptError> {
    let mut options = Options::new();
    let mut rest = args;
    while let Some((word, after)) = rest.split_first() {
        if word == "--" {
            rest = after;
            break;
        } else if let Some(name) = word.strip_prefix("--") {
            rest = read_long(name, after, long, &mut options)?;
        } else if word.len() > 1 && word.starts_with('-') {
            rest = read_bundle(&word[1..], after, short, &mut options)?;
        } else {
            break;
        }
    }
    Ok((options, rest.to_vec()))
}

/// `name`, `name=value` or `name` with the value in the next word.
fn read_long<'a>(
    word: &str,
    after: &'a [String],
    long: &[(&str, bool)],
    options: &mut Options,
) -> Result<&'a [String], GetoptError> {
    let (typed, inline) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let (name, takes_value) = resolve_long(typed, long)?;
    let option = format!("--{name}");
    match (takes_value, inline) {
        (false, Some(_)) => Err(GetoptError::MustNotHaveArgument(option)),
        (false, None) => {
            options.push((option, None));
            Ok(after)
        }
        (true, Some(value)) => {
            options.push((option, Some(value)));
            Ok(after)
        }
        (true, None) => {
            let Some((value, after)) = after.split_first() else { return Err(GetoptError::RequiresArgument(option)) };
            options.push((option, Some(value.clone())));
            Ok(after)
        }
    }
}

/// The option meant by a name that may be cut short; an exact name wins over longer ones.
fn resolve_long<'a>(typed: &str, long: &[(&'a str, bool)]) -> Result<(&'a str, bool), GetoptError> {
    if let Some(exact) = long.iter().find(|(name, _)| *name == typed) {
        return Ok(*exact);
    }
    let mut candidates = long.iter().filter(|(name, _)| name.starts_with(typed));
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(*only),
        (Some(_), Some(_)) => Err(GetoptError::NotUnique(format!("--{typed}"))),
        (None, _) => Err(GetoptError::NotRecognized(format!("--{typed}"))),
    }
}

/// `-abc`: flags in one word; the first that takes a value takes the rest of the word, or the next word.
fn read_bundle<'a>(
    bundle: &str,
    after: &'a [String],
    short: &str,
    options: &mut Options,
) -> Result<&'a [String], GetoptError> {
    for (index, letter) in bundle.char_indices() {
        let option = format!("-{letter}");
        if !short_takes_value(letter, short).ok_or_else(|| GetoptError::NotRecognized(option.clone()))? {
            options.push((option, None));
            continue;
        }
        let attached = &bundle[index + letter.len_utf8()..];
        if !attached.is_empty() {
            options.push((option, Some(attached.to_owned())));
            return Ok(after);
        }
        let Some((value, after)) = after.split_first() else { return Err(GetoptError::RequiresArgument(option)) };
        options.push((option, Some(value.clone())));
        return Ok(after);
    }
    Ok(after)
}

/// Whether a letter takes a value; `None` when it is no option.
fn short_takes_value(letter: char, short: &str) -> Option<bool> {
    let at = short.find(letter).filter(|_| letter != ':')?;
    Some(short[at + letter.len_utf8()..].starts_with(':'))
}
