//! Rooms and the list of a user's conversations.

use std::collections::{HashMap, HashSet};

use entity::{
    ids::{Rev, RoomId, TenantId, UserId},
    messages,
    names::name_key,
    participants,
    participants::Role,
    rooms::{ActiveModel, Column, Entity, Model, RoomKind},
    timestamp::Timestamp,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use super::{
    Store, blocks, lock,
    messages::from_model,
    rows::{self, Kind, Rows, padded},
    timed, users,
};
use crate::{
    error::{Error, Result},
    protocol::Message,
};

/// The most conversations that are listed.
const MAX_CONVERSATIONS: u64 = 500;

/// A room to be made, with its first participants.
#[derive(Clone, Debug)]
pub struct NewRoom {
    pub id: RoomId,
    pub name: String,
    pub kind: RoomKind,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub direct_key: Option<String>,
    pub participants: Vec<(UserId, Role)>,
}

/// A room of a user, with what the list of conversations says of it.
pub(crate) struct ConversationRow {
    pub room: Model,
    pub last_message: Option<Message>,
    pub unread: i64,
}

impl Store {
    pub async fn room(&self, tenant: &TenantId, room: &RoomId) -> Result<Option<Model>> {
        timed(
            "room",
            Entity::find_by_id((tenant.clone(), room.clone())).one(&self.reader),
        )
        .await
    }

    /// The room of two users, see [`NewRoom::direct_key`].
    pub async fn direct_room(&self, tenant: &TenantId, direct_key: &str) -> Result<Option<Model>> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::DirectKey.eq(direct_key));
        timed("direct_room", query.one(&self.reader)).await
    }

    /// Makes a room, or finds the one that has its id or its direct key. Participants that are not known as users yet
    /// become users.
    ///
    /// # Errors
    /// [`Error::Blocked`] if one of them and whoever makes the room have blocked each other.
    pub async fn create_room(&self, tenant: &TenantId, room: NewRoom) -> Result<Model> {
        let tenant = tenant.clone();
        self.writer
            .write("create_room", move |txn| {
                Box::pin(async move { create(txn, tenant, room).await })
            })
            .await?
    }

    /// The other users who share a room with a user, for presence; at most so many.
    pub async fn companions(
        &self,
        tenant: &TenantId,
        user: &UserId,
        most: u64,
    ) -> Result<Vec<UserId>> {
        let query = participants::Entity::find()
            .select_only()
            .column(participants::Column::UserId)
            .distinct()
            .filter(participants::Column::TenantId.eq(tenant.clone()))
            .filter(participants::Column::UserId.ne(user.clone()))
            .filter(participants::Column::RoomId.in_subquery(rooms_of_user(tenant, user)))
            .limit(most)
            .into_tuple();
        timed("companions", query.all(&self.reader)).await
    }

    /// Whether two users belong to one room.
    pub async fn share_a_room(
        &self,
        tenant: &TenantId,
        one: &UserId,
        other: &UserId,
    ) -> Result<bool> {
        let query = of_user(tenant, other)
            .filter(participants::Column::RoomId.in_subquery(rooms_of_user(tenant, one)));
        let found = timed("share_a_room", query.one(&self.reader)).await?;
        Ok(found.is_some())
    }

    /// A user's rooms, newest activity first.
    pub(crate) async fn conversations(
        &self,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<Vec<ConversationRow>> {
        let (rooms, read) = self.rooms_with_marks(tenant, user).await?;
        let mut last = self.last_messages(tenant, &rooms).await?;
        let mut rows = Vec::with_capacity(rooms.len());
        for room in rooms {
            let read_seq = read.get(&room.id).copied().unwrap_or_default();
            let unread = if room.last_message_seq > read_seq {
                self.unread(tenant, &room.id, user, read_seq).await?
            } else {
                0
            };
            let last_message = last.remove(&room.id);
            rows.push(ConversationRow {
                room,
                last_message,
                unread,
            });
        }
        Ok(rows)
    }

    /// A user's rooms, newest activity first.
    pub(crate) async fn user_rooms(&self, tenant: &TenantId, user: &UserId) -> Result<Vec<Model>> {
        let (rooms, _) = self.rooms_with_marks(tenant, user).await?;
        Ok(rooms)
    }

    /// The same, with how far the user has read in each.
    async fn rooms_with_marks(
        &self,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<(Vec<Model>, HashMap<RoomId, Rev>)> {
        let mine = of_user(tenant, user).all(&self.reader);
        let mine = timed("conversations", mine).await?;
        let read: HashMap<RoomId, Rev> = mine
            .into_iter()
            .map(|row| (row.room_id, row.read_seq))
            .collect();
        let mut rooms = Vec::with_capacity(read.len());
        let ids: Vec<RoomId> = read.keys().cloned().collect();
        for part in ids.chunks(500) {
            let query = Entity::find()
                .filter(Column::TenantId.eq(tenant.clone()))
                .filter(Column::Id.is_in(padded(part.to_vec())));
            rooms.extend(timed("conversations", query.all(&self.reader)).await?);
        }
        rooms
            .sort_by_key(|room| std::cmp::Reverse(room.last_message_at.unwrap_or(room.created_at)));
        rooms.truncate(usize::try_from(MAX_CONVERSATIONS).unwrap_or(usize::MAX));
        Ok((rooms, read))
    }

    /// Some rooms, each with its last message.
    pub async fn latest(
        &self,
        tenant: &TenantId,
        rooms: &[RoomId],
    ) -> Result<HashMap<RoomId, (Model, Option<Message>)>> {
        let mut found = Vec::with_capacity(rooms.len());
        for part in rooms.chunks(500) {
            let query = Entity::find()
                .filter(Column::TenantId.eq(tenant.clone()))
                .filter(Column::Id.is_in(padded(part.to_vec())));
            found.extend(timed("latest", query.all(&self.reader)).await?);
        }
        let mut last = self.last_messages(tenant, &found).await?;
        let with_last = found.into_iter().map(|room| {
            let message = last.remove(&room.id);
            (room.id.clone(), (room, message))
        });
        Ok(with_last.collect())
    }

    async fn last_messages(
        &self,
        tenant: &TenantId,
        rooms: &[Model],
    ) -> Result<HashMap<RoomId, Message>> {
        let mut newest = Rows::new(&[
            ("tenant", Kind::Text),
            ("room", Kind::Text),
            ("seq", Kind::Integer),
        ]);
        for room in rooms.iter().filter(|room| room.last_message_seq > Rev(0)) {
            newest.push(vec![
                tenant.clone().into(),
                room.id.clone().into(),
                room.last_message_seq.into(),
            ]);
        }
        let same = "t.tenant_id = v.tenant AND t.room_id = v.room AND t.seq = v.seq";
        let found = rows::select(&self.reader, messages::Entity, newest, same, None);
        let found = timed("last_messages", found).await?;
        let last = found
            .into_iter()
            .map(|model| (model.room_id.clone(), from_model(model)));
        Ok(last.collect())
    }

    /// The ids of a user's rooms.
    pub(crate) async fn rooms_of(
        &self,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<HashSet<RoomId>> {
        let query = participants::Entity::find()
            .select_only()
            .column(participants::Column::RoomId)
            .filter(participants::Column::TenantId.eq(tenant.clone()))
            .filter(participants::Column::UserId.eq(user.clone()))
            .into_tuple();
        let rooms: Vec<RoomId> = timed("rooms_of", query.all(&self.reader)).await?;
        Ok(rooms.into_iter().collect())
    }

    /// Messages of others above a `seq`.
    pub async fn unread(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        user: &UserId,
        read_seq: Rev,
    ) -> Result<i64> {
        let query = messages::Entity::find()
            .filter(messages::Column::TenantId.eq(tenant.clone()))
            .filter(messages::Column::RoomId.eq(room.clone()))
            .filter(messages::Column::Seq.gt(read_seq))
            .filter(messages::Column::UserId.ne(user.clone()));
        let count = timed("unread", query.count(&self.reader)).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

fn of_user(tenant: &TenantId, user: &UserId) -> Select<participants::Entity> {
    participants::Entity::find()
        .filter(participants::Column::TenantId.eq(tenant.clone()))
        .filter(participants::Column::UserId.eq(user.clone()))
}

fn rooms_of_user(tenant: &TenantId, user: &UserId) -> SelectStatement {
    of_user(tenant, user)
        .select_only()
        .column(participants::Column::RoomId)
        .into_query()
}

async fn create(
    txn: &DatabaseTransaction,
    tenant: TenantId,
    mut room: NewRoom,
) -> Result<Result<Model>, DbErr> {
    // In one order, as others make users too.
    room.participants
        .sort_by_cached_key(|(user, _)| user.to_string());
    let users: Vec<UserId> = room
        .participants
        .iter()
        .map(|(user, _)| user.clone())
        .collect();
    lock::guests(txn, &tenant, &users).await?;
    let row = ActiveModel {
        tenant_id: Set(tenant.clone()),
        id: Set(room.id.clone()),
        name_key: Set(name_key(&room.name)),
        name: Set(room.name),
        kind: Set(room.kind),
        created_by: Set(room.created_by),
        created_at: Set(room.created_at),
        direct_key: Set(room.direct_key.clone()),
        last_rev: Set(Rev(0)),
        last_message_seq: Set(Rev(0)),
        last_message_at: Set(None),
        archived_at: Set(None),
    };
    let made = Entity::insert_many([row])
        .on_conflict(
            sea_orm::sea_query::OnConflict::new()
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(txn)
        .await?;
    let same_id = Condition::all().add(Column::Id.eq(room.id));
    let same = match room.direct_key {
        Some(key) => Condition::any().add(same_id).add(Column::DirectKey.eq(key)),
        None => same_id,
    };
    let found = Entity::find()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(same)
        .order_by_asc(Column::CreatedAt)
        .one(txn)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("the room that was just made".to_owned()))?;
    if made > 0 {
        lock::blocks_of(txn, &tenant, &found.created_by).await?;
        if blocks::between(txn, &tenant, &found.created_by, &users).await? {
            Entity::delete_by_id((tenant, found.id)).exec(txn).await?;
            return Ok(Err(Error::Blocked));
        }
        for (user, role) in room.participants {
            users::ensure(txn, &tenant, &user, &user.label(), false, room.created_at).await?;
            super::participants::insert(txn, &tenant, &found, &user, role, room.created_at).await?;
        }
    }
    Ok(Ok(found))
}
