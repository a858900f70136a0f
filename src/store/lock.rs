//! The rows that a transaction locks before it decides anything; in which order, `transactions.rs` says. SQLite has one
//! writer: there these only read.

use entity::{
    guest_sessions,
    ids::{RoomId, TenantId, UserId},
    rooms, users,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};

use super::rows::{self, Kind, Rows, padded};

/// Some rooms, as they are until the transaction ends.
pub(super) async fn rooms(
    txn: &DatabaseTransaction,
    places: impl IntoIterator<Item = (&TenantId, &RoomId)>,
) -> Result<Vec<rooms::Model>, DbErr> {
    let mut places: Vec<_> = places
        .into_iter()
        .map(|(tenant, room)| (tenant.to_string(), room.to_string()))
        .collect();
    places.sort_unstable();
    places.dedup();
    let mut rows = Rows::new(&[("tenant", Kind::Text), ("room", Kind::Text)]);
    for (tenant, room) in places {
        rows.push(vec![tenant.into(), room.into()]);
    }
    let same = "t.tenant_id = v.tenant AND t.id = v.room";
    rows::select(txn, rooms::Entity, rows, same, Some("t.tenant_id, t.id")).await
}

/// A room, as it is until the transaction ends.
pub(super) async fn room(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    room: &RoomId,
) -> Result<Option<rooms::Model>, DbErr> {
    rooms::Entity::find_by_id((tenant.clone(), room.clone()))
        .lock_exclusive()
        .one(txn)
        .await
}

/// The room of two users, if they have one: messages to it wait until the transaction ends.
pub(super) async fn direct_room(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    direct_key: &str,
) -> Result<(), DbErr> {
    rooms::Entity::find()
        .filter(rooms::Column::TenantId.eq(tenant.clone()))
        .filter(rooms::Column::DirectKey.eq(direct_key))
        .lock_exclusive()
        .one(txn)
        .await
        .map(drop)
}

/// Lets no guest among some users sign in meanwhile, which would give their places to somebody else.
pub(super) async fn guests(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    users: &[UserId],
) -> Result<(), DbErr> {
    if txn.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    guest_sessions::Entity::find()
        .filter(guest_sessions::Column::TenantId.eq(tenant.clone()))
        .filter(guest_sessions::Column::UserId.is_in(padded(users.to_vec())))
        .order_by_asc(guest_sessions::Column::UserId)
        .lock_shared()
        .all(txn)
        .await
        .map(drop)
}

/// Lets a user's blocks, in both directions, be as they are.
pub(super) async fn blocks_of(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    user: &UserId,
) -> Result<(), DbErr> {
    of_users(txn, tenant, std::slice::from_ref(user), Select::lock_shared).await
}

/// Lets nobody who decides by the blocks of two users go on until the transaction ends.
pub(super) async fn change_of_blocks(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    pair: &[UserId],
) -> Result<(), DbErr> {
    of_users(txn, tenant, pair, Select::lock_exclusive).await
}

async fn of_users(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    ids: &[UserId],
    lock: impl FnOnce(Select<users::Entity>) -> Select<users::Entity>,
) -> Result<(), DbErr> {
    if txn.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let query = users::Entity::find()
        .filter(users::Column::TenantId.eq(tenant.clone()))
        .filter(users::Column::Id.is_in(padded(ids.to_vec())))
        .order_by_asc(users::Column::Id);
    lock(query).all(txn).await.map(drop)
}
