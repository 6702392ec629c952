//! What clients send, fuzzed: XML-RPC documents, and whole connections through to the method table.

use std::rc::Rc;
use std::time::Duration;

use supervisor_kit::config::{Account, Credentials, Level, Role};
use supervisor_kit::core::{Core, Outbox, ProcId};
use supervisor_kit::daemon::auth::Gate;
use supervisor_kit::daemon::console::Console;
use supervisor_kit::daemon::http::{Clock, Peer, Server, serve};
use supervisor_kit::daemon::rpc_call::{Ask, Loop, Reply};
use supervisor_kit::rpc::{self, Channel, LocalTime, Outcome, Surroundings};
use supervisor_kit::xmlrpc::{Call, Fault, code, read_call, read_response, write_call, write_fault, write_response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::{Notify, mpsc};

/// Bytes on their way from or to a client.
const PIPE_BYTES: usize = 64 * 1024;

/// Calls and responses. What was read and written again reads as the same.
pub fn xmlrpc(data: &[u8]) {
    // The two ends of a line of Windows are one in XML.
    let is_stable = !data.contains(&b'\r') && !data.windows(4).any(|w| w.eq_ignore_ascii_case(b"&#xd") || w == b"&#13");
    if let Ok(Call { method, params }) = read_call(data) {
        let written = write_call(&method, &params);
        let again =
            read_call(&written).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&written)));
        assert!(!is_stable || write_call(&again.method, &again.params) == written);
    }
    if let Ok(answer) = read_response(data) {
        let write = |answer: &Result<_, Fault>| match answer {
            Ok(value) => write_response(value),
            Err(fault) => write_fault(fault),
        };
        let written = write(&answer);
        let again = read_response(&written).unwrap_or_else(|error| panic!("{error}"));
        assert!(!is_stable || write(&again) == written);
    }
}

/// A machine where nothing is.
struct Nowhere;

impl Surroundings for Nowhere {
    fn wall_secs(&self) -> i64 {
        0
    }
    fn local_time(&self, _: i64) -> LocalTime {
        LocalTime { month: 1, day: 1, hour: 0, minute: 0 }
    }
    fn pid(&self) -> i32 {
        1
    }
    fn identifier(&self) -> &str {
        "fuzz"
    }
    fn log_path(&self, _: ProcId, _: Channel) -> Option<String> {
        None
    }
    fn has_supervisor_rpc(&self) -> bool {
        true
    }
    fn twiddler(&self) -> Option<&[String]> {
        Some(&[])
    }
}

/// One connection of a client that sends these bytes and then nothing more: every answer is one of HTTP, and the server ends.
pub fn http(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (asks, mut inbox) = mpsc::channel(8);
        // The first byte decides whether a password is wanted.
        let credentials = Credentials { username: "user".to_owned(), password: "123".to_owned() };
        let account = Account { credentials, role: Role::Operator };
        let accounts = data.first().filter(|byte| **byte == b'!').map(|_| account).into_iter().collect();
        let server = Rc::new(Server {
            gate: Gate::new("fuzz", accounts),
            inbox: Loop::new(asks, Level::Blather),
            console: Console::new("fuzz.conf".as_ref(), "fuzz"),
            is_inet: true,
            metrics_auth: true,
            session_idle: Duration::from_secs(60),
            identifier: "fuzz".into(),
        });
        let (client, stream) = duplex(PIPE_BYTES);
        let clock = Rc::new(Clock::new(Rc::new(Notify::new())));
        let (mut reader, mut writer) = tokio::io::split(client);
        let sent = data.strip_prefix(b"!").unwrap_or(data).to_vec();
        let sending = tokio::task::spawn_local(async move {
            // The server may close before it has read everything.
            let _ = writer.write_all(&sent).await;
            let _ = writer.shutdown().await;
        });
        let serving = tokio::task::spawn_local(serve(server, clock, Peer::Unix(None), stream));
        tokio::task::spawn_local(async move {
            let core = Core::new(Vec::new(), "supervisor", 0, &mut Outbox::new());
            while let Some(ask) = inbox.recv().await {
                match ask {
                    Ask::Call(call, _, client) => _ = client.send(answer(&call, &core)),
                    Ask::Follow(_, _, client) => _ = client.send(None),
                    Ask::Request(_, client) => _ = client.send(Reply::Answer(Err(Fault::new(code::FAILED)))),
                    // There is no shell to look at: whoever asks is told that the daemon ends.
                    Ask::Note(..) | Ask::FollowFrom(..) | Ask::Await(..) | Ask::Look(_) => {}
                }
            }
        });
        let mut said = Vec::new();
        // A client that is cut off has nothing more to read.
        let _ = reader.read_to_end(&mut said).await;
        serving.await.unwrap();
        sending.await.unwrap();
        assert!(said.is_empty() || said.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&said));
    });
}

fn answer(call: &Call, core: &Core) -> Reply {
    match rpc::dispatch(call, core, &Nowhere) {
        Ok(Outcome::Value(value)) => Reply::Answer(Ok(value)),
        Ok(Outcome::Multicall(calls)) => Reply::Multicall(calls),
        Ok(Outcome::Request(_) | Outcome::Job(_)) => Reply::Answer(Err(Fault::new(code::FAILED))),
        Err(fault) => Reply::Answer(Err(fault)),
    }
}
