//! Who is online: a user with a connection anywhere, and for a grace period after the last one went.
//!
//! Presence goes to all signed-in users of the tenant while few enough are online, beyond that to those who share a
//! room. Guests hear and are heard in shared rooms only.
//!
//! What is kept here is who is on this node; `everywhere` makes it agree with the roster of all nodes.

mod everywhere;
mod news;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use entity::ids::{Rev, RoomId, TenantId, UserId};

use moka::sync::Cache;
use parking_lot::{Mutex, MutexGuard, RwLock};
use serde_json::value::RawValue;

use everywhere::Told;
pub(super) use everywhere::count;
use news::Companions;

use super::{Chat, Connection, Namespace, RoomKey, left_undone};
use crate::{auth::Identity, error::Result};

/// The users of this node who are online, and their connections.
pub(super) struct Presence {
    tenants: DashMap<TenantId, Arc<Tenant>>,
    /// Those who wait for an answer and hold no connection: they make nobody online, and hear of what ends them.
    waiting: DashMap<(TenantId, UserId), Vec<Arc<Connection>>>,
    /// Held while a user's coming or going is decided and told, so that it is told in the order in which it happened.
    /// One lock for many users; it is never held across an await.
    turns: [Mutex<()>; 64],
    /// Held while the roster is told of a user, so that it is told one thing after the other.
    declaring: [tokio::sync::Mutex<()>; 64],
    /// What was told here last of those whose presence has changed lately.
    told: Cache<(TenantId, UserId), Told>,
}

#[derive(Default)]
struct Tenant {
    users: DashMap<UserId, Online>,
    /// Signed-in users among them.
    signed_in: AtomicUsize,
    /// Signed-in users of the other nodes, as they said a few seconds ago.
    signed_in_elsewhere: AtomicUsize,
    /// Counts the times that somebody stopped sharing a room with others.
    partings: RwLock<u64>,
}

struct Online {
    identity: Arc<Identity>,
    connections: Vec<Arc<Connection>>,
    /// Counts the times that the last connection went, so that of two grace periods only the newer one ends it.
    departures: u64,
    /// The grace period is over. The user is kept as long as the roster has not been told.
    ended: bool,
    /// Whether the roster has the user here. None where that is not known: it was told something, and did not answer.
    declared: Option<bool>,
    /// Whether one of the connections to the chat was told what had been kept for the user.
    welcomed: bool,
}

impl Presence {
    pub(super) fn new() -> Self {
        Self {
            tenants: DashMap::new(),
            waiting: DashMap::new(),
            turns: std::array::from_fn(|_| Mutex::new(())),
            declaring: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            told: everywhere::told(),
        }
    }

