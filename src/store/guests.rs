//! Guest sessions, found by the hash of their secret, and what becomes of a guest who signs in.

use std::collections::HashSet;

use entity::{
    guest_sessions::{ActiveModel, Column, Entity, Model},
    ids::{RoomId, TenantId, UserId},
    participants,
    support_rooms::{self, SupportStatus},
    timestamp::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Store, UserRow, lock,
    rows::{self, Kind, Rows},
    timed, users,
};
use crate::error::Result;

/// Guests that a user was before, at the most, that are looked at when a message may have been sent before.
const MAX_FORMER_GUESTS: u64 = 20;

/// How a guest session is named.
#[derive(Clone, Debug)]
pub enum GuestKey {
    /// By the hash of its secret.
    Secret(String),
    /// By the guest's id, by one who has shown the secret before.
    Guest(UserId),
}

/// What became of the wish to link a guest session to a user.
#[derive(Clone, Debug)]
pub enum Linked {
    /// There is no such session.
    Unknown,
    /// It is linked to another user.
    Another,
    /// It was linked to this user before.
    Before,
    Now {
        guest: UserId,
        /// The rooms that are the user's now.
        rooms: Vec<RoomId>,
        /// Support rooms that were closed: a customer has one open room, that of the newest activity.
        closed: Vec<RoomId>,
    },
}

impl Store {
    /// The guest of a session that is not linked to a user and was used since a time. The secret alone names it, and its
    /// tenant with it.
    pub async fn guest(
        &self,
        secret_hash: &str,
        since: Timestamp,
    ) -> Result<Option<(UserRow, Timestamp)>> {
        let query = Entity::find_by_id(secret_hash)
            .filter(Column::LinkedUserId.is_null())
            .filter(Column::SeenAt.gte(since));
        let Some(session) = timed("guest", query.one(&self.reader)).await? else {
            return Ok(None);
        };
        let user = self.user(&session.tenant_id, &session.user_id).await?;
        Ok(user.map(|user| (user, session.seen_at)))
    }

    /// Whether a guest may go on as one: they have not signed in.
    pub async fn is_guest_still(&self, tenant: &TenantId, guest: &UserId) -> Result<bool> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::UserId.eq(guest.clone()))
            .filter(Column::LinkedUserId.is_null());
        let found = timed("is_guest_still", query.one(&self.reader)).await?;
        Ok(found.is_some())
    }

    /// The guests that a user was before signing in, newest first.
    pub async fn former_guests(&self, tenant: &TenantId, user: &UserId) -> Result<Vec<UserId>> {
        let query = Entity::find()
            .select_only()
            .column(Column::UserId)
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::LinkedUserId.eq(user.clone()))
            .order_by_desc(Column::CreatedAt)
            .limit(MAX_FORMER_GUESTS)
            .into_tuple();
        timed("former_guests", query.all(&self.reader)).await
    }

    pub async fn create_guest(
        &self,
        tenant: &TenantId,
        secret_hash: String,
        user: &UserId,
        username: &str,
        now: Timestamp,
    ) -> Result<()> {
        let (tenant, user, username) = (tenant.clone(), user.clone(), username.to_owned());
        self.writer
            .write("create_guest", move |txn| {
                Box::pin(async move {
                    users::ensure(txn, &tenant, &user, &username, true, now).await?;
                    let session = ActiveModel {
                        secret_hash: Set(secret_hash),
                        tenant_id: Set(tenant),
                        user_id: Set(user),
                        created_at: Set(now),
                        seen_at: Set(now),
                        linked_user_id: Set(None),
                    };
                    Entity::insert(session)
                        .exec_without_returning(txn)
                        .await
                        .map(drop)
                })
            })
            .await
    }

    /// The guest has come back.
    pub async fn guest_seen(
        &self,
        tenant: &TenantId,
        secret_hash: String,
        now: Timestamp,
    ) -> Result<()> {
        let tenant = tenant.clone();
        self.writer
            .write("guest_seen", move |txn| {
                Box::pin(async move {
                    Entity::update_many()
                        .col_expr(Column::SeenAt, Expr::value(now))
                        .filter(Column::TenantId.eq(tenant))
                        .filter(Column::SecretHash.eq(secret_hash))
                        .exec(txn)
                        .await
                        .map(drop)
                })
            })
            .await
    }

    /// Makes a guest a user, once: the guest's rooms are the user's from now on.
    pub async fn link_guest(
        &self,
        tenant: &TenantId,
        key: GuestKey,
        user: &UserId,
        username: &str,
        now: Timestamp,
    ) -> Result<Linked> {
        let (tenant, user, username) = (tenant.clone(), user.clone(), username.to_owned());
        self.writer
            .write("link_guest", move |txn| {
                Box::pin(async move { link(txn, &tenant, key, &user, &username, now).await })
            })
            .await
    }
}

