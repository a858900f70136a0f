//! What a node does that may not have heard all that others told: it looks into the store, which is the truth.
//!
//! Other nodes are not heard while the bus is away, and each node that could not tell something asks all the others to
//! look ([`crate::bus::Event::CatchUp`]). Looking costs a few queries for hundreds of rooms or users at a time, so it can
//! be done over and over while the bus is away: then nodes hear of each other through the store, only later. What is found
//! is told as if it had been heard: messages by the live rooms, which give each one once; access that has ended to those
//! who lost it.

use std::{
    collections::{HashMap, HashSet},
    future::pending,
    sync::{Arc, Weak},
    time::Duration,
};

use entity::{
    ids::{RoomId, TenantId, UserId},
    rooms::RoomKind,
    timestamp::Timestamp,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

use super::{Chat, Connection, Namespace, RoomKey};
use crate::{
    error::{Error, Result},
    protocol::{Encoded, ParticipantChange},
    store::{AMONG, Membership, MessageQuery},
};

/// The least time between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// The most: the next look may be the one for the bus that is back.
const MOST: Duration = Duration::from_secs(1);
/// Up to that, looking takes no more than this part of the time.
const SHARE: u32 = 5;
/// How long before a look something may have been said that was not heard: longer than it takes to notice an outage.
const MARGIN_MS: i64 = 60_000;
/// The desk is told where everything stands no more often than this.
const DESK_PAUSE: Duration = Duration::from_secs(5);
/// Messages of a direct room that are given to those who missed them.
const MOST_MISSED: u32 = 500;

/// Looks when it is asked to, as long as there is a chat.
pub(super) async fn look(chat: Weak<Chat>, wanted: Arc<Notify>) {
    // How far back to look; none while nothing may have been missed.
    let mut since = None;
    let mut desks = Desks::default();
    loop {
        let is_wanted = since.is_some()
            || tokio::select! {
                () = wanted.notified() => true,
                () = desks.due() => false,
            };
        let Some(chat) = chat.upgrade() else { return };
        let start = Instant::now();
        if is_wanted {
            desks.are_owed = true;
            let from = *since.get_or_insert(Timestamp(chat.clock.now().0 - MARGIN_MS));
            match chat.catch_up_from(from).await {
                Ok(()) => since = None,
                // It looks again after the pause, as far back.
                Err(error) => tracing::debug!(%error, "what was missed could not be looked for"),
            }
        }
        if desks.take() && !chat.tell_desks_again().await {
            desks.are_owed = true;
        }
        let took = start.elapsed();
        drop(chat);
        sleep((took * SHARE).clamp(PAUSE, MOST)).await;
    }
}

/// When the staff are told where everything stands.
#[derive(Default)]
struct Desks {
    are_owed: bool,
    told: Option<Instant>,
}

impl Desks {
    fn next(&self) -> Instant {
        self.told
            .map_or_else(Instant::now, |told| told + DESK_PAUSE)
    }

    async fn due(&self) {
        if !self.are_owed {
            pending::<()>().await;
        }
        sleep_until(self.next()).await;
    }

    /// Whether they are told now.
    fn take(&mut self) -> bool {
        let is_due = self.are_owed && self.next() <= Instant::now();
        if is_due {
            self.are_owed = false;
            self.told = Some(Instant::now());
        }
        is_due
    }
}

impl Chat {
    async fn catch_up_from(&self, since: Timestamp) -> Result<()> {
        let mut rooms: HashMap<TenantId, Vec<RoomId>> = HashMap::new();
        for key in self.live.keys() {
            rooms.entry(key.tenant).or_default().push(key.room);
        }
        for (tenant, rooms) in rooms {
            for rooms in rooms.chunks(AMONG) {
                self.catch_up_rooms(&tenant, rooms).await?;
            }
        }
        let mut users: HashMap<TenantId, HashMap<UserId, Vec<Arc<Connection>>>> = HashMap::new();
        for connection in self.presence.connections() {
            let identity = connection.identity();
            let of_tenant = users.entry(identity.tenant.clone()).or_default();
            let theirs = of_tenant.entry(identity.user_id.clone()).or_default();
            theirs.push(connection);
        }
        for (tenant, connections) in users {
            let users: Vec<UserId> = connections.keys().cloned().collect();
            for users in users.chunks(AMONG) {
                self.catch_up_users(&tenant, users, &connections, since)
                    .await?;
            }
        }
        Ok(())
    }

    /// Gives the rooms what was said in them, and takes those out who do not belong to them any more.
    async fn catch_up_rooms(&self, tenant: &TenantId, rooms: &[RoomId]) -> Result<()> {
        let members: HashMap<RoomId, Vec<Arc<Connection>>> = rooms
            .iter()
            .map(|room| (room.clone(), self.live.members(&RoomKey::new(tenant, room))))
            .collect();
        let users: HashSet<UserId> = members
            .values()
            .flatten()
            .map(|connection| connection.identity().user_id.clone())
            .collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let standings = self.store.standings(tenant, rooms).await?;
        let belong = self.store.participants_among(tenant, rooms, &users).await?;
        for (room, kind, rev) in standings {
            for connection in members.get(&room).into_iter().flatten() {
                let identity = connection.identity();
                let needs_to = match kind {
                    RoomKind::Public => identity.is_guest,
                    RoomKind::Private | RoomKind::Direct => true,
                    RoomKind::Support => !identity.is_staff,
                };
                let user = identity.user_id.clone();
                if needs_to && !belong.contains(&(room.clone(), user.clone())) {
                    let change = ParticipantChange {
                        room_id: room.clone(),
                        username: identity.username.to_string(),
                        // Who it was, nobody told.
                        by: user.clone(),
                        user_id: user,
                    };
                    self.hear_removed(tenant, &change);
                }
            }
            self.live.reaches(&RoomKey::new(tenant, &room), rev);
        }
        Ok(())
    }

    async fn catch_up_users(
        &self,
        tenant: &TenantId,
        users: &[UserId],
        connections: &HashMap<UserId, Vec<Arc<Connection>>>,
        since: Timestamp,
    ) -> Result<()> {
        let theirs = |user: &UserId| connections.get(user).into_iter().flatten();
        self.end_lost_access(tenant, users, users.iter().flat_map(theirs))
            .await?;
        for room in self.store.direct_rooms_since(tenant, users, since).await? {
            self.catch_up_direct(&RoomKey::new(tenant, &room)).await?;
        }
        for user in self.store.notified_among(tenant, users).await? {
            let mut chats = theirs(&user).filter(|one| one.namespace == Namespace::Chat);
            if let Some(connection) = chats.next() {
                self.deliver_pending_notifications(connection).await?;
            }
        }
        Ok(())
    }

    /// Ends the connections of those whose access has ended.
    async fn end_lost_access(
        &self,
        tenant: &TenantId,
        users: &[UserId],
        connections: impl Iterator<Item = &Arc<Connection>>,
    ) -> Result<()> {
        let connections: Vec<_> = connections.map(|one| (one, one.identity())).collect();
        let sessions: Vec<_> = connections
            .iter()
            .filter_map(|(_, of)| of.session)
            .collect();
        let guests = connections.iter().filter(|(_, of)| of.is_guest);
        let guests: Vec<UserId> = guests.map(|(_, of)| of.user_id.clone()).collect();
        let rows = self.store.users_among(tenant, users).await?;
        let mut alive = HashSet::new();
        for sessions in sessions.chunks(AMONG) {
            let found = self
                .store
                .sessions_among(tenant, sessions, self.clock.now());
            alive.extend(found.await?);
        }
        let mut still = HashSet::new();
        for guests in guests.chunks(AMONG) {
            still.extend(self.store.guests_among(tenant, guests).await?);
        }
        for (connection, identity) in connections {
            let access = rows.get(&identity.user_id);
            let access = access.map_or(Ok(()), |row| super::has_access(&identity, row));
            match access {
                Err(Error::AccountDisabled) => connection.shut_out(Error::AccountDisabled),
                _ if identity.is_guest && !still.contains(&identity.user_id) => {
                    connection.shut_out(Error::GuestLinked);
                }
                Err(_) => connection.shut_out(Error::SignedOut),
                Ok(())
                    if identity
                        .session
                        .is_some_and(|session| !alive.contains(&session)) =>
                {
                    connection.shut_out(Error::SignedOut);
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Those who hear a private conversation without having joined it have missed what was said since they came, if they
    /// have heard nothing of it so far, or nothing before their own node told them something.
    async fn catch_up_direct(&self, key: &RoomKey) -> Result<()> {
        let room = self.room(&key.tenant, &key.room).await?;
        let Membership::All(users) = &room.participants else {
            return Ok(());
        };
        let users: Vec<UserId> = users.keys().cloned().collect();
        let mut connections = self
            .presence
            .connections_in(Namespace::Chat, &key.tenant, &users);
        connections.retain(|connection| !self.live.is_member(key, connection.id));
        let unheard = self.said_since(key, &connections).await?;
        self.live.listen_from(key, &unheard, &connections);
        let latecomers = self.live.latecomers(key);
        let earlier = self.said_since(key, &latecomers).await?;
        self.live.give_earlier(key, &earlier, &latecomers);
        Ok(())
    }

    /// The newest messages of a room, from the time when the first of some connections came.
    async fn said_since(
        &self,
        key: &RoomKey,
        connections: &[Arc<Connection>],
    ) -> Result<Vec<Arc<Encoded>>> {
        let longest = connections.iter().map(|one| one.opened.elapsed()).max();
        let Some(longest) = longest else {
            return Ok(Vec::new());
        };
        let came = self.clock.now().0 - i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
        let part = MessageQuery::Newest {
            before: None,
            limit: MOST_MISSED,
        };
        let messages = self.store.messages(&key.tenant, &key.room, part).await?;
        let said = messages
            .into_iter()
            .filter(|message| message.timestamp.0 >= came);
        Ok(said
            .map(|message| Arc::new(Encoded::new(Arc::new(message))))
            .collect())
    }

    /// What staff may have missed is told from the beginning: where everything stands. Says whether all were told.
    async fn tell_desks_again(&self) -> bool {
        let mut are_told = true;
        for connection in self.presence.connections() {
            if connection.namespace == Namespace::Admin
                && let Err(error) = self.tell_standing(&connection).await
            {
                tracing::debug!(%error, "the desk was not told where everything stands");
                are_told = false;
            }
        }
        are_told
    }
}
