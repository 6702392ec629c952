//! One run of `supervisorctl`: the connection, the output and the exit status that the commands share.

use std::fmt::Display;
use std::io::{self, BufRead, Write};

use super::client::{CallError, Client};
use super::exit;
use super::options::Settings;
use crate::xmlrpc::{Value, code};

/// The version of the interface that the server must speak.
const API_VERSION: &str = "3.0";

/// What every command gets.
pub struct Session {
    /// The server.
    pub client: Client,
    /// What the command line and the configuration say.
    pub settings: Settings,
    /// The exit status so far. A later failure replaces an earlier one; success never resets it.
    pub status: i32,
}

impl Session {
    /// A session that has not spoken to the server yet.
    pub fn new(settings: Settings) -> io::Result<Self> {
        let client = Client::new(&settings.serverurl, settings.username.as_deref(), settings.password.as_deref())?;
        Ok(Session { client, settings, status: exit::SUCCESS })
    }

    /// Turns to another server or other credentials, taken from the settings.
    pub fn reconnect(&mut self) -> Result<(), CallError> {
        let Settings { serverurl, username, password, .. } = &self.settings;
        self.client = Client::new(serverurl, username.as_deref(), password.as_deref())
            .map_err(|error| CallError::Other(error.to_string()))?;
        Ok(())
    }

    /// Prints one line. A reader that went away does not stop the command: what was asked for is still done.
    pub fn line(&mut self, text: impl Display) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// Prints one line and sets the status.
    pub fn fail(&mut self, status: i32, text: impl Display) {
        self.line(text);
        self.status = status;
    }

    /// Calls a method of the `supervisor` namespace.
    pub fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, CallError> {
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
            Err(error @ CallError::Refused(_)) => self.fail(exit::INSUFFICIENT_PRIVILEGES, error),
            Err(error @ CallError::NoSocket(_)) => self.fail(exit::NOT_RUNNING, error),
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// Asks a yes-or-no question if this session may ask, else takes yes for an answer.
    pub fn confirm(&mut self, question: &str) -> bool {
        if !self.settings.interactive {
            return true;
        }
        self.ask(question).is_some_and(|answer| answer.to_lowercase().starts_with('y'))
    }

    /// Prints a prompt without a line end and reads a line; `None` at the end of the input.
    pub fn ask(&mut self, prompt: &str) -> Option<String> {
        let mut out = io::stdout().lock();
        let _ = write!(out, "{prompt}").and_then(|()| out.flush());
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
        }
    }
}
