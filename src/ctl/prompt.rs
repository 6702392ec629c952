//! Where the lines of a shell come from: on a terminal an editor with history and completion, else plain lines.

use std::fs;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustyline::completion::{Completer, Pair};
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory, SearchDirection};
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::client::CallError;
use super::completion::Completion;
use super::session::Session;

/// How many lines the history keeps.
const HISTORY_LINES_MAX: usize = 1000;

/// The prompt of a shell.
pub struct Prompt {
    text: String,
    editor: Option<Editor<Candidates, MemHistory>>,
    history_file: Option<PathBuf>,
}

impl Prompt {
    /// A prompt with the history of earlier sessions.
    pub fn new(session: &Session) -> Self {
        let is_terminal = stdin().is_terminal() && stdout().is_terminal() && !session.settings.json;
        let history_file = session.settings.history_file.clone();
        // Without an editor the terminal's own will do.
        let editor = is_terminal.then(|| editor(history_file.as_deref())).and_then(Result::ok);
        Prompt { text: format!("{}> ", session.settings.prompt), editor, history_file }
    }

    /// The next line; `None` at the end of the input.
    ///
    /// # Errors
    /// [`CallError::Interrupted`]
    pub fn line(&mut self, session: &mut Session) -> Result<Option<String>, CallError> {
        let Some(editor) = &mut self.editor else { return session.ask(&self.text) };
        session.output.flush();
        editor.set_helper(Some(Candidates(Completion::new(&session.settings))));
        match editor.readline(&self.text) {
            Ok(line) => Ok(Some(line)),
            Err(ReadlineError::Interrupted) => Err(CallError::Interrupted),
            Err(_) => Ok(None),
        }
    }

    /// Writes the history, for its owner only. Errors are not worth a word: the session is over.
    pub fn save(&self) {
        let (Some(editor), Some(file)) = (&self.editor, &self.history_file) else { return };
        let history = editor.history();
        let mut text = String::new();
        for index in 0..history.len() {
            if let Ok(Some(line)) = history.get(index, SearchDirection::Forward) {
                text.push_str(&line.entry);
                text.push('\n');
            }
        }
        let opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
        let _ = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    }
}

/// The file has one line for each entry, as the stock client writes it.
fn editor(history_file: Option<&Path>) -> rustyline::Result<Editor<Candidates, MemHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .bell_style(BellStyle::None)
        .max_history_size(HISTORY_LINES_MAX)?
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history)?;
    let earlier = history_file.and_then(|file| fs::read(file).ok()).unwrap_or_default();
    for line in String::from_utf8_lossy(&earlier).lines().filter(|line| !line.is_empty()) {
        editor.add_history_entry(line)?;
    }
    Ok(editor)
}

/// What the editor asks about a line. The names are asked for once a line.
struct Candidates(Completion);

impl Completer for Candidates {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.0.of(&line[..position]);
        let pair = |text: String| Pair { display: text.clone(), replacement: text + " " };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Helper for Candidates {}
impl Hinter for Candidates {
    type Hint = String;
}
impl Highlighter for Candidates {}
impl Validator for Candidates {}
