//! Who belongs to a room, and how far they have read.

use std::collections::{BTreeMap, HashMap};

use entity::{
    ids::{Rev, RoomId, TenantId, UserId},
    participants::{ActiveModel, Column, Entity, Model, Role},
    rooms,
    timestamp::Timestamp,
    users,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Store, lock,
    rows::{self, Kind, Rows, padded},
    timed,
};
use crate::error::Result;

/// The participants of a room, as access decides by them.
#[derive(Clone, Debug)]
pub enum Membership {
    /// All of them.
    All(HashMap<UserId, Role>),
    /// More than were asked for: each has to be looked up.
    Large,
}

/// A participant with what is known of the user.
#[derive(Clone, Debug)]
pub struct Member {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub role: Role,
    pub username: String,
    pub last_seen_at: Option<Timestamp>,
}

impl Store {
    /// Adds a participant; one who is there already stays as they are. Says whether somebody was added.
    pub async fn add_participant(
        &self,
        tenant: &TenantId,
        room: &rooms::Model,
        user: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<bool> {
        let (tenant, room, user) = (tenant.clone(), room.clone(), user.clone());
        self.writer
            .write("add_participant", move |txn| {
                Box::pin(async move {
                    lock::guests(txn, &tenant, std::slice::from_ref(&user)).await?;
                    insert(txn, &tenant, &room, &user, role, now).await
                })
            })
            .await
    }

    pub async fn membership(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        most: usize,
    ) -> Result<Membership> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::RoomId.eq(room.clone()))
            .limit(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1));
        let rows: Vec<Model> = timed("membership", query.all(&self.reader)).await?;
        if rows.len() > most {
            return Ok(Membership::Large);
        }
        Ok(Membership::All(
            rows.into_iter()
                .map(|row| (row.user_id, row.role))
                .collect(),
        ))
    }

    pub async fn participant(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        user: &UserId,
    ) -> Result<Option<Model>> {
        let key = (tenant.clone(), room.clone(), user.clone());
        timed("participant", Entity::find_by_id(key).one(&self.reader)).await
    }

    /// The first participants of some rooms, in the order in which they came.
    pub async fn members(
        &self,
        tenant: &TenantId,
        rooms: &[RoomId],
        most: u64,
    ) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for room in rooms {
            let query = Entity::find()
                .filter(Column::TenantId.eq(tenant.clone()))
                .filter(Column::RoomId.eq(room.clone()))
                .order_by_asc(Column::JoinedAt)
                .order_by_asc(Column::UserId)
                .limit(most);
            members.extend(timed("members", query.all(&self.reader)).await?);
        }
        let names = self
            .names(tenant, members.iter().map(|member| member.user_id.clone()))
            .await?;
        let with_name = members.into_iter().map(|member| {
            let user = names.get(&member.user_id);
            Member {
                username: user.map_or_else(|| member.user_id.label(), |user| user.username.clone()),
                last_seen_at: user.and_then(|user| user.last_seen_at),
                room_id: member.room_id,
                user_id: member.user_id,
                role: member.role,
            }
        });
        Ok(with_name.collect())
    }

    pub(super) async fn names(
        &self,
        tenant: &TenantId,
        ids: impl Iterator<Item = UserId>,
    ) -> Result<HashMap<UserId, users::Model>> {
        let mut ids: Vec<UserId> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let mut names = HashMap::with_capacity(ids.len());
        for part in ids.chunks(500) {
            let query = users::Entity::find()
                .filter(users::Column::TenantId.eq(tenant.clone()))
                .filter(users::Column::Id.is_in(padded(part.to_vec())));
            let found = timed("names", query.all(&self.reader)).await?;
            names.extend(found.into_iter().map(|user| (user.id.clone(), user)));
        }
        Ok(names)
    }
}

/// Moves how far participants have read forward, never back. By tenant, room and user, in the order of the keys.
pub(super) async fn mark_all_read(
    txn: &DatabaseTransaction,
    read: BTreeMap<([String; 2], String), Rev>,
) -> Result<(), DbErr> {
    let mut rows = Rows::new(&[
        ("tenant", Kind::Text),
        ("room", Kind::Text),
        ("reader", Kind::Text),
        ("seq", Kind::Integer),
    ]);
    for (([tenant, room], user), seq) in read {
        rows.push(vec![tenant.into(), room.into(), user.into(), seq.into()]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE participants SET read_seq = l.seq \
         FROM (SELECT t.tenant_id, t.room_id, t.user_id, v.seq FROM {{v}} CROSS JOIN participants AS t \
               WHERE t.tenant_id = v.tenant AND t.room_id = v.room AND t.user_id = v.reader \
               AND t.read_seq < v.seq ORDER BY t.tenant_id, t.room_id, t.user_id{}) AS l \
         WHERE participants.tenant_id = l.tenant_id AND participants.room_id = l.room_id \
         AND participants.user_id = l.user_id",
        rows::for_update(txn)
    );
    txn.execute_raw(rows.statement(txn, &sql)).await.map(drop)
}

/// Moves how far a participant has read forward, never back.
pub(super) async fn mark_read(
    db: &impl ConnectionTrait,
    tenant: &TenantId,
    room: &RoomId,
    user: &UserId,
    seq: Rev,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ReadSeq, Expr::value(seq))
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::RoomId.eq(room.clone()))
        .filter(Column::UserId.eq(user.clone()))
        .filter(Column::ReadSeq.lt(seq))
        .exec(db)
        .await
        .map(drop)
}

/// Adds a participant who has read the room up to now.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    tenant: &TenantId,
    room: &rooms::Model,
    user: &UserId,
    role: Role,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let row = ActiveModel {
        tenant_id: Set(tenant.clone()),
        room_id: Set(room.id.clone()),
        user_id: Set(user.clone()),
        role: Set(role),
        joined_at: Set(now),
        read_seq: Set(room.last_message_seq),
    };
    let added = Entity::insert_many([row])
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(added > 0)
}
