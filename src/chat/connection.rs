//! A connection as the rules see it: who is calling, and a way to tell them something.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use entity::ids::{MessageId, RoomId};
use parking_lot::{Mutex, RwLock};
use rand::random;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    auth::Identity,
    bus::Subscription,
    error::{Error, Result},
    limits::UserPlace,
    protocol::{Encoded, to_raw},
};

/// Unique over all nodes that run, and shown to nobody.
pub type ConnectionId = u64;

/// Notifications that are remembered of a connection.
const NOTIFIED: usize = 128;

/// What a connection is there for. It decides who may come, what they can ask for, and what they hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// `/`: the chat of users and guests.
    Chat,
    /// `/support`: a customer's own support room.
    Support,
    /// `/admin`: the staff's desk, with all support rooms of their tenant.
    Admin,
}

impl Namespace {
    /// Whether somebody may come here.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub const fn admits(self, caller: &Identity) -> Result<()> {
        match self {
            Self::Admin if !caller.is_staff => Err(Error::Forbidden),
            _ => Ok(()),
        }
    }

    /// Whether an event is for those who are here.
    fn hears(self, event: &str) -> bool {
        match self {
            Self::Chat => !matches!(
                event,
                "room_status" | "new_customer_message" | "admin_message_sent" | "room_activity"
            ),
            Self::Support => matches!(
                event,
                "session"
                    | "new_message"
                    | "typing_update"
                    | "read_receipt"
                    | "room_status_update"
                    | "error"
            ),
            Self::Admin => matches!(
                event,
                "room_status"
                    | "new_customer_message"
                    | "admin_message_sent"
                    | "room_activity"
                    | "room_status_update"
                    | "error"
            ),
        }
    }
}

/// Why the server closes a connection. In every case the client comes back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    TokenExpired,
    SignedOut,
    Disabled,
    Restarting,
}

impl CloseReason {
    /// The same as a refusal, for doors that can say why they close.
    #[must_use]
    pub const fn error(self) -> Error {
        match self {
            Self::TokenExpired => Error::TokenExpired,
            Self::SignedOut => Error::SignedOut,
            Self::Disabled => Error::AccountDisabled,
            Self::Restarting => Error::Restarting,
        }
    }
}

/// The way out of one connection. Implemented by each door.
pub trait Outlet: Send + Sync {
    /// Puts an event in the connection's queue. If it is full the connection is cut, so that the client comes back
    /// and catches up; the caller need not care.
    fn push(&self, event: &'static str, payload: &RawValue);

    /// Closes the connection after what was received from it has been answered.
    fn close(&self, reason: CloseReason);
}

impl<O: Outlet> Outlet for Arc<O> {
    fn push(&self, event: &'static str, payload: &RawValue) {
        (**self).push(event, payload);
    }

    fn close(&self, reason: CloseReason) {
        (**self).close(reason);
    }
}

/// An event and its payload.
pub(super) type Told = (&'static str, Box<RawValue>);
/// The way out to somebody who does not listen.
struct Nothing;

impl Outlet for Nothing {
    fn push(&self, _: &'static str, _: &RawValue) {}

    fn close(&self, _: CloseReason) {}
}

pub struct Connection {
    pub id: ConnectionId,
    pub namespace: Namespace,
    pub(super) opened: Instant,
    identity: RwLock<Arc<Identity>>,
    /// The live rooms that it is a member of; none once it is gone, so that it cannot enter one any more.
    rooms: Mutex<Option<HashSet<RoomId>>>,
    /// Why its access was ended: it hears nothing any more, and this answers what it asks.
    refusal: OnceLock<Error>,
    /// What it hears before it may be told, or while it is being told where everything stands: kept until then, so that it
    /// comes after.
    held: Mutex<Option<Vec<Told>>>,
    is_held: AtomicBool,
    /// Places of a user that a guest's connection has taken by signing in, held as long as it lasts.
    places: Mutex<Vec<UserPlace>>,
    /// The newest messages that it was notified of: told when they were said, and perhaps found again as waiting.
    notified: Mutex<VecDeque<MessageId>>,
    /// What it listens to, until it is gone.
    subscriptions: Mutex<Vec<Subscription>>,
    outlet: Box<dyn Outlet>,
}

impl Connection {
    #[must_use]
    pub fn new(namespace: Namespace, identity: Identity, outlet: Box<dyn Outlet>) -> Arc<Self> {
        // Each node counts from a place of its own.
        static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(random::<u64>() >> 1));
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            namespace,
            opened: Instant::now(),
            identity: RwLock::new(Arc::new(identity)),
            rooms: Mutex::new(Some(HashSet::new())),
            refusal: OnceLock::new(),
            held: Mutex::default(),
            is_held: AtomicBool::new(false),
            places: Mutex::default(),
            notified: Mutex::default(),
            subscriptions: Mutex::default(),
            outlet,
        })
    }

