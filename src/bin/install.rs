//! The offline installer; see [`supervisor_kit::kit::install`].

// The arguments and variables of this process are read here, once.
#![allow(clippy::disallowed_methods)]

use std::io::{IsTerminal, Read, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use nix::sys::stat::{Mode, umask};
use supervisor_kit::kit::answers::{self, FILE_BYTES_MAX, Problem, guided};
use supervisor_kit::kit::cli::Cli;
use supervisor_kit::kit::commands::Machine;
use supervisor_kit::kit::failure::Failure;
use supervisor_kit::kit::host::Root;
use supervisor_kit::kit::json::Json;
use supervisor_kit::kit::listener::{Console, Listener};
use supervisor_kit::kit::takeover;
use supervisor_kit::kit::text::Lang;
use supervisor_kit::kit::verbs;
use supervisor_kit::sys::stop_request;

fn main() -> ExitCode {
    umask(Mode::from_bits_truncate(0o022));
    stop_request::install();
    let spoken = Lang::from_environment(|name| std::env::var(name).ok());
    let arguments = match arguments(spoken) {
        Ok(arguments) => arguments,
        Err(failure) if std::env::args_os().any(|word| word == "--json") => {
            let mut json = Json::new(spoken, "install");
            let code = end(Err(failure), &mut json);
            json.print();
            return code;
        }
        Err(failure) => return end(Err(failure), &mut Console::new(spoken)),
    };
    let cli = Cli::parse_from(arguments);
    let lang = cli.lang.unwrap_or(spoken);
    if cli.json {
        let mut json = Json::new(lang, cli.verb());
        let code = end(verbs::run(&cli, &mut Machine, &mut json), &mut json);
        json.print();
        return code;
    }
    let mut console = Console::new(lang);
    end(verbs::run(&cli, &mut Machine, &mut console), &mut console)
}

fn end(outcome: Result<(), Failure>, listener: &mut dyn Listener) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            listener.failed(&failure);
            ExitCode::from(failure.code() as u8)
        }
    }
}

/// The command line, completed by answers from elsewhere.
fn arguments(lang: Lang) -> Result<Vec<String>, Failure> {
    let text = |word: std::ffi::OsString| word.to_string_lossy().into_owned();
    let mut arguments: Vec<String> = std::env::args_os().map(text).collect();
    let variables: Vec<(String, String)> = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    let file = answers::file_named(&arguments, &variables);
    let is_told = file.is_some() || variables.iter().any(|(name, _)| name.starts_with("INSTALL_"));
    let is_terminal = stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal();
    if arguments.len() == 1 && is_terminal && !is_told && nix::unistd::geteuid().is_root() {
        let found = takeover::look(&Root::live(), &mut Machine);
        let (_, flags) = guided::ask(lang, &found).map_err(|_| Failure::Cancelled)?;
        arguments.extend(flags);
        return Ok(arguments);
    }
    let file = file.map(|path| read(&path).map(|text| (path, text))).transpose()?;
    let file = file.as_ref().map(|(path, text)| (Path::new(path), text.as_str()));
    answers::complete(&arguments, &variables, file).map_err(Failure::Answers)
}

fn read(path: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    let unreadable = |error: std::io::Error| Problem::File { path: path.to_owned(), reason: error.to_string() };
    read.map(|_| text).map_err(|error| Failure::Answers(unreadable(error)))
}
