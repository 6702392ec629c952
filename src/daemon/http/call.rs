//! `/RPC2`: one XML-RPC call (`Supervisor: xmlrpc.py supervisor_xmlrpc_handler`).

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::time::timeout;

use super::clock::{BODY_TIME_MAX, Busy};
use super::content::{Body, error, with_type};
use super::{Server, Visitor};
use crate::config::{Level, Role, repr};
use crate::daemon::rpc_call::encode;
use crate::rpc;
use crate::xmlrpc::{Call, Fault, REQUEST_BYTES_MAX, ReadError, Value, code, read_call};

/// Most characters of a request that the log shows when it cannot be understood.
const SHOWN_CHARS_MAX: usize = 1000;

/// Reads the call, has it run and answers.
pub async fn respond(server: &Server, visitor: &Visitor, request: Request<Incoming>, busy: &Busy) -> Response<Body> {
    let headers = request.headers();
    if !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING) {
        return error(StatusCode::LENGTH_REQUIRED);
    }
    // Refused before it is waited for; a client that sends more than it said is stopped by its own length.
    if request.body().size_hint().lower() > REQUEST_BYTES_MAX as u64 {
        return error(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match timeout(BODY_TIME_MAX, Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(reason)) if reason.is::<LengthLimitError>() => return error(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return error(StatusCode::BAD_REQUEST),
        Err(_) => {
            let mut response = error(StatusCode::REQUEST_TIMEOUT);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    match read_call(&body) {
        Ok(call) if !may_call(visitor, &call) => {
            let fault = Fault::with(code::FAILED, format!("{} may look, but not change anything", visitor.user));
            with_type("text/xml", Body::whole(encode(&Err(fault)).into()))
        }
        Ok(call) => {
            busy.begins();
            let answer = server.inbox.call(call, |ticket| busy.waits_for(ticket)).await;
            with_type("text/xml", Body::whole(encode(&answer).into()))
        }
        Err(reason) => {
            server.inbox.note(Level::Error, explain(&body, &reason)).await;
            error(StatusCode::BAD_REQUEST)
        }
    }
}

/// Whether a call, or every call of a multicall, is one that the visitor may make.
fn may_call(visitor: &Visitor, call: &Call) -> bool {
    if visitor.role == Role::Operator || rpc::only_looks(&call.method) {
        return true;
    }
    if call.method != "system.multicall" {
        return false;
    }
    let calls = call.params.first().and_then(Value::as_array).unwrap_or_default();
    let only_looks = |call: &Value| call.get("methodName").and_then(Value::as_str).is_none_or(rpc::only_looks);
    calls.iter().all(only_looks)
}

fn explain(body: &[u8], reason: &ReadError) -> String {
    let text = String::from_utf8_lossy(body);
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let more = if shown.len() < text.len() { "..." } else { "" };
    let reason = match reason {
        ReadError::Unmarshallable(_) => "unmarshallable",
        ReadError::NoMethodName => "no method name",
    };
    format!("XML-RPC request data {}{more} is invalid: {reason}", repr::text(&shown))
}
