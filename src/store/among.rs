//! What the store says of many at once: for a node that may have missed what others told.

use std::collections::{HashMap, HashSet};

use entity::{
    account_sessions, guest_sessions,
    ids::{Rev, RoomId, TenantId, UserId},
    notifications, participants,
    rooms::{self, RoomKind},
    timestamp::Timestamp,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{Store, UserRow, timed};
use crate::error::Result;

/// Keys in one query. Callers ask for no more.
pub const AMONG: usize = 500;

impl Store {
    /// Of some rooms, which of them they are and how far they have come.
    pub async fn standings(
        &self,
        tenant: &TenantId,
        rooms: &[RoomId],
    ) -> Result<Vec<(RoomId, RoomKind, Rev)>> {
        let query = rooms::Entity::find()
            .select_only()
            .columns([
                rooms::Column::Id,
                rooms::Column::Kind,
                rooms::Column::LastRev,
            ])
            .filter(rooms::Column::TenantId.eq(tenant.clone()))
            .filter(rooms::Column::Id.is_in(rooms.iter().cloned()))
            .into_tuple();
        timed("standings", query.all(&self.reader)).await
    }

    /// Which of some users belong to which of some rooms.
    pub async fn participants_among(
        &self,
        tenant: &TenantId,
        rooms: &[RoomId],
        users: &[UserId],
    ) -> Result<HashSet<(RoomId, UserId)>> {
        let mut found = HashSet::new();
        for users in users.chunks(AMONG) {
            let query = participants::Entity::find()
                .select_only()
                .columns([participants::Column::RoomId, participants::Column::UserId])
                .filter(participants::Column::TenantId.eq(tenant.clone()))
                .filter(participants::Column::RoomId.is_in(rooms.iter().cloned()))
                .filter(participants::Column::UserId.is_in(users.iter().cloned()))
                .into_tuple::<(RoomId, UserId)>();
            found.extend(timed("participants_among", query.all(&self.reader)).await?);
        }
        Ok(found)
    }

    pub async fn users_among(
        &self,
        tenant: &TenantId,
        users: &[UserId],
    ) -> Result<HashMap<UserId, UserRow>> {
        self.names(tenant, users.iter().cloned()).await
    }

    /// Which of some sessions of accounts go on.
    pub async fn sessions_among(
        &self,
        tenant: &TenantId,
        sessions: &[Uuid],
        now: Timestamp,
    ) -> Result<HashSet<Uuid>> {
        let query = account_sessions::Entity::find()
            .select_only()
            .column(account_sessions::Column::Id)
            .filter(account_sessions::Column::TenantId.eq(tenant.clone()))
            .filter(account_sessions::Column::Id.is_in(sessions.iter().copied()))
            .filter(account_sessions::Column::ExpiresAt.gt(now))
            .into_tuple();
        let found: Vec<Uuid> = timed("sessions_among", query.all(&self.reader)).await?;
        Ok(found.into_iter().collect())
    }

    /// Which of some guests have not signed in.
    pub async fn guests_among(
        &self,
        tenant: &TenantId,
        guests: &[UserId],
    ) -> Result<HashSet<UserId>> {
        let query = guest_sessions::Entity::find()
            .select_only()
            .column(guest_sessions::Column::UserId)
            .filter(guest_sessions::Column::TenantId.eq(tenant.clone()))
            .filter(guest_sessions::Column::UserId.is_in(guests.iter().cloned()))
            .filter(guest_sessions::Column::LinkedUserId.is_null())
            .into_tuple();
        let found: Vec<UserId> = timed("guests_among", query.all(&self.reader)).await?;
        Ok(found.into_iter().collect())
    }

    /// For which of some users notifications wait.
    pub async fn notified_among(&self, tenant: &TenantId, users: &[UserId]) -> Result<Vec<UserId>> {
        let query = notifications::Entity::find()
            .select_only()
            .column(notifications::Column::UserId)
            .distinct()
            .filter(notifications::Column::TenantId.eq(tenant.clone()))
            .filter(notifications::Column::UserId.is_in(users.iter().cloned()))
            .filter(notifications::Column::DeliveredAt.is_null())
            .into_tuple();
        timed("notified_among", query.all(&self.reader)).await
    }

    /// Direct rooms of some users in which something was said since some time.
    pub async fn direct_rooms_since(
        &self,
        tenant: &TenantId,
        users: &[UserId],
        since: Timestamp,
    ) -> Result<Vec<RoomId>> {
        let theirs = participants::Entity::find()
            .select_only()
            .column(participants::Column::RoomId)
            .filter(participants::Column::TenantId.eq(tenant.clone()))
            .filter(participants::Column::UserId.is_in(users.iter().cloned()));
        let query = rooms::Entity::find()
            .select_only()
            .column(rooms::Column::Id)
            .filter(rooms::Column::TenantId.eq(tenant.clone()))
            .filter(rooms::Column::Kind.eq(RoomKind::Direct))
            .filter(rooms::Column::LastMessageAt.gte(since))
            .filter(rooms::Column::Id.in_subquery(sea_orm::QueryTrait::into_query(theirs)))
            .into_tuple();
        timed("direct_rooms_since", query.all(&self.reader)).await
    }
}
