//! Changing who belongs to a room, what it is called, and whether it is in use.
//!
//! What may be changed is decided inside the transaction that changes it: by rows that nobody else can change
//! meanwhile. So two owners who leave at once do not leave a room without one.

use entity::{
    ids::{RoomId, TenantId, UserId},
    names::name_key,
    notifications,
    participants::{self, Role},
    rooms,
    timestamp::Timestamp,
    users,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter,
};

use super::{Store, blocks, lock, users::ensure};
use crate::error::{Error, Result};

/// What a room is changed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// A new participant, as a member.
    Add,
    Remove,
    SetRole(Role),
    Rename(String),
    Archive(bool),
}

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub struct ChangeRequest {
    pub room: RoomId,
    pub actor: UserId,
    /// Whom it is about; the actor, where it is about nobody.
    pub subject: UserId,
    pub change: RoomChange,
    pub at: Timestamp,
}

/// What a change is decided by.
#[derive(Clone, Debug)]
pub struct Standing {
    pub room: rooms::Model,
    /// The role of whoever asks.
    pub actor: Option<Role>,
    /// The role of whom it is about.
    pub subject: Option<Role>,
    pub subject_is_guest: bool,
    pub owners: u64,
    /// One of the two has blocked the other.
    pub blocked: bool,
}

/// A change that was decided.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The room as it is now.
    pub room: rooms::Model,
    /// The name of the user whom it is about.
    pub username: String,
    /// Whether anything is different now.
    pub is_new: bool,
}

impl Store {
    /// Changes a room if `decide` says so; with `false` all is as it was asked for already.
    ///
    /// # Errors
    /// What `decide` says, [`Error::ROOM_NOT_FOUND`], [`Error::StorageUnavailable`].
    pub async fn change_room(
        &self,
        tenant: &TenantId,
        request: ChangeRequest,
        decide: impl FnOnce(&Standing, &RoomChange) -> Result<bool> + Clone + Send + 'static,
    ) -> Result<Changed> {
        let tenant = tenant.clone();
        self.writer
            .write("change_room", move |txn| {
                Box::pin(async move {
                    if request.change == RoomChange::Add {
                        let subject = std::slice::from_ref(&request.subject);
                        lock::guests(txn, &tenant, subject).await?;
                    }
                    let user_key = (tenant.clone(), request.subject.clone());
                    let user = users::Entity::find_by_id(user_key).one(txn).await?;
                    let is_guest = user.as_ref().is_some_and(|user| user.is_guest);
                    let Some(standing) = standing(txn, &tenant, &request, is_guest).await? else {
                        return Ok(Err(Error::ROOM_NOT_FOUND));
                    };
                    let is_new = match decide(&standing, &request.change) {
                        Ok(is_new) => is_new,
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    let username =
                        user.map_or_else(|| request.subject.label(), |user| user.username);
                    let room = if is_new {
                        apply(txn, &tenant, standing.room, request).await?
                    } else {
                        standing.room
                    };
                    Ok(Ok(Changed {
                        room,
                        username,
                        is_new,
                    }))
                })
            })
            .await?
    }
}

async fn standing(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    request: &ChangeRequest,
    subject_is_guest: bool,
) -> Result<Option<Standing>, DbErr> {
    // Whoever changes the room, its participants or its messages waits until this is done.
    let Some(room) = lock::room(txn, tenant, &request.room).await? else {
        return Ok(None);
    };
    if request.change == RoomChange::Add {
        lock::blocks_of(txn, tenant, &request.actor).await?;
    }
    let role = async |user: &UserId| {
        let key = (tenant.clone(), request.room.clone(), user.clone());
        let row = participants::Entity::find_by_id(key).one(txn).await?;
        Ok::<_, DbErr>(row.map(|row| row.role))
    };
    let owners = participants::Entity::find()
        .filter(participants::Column::TenantId.eq(tenant.clone()))
        .filter(participants::Column::RoomId.eq(request.room.clone()))
        .filter(participants::Column::Role.eq(Role::Owner))
        .count(txn)
        .await?;
    let subject = std::slice::from_ref(&request.subject);
    Ok(Some(Standing {
        actor: role(&request.actor).await?,
        subject: role(&request.subject).await?,
        subject_is_guest,
        owners,
        blocked: blocks::between(txn, tenant, &request.actor, subject).await?,
        room,
    }))
}

async fn apply(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    room: rooms::Model,
    request: ChangeRequest,
) -> Result<rooms::Model, DbErr> {
    let ChangeRequest {
        subject,
        change,
        at,
        ..
    } = request;
    let key = (tenant.clone(), room.id.clone(), subject.clone());
    match change {
        RoomChange::Add => {
            ensure(txn, tenant, &subject, &subject.label(), false, at).await?;
            super::participants::insert(txn, tenant, &room, &subject, Role::Member, at).await?;
        }
        RoomChange::Remove => {
            participants::Entity::delete_by_id(key).exec(txn).await?;
            // What was kept for them is not theirs any more.
            notifications::Entity::delete_many()
                .filter(notifications::Column::TenantId.eq(tenant.clone()))
                .filter(notifications::Column::UserId.eq(subject))
                .filter(notifications::Column::RoomId.eq(room.id.clone()))
                .exec(txn)
                .await?;
        }
        RoomChange::SetRole(role) => {
            let row = participants::ActiveModel {
                tenant_id: Set(key.0),
                room_id: Set(key.1),
                user_id: Set(key.2),
                role: Set(role),
                ..Default::default()
            };
            participants::Entity::update(row).exec(txn).await?;
        }
        RoomChange::Rename(name) => {
            let mut row = room.into_active_model();
            row.name_key = Set(name_key(&name));
            row.name = Set(name);
            return row.update(txn).await;
        }
        RoomChange::Archive(archived) => {
            let mut row = room.into_active_model();
            row.archived_at = Set(archived.then_some(at));
            return row.update(txn).await;
        }
    }
    Ok(room)
}
