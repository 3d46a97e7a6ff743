//! SSH until both ends have said their versions (RFC 4253, 4.2).

use app::ssh::{Banner, banner};
use app::{AppError, Parse};

use super::dialog::{Listener, Next};
use super::event::{AppEvent, SshBanners};
use super::{Sink, Told};
use crate::stream::Piece;

/// A banner and what stands before it are within so many bytes.
const MAX_BANNER_BYTES: usize = 8 * 1024;
/// So many pieces of it are put together: each is looked at from the start.
const MAX_PIECES: u8 = 64;

/// What one end began with; nothing once it is read or lost.
#[derive(Debug)]
struct Side {
    head: Option<Vec<u8>>,
    pieces: u8,
    banner: Option<Banner>,
}

impl Default for Side {
    fn default() -> Self {
        Self { head: Some(Vec::new()), pieces: 0, banner: None }
    }
}

impl Side {
    fn take(&mut self, piece: Piece<'_>) -> Option<AppError> {
        let head = self.head.as_mut()?;
        self.pieces = self.pieces.saturating_add(1);
        let parsed = match piece {
            Piece::Data(_) if self.pieces > MAX_PIECES => Parse::Reject(AppError::TooLong),
            Piece::Data(data) => {
                head.extend_from_slice(&data[..data.len().min(MAX_BANNER_BYTES)]);
                banner(head)
            }
            _ => Parse::Reject(AppError::Malformed),
        };
        let error = match parsed {
            Parse::More if head.len() <= MAX_BANNER_BYTES => return None,
            Parse::More => Some(AppError::TooLong),
            Parse::Done(banner) => {
                self.banner = Some(banner);
                None
            }
            Parse::Reject(error) => matches!(piece, Piece::Data(_)).then_some(error),
        };
        self.head = None;
        error
    }
}

/// Listens to an SSH connection.
#[derive(Debug, Default)]
pub(super) struct SshTalk {
    client: Side,
    server: Side,
}

impl Listener for SshTalk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        let side = if from_client { &mut self.client } else { &mut self.server };
        // An end that goes on after its banner has heard the other's.
        let other_missed = side.head.is_none() && piece != Piece::End;
        if let Some(error) = side.take(piece) {
            sink(Told::Error(error));
        }
        let over = other_missed || (self.client.head.is_none() && self.server.head.is_none());
        if over && (self.client.banner.is_some() || self.server.banner.is_some()) {
            let (client, server) = (self.client.banner.take(), self.server.banner.take());
            sink(Told::Event(AppEvent::Ssh(Box::new(SshBanners { client, server }))));
        }
        Next::until(over)
    }

    fn held_bytes(&self) -> usize {
        [&self.client, &self.server].iter().filter_map(|side| side.head.as_ref()).map(Vec::len).sum()
    }
}
