//! One run of `supervisorctl`: the connection, the output and the exit status that the commands share.

use std::fmt::Display;
use std::io;

use super::cause;
use super::client::{CallError, Client};
use super::exit;
use super::input::Input;
use super::options::Settings;
use super::output::Output;
use crate::xmlrpc::{Value, code};

/// The version of the interface that the server must speak.
const API_VERSION: &str = "3.0";

/// What every command gets.
pub struct Session {
    /// The server.
    pub client: Client,
    /// Where answers go.
    pub output: Output,
    /// Where questions are answered.
    pub input: Input,
    /// What the command line and the configuration say.
    pub settings: Settings,
    /// The exit status so far. A later failure replaces an earlier one; success never resets it.
    pub status: i32,
}

impl Session {
    /// A session that has not spoken to the server yet.
    pub fn new(settings: Settings) -> io::Result<Self> {
        let client = Client::new(&settings.serverurl, settings.username.as_deref(), settings.password.as_deref())?;
        let output = Output::new(settings.json);
        Ok(Session { client, output, input: Input::default(), settings, status: exit::SUCCESS })
    }

    /// Turns to another server or other credentials, taken from the settings.
    pub fn reconnect(&mut self) {
        let Settings { serverurl, username, password, .. } = &self.settings;
        self.client.turn_to(serverurl, username.as_deref(), password.as_deref());
    }

    /// Prints one line.
    pub fn line(&mut self, text: impl Display) {
        self.output.line(text);
    }

    /// Prints one line about something that failed and sets the status.
    pub fn fail(&mut self, status: i32, text: impl Display) {
        self.output.error(text);
        self.status = status;
    }

    /// Tells on stderr why there is no connection and what to do, as far as that can be known.
    pub fn advise(&mut self, error: &CallError) {
        self.output.flush();
        if let Some(advice) = cause::of(error, self.client.url(), self.settings.lang) {
            eprintln!("supervisorctl: {advice}");
        }
    }

    /// Calls a method of the `supervisor` namespace.
    pub fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, CallError> {
        // What was done so far is seen while the next answer is waited for.
        self.output.flush();
        self.client.call(&format!("supervisor.{method}"), params)
    }

    /// Whether the server is there and speaks our version; otherwise says why not (`Supervisor: supervisorctl.py
    /// upcheck()`).
    ///
    /// # Errors
    /// Whatever has no sentence of its own here.
    pub fn upcheck(&mut self) -> Result<bool, CallError> {
        match self.call("getVersion", &[]) {
            Ok(version) if version.as_str() == Some(API_VERSION) => return Ok(true),
            Ok(version) => {
                let version = version.as_str().unwrap_or("unknown").to_owned();
                self.fail(
                    exit::NOT_INSTALLED,
                    format_args!(
                        "Sorry, this version of supervisorctl expects to talk to a server with API version \
                         {API_VERSION}, but the remote version is {version}."
                    ),
                );
            }
            Err(CallError::Fault(fault)) if fault.code == code::UNKNOWN_METHOD => self.fail(
                exit::UNIMPLEMENTED,
                "Sorry, supervisord responded but did not recognize the supervisor namespace commands that \
                 supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section is \
                 enabled in the configuration file (see sample.conf).",
            ),
            Err(error @ CallError::Refused(_)) => self.unreachable(exit::INSUFFICIENT_PRIVILEGES, &error),
            Err(error @ CallError::NoSocket(_)) => self.unreachable(exit::NOT_RUNNING, &error),
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    fn unreachable(&mut self, status: i32, error: &CallError) {
        self.fail(status, error);
        self.advise(error);
    }

    /// Asks a yes-or-no question if this session may ask, else takes yes for an answer.
    pub fn confirm(&mut self, question: &str) -> Result<bool, CallError> {
        if !self.settings.interactive {
            return Ok(true);
        }
        Ok(self.ask(question)?.is_some_and(|answer| answer.to_lowercase().starts_with('y')))
    }

    /// Prints a prompt without a line end and reads a line; `None` at the end of the input.
    ///
    /// # Errors
    /// [`CallError::Interrupted`]
    pub fn ask(&mut self, prompt: &str) -> Result<Option<String>, CallError> {
        self.output.prompt(prompt);
        self.client.wait(self.input.line()).ok_or(CallError::Interrupted)
    }
}
