//! One live room: its members, what has been delivered, what waits.

use std::{
    collections::{BTreeMap, HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use entity::ids::{Rev, RoomId, UserId};
use parking_lot::{Mutex, MutexGuard};
use serde_json::value::RawValue;
use tokio::{sync::OnceCell, time::Instant};

use super::{Departure, RoomKey, typists::Typists};
use crate::{
    bus::Subscription,
    chat::connection::{Connection, ConnectionId, Namespace},
    protocol::Encoded,
};

/// Newest messages kept in memory: more than the largest page.
pub(super) const RECENT: usize = 256;

/// How long what another node said of somebody may be on its way.
pub(super) const ECHO: Duration = Duration::from_secs(2);

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    Done,
    /// It waits for one that is missing. Said once for each hole.
    Hole,
    /// The room was closed; if it matters, there is another by now.
    Closed,
}

pub(super) struct LiveRoom {
    pub(super) key: RoomKey,
    /// Set once `delivered` is known: the room is listened to on all nodes.
    pub(super) loaded: OnceCell<Subscription>,
    state: Mutex<State>,
}

/// How a reader of the history goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entering {
    /// As one who has joined.
    Join,
    /// Hearing the messages of a direct or a support room.
    Listen,
    /// As before.
    Read,
}

pub(super) struct State {
    pub(super) room_id: RoomId,
    /// Removed from the node's rooms: whoever holds it must look again.
    pub(super) closed: bool,
    /// Whether `delivered` is known. Until then every change waits.
    pub(super) started: bool,
    /// What had been delivered when the room became live.
    pub(super) started_at: Rev,
    /// The newest revision that was handed to the members.
    pub(super) delivered: Rev,
    /// The newest messages up to `delivered`, without a hole.
    pub(super) recent: VecDeque<Arc<Encoded>>,
    /// The newest revision that the store is known to have.
    pub(super) stored: Rev,
    /// Revisions that arrived before their turn.
    early: BTreeMap<Rev, Arc<Encoded>>,
    filling: bool,
    pub(super) members: HashMap<ConnectionId, Member>,
    pub(super) typists: Typists,
    /// Who was taken out a moment ago. What their node said of them before it knew may come after that.
    pub(super) expelled: HashMap<UserId, Instant>,
}

pub(super) struct Member {
    pub(super) connection: Arc<Connection>,
    /// Revisions up to this one the connection has been given otherwise, by an answer or before it came.
    pub(super) base: Rev,
    /// Whether it has joined; else it only hears the messages of a direct or a support room.
    pub(super) joined: bool,
}

