//! What a live room has not been told is read from the store.

use std::{sync::Arc, time::Duration};

use entity::ids::Rev;

use super::{
    LiveRooms, RoomKey,
    room::{Delivered, LiveRoom},
};
use crate::{
    chat::Connection,
    error::{Error, Result},
    protocol::Encoded,
    store::MessageQuery,
};

/// How long a revision may be missing before it is read from the store.
const HOLE_PATIENCE: Duration = Duration::from_millis(100);
/// Messages read at once to fill a hole.
const HOLE_PAGE: u32 = 500;

impl LiveRooms {
    /// The store has the room up to a revision: what is missing here is read.
    pub fn reaches(&self, key: &RoomKey, rev: Rev) {
        if let Some(room) = self.get(key)
            && room.reaches(rev)
        {
            self.spawn_fill(key, &room);
        }
    }

    /// Makes connections that have heard nothing of a direct room so far hear its newest messages, and what follows.
    pub fn listen_from(
        &self,
        key: &RoomKey,
        newest: &[Arc<Encoded>],
        connections: &[Arc<Connection>],
    ) {
        while self.entry(key).listen_from(newest, connections) == Delivered::Closed {}
        self.close_if_empty(key);
    }

    /// Connections that have begun to hear a direct room with a message behind others that they may have missed.
    #[must_use]
    pub fn latecomers(&self, key: &RoomKey) -> Vec<Arc<Connection>> {
        let room = self.get(key);
        room.map(|room| room.latecomers()).unwrap_or_default()
    }

    /// Gives them those others.
    pub fn give_earlier(
        &self,
        key: &RoomKey,
        earlier: &[Arc<Encoded>],
        latecomers: &[Arc<Connection>],
    ) {
        if let Some(room) = self.get(key) {
            room.give_earlier(earlier, latecomers);
        }
    }

    pub(super) fn spawn_fill(&self, key: &RoomKey, room: &Arc<LiveRoom>) {
        let (rooms, key, room) = (self.clone(), key.clone(), Arc::clone(room));
        tokio::spawn(async move { rooms.fill_hole(&key, &room).await });
    }

    /// What was acknowledged on another node before the caller asked is in the answer, though the bus has not brought it
    /// yet.
    pub(super) async fn bring_up(&self, key: &RoomKey, room: &Arc<LiveRoom>) -> Result<()> {
        let row = self.store.room(&key.tenant, &key.room).await?;
        let rev = row.ok_or(Error::ROOM_NOT_FOUND)?.last_rev;
        let mut missing = room.lacks(rev);
        while let Some(after) = missing {
            if self.read_missing(key, room, after).await? == Delivered::Hole {
                self.spawn_fill(key, room);
            }
            missing = room.lacks(rev).filter(|now| *now > after);
        }
        Ok(())
    }

    /// Waits for missing revisions, then reads them from the store.
    async fn fill_hole(&self, key: &RoomKey, room: &Arc<LiveRoom>) {
        loop {
            tokio::time::sleep(HOLE_PATIENCE).await;
            let Some(after) = room.hole() else { return };
            tracing::debug!(room = %key.room, after = after.0, "a revision did not arrive; reading it from the store");
            metrics::counter!("confab_holes_filled_total").increment(1);
            // If it fails it is tried again.
            drop(self.read_missing(key, room, after).await);
        }
    }

    /// Reads what comes after a revision.
    async fn read_missing(&self, key: &RoomKey, room: &LiveRoom, after: Rev) -> Result<Delivered> {
        let part = MessageQuery::Since {
            rev: after,
            limit: HOLE_PAGE,
        };
        let messages = self.store.messages(&key.tenant, &key.room, part).await?;
        let support = match messages.first().map(|message| message.sender_type) {
            Some(Some(_)) => self.store.support_room(&key.tenant, &key.room).await?,
            _ => None,
        };
        let unread = support.map(|row| row.unread_count);
        let mut delivered = Delivered::Done;
        for message in messages.into_iter().map(Arc::new) {
            let change = match unread {
                Some(unread) => Encoded::in_support(message, unread),
                None => Encoded::new(message),
            };
            if room.deliver(&Arc::new(change), &[]) == Delivered::Hole {
                delivered = Delivered::Hole;
            }
        }
        Ok(delivered)
    }
}
