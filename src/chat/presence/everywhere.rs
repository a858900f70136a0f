//! Makes what the roster of all nodes says agree with who is here, and tells what changes by it.
//!
//! A user who comes online or goes is told once, by the node that made the difference: the roster knows which. Each call
//! to it brings it up to what is so now, not to what was so when the call was wanted, so it does not matter in which order
//! they are made, nor how often. While the roster cannot be reached, each node tells what it knows to its own
//! connections, and the roster when it can.

use std::{
    collections::HashSet,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use entity::{
    ids::{RoomId, TenantId, UserId},
    timestamp::Timestamp,
};
use futures_util::{StreamExt, future::join_all, stream};
use moka::{ops::compute::Op, sync::Cache};

use super::{Presence, Tenant, news::Companions, stripe};
use crate::{
    auth::Identity,
    bus::{Redeclare, Topic, Unreachable, Version},
    chat::{Chat, Connection, Namespace, RoomKey, guests::guest_identity},
    error::Error,
};

/// How often nodes tell each other how many users they have.
const COUNT: Duration = Duration::from_secs(3);
/// The roster is told of so many users at once when it has to be told of many.
const DECLARED_AT_ONCE: usize = 32;
/// The note under which nodes pin up how many signed-in users they have.
const SIGNED_IN: &str = "signed_in";

/// What was told of a user here last.
#[derive(Clone, Copy)]
pub(super) struct Told {
    version: Version,
    is_online: bool,
}

pub(super) fn told() -> Cache<(TenantId, UserId), Told> {
    Cache::builder()
        .max_capacity(100_000)
        .time_to_live(Duration::from_mins(10))
        .build()
}

impl Tenant {
    /// Signed-in users of all nodes, about.
    pub(super) fn signed_in(&self) -> usize {
        self.signed_in.load(Ordering::Relaxed) + self.signed_in_elsewhere.load(Ordering::Relaxed)
    }
}

impl Presence {
    /// Whether a change of a user's presence is news here: not if it was told already, or something later was.
    pub(super) fn is_news(
        &self,
        tenant: &TenantId,
        user: &UserId,
        is_online: bool,
        version: Version,
    ) -> bool {
        let key = (tenant.clone(), user.clone());
        let mut is_news = true;
        self.told.entry(key).and_compute_with(|before| {
            let before = before.map(moka::Entry::into_value);
            // What was decided without the roster has no place in the order.
            let has_place = version != Version::default();
            if before.is_some_and(|told| has_place && version < told.version) {
                is_news = false;
                return Op::Nop;
            }
            is_news = before.is_none_or(|told| told.is_online != is_online);
            Op::Put(Told {
                version: before.map_or(version, |told| told.version.max(version)),
                is_online,
            })
        });
        is_news
    }

    /// Whether it was told here last that a user had gone.
    fn is_told_gone(&self, tenant: &TenantId, user: &UserId) -> bool {
        let told = self.told.get(&(tenant.clone(), user.clone()));
        told.is_some_and(|told| !told.is_online)
    }

    /// What the roster has to be told of a user: that they are here, or that they are not.
    fn undeclared(&self, tenant: &TenantId, user: &UserId) -> Option<bool> {
        let tenant = self.tenant(tenant);
        let online = tenant.users.get(user)?;
        (online.declared != Some(!online.ended)).then_some(!online.ended)
    }

    /// A user who is here, of whom the roster was told.
    fn declared_here(&self, tenant: &TenantId, user: &UserId) -> Option<Arc<Identity>> {
        let tenant = self.tenant(tenant);
        let online = tenant.users.get(user)?;
        (online.declared == Some(true) && !online.ended).then(|| Arc::clone(&online.identity))
    }

    /// What the roster was told, if it answered.
    fn declared(&self, tenant: &TenantId, user: &UserId, is_here: Option<bool>) {
        if let Some(mut online) = self.tenant(tenant).users.get_mut(user) {
            online.declared = is_here;
        }
    }

    /// Forgets a user who is gone and whom the roster does not have.
    fn forget(&self, tenant: &TenantId, user: &UserId) {
        let users = &self.tenant(tenant).users;
        users.remove_if(user, |_, online| {
            online.ended && online.declared == Some(false)
        });
    }

    /// All users who are kept here, and whether the roster was told what is so.
    fn all(&self) -> Vec<(Arc<Identity>, bool)> {
        let tenants: Vec<_> = self
            .tenants
            .iter()
            .map(|tenant| Arc::clone(&tenant))
            .collect();
        let users = tenants.iter().flat_map(|tenant| {
            let users = tenant.users.iter();
            let users = users.map(|user| {
                (
                    Arc::clone(&user.identity),
                    user.declared == Some(!user.ended),
                )
            });
            users.collect::<Vec<_>>()
        });
        users.collect()
    }
}

impl Chat {
    /// Subscribes a connection to what concerns its user, on whatever node it happens.
    pub(in crate::chat) async fn listen(&self, connection: &Connection) {
        let identity = connection.identity();
        let (tenant, user) = (identity.tenant.clone(), identity.user_id.clone());
        let of_all = match connection.namespace {
            Namespace::Chat if !identity.is_guest => Some(Topic::Tenant(tenant.clone())),
            Namespace::Admin => Some(Topic::Desk(tenant.clone())),
            Namespace::Chat | Namespace::Support => None,
        };
        let topics = [Some(Topic::User(tenant, user)), of_all];
        let subscriptions = topics.into_iter().flatten();
        let subscriptions = subscriptions.map(|topic| self.bus.subscribe(topic));
        connection.subscribed(join_all(subscriptions).await);
    }

    /// Tells the roster, and then those who may know, what has become of a user's presence, if it is another than what
    /// was told.
    pub(super) async fn settle(
        &self,
        identity: &Identity,
        gone: Option<Timestamp>,
        companions: Companions,
    ) {
        let (tenant, user) = (&identity.tenant, &identity.user_id);
        let _one_by_one = self.presence.declaring[stripe(user)].lock().await;
        let Some(is_here) = self.presence.undeclared(tenant, user) else {
            return self.presence.forget(tenant, user);
        };
        let changed = if is_here {
            let rooms = self.rooms_here(tenant, user, None);
            self.roster.arrive(tenant, user, &rooms).await
        } else {
            self.roster.depart(tenant, user).await
        };
        let is_told = changed.is_ok().then_some(is_here);
        self.presence.declared(tenant, user, is_told);
        let gone = (!is_here).then(|| gone.unwrap_or_else(|| self.clock.now()));
        match changed {
            Ok(Some(version)) => {
                let _turn = self.presence.turn(user);
                self.publish_presence(identity, gone, companions, version);
            }
            // They are on another node, which could not be known when it was told here that they had gone.
            Ok(None) if self.presence.is_told_gone(tenant, user) => {
                self.tell_presence_here(identity, None, companions);
            }
            Ok(None) => {}
            // Others may know better.
            Err(Unreachable) => self.tell_presence_here(identity, gone, companions),
        }
        self.presence.forget(tenant, user);
    }

    /// The roster can be reached again, or has lost what it was told.
    pub(in crate::chat) async fn redeclare(&self, what: Redeclare) {
        let mut users = self.presence.all();
        if what == Redeclare::Changed {
            users.retain(|(_, is_told)| !is_told);
        }
        let declared = stream::iter(users).map(|(identity, is_told)| async move {
            if is_told {
                self.declare_again(&identity, what).await;
            } else {
                let companions = self.companions_or_none(&identity).await;
                self.settle(&identity, None, companions).await;
            }
        });
        declared
            .buffer_unordered(DECLARED_AT_ONCE)
            .collect::<()>()
            .await;
    }

    /// The roster has lost a user of whom it was told.
    async fn declare_again(&self, identity: &Identity, what: Redeclare) {
        let (tenant, user) = (&identity.tenant, &identity.user_id);
        let _one_by_one = self.presence.declaring[stripe(user)].lock().await;
        if self.presence.declared_here(tenant, user).is_none() {
            return;
        }
        let rooms = self.rooms_here(tenant, user, None);
        let changed = if what == Redeclare::Aloud {
            self.roster.arrive(tenant, user, &rooms).await
        } else {
            self.roster.remain(tenant, user, &rooms).await
        };
        self.told_again(identity, changed).await;
    }

    /// The roster was told again of a user of whom it was told: others may believe that the user had gone.
    async fn told_again(&self, identity: &Identity, changed: Result<Option<Version>, Unreachable>) {
        match changed {
            Ok(Some(version)) => {
                let companions = self.companions_or_none(identity).await;
                self.publish_presence(identity, None, companions, version);
            }
            Ok(None) => {}
            Err(Unreachable) => {
                let (tenant, user) = (&identity.tenant, &identity.user_id);
                self.presence.declared(tenant, user, None);
            }
        }
    }

    /// Lets other nodes know in which rooms a user is here, with one that they are about to enter.
    pub(in crate::chat) async fn note_rooms(
        &self,
        tenant: &TenantId,
        user: &UserId,
        entering: Option<&RoomId>,
    ) {
        if !self.roster.is_shared() {
            return;
        }
        let _one_by_one = self.presence.declaring[stripe(user)].lock().await;
        let Some(identity) = self.presence.declared_here(tenant, user) else {
            return;
        };
        let rooms = self.rooms_here(tenant, user, entering);
        let changed = self.roster.remain(tenant, user, &rooms).await;
        self.told_again(&identity, changed).await;
    }

    pub(in crate::chat) fn spawn_note_rooms(&self, tenant: &TenantId, user: &UserId) {
        if let Some(chat) = self.this.upgrade()
            && self.roster.is_shared()
        {
            let (tenant, user) = (tenant.clone(), user.clone());
            tokio::spawn(async move { chat.note_rooms(&tenant, &user, None).await });
        }
    }

    fn rooms_here(
        &self,
        tenant: &TenantId,
        user: &UserId,
        entering: Option<&RoomId>,
    ) -> Vec<RoomId> {
        let user = std::slice::from_ref(user);
        let connections = self.presence.connections_in(Namespace::Chat, tenant, user);
        let mut rooms: HashSet<RoomId> = entering.into_iter().cloned().collect();
        for connection in connections {
            let joined = connection.rooms().into_iter();
            rooms.extend(joined.filter(|room| {
                self.live
                    .has_joined(&RoomKey::new(tenant, room), connection.id)
            }));
        }
        rooms.into_iter().collect()
    }

    async fn companions_or_none(&self, identity: &Identity) -> Companions {
        let companions = self.companions(identity).await;
        companions.unwrap_or_else(|_| Companions::none())
    }

    /// A user's node has died, and they are nowhere any more.
    pub(in crate::chat) async fn bury(
        &self,
        tenant: TenantId,
        user: UserId,
        version: Version,
    ) -> Result<(), Error> {
        let Some(row) = self.store.user(&tenant, &user).await? else {
            return Ok(());
        };
        let gone = self.clock.now();
        self.store
            .save_departure(&tenant, &user, Vec::new(), Some(gone))
            .await?;
        let identity = Identity {
            is_guest: row.is_guest,
            ..guest_identity(tenant, user, row.username.into())
        };
        let companions = self.companions(&identity).await?;
        self.publish_presence(&identity, Some(gone), companions, version);
        Ok(())
    }

    /// Which of some users are online, on whatever node.
    pub(in crate::chat) async fn online(
        &self,
        tenant: &TenantId,
        users: &[UserId],
    ) -> HashSet<UserId> {
        let is_here = |user: &&UserId| self.presence.is_here(tenant, user);
        let (here, away): (Vec<_>, Vec<_>) = users.iter().partition(is_here);
        let mut online: HashSet<UserId> = here.into_iter().cloned().collect();
        if !away.is_empty() {
            let away: Vec<UserId> = away.into_iter().cloned().collect();
            online.extend(self.roster.elsewhere(tenant, &away).await.into_keys());
        }
        online
    }

    /// Whether a user is online, on whatever node.
    pub(in crate::chat) async fn is_online(&self, tenant: &TenantId, user: &UserId) -> bool {
        let online = self.online(tenant, std::slice::from_ref(user)).await;
        !online.is_empty()
    }

    /// Says how many signed-in users are here, and asks the other nodes.
    async fn count_signed_in(&self) {
        let tenants: Vec<_> = self
            .presence
            .tenants
            .iter()
            .map(|tenant| (tenant.key().clone(), Arc::clone(&tenant)))
            .collect();
        for (id, tenant) in tenants {
            let here = tenant.signed_in.load(Ordering::Relaxed);
            let note = (here > 0).then(|| here.to_string());
            if self.roster.pin(&id, SIGNED_IN, note).await.is_err() {
                // It is said in a moment.
                return;
            }
            let elsewhere = self.roster.pinned(&id, SIGNED_IN).await;
            let counts = elsewhere
                .iter()
                .filter_map(|note| note.parse::<usize>().ok());
            tenant
                .signed_in_elsewhere
                .store(counts.sum(), Ordering::Relaxed);
        }
    }
}

/// Counts as long as there is a chat.
pub(in crate::chat) async fn count(chat: Weak<Chat>) {
    loop {
        tokio::time::sleep(COUNT).await;
        let Some(chat) = chat.upgrade() else { return };
        chat.count_signed_in().await;
    }
}