/// Those of some senders who were guests, and have signed in.
pub(super) async fn signed_in(
    txn: &DatabaseTransaction,
    senders: HashSet<(&TenantId, &UserId)>,
) -> Result<HashSet<(TenantId, UserId)>, DbErr> {
    let mut rows = Rows::new(&[("tenant", Kind::Text), ("guest", Kind::Text)]);
    for (tenant, user) in senders {
        rows.push(vec![tenant.clone().into(), user.clone().into()]);
    }
    let linked = "t.tenant_id = v.tenant AND t.user_id = v.guest AND t.linked_user_id IS NOT NULL";
    let found = rows::select(txn, Entity, rows, linked, None).await?;
    let guests = found.into_iter().map(|row| (row.tenant_id, row.user_id));
    Ok(guests.collect())
}

async fn link(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    key: GuestKey,
    user: &UserId,
    username: &str,
    now: Timestamp,
) -> Result<Linked, DbErr> {
    let by_key = match key {
        GuestKey::Secret(hash) => Column::SecretHash.eq(hash),
        GuestKey::Guest(guest) => Column::UserId.eq(guest),
    };
    let session = Entity::find()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(by_key)
        .lock_exclusive()
        .one(txn)
        .await?;
    let Some(session) = session else {
        return Ok(Linked::Unknown);
    };
    match &session.linked_user_id {
        Some(linked) if linked == user => return Ok(Linked::Before),
        Some(_) => return Ok(Linked::Another),
        None => {}
    }
    let guest = session.user_id.clone();
    let mut linked: ActiveModel = Model::into_active_model(session);
    linked.linked_user_id = Set(Some(user.clone()));
    Entity::update(linked).exec(txn).await?;
    // The guest comes to no more rooms now.
    let places = places_of(txn, tenant, &guest).await?;
    lock::rooms(txn, places.iter().map(|row| (&row.tenant_id, &row.room_id))).await?;
    let closed = move_support_rooms(txn, tenant, &guest, user, username, now).await?;
    let rooms = move_participations(txn, tenant, &guest, user).await?;
    Ok(Linked::Now {
        guest,
        rooms,
        closed,
    })
}

/// A guest's places in rooms.
async fn places_of(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    guest: &UserId,
) -> Result<Vec<participants::Model>, DbErr> {
    use participants::{Column, Entity};
    Entity::find()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::UserId.eq(guest.clone()))
        .order_by_asc(Column::RoomId)
        .all(txn)
        .await
}

/// The user takes the guest's place in their rooms, and keeps their own where they had one.
async fn move_participations(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    guest: &UserId,
    user: &UserId,
) -> Result<Vec<RoomId>, DbErr> {
    use participants::{Column, Entity};
    // Again, now that the rooms are locked: they may have been removed from one.
    let rows = places_of(txn, tenant, guest).await?;
    let rooms = rows.iter().map(|row| row.room_id.clone()).collect();
    Entity::delete_many()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::UserId.eq(guest.clone()))
        .exec(txn)
        .await?;
    for row in rows {
        let place = participants::ActiveModel {
            tenant_id: Set(row.tenant_id),
            room_id: Set(row.room_id),
            user_id: Set(user.clone()),
            role: Set(row.role),
            joined_at: Set(row.joined_at),
            read_seq: Set(row.read_seq),
        };
        Entity::insert_many([place])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(txn)
            .await?;
    }
    Ok(rooms)
}

/// A customer has one open room: of the guest's and the user's the one with the newest activity.
async fn move_support_rooms(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    guest: &UserId,
    user: &UserId,
    username: &str,
    now: Timestamp,
) -> Result<Vec<RoomId>, DbErr> {
    use support_rooms::{Column, Entity};
    let of = |owner: sea_orm::sea_query::SimpleExpr| {
        Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(owner)
            .order_by_asc(Column::RoomId)
            .lock_exclusive()
    };
    let guests = of(Column::GuestId.eq(guest.clone())).all(txn).await?;
    let users = of(Column::UserId.eq(user.clone()))
        .filter(Column::Status.ne(SupportStatus::Closed))
        .all(txn)
        .await?;
    let mut open: Vec<_> = guests
        .iter()
        .chain(&users)
        .filter(|row| row.status != SupportStatus::Closed)
        .cloned()
        .collect();
    open.sort_by_key(|row| std::cmp::Reverse(row.active_at));
    let closed: Vec<RoomId> = open.into_iter().skip(1).map(|row| row.room_id).collect();
    // Closed first: the unique index holds within the transaction too.
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(SupportStatus::Closed))
        .col_expr(Column::ClosedAt, Expr::value(now))
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::RoomId.is_in(closed.iter().cloned()))
        .exec(txn)
        .await?;
    for row in guests {
        let has_own_name = !row.customer_name.starts_with("Guest ");
        let mut moved = support_rooms::ActiveModel {
            tenant_id: Set(row.tenant_id),
            room_id: Set(row.room_id),
            user_id: Set(Some(user.clone())),
            ..Default::default()
        };
        if !has_own_name {
            moved.customer_name = Set(username.to_owned());
        }
        Entity::update(moved).exec(txn).await?;
    }
    Ok(closed)
}