    /// Somebody who asks once and holds no connection: they hear nothing, and enter no live room, so that nothing of them
    /// is left behind whatever becomes of the request.
    #[must_use]
    pub fn passing(namespace: Namespace, identity: Identity) -> Arc<Self> {
        let connection = Self::new(namespace, identity, Box::new(Nothing));
        connection.end();
        connection
    }

    /// Whether it is there to be told what happens: not if it is passing, or gone.
    pub(super) fn lasts(&self) -> bool {
        self.rooms.lock().is_some()
    }

    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read())
    }

    /// Replaces the identity by a newer one of the same user.
    pub fn renew(&self, identity: Identity) {
        *self.identity.write() = Arc::new(identity);
    }

    /// Ends its access: it is told why, hears nothing more, and is closed. The first reason counts.
    pub(super) fn shut_out(&self, why: Error) {
        let last_words = to_raw(&why.body());
        let reason = match why {
            Error::AccountDisabled => CloseReason::Disabled,
            _ => CloseReason::SignedOut,
        };
        let mut held = self.held.lock();
        if self.refusal.set(why).is_ok() {
            match held.as_mut() {
                Some(held) => *held = vec![("error", last_words)],
                None => self.outlet.push("error", &last_words),
            }
            drop(held);
            self.outlet.close(reason);
        }
    }

    /// Why its access was ended, if it was.
    #[must_use]
    pub fn refusal(&self) -> Option<&Error> {
        self.refusal.get()
    }

    /// Notes that it is a member of a live room; `false` if it is gone.
    pub(super) fn enter(&self, room: &RoomId) -> bool {
        self.rooms.lock().as_mut().is_some_and(|rooms| {
            rooms.insert(room.clone());
            true
        })
    }

    /// Notes that it is no member of a live room any more.
    pub(super) fn exit(&self, room: &RoomId) {
        if let Some(rooms) = self.rooms.lock().as_mut() {
            rooms.remove(room);
        }
    }

    /// The live rooms that it is a member of.
    pub(super) fn rooms(&self) -> Vec<RoomId> {
        let rooms = self.rooms.lock();
        rooms.iter().flatten().cloned().collect()
    }

    /// It is gone: the live rooms that it has to be taken out of.
    pub(super) fn end(&self) -> HashSet<RoomId> {
        let rooms = self.rooms.lock().take().unwrap_or_default();
        self.subscriptions.lock().clear();
        rooms
    }

    /// Whether it is notified of a message for the first time.
    pub(super) fn is_first_told(&self, message: MessageId) -> bool {
        let mut notified = self.notified.lock();
        if notified.contains(&message) {
            return false;
        }
        if notified.len() == NOTIFIED {
            notified.pop_front();
        }
        notified.push_back(message);
        true
    }

    /// What it listens to from now on, as long as it lasts.
    pub(super) fn subscribed(&self, topics: Vec<Subscription>) {
        let rooms = self.rooms.lock();
        if rooms.is_some() {
            self.subscriptions.lock().extend(topics);
        }
    }

    pub fn push(&self, event: &'static str, payload: &RawValue) {
        if !self.namespace.hears(event) || self.refusal().is_some() {
            return;
        }
        if self.is_held() {
            let mut held = self.held.lock();
            if let Some(held) = held.as_mut() {
                return held.push((event, payload.to_owned()));
            }
        }
        self.outlet.push(event, payload);
    }

    /// A change of a room, as those in this namespace hear it.
    pub(super) fn deliver(&self, change: &Encoded) {
        match (self.namespace, &change.for_staff) {
            (Namespace::Admin, Some((event, payload))) => self.push(event, payload),
            _ => self.push("new_message", &change.json),
        }
    }

    /// Keeps what is pushed until [`Connection::release`].
    pub(super) fn hold(&self) {
        *self.held.lock() = Some(Vec::new());
        self.is_held.store(true, Ordering::Release);
    }

    /// Tells what comes first, then what has happened meanwhile.
    pub(super) fn release(&self, first: Option<Told>) {
        let mut held = self.held.lock();
        let later = held.take().unwrap_or_default();
        let first = first.filter(|_| self.refusal().is_none());
        for (event, payload) in first.into_iter().chain(later) {
            self.outlet.push(event, &payload);
        }
        self.is_held.store(false, Ordering::Release);
    }

    /// Whether what it is told has to wait.
    pub(super) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    /// Holds a place as long as the connection lasts.
    pub(super) fn keep(&self, place: UserPlace) {
        self.places.lock().push(place);
    }

    pub fn send(&self, event: &'static str, payload: &impl Serialize) {
        self.push(event, &to_raw(payload));
    }

    pub fn close(&self, reason: CloseReason) {
        self.outlet.close(reason);
    }
}
