//! Bodies of responses.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::clock::Busy;
use crate::daemon::follow::{Follower, Place};

/// The body of a response.
pub struct Body {
    content: Content,
    busy: Option<Busy>,
    /// How far an endless one is.
    place: Option<Rc<Place>>,
}

enum Content {
    /// Everything at once; `None` when it was taken.
    Whole(Option<Bytes>),
    /// Some of a file, read as the client takes it.
    Part { file: File, position_bytes: u64, end_bytes: u64 },
    /// A stream that goes on for as long as its client wants.
    Endless(Next),
}

/// Where an endless body comes from.
pub trait Source {
    /// The next bytes, as soon as there are any.
    fn next(self: Box<Self>) -> Next;
}

/// The next bytes, with what is needed for those after; `None` at the end.
pub type Next = Pin<Box<dyn Future<Output = Option<(Box<dyn Source>, io::Result<Bytes>)>>>>;

/// Most bytes that are read from a file at a time.
const PART_BYTES: u64 = 64 * 1024;

impl Source for Follower {
    fn next(mut self: Box<Self>) -> Next {
        Box::pin(async move {
            let bytes = Follower::next(&mut self).await;
            Some((self as Box<dyn Source>, bytes))
        })
    }
}

impl Body {
    /// Bytes that are all there.
    pub fn whole(bytes: Bytes) -> Self {
        Body { content: Content::Whole(Some(bytes)), busy: None, place: None }
    }

    /// A log as it grows.
    pub fn log(follower: Follower) -> Self {
        let place = Some(follower.place());
        Body { content: Content::Endless(Source::next(Box::new(follower))), busy: None, place }
    }

    /// What comes as long as the client wants.
    pub fn endless(source: impl Source + 'static) -> Self {
        Body { content: Content::Endless(Box::new(source).next()), busy: None, place: None }
    }

    /// The first bytes of a file.
    pub fn part(file: File, end_bytes: u64) -> Self {
        Body { content: Content::Part { file, position_bytes: 0, end_bytes }, busy: None, place: None }
    }

    /// Its connection is busy until the last byte is out. An endless one is sent in chunks, or `chunked` says it is not.
    pub fn keep(&mut self, busy: Busy, chunked: bool) {
        match &self.place {
            Some(place) => busy.follows_a_log(Rc::clone(place), chunked),
            None if self.is_endless() => busy.streams(),
            None => {}
        }
        self.busy = Some(busy);
    }

    /// Whether only the client or an error ends it.
    pub fn is_endless(&self) -> bool {
        matches!(self.content, Content::Endless(_))
    }

    /// How long it is, 0 for an endless one.
    pub fn len(&self) -> usize {
        match &self.content {
            Content::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len),
            Content::Part { position_bytes, end_bytes, .. } => usize::try_from(end_bytes - position_bytes).unwrap_or(0),
            Content::Endless(_) => 0,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Part { file, position_bytes, end_bytes } => {
                let wanted = (*end_bytes - *position_bytes).min(PART_BYTES);
                if wanted == 0 {
                    return Poll::Ready(None);
                }
                let mut bytes = vec![0; wanted as usize];
                let count = file.read_at(&mut bytes, *position_bytes)?;
                if count == 0 {
                    // It was emptied: the length that was promised cannot be kept.
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                bytes.truncate(count);
                *position_bytes += count as u64;
                Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
            }
            Content::Endless(next) => match next.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some((source, bytes))) => {
                    *next = source.next();
                    Poll::Ready(Some(bytes.map(Frame::data)))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_none(),
            Content::Part { position_bytes, end_bytes, .. } => position_bytes == end_bytes,
            Content::Endless(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(_) | Content::Part { .. } => SizeHint::with_exact(self.len() as u64),
            Content::Endless(_) => SizeHint::default(),
        }
    }
}

/// A short page that says what went wrong (`Supervisor: medusa http_server.py DEFAULT_ERROR_MESSAGE`).
pub fn error(status: StatusCode) -> Response<Body> {
    let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n\
         <p>Error code {code}.\r\n<p>Message: {reason}.\r\n</body>\r\n"
    );
    let mut response = with_type("text/html", Body::whole(page.into()));
    *response.status_mut() = status;
    response
}

/// A response of this `Content-Type`.
pub fn with_type(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
