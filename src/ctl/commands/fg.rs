//! `fg`: a process in the foreground. Its output is shown, what is typed goes to its stdin.
//!
//! A log stream does not end when the process does. So the state is asked for after each line, as Supervisor does, and
//! every few seconds besides, which also notices a process that ends while nothing is typed.

use std::time::Duration;

use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use super::tail::percent_encode;
use super::{Command, Completes, Next};
use crate::ctl::answer::ProcessInfo;
use crate::ctl::client::{CallError, next_piece};
use crate::ctl::exit;
use crate::ctl::help::explain;
use crate::ctl::pattern;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

/// How often the state is asked for while nothing is typed.
const STATE_CHECK_SECS: u64 = 2;
/// The state of a process that is up (`Supervisor: states.py ProcessStates.RUNNING`).
const RUNNING: i64 = 20;

pub(super) const COMMAND: Command = Command {
    name: "fg",
    completes: Completes::Processes,
    has_json: false,
    help: &[(
        "fg <process>",
        "Show the output of a process and send it what is typed, until Ctrl-C",
        "显示进程的输出，并把输入的内容发送给它，按 Ctrl-C 退出",
    )],
    run,
};

/// What happens in the foreground.
enum Happening {
    Typed(Option<String>),
    Output(Vec<u8>),
    /// A stream ended: the server has gone.
    Gone,
    CheckDue,
    CtrlC,
}

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let words: Vec<&str> = arg.split_whitespace().collect();
    let names = pattern::expand(session, &words)?;
    match &names[..] {
        [] => {
            session.fail(exit::GENERIC, "ERROR: no process name supplied");
            explain(session, &COMMAND);
        }
        [name] => match state(session, name) {
            Ok(RUNNING) => foreground(session, name)?,
            Ok(_) => session.fail(exit::GENERIC, "ERROR: process not running"),
            Err(CallError::Fault(fault)) if fault.code == code::BAD_NAME => {
                session.fail(exit::GENERIC, "ERROR: bad process name supplied");
            }
            Err(CallError::Fault(fault)) => session.fail(exit::GENERIC, format_args!("ERROR: {fault}")),
            Err(error) => return Err(error),
        },
        _ => session.fail(exit::GENERIC, "ERROR: too many process names supplied"),
    }
    Ok(Next::Prompt)
}

fn state(session: &mut Session, name: &str) -> Result<i64, CallError> {
    Ok(ProcessInfo::read(session.call("getProcessInfo", &[Value::from(name)])?)?.state)
}

/// Until Ctrl-C, the end of the input or the end of the process.
fn foreground(session: &mut Session, name: &str) -> Result<(), CallError> {
    session.line("==> Press Ctrl-C to exit <==");
    session.output.flush();
    session.client.catch_interrupt().map_err(|error| CallError::Other(error.to_string()))?;
    let mut streams = [open(session, name, "stdout")?, open(session, name, "stderr")?];
    let mut check_at = Instant::now() + Duration::from_secs(STATE_CHECK_SECS);
    loop {
        let happened = next(session, &mut streams, check_at);
        let is_up = match happened {
            Happening::Output(piece) if session.output.raw(&piece).is_ok() => continue,
            Happening::Output(_) => return Ok(()),
            Happening::Typed(Some(line)) => {
                let sent = session.call("sendProcessStdin", &[Value::from(name), Value::from(line + "\n")]);
                match sent {
                    Ok(_) => state(session, name)? == RUNNING,
                    Err(CallError::Fault(fault)) if fault.code == code::NOT_RUNNING => false,
                    Err(error) => {
                        session.fail(exit::GENERIC, format_args!("ERROR: {error}"));
                        break;
                    }
                }
            }
            Happening::CheckDue => state(session, name)? == RUNNING,
            Happening::Typed(None) | Happening::CtrlC | Happening::Gone => break,
        };
        if !is_up {
            session.line("Process got killed");
            break;
        }
        check_at = Instant::now() + Duration::from_secs(STATE_CHECK_SECS);
    }
    session.line("Exiting foreground");
    Ok(())
}

/// A log to follow, or `None` for one that is not there.
fn open(session: &Session, name: &str, channel: &str) -> Result<Option<Incoming>, CallError> {
    let path = percent_encode(&format!("/logtail/{name}/{channel}"));
    let stream = session.client.wait(session.client.open_stream(&path)).ok_or(CallError::Interrupted)??;
    if let Err(status) = &stream {
        eprintln!("{}{path} Cannot read, status code {status}", session.client.url());
    }
    Ok(stream.ok())
}

fn next(session: &mut Session, streams: &mut [Option<Incoming>; 2], check_at: Instant) -> Happening {
    let [stdout, stderr] = streams;
    let (client, input) = (&session.client, &mut session.input);
    let happened = client.wait(async {
        tokio::select! {
            biased;
            piece = piece_of(stdout) => piece,
            piece = piece_of(stderr) => piece,
            line = input.line() => Happening::Typed(line),
            () = sleep_until(check_at) => Happening::CheckDue,
        }
    });
    happened.unwrap_or(Happening::CtrlC)
}

/// The next output; never, without a log.
async fn piece_of(stream: &mut Option<Incoming>) -> Happening {
    match stream {
        Some(stream) => next_piece(stream).await.map_or(Happening::Gone, |piece| Happening::Output(piece.to_vec())),
        None => std::future::pending().await,
    }
}