impl LiveRoom {
    pub(super) fn new(key: RoomKey) -> Self {
        let state = State {
            room_id: key.room.clone(),
            closed: false,
            started: false,
            started_at: Rev(0),
            delivered: Rev(0),
            recent: VecDeque::new(),
            stored: Rev(0),
            early: BTreeMap::new(),
            filling: false,
            members: HashMap::new(),
            typists: Typists::default(),
            expelled: HashMap::new(),
        };
        Self {
            key,
            loaded: OnceCell::new(),
            state: Mutex::new(state),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The store says where the room stands. Says whether what is missing here has to be read.
    pub(super) fn start_at(&self, rev: Rev) -> bool {
        let mut state = self.state.lock();
        if !state.started {
            state.start(rev);
            state.hand_out();
        }
        state.stored = state.stored.max(rev);
        state.begin_filling()
    }

    /// Takes a change in.
    pub(super) fn deliver(
        &self,
        change: &Arc<Encoded>,
        listeners: &[Arc<Connection>],
    ) -> Delivered {
        let mut state = self.state.lock();
        if state.closed {
            return Delivered::Closed;
        }
        let rev = change.message.rev;
        if !listeners.is_empty() {
            if state.started {
                state.include(listeners, rev);
            } else {
                state.start(rev.previous());
                // What others said just before may come after it.
                state.include(listeners, Rev(1));
            }
        }
        if state.started && rev <= state.delivered {
            state.deliver_late(change);
            return Delivered::Done;
        }
        state.early.insert(rev, Arc::clone(change));
        state.hand_out();
        if state.begin_filling() {
            return Delivered::Hole;
        }
        Delivered::Done
    }

    /// The revision after which one is missing, or the end of the search for it.
    pub(super) fn hole(&self) -> Option<Rev> {
        let mut state = self.state.lock();
        state.filling = state.has_hole() && !state.closed;
        state.filling.then_some(state.delivered)
    }

    pub(super) fn leave(&self, id: ConnectionId) -> Option<Departure> {
        let mut state = self.state.lock();
        let member = state.members.remove(&id)?;
        member.connection.exit(&self.key.room);
        let user = member.connection.identity().user_id.clone();
        let typed = state.typists.on(&user, id);
        state.stop_typing(&user, |typist| typist.connection == id);
        if !member.joined {
            return None;
        }
        let was_last = !state.joined().any(|other| other.identity().user_id == user);
        Some(Departure {
            was_last,
            typed,
            seen: state.delivered.max(member.base),
        })
    }

    /// Takes all connections of a user out. Says whether any of them had joined.
    pub(super) fn expel(&self, user: &UserId) -> bool {
        let mut state = self.state.lock();
        let theirs = |member: &Member| member.connection.identity().user_id == *user;
        let gone: Vec<Member> = state
            .members
            .extract_if(|_, member| theirs(member))
            .map(|(_, member)| member)
            .collect();
        for member in &gone {
            member.connection.exit(&self.key.room);
        }
        state.stop_typing(user, |typist| typist.user_id == *user);
        let now = Instant::now();
        state.expelled.retain(|_, at| *at + ECHO > now);
        state.expelled.insert(user.clone(), now);
        gone.iter().any(|member| member.joined)
    }

    pub(super) fn end_typing_of(&self, user: &UserId) {
        let mut state = self.state.lock();
        state.stop_typing(user, |typist| typist.user_id == *user);
    }

    pub(super) fn dismiss_listeners(&self) {
        let mut state = self.state.lock();
        let listens =
            |member: &Member| !member.joined && member.connection.namespace != Namespace::Chat;
        for (_, member) in state.members.extract_if(|_, member| listens(member)) {
            member.connection.exit(&self.key.room);
        }
    }

    pub(super) fn is_member(&self, id: ConnectionId) -> bool {
        self.state.lock().members.contains_key(&id)
    }

    pub(super) fn members(&self) -> Vec<Arc<Connection>> {
        let state = self.state.lock();
        let members = state.members.values();
        members
            .map(|member| Arc::clone(&member.connection))
            .collect()
    }

    pub(super) fn has_joined(&self, id: ConnectionId) -> bool {
        let state = self.state.lock();
        state.members.get(&id).is_some_and(|member| member.joined)
    }

    pub(super) fn broadcast(&self, event: &'static str, payload: &RawValue) {
        self.state.lock().broadcast(event, payload);
    }

    pub(super) fn users(&self) -> Vec<UserId> {
        self.state
            .lock()
            .joined()
            .map(|connection| connection.identity().user_id.clone())
            .collect()
    }

    pub(super) fn connections(&self) -> Vec<Arc<Connection>> {
        self.state.lock().joined().cloned().collect()
    }

    pub(super) fn close_if_empty(&self) -> bool {
        let mut state = self.state.lock();
        state.closed = state.members.is_empty();
        state.closed
    }

    /// Makes connections hear what follows, joined or not.
    pub(super) fn listen(&self, connections: &[Arc<Connection>]) {
        let mut state = self.state.lock();
        if state.started && !state.closed {
            let next = state.delivered.next();
            state.include(connections, next);
        }
    }
}

impl State {
    fn has_hole(&self) -> bool {
        !self.early.is_empty() || self.delivered < self.stored
    }

    /// Says whether somebody has to look for what is missing, once for each hole.
    pub(super) fn begin_filling(&mut self) -> bool {
        let begins = self.started && self.has_hole() && !self.filling;
        self.filling |= begins;
        begins
    }

    pub(super) fn start(&mut self, rev: Rev) {
        self.started = true;
        self.started_at = rev;
        self.delivered = rev;
        // Committed before the store was asked, heard of since: whoever has not been given them yet gets them.
        let later = self.early.split_off(&rev.next());
        for change in std::mem::replace(&mut self.early, later).into_values() {
            self.deliver_late(&change);
        }
    }

    /// Hands out all revisions whose turn it is.
    pub(super) fn hand_out(&mut self) {
        if !self.started {
            return;
        }
        while let Some(entry) = self.early.first_entry() {
            let rev = *entry.key();
            if rev > self.delivered.next() {
                return;
            }
            let change = entry.remove();
            if rev > self.delivered {
                self.delivered = rev;
                self.push(&change);
                self.recent.push_back(Arc::clone(&change));
                if self.recent.len() > RECENT {
                    self.recent.pop_front();
                }
            }
        }
    }

    fn push(&mut self, change: &Arc<Encoded>) {
        let rev = change.message.rev;
        let mut count = 0_u64;
        for member in self.members.values().filter(|member| member.base < rev) {
            member.connection.deliver(change);
            count += 1;
        }
        metrics::counter!("confab_deliveries_total").increment(count);
        let sender = &change.message.user_id;
        self.stop_typing(sender, |typist| typist.user_id == *sender);
    }

    /// A change from before the room became live here. Those who read the room since have it; those who only listen
    /// have not.
    fn deliver_late(&mut self, change: &Arc<Encoded>) {
        let rev = change.message.rev;
        if rev > self.started_at {
            return;
        }
        for member in self.members.values_mut().filter(|member| member.base < rev) {
            member.connection.deliver(change);
            member.base = rev;
        }
    }

    /// Makes connections hear the room from `rev` on, joined or not.
    fn include(&mut self, connections: &[Arc<Connection>], rev: Rev) {
        let base = self.delivered.min(rev.previous());
        for connection in connections {
            self.member(connection, base);
        }
    }

    /// The connection's place in the room, unless the connection is gone.
    pub(super) fn member(
        &mut self,
        connection: &Arc<Connection>,
        base: Rev,
    ) -> Option<&mut Member> {
        match self.members.entry(connection.id) {
            Entry::Occupied(member) => Some(member.into_mut()),
            Entry::Vacant(place) => connection.enter(&self.room_id).then(|| {
                place.insert(Member {
                    connection: Arc::clone(connection),
                    base,
                    joined: false,
                })
            }),
        }
    }

    /// Makes a connection hear a direct room of which it is being given no more than an older part.
    pub(super) fn listen(&mut self, connection: &Arc<Connection>) {
        self.member(connection, Rev(0));
    }

    /// Notes that a connection is being given everything up to `delivered`.
    pub(super) fn given(&mut self, connection: &Arc<Connection>, entering: Entering) {
        let delivered = self.delivered;
        let member = match entering {
            Entering::Read => self.members.get_mut(&connection.id),
            Entering::Join | Entering::Listen => self.member(connection, delivered),
        };
        if let Some(member) = member {
            member.joined |= entering == Entering::Join;
            member.base = member.base.max(delivered);
        }
    }

    fn joined(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.members
            .values()
            .filter(|member| member.joined)
            .map(|member| &member.connection)
    }

    pub(super) fn broadcast(&self, event: &'static str, payload: &RawValue) {
        for connection in self.joined() {
            connection.push(event, payload);
        }
    }
}
