//! The live stream of rooms: every connection in a room receives every change, each once, in the order of revisions,
//! and what it reads of the history fits the stream without a seam.
//!
//! A [`LiveRoom`] exists while somebody on this node is in the room. Under its lock it decides what has been delivered
//! (`delivered`), so an answer that is sent under the same lock has a definite place in the stream: everything up to
//! `delivered` is in the answer, everything after it follows. A revision that arrives early waits; a hole that does not
//! fill within a moment is read from the store, which is the truth.

mod behind;
mod filling;
mod history;
mod room;
mod typing;
mod typists;

use std::{sync::Arc, time::Duration};

use dashmap::{DashMap, mapref::entry::Entry};
use entity::ids::{Rev, RoomId, TenantId, UserId};

use history::Outcome;
pub use history::{Page, Part};
use room::{Delivered, Entering, LiveRoom};
use serde::Serialize;

use super::{
    connection::{Connection, ConnectionId},
    room_cache::Decided,
};
use crate::{
    bus::{Bus, Origin, Topic, Typist},
    error::{Error, Result},
    protocol::{Encoded, to_raw},
    store::Store,
};

/// A room of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoomKey {
    pub tenant: TenantId,
    pub room: RoomId,
}

impl RoomKey {
    #[must_use]
    pub fn new(tenant: &TenantId, room: &RoomId) -> Self {
        Self {
            tenant: tenant.clone(),
            room: room.clone(),
        }
    }
}

/// What leaving a room changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Departure {
    /// The user has no other connection in the room here.
    pub was_last: bool,
    /// It was typing.
    pub typed: Option<Typist>,
    /// The newest revision that the connection has been given.
    pub seen: Rev,
}

/// The live rooms of this node.
#[derive(Clone)]
pub struct LiveRooms {
    rooms: Arc<DashMap<RoomKey, Arc<LiveRoom>>>,
    store: Store,
    bus: Arc<dyn Bus>,
    /// Whether other nodes write to the rooms too.
    is_shared: bool,
    typing_timeout: Duration,
}

impl LiveRooms {
    #[must_use]
    pub fn new(store: Store, bus: Arc<dyn Bus>, is_shared: bool, typing_timeout: Duration) -> Self {
        Self {
            rooms: Arc::default(),
            store,
            bus,
            is_shared,
            typing_timeout,
        }
    }

    /// Puts a connection into a room's stream. `answer` is called with the newest revision given and, with `since`,
    /// what changed after it, before anything that follows is delivered. Says `false`, and has done nothing, where what
    /// was decided does not hold any more.
    ///
    /// # Errors
    /// The store's; then the connection is not in the room.
    pub(super) async fn join(
        &self,
        key: &RoomKey,
        connection: &Arc<Connection>,
        since: Option<Part>,
        decided: Decided<'_>,
        answer: &mut (dyn FnMut(Page) + Send),
    ) -> Result<bool> {
        self.read(key, connection, since, Entering::Join, decided, answer)
            .await
    }

