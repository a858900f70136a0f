//! A live room that has not heard all that the store has.

use std::sync::Arc;

use entity::ids::Rev;

use super::room::{Delivered, LiveRoom, Member};
use crate::{chat::Connection, protocol::Encoded};

impl LiveRoom {
    /// After which revision something is missing up to another one.
    pub(super) fn lacks(&self, rev: Rev) -> Option<Rev> {
        let state = self.lock();
        (!state.closed && state.delivered < rev).then_some(state.delivered)
    }

    /// The store has the room up to a revision. Says whether what is missing here has to be read.
    pub(super) fn reaches(&self, rev: Rev) -> bool {
        let mut state = self.lock();
        state.stored = state.stored.max(rev);
        state.begin_filling()
    }

    /// See [`super::LiveRooms::listen_from`].
    pub(super) fn listen_from(
        &self,
        newest: &[Arc<Encoded>],
        connections: &[Arc<Connection>],
    ) -> Delivered {
        let mut state = self.lock();
        if state.closed {
            return Delivered::Closed;
        }
        let Some(last) = newest.last() else {
            return Delivered::Done;
        };
        if !state.started {
            state.start(last.message.rev);
        }
        let delivered = state.delivered;
        for connection in connections {
            if state.members.contains_key(&connection.id)
                || state.member(connection, delivered).is_none()
            {
                continue;
            }
            for change in newest
                .iter()
                .filter(|change| change.message.rev <= delivered)
            {
                connection.deliver(change);
            }
        }
        state.hand_out();
        Delivered::Done
    }

    /// Those who only listen, and may not have been given what was said before the room became live here.
    pub(super) fn latecomers(&self) -> Vec<Arc<Connection>> {
        let state = self.lock();
        let late = |member: &&Member| !member.joined && member.base < state.started_at;
        let members = state.members.values().filter(late);
        members
            .map(|member| Arc::clone(&member.connection))
            .collect()
    }

    /// Gives some of those what the store has of it, in order.
    pub(super) fn give_earlier(&self, earlier: &[Arc<Encoded>], to: &[Arc<Connection>]) {
        let mut state = self.lock();
        let started_at = state.started_at;
        for connection in to {
            let Some(member) = state.members.get_mut(&connection.id) else {
                continue;
            };
            for change in earlier {
                let rev = change.message.rev;
                if rev > member.base && rev <= started_at {
                    connection.deliver(change);
                    member.base = rev;
                }
            }
        }
    }
}
