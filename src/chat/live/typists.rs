//! Who is typing in a room: users, each on some of their connections, each until a deadline.

use entity::ids::UserId;
use tokio::time::Instant;

use crate::{bus::Typist, chat::ConnectionId};

/// The typists of one room, in the order in which they began.
#[derive(Default)]
pub(super) struct Typists {
    typing: Vec<Typing>,
    /// How often somebody began to type.
    begun: u64,
}

struct Typing {
    typist: Typist,
    until: Instant,
    /// Which time it is that somebody began, so that the timer of an earlier time ends.
    begun: u64,
}

impl Typists {
    /// A user who is typing, on one of their connections.
    pub(super) fn of(&self, user: &UserId) -> Option<Typist> {
        let mut typing = self.typing.iter().map(|typing| &typing.typist);
        typing.find(|typist| typist.user_id == *user).cloned()
    }

    /// A user who is typing on one of their connections.
    pub(super) fn on(&self, user: &UserId, connection: ConnectionId) -> Option<Typist> {
        let mut typing = self.typing.iter().map(|typing| &typing.typist);
        let typist =
            typing.find(|typist| typist.user_id == *user && typist.connection == connection);
        typist.cloned()
    }

    /// Begins or renews typing. When it begins, says which time it is.
    pub(super) fn begin(&mut self, typist: &Typist, until: Instant) -> Option<u64> {
        if let Some(typing) = self
            .typing
            .iter_mut()
            .find(|typing| typing.typist == *typist)
        {
            typing.until = until;
            return None;
        }
        self.begun += 1;
        let (typist, begun) = (typist.clone(), self.begun);
        self.typing.push(Typing {
            typist,
            until,
            begun,
        });
        Some(begun)
    }

    /// Until when somebody types who began at some time, and who it is; `None` if that has ended.
    pub(super) fn deadline(&self, begun: u64) -> Option<(Instant, Typist)> {
        let typing = self.typing.iter().find(|typing| typing.begun == begun)?;
        Some((typing.until, typing.typist.clone()))
    }

    /// Ends all typing that fits. Says whether there was any.
    pub(super) fn end(&mut self, ends: impl Fn(&Typist) -> bool) -> bool {
        let before = self.typing.len();
        self.typing.retain(|typing| !ends(&typing.typist));
        self.typing.len() < before
    }

    pub(super) fn includes(&self, user: &UserId) -> bool {
        self.typing
            .iter()
            .any(|typing| typing.typist.user_id == *user)
    }

    /// Each user once.
    pub(super) fn users(&self) -> Vec<UserId> {
        let mut users: Vec<UserId> = Vec::new();
        for Typing { typist, .. } in &self.typing {
            if !users.contains(&typist.user_id) {
                users.push(typist.user_id.clone());
            }
        }
        users
    }
}
