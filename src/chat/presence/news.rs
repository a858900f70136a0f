//! Who is told of somebody's coming and going.

use std::{collections::HashMap, sync::Arc};

use entity::{
    ids::{RoomId, TenantId, UserId},
    timestamp::Timestamp,
};

use crate::{
    auth::Identity,
    bus::{Event, Listener, Origin, Version},
    chat::{Chat, RoomKey},
    error::Result,
    protocol::{Membership, PresenceUpdate, to_raw},
};

/// Users who share a room with one and are told of their presence, at the most.
const MAX_COMPANIONS: u64 = 5000;
/// How often they are looked up at the most, where people are parted all the time.
const COMPANION_TRIES: u32 = 5;

/// Who shares a room with a user, and when that was so.
pub(in crate::chat) struct Companions {
    users: Vec<UserId>,
    partings: u64,
    /// The user's open support room: the staff are told.
    support_room: Option<RoomId>,
}

impl Companions {
    pub(super) const fn none() -> Self {
        Self {
            users: Vec::new(),
            partings: 0,
            support_room: None,
        }
    }
}

impl Chat {
    /// Who shares a room with a user. It is read again if somebody was parted from others meanwhile, some times.
    pub(in crate::chat) async fn companions(&self, user: &Identity) -> Result<Companions> {
        let (tenant, id) = (&user.tenant, &user.user_id);
        let support = self.store.customers_room(tenant, id, true).await?;
        let support_room = support.map(|row| row.room_id);
        let mut tries = 0;
        loop {
            let partings = self.presence.partings(tenant);
            let users = self.store.companions(tenant, id, MAX_COMPANIONS).await?;
            tries += 1;
            if tries == COMPANION_TRIES || self.presence.partings(tenant) == partings {
                return Ok(Companions {
                    users,
                    partings,
                    support_room,
                });
            }
        }
    }

    pub(super) fn publish_presence(
        &self,
        identity: &Identity,
        gone: Option<Timestamp>,
        companions: Companions,
        version: Version,
    ) {
        self.tell_presence(identity, gone, companions, version, |event| {
            self.bus.publish(event);
        });
    }

    /// What the roster was not asked for is told to nobody else: it has no place in the order.
    pub(super) fn tell_presence_here(
        &self,
        identity: &Identity,
        gone: Option<Timestamp>,
        companions: Companions,
    ) {
        let _turn = self.presence.turn(&identity.user_id);
        self.tell_presence(identity, gone, companions, Version::default(), |event| {
            self.hear(event, Origin::Here);
        });
    }

    fn tell_presence(
        &self,
        identity: &Identity,
        gone: Option<Timestamp>,
        companions: Companions,
        version: Version,
        tell: impl FnOnce(Event),
    ) {
        let tenant = self.presence.tenant(&identity.tenant);
        // Held until all have been told: whoever is parted waits for that, or is not told.
        let partings = tenant.partings.read();
        let is_current = *partings == companions.partings;
        tell(Event::Presence {
            tenant: identity.tenant.clone(),
            update: PresenceUpdate {
                user_id: identity.user_id.clone(),
                username: identity.username.to_string(),
                last_seen: gone,
            },
            version,
            to_all: !identity.is_guest && tenant.signed_in() <= self.config.presence_tenant_limit,
            companions: if is_current {
                companions.users.into()
            } else {
                Arc::default()
            },
            support_room: companions.support_room,
        });
    }

    /// Says whether it was news here.
    pub(in crate::chat) fn hear_presence(
        &self,
        tenant: &TenantId,
        update: &PresenceUpdate,
        version: Version,
        to_all: bool,
        companions: &[UserId],
    ) -> bool {
        let is_online = update.last_seen.is_none();
        if !self
            .presence
            .is_news(tenant, &update.user_id, is_online, version)
        {
            return false;
        }
        let own = std::slice::from_ref(&update.user_id);
        let with_user = [companions, own].map(|users| self.presence.connections_of(tenant, users));
        let mut audience: HashMap<_, _> = with_user
            .into_iter()
            .flatten()
            .map(|connection| (connection.id, connection))
            .collect();
        if to_all {
            let here = self.presence.tenant(tenant);
            let all = here.connections(|user| !user.identity.is_guest);
            audience.extend(
                all.into_iter()
                    .map(|connection| (connection.id, connection)),
            );
        }
        let payload = to_raw(update);
        let event = if is_online {
            "user_online"
        } else {
            "user_offline"
        };
        for connection in audience.values() {
            connection.push(event, &payload);
        }
        true
    }

    pub(in crate::chat) fn hear_left(
        &self,
        tenant: &TenantId,
        membership: Membership,
        is_online: bool,
    ) {
        let key = RoomKey::new(tenant, &membership.room_id);
        self.live.end_typing_of(&key, &membership.user_id);
        self.live.announce(&key, "user_left", &membership);
        if is_online {
            // Old clients read `user_left` as offline.
            let online = PresenceUpdate {
                user_id: membership.user_id,
                username: membership.username,
                last_seen: None,
            };
            self.live.announce(&key, "user_online", &online);
        }
    }
}
