//! Connections that another image of the daemon left in the middle of something: the client gets the rest of its answer and
//! notices nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::daemon::follow::Follower;
use crate::daemon::perform::Answer;
use crate::daemon::rpc_call::encode;

/// A stream whose first bytes were read already.
pub struct Replayed<S> {
    bytes: Vec<u8>,
    stream: S,
}

impl<S> Replayed<S> {
    /// `bytes` come first, then what the stream has.
    pub fn new(bytes: Vec<u8>, stream: S) -> Self {
        Replayed { bytes, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Replayed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.bytes.len().min(buffer.remaining());
        buffer.put_slice(&self.bytes[..count]);
        self.bytes.drain(..count);
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replayed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Writes the answer of a call and closes. The client may have left meanwhile: then nobody needs it.
pub async fn answer<S: AsyncWrite + Unpin>(mut stream: S, answer: &Answer) {
    let body = encode(answer);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nServer: Medusa/1.12\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let whole = [head.into_bytes(), body].concat();
    if stream.write_all(&whole).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

/// Sends the rest of a log as it grows, until the client leaves or the log cannot be read.
pub async fn follow<S: AsyncRead + AsyncWrite + Unpin>(stream: S, mut follower: Follower, chunked: bool) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut nothing = [0; 64];
    loop {
        tokio::select! {
            bytes = follower.next() => {
                let Ok(bytes) = bytes else { return };
                let frame = if chunked {
                    [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()
                } else {
                    bytes.to_vec()
                };
                if writer.write_all(&frame).await.is_err() {
                    return;
                }
            }
            // A client has nothing more to say here: it can only leave.
            read = reader.read(&mut nothing) => if !matches!(read, Ok(count) if count > 0) { return },
        }
    }
}
