//! HTTP: requests and responses of a connection, by version 1 (RFC 9112), or by version 2 with prior
//! knowledge (RFC 9113).

mod chunk;
pub mod decode;
mod direction;
mod expected;
pub mod form;
mod head;
mod hpack;
mod http1;
mod http2;
mod huffman;
mod message;
pub mod multipart;
pub mod secret;

pub use http1::{Requests, Responses};
pub use http2::Http2;
pub use message::{Event, Request, Response};