    /// Reads a part of a room's history. `answer` is called at a definite place of the caller's stream. With `listen`
    /// the caller hears the room's messages from here on, joined or not. Says `false` as [`Self::join`] does.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn history(
        &self,
        key: &RoomKey,
        connection: &Arc<Connection>,
        part: Part,
        listen: bool,
        decided: Decided<'_>,
        answer: &mut (dyn FnMut(Page) + Send),
    ) -> Result<bool> {
        let entering = if listen {
            Entering::Listen
        } else {
            Entering::Read
        };
        self.read(key, connection, Some(part), entering, decided, answer)
            .await
    }

    async fn read(
        &self,
        key: &RoomKey,
        connection: &Arc<Connection>,
        part: Option<Part>,
        entering: Entering,
        decided: Decided<'_>,
        answer: &mut (dyn FnMut(Page) + Send),
    ) -> Result<bool> {
        loop {
            let room = self.open(key).await?;
            if self.is_shared {
                self.bring_up(key, &room).await?;
            }
            let read = history::read(
                &self.store,
                &room,
                connection,
                part,
                entering,
                decided,
                answer,
            );
            let outcome = read.await;
            // A closed room has been replaced by another since.
            if let Ok(Outcome::Closed) = outcome {
                continue;
            }
            self.close_if_empty(key);
            return outcome.map(|outcome| outcome == Outcome::Given);
        }
    }

    /// Takes a connection out of a room; `None` if it was not in it.
    #[must_use]
    pub fn leave(&self, key: &RoomKey, connection: ConnectionId) -> Option<Departure> {
        let room = self.get(key)?;
        let departure = room.leave(connection);
        self.close_if_empty(key);
        departure
    }

    /// Takes all connections of a user out of a room. Says whether any of them had joined it.
    #[must_use]
    pub fn expel(&self, key: &RoomKey, user: &UserId) -> bool {
        let Some(room) = self.get(key) else {
            return false;
        };
        let had_joined = room.expel(user);
        self.close_if_empty(key);
        had_joined
    }

    /// A user is in the room on no node any more. What another node said of their typing may have come later than what
    /// ended it here.
    pub fn end_typing_of(&self, key: &RoomKey, user: &UserId) {
        if let Some(room) = self.get(key) {
            room.end_typing_of(user);
        }
    }

    /// Takes out those who only listen to a support room: nothing follows in it.
    pub fn dismiss_listeners(&self, key: &RoomKey) {
        if let Some(room) = self.get(key) {
            room.dismiss_listeners();
            self.close_if_empty(key);
        }
    }

    /// The rooms that are live here.
    #[must_use]
    pub fn keys(&self) -> Vec<RoomKey> {
        self.rooms.iter().map(|room| room.key().clone()).collect()
    }

    /// All connections that hear a room, joined or not.
    #[must_use]
    pub fn members(&self, key: &RoomKey) -> Vec<Arc<Connection>> {
        self.get(key).map(|room| room.members()).unwrap_or_default()
    }

    #[must_use]
    pub fn is_member(&self, key: &RoomKey, connection: ConnectionId) -> bool {
        self.get(key).is_some_and(|room| room.is_member(connection))
    }

    /// Hands a change to the room's stream. `listeners` are the connections that hear it though they have not joined.
    pub fn deliver(&self, key: &RoomKey, change: Encoded, listeners: &[Arc<Connection>]) {
        let change = Arc::new(change);
        loop {
            let room = if listeners.is_empty() {
                self.get(key)
            } else {
                Some(self.entry(key))
            };
            let Some(room) = room else { return };
            match room.deliver(&change, listeners) {
                Delivered::Done => {}
                Delivered::Closed => continue,
                Delivered::Hole => self.spawn_fill(key, &room),
            }
            if !listeners.is_empty() {
                self.close_if_empty(key);
            }
            return;
        }
    }

    /// An event to all who have joined a room.
    pub fn announce(&self, key: &RoomKey, event: &'static str, payload: &impl Serialize) {
        if let Some(room) = self.get(key) {
            room.broadcast(event, &to_raw(payload));
        }
    }

    /// `listeners` are connections that hear of it though they have not joined.
    pub fn typing(
        &self,
        key: &RoomKey,
        typist: &Typist,
        is_typing: bool,
        listeners: &[Arc<Connection>],
        origin: Origin,
    ) {
        let Some(room) = self.get(key) else { return };
        room.listen(listeners);
        let Some((first_deadline, begun)) =
            room.typing(typist, is_typing, self.typing_timeout, origin)
        else {
            return;
        };
        tokio::spawn(async move {
            let mut deadline = first_deadline;
            loop {
                tokio::time::sleep_until(deadline).await;
                match room.typing_deadline(begun) {
                    Some(later) => deadline = later,
                    None => return,
                }
            }
        });
    }

    #[must_use]
    pub fn has_joined(&self, key: &RoomKey, connection: ConnectionId) -> bool {
        self.get(key)
            .is_some_and(|room| room.has_joined(connection))
    }

    /// The users who have a connection in a room here.
    #[must_use]
    pub fn users_in(&self, key: &RoomKey) -> Vec<UserId> {
        self.get(key).map(|room| room.users()).unwrap_or_default()
    }

    /// The connections that are in any of some rooms, each once.
    #[must_use]
    pub fn connections_in(&self, tenant: &TenantId, rooms: &[RoomId]) -> Vec<Arc<Connection>> {
        let mut connections = std::collections::HashMap::new();
        for room in rooms {
            if let Some(room) = self.get(&RoomKey::new(tenant, room)) {
                connections.extend(
                    room.connections()
                        .into_iter()
                        .map(|connection| (connection.id, connection)),
                );
            }
        }
        connections.into_values().collect()
    }

    fn get(&self, key: &RoomKey) -> Option<Arc<LiveRoom>> {
        self.rooms.get(key).map(|room| Arc::clone(&room))
    }

    fn entry(&self, key: &RoomKey) -> Arc<LiveRoom> {
        match self.rooms.entry(key.clone()) {
            Entry::Occupied(entry) => Arc::clone(entry.get()),
            Entry::Vacant(entry) => {
                metrics::gauge!("confab_live_rooms").increment(1.0);
                Arc::clone(&entry.insert(Arc::new(LiveRoom::new(key.clone()))))
            }
        }
    }

    /// The live room, its `delivered` known.
    async fn open(&self, key: &RoomKey) -> Result<Arc<LiveRoom>> {
        let room = self.entry(key);
        let loaded = room.loaded.get_or_try_init(|| async {
            // First heard, then looked at: whatever is said from here on arrives.
            let topic = Topic::Room(key.tenant.clone(), key.room.clone());
            let subscription = self.bus.subscribe(topic).await;
            let row = self.store.room(&key.tenant, &key.room).await?;
            let row = row.ok_or(Error::ROOM_NOT_FOUND)?;
            if room.start_at(row.last_rev) {
                self.spawn_fill(key, &room);
            }
            Ok::<_, Error>(subscription)
        });
        match loaded.await {
            Ok(_) => Ok(room),
            Err(error) => {
                self.close_if_empty(key);
                Err(error)
            }
        }
    }

    fn close_if_empty(&self, key: &RoomKey) {
        if self
            .rooms
            .remove_if(key, |_, room| room.close_if_empty())
            .is_some()
        {
            metrics::gauge!("confab_live_rooms").decrement(1.0);
        }
    }
}