    pub(super) fn turn(&self, user: &UserId) -> MutexGuard<'_, ()> {
        self.turns[stripe(user)].lock()
    }

    fn tenant(&self, tenant: &TenantId) -> Arc<Tenant> {
        Arc::clone(&self.tenants.entry(tenant.clone()).or_default())
    }

    /// Takes a connection in; its user is here from now on.
    fn add(&self, connection: &Arc<Connection>) {
        let identity = connection.identity();
        let tenant = self.tenant(&identity.tenant);
        let mut user = tenant
            .users
            .entry(identity.user_id.clone())
            .or_insert_with(|| Online {
                identity: Arc::clone(&identity),
                connections: Vec::new(),
                departures: 0,
                ended: true,
                declared: Some(false),
                welcomed: false,
            });
        user.connections.push(Arc::clone(connection));
        user.identity = Arc::clone(&identity);
        if mem::take(&mut user.ended) && !identity.is_guest {
            tenant.signed_in.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says which departure it was, if it was the user's last connection.
    fn remove(&self, connection: &Connection) -> Option<u64> {
        let identity = connection.identity();
        let tenant = self.tenant(&identity.tenant);
        let mut user = tenant.users.get_mut(&identity.user_id)?;
        user.connections.retain(|other| other.id != connection.id);
        let is_chat = |other: &Arc<Connection>| other.namespace == Namespace::Chat;
        user.welcomed &= user.connections.iter().any(is_chat);
        if !user.connections.is_empty() {
            return None;
        }
        user.departures += 1;
        Some(user.departures)
    }

    /// Whether a user is to be told what was kept for them: nobody here has been since they came.
    fn welcome(&self, identity: &Identity) -> bool {
        let users = &self.tenant(&identity.tenant).users;
        let user = users.get_mut(&identity.user_id);
        user.is_some_and(|mut user| !mem::replace(&mut user.welcomed, true))
    }

    /// Ends a user's presence unless they came back after that departure.
    fn end(&self, identity: &Identity, departure: u64) {
        let tenant = self.tenant(&identity.tenant);
        let Some(mut user) = tenant.users.get_mut(&identity.user_id) else {
            return;
        };
        if user.connections.is_empty() && user.departures == departure && !user.ended {
            user.ended = true;
            if !user.identity.is_guest {
                tenant.signed_in.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Somebody shares a room with others no more: when this returns, nobody hears of anybody for having shared it.
    pub(super) fn part(&self, tenant: &TenantId) {
        *self.tenant(tenant).partings.write() += 1;
    }

    fn partings(&self, tenant: &TenantId) -> u64 {
        *self.tenant(tenant).partings.read()
    }

    /// Whether the user is online on this node.
    pub(super) fn is_here(&self, tenant: &TenantId, user: &UserId) -> bool {
        let tenant = self.tenants.get(tenant).map(|tenant| Arc::clone(&tenant));
        let online = tenant.and_then(|tenant| Some(!tenant.users.get(user)?.ended));
        online.unwrap_or_default()
    }

    /// A user's connections to the chat.
    pub(super) fn connection_count(&self, tenant: &TenantId, user: &UserId) -> usize {
        let connections = self.connections_of(tenant, std::slice::from_ref(user));
        connections
            .iter()
            .filter(|connection| connection.namespace == Namespace::Chat)
            .count()
    }

    /// Whether the user has a connection to the chat; one who is online may be in the grace period.
    pub(super) fn is_connected(&self, tenant: &TenantId, user: &UserId) -> bool {
        self.connection_count(tenant, user) > 0
    }

    /// Some users' connections in a namespace.
    pub(super) fn connections_in(
        &self,
        namespace: Namespace,
        tenant: &TenantId,
        users: &[UserId],
    ) -> Vec<Arc<Connection>> {
        let mut connections = self.connections_of(tenant, users);
        connections.retain(|connection| connection.namespace == namespace);
        connections
    }

    /// All of some users' connections.
    pub(super) fn connections_of(
        &self,
        tenant: &TenantId,
        users: &[UserId],
    ) -> Vec<Arc<Connection>> {
        let Some(tenant) = self.tenants.get(tenant).map(|tenant| Arc::clone(&tenant)) else {
            return Vec::new();
        };
        let found = users.iter().filter_map(|user| tenant.users.get(user));
        found.flat_map(|user| user.connections.clone()).collect()
    }

    /// Every connection, and everybody who waits.
    pub(super) fn connections(&self) -> Vec<Arc<Connection>> {
        let tenants: Vec<_> = self
            .tenants
            .iter()
            .map(|tenant| Arc::clone(&tenant))
            .collect();
        let waiting = self.waiting.iter().flat_map(|waiting| waiting.clone());
        tenants
            .iter()
            .flat_map(|tenant| tenant.connections(|_| true))
            .chain(waiting)
            .collect()
    }

    /// All that ends when a user loses access: their connections, and what waits for an answer.
    pub(super) fn all_of(&self, tenant: &TenantId, user: &UserId) -> Vec<Arc<Connection>> {
        let mut all = self.connections_of(tenant, std::slice::from_ref(user));
        if let Some(waiting) = self.waiting.get(&(tenant.clone(), user.clone())) {
            all.extend(waiting.iter().cloned());
        }
        all
    }

    pub(super) fn wait(&self, connection: &Arc<Connection>) {
        let mut waiting = self.waiting.entry(key(connection)).or_default();
        waiting.push(Arc::clone(connection));
    }

    pub(super) fn wait_no_more(&self, connection: &Connection) {
        let key = key(connection);
        if let Some(mut waiting) = self.waiting.get_mut(&key) {
            waiting.retain(|other| other.id != connection.id);
        }
        self.waiting
            .remove_if(&key, |_, waiting| waiting.is_empty());
    }
}

/// One of 64 locks.
fn stripe(user: &UserId) -> usize {
    let mut hasher = DefaultHasher::new();
    user.hash(&mut hasher);
    usize::try_from(hasher.finish() % 64).unwrap_or(0)
}

fn key(connection: &Connection) -> (TenantId, UserId) {
    let identity = connection.identity();
    (identity.tenant.clone(), identity.user_id.clone())
}

impl Tenant {
    fn connections(&self, of: impl Fn(&Online) -> bool) -> Vec<Arc<Connection>> {
        self.users
            .iter()
            .filter(|user| of(user))
            .flat_map(|user| user.connections.clone())
            .collect()
    }
}

impl Chat {
    /// A connection is about to be told that it is one: what concerns its user from here on is kept for it until it is
    /// ([`Chat::connect`]). This waits until other nodes are listened to, or are known to be out of reach.
    pub async fn expect(&self, connection: &Arc<Connection>) {
        connection.hold();
        self.listen(connection).await;
        let _turn = self.presence.turn(&connection.identity().user_id);
        self.presence.add(connection);
    }

    /// A connection that was expected is open; what comes first is told before what was kept for it.
    pub async fn connect(
        &self,
        connection: &Arc<Connection>,
        first: Option<(&'static str, Box<RawValue>)>,
    ) -> Result<()> {
        connection.release(first);
        let identity = connection.identity();
        let companions = self.companions(&identity).await?;
        self.settle(&identity, None, companions).await;
        if let Err(error) = self.confirm(connection).await {
            tracing::info!(%error, "a connection came too late");
            return Ok(());
        }
        match connection.namespace {
            Namespace::Chat => {}
            Namespace::Support => return self.enter_support(connection).await,
            Namespace::Admin => return self.enter_desk(connection).await,
        }
        if !self.presence.welcome(&identity) {
            // The connection that was here before has been told.
            return Ok(());
        }
        if let Err(error) = self.deliver_pending_notifications(connection).await {
            left_undone(
                &error,
                "kept notifications were not delivered; they are when the user comes next",
            );
        }
        Ok(())
    }

    /// A connection is gone. It leaves its rooms without a word; its user is offline after the grace period, unless
    /// they come back.
    pub async fn disconnect(self: &Arc<Self>, connection: &Arc<Connection>) {
        let identity = connection.identity();
        let departure = self.presence.remove(connection);
        if connection.namespace == Namespace::Admin {
            self.leave_desk(connection).await;
        }
        let rooms = connection.end().into_iter();
        let read = rooms.filter_map(|room| {
            let departure = self
                .live
                .leave(&RoomKey::new(&identity.tenant, &room), connection.id)?;
            self.typing_ended(connection, &room, &departure);
            // Customers and staff say themselves what they have read.
            (connection.namespace == Namespace::Chat).then_some((room, departure.seen))
        });
        let read: Vec<(RoomId, Rev)> = read.collect();
        if !read.is_empty() {
            self.note_rooms(&identity.tenant, &identity.user_id, None)
                .await;
        }
        let last_seen = self.clock.now();
        // Saved at once: the process may not live to see the end of the grace period.
        let gone = departure.map(|_| last_seen);
        if let Err(error) = self
            .store
            .save_departure(&identity.tenant, &identity.user_id, read, gone)
            .await
        {
            left_undone(
                &error,
                "how far a user has read, and when they left, was not saved",
            );
        }
        let Some(departure) = departure else { return };
        let chat = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(chat.config.presence_grace_seconds.0).await;
            let companions = chat.companions(&identity).await;
            let companions = companions.unwrap_or_else(|_| Companions::none());
            chat.presence.end(&identity, departure);
            chat.settle(&identity, Some(last_seen), companions).await;
        });
    }

    /// A guest's connection goes on as that of the user who the guest turned out to be, in the rooms where it is.
    pub(super) async fn change_identity(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        identity: Identity,
        known_before: Companions,
    ) -> Result<()> {
        let companions = self.companions(&identity).await?;
        let before = connection.identity();
        let departure = {
            let _turn = self.presence.turn(&before.user_id);
            self.presence.remove(connection)
        };
        {
            let _turn = self.presence.turn(&identity.user_id);
            connection.renew(identity.clone());
            self.presence.add(connection);
        }
        self.listen(connection).await;
        self.settle(&identity, None, companions).await;
        if let Some(departure) = departure {
            self.presence.end(&before, departure);
            let gone = Some(self.clock.now());
            self.settle(&before, gone, known_before).await;
        }
        Ok(())
    }
}
