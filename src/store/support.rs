//! Support rooms: opening, finding, and what a message does to one inside the transaction that stores it.

mod batch;

use std::collections::HashSet;

use entity::{
    ids::{Rev, RoomId, TenantId, UserId},
    messages::SenderType,
    names::name_key,
    participants::{self as participant_rows, Role},
    rooms::{self, RoomKind},
    support_rooms::{ActiveModel, Column, Entity, Model, SupportStatus},
    timestamp::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

pub(super) use batch::SupportBatch;

use super::{Store, guests, lock, timed};
use crate::error::{Error, Result};

pub use entity::support_rooms::Model as SupportRow;

/// A support room to be made for a customer who has none open.
#[derive(Clone, Debug)]
pub struct NewSupportRoom {
    pub id: RoomId,
    /// A user, or a guest.
    pub customer: UserId,
    pub is_guest: bool,
    pub name: String,
    pub email: Option<String>,
    /// Whether the customer said the name, so that an open room takes it over.
    pub is_named: bool,
    pub now: Timestamp,
}

/// What a message is in its support room.
#[derive(Clone, Debug)]
pub struct SupportWrite {
    pub sender: SenderType,
    /// Refused if the room has a newer message.
    pub if_rev: Option<Rev>,
    /// The conversation ends with it.
    pub closes: bool,
}

/// Where a support room stands after a message.
#[derive(Clone, Debug)]
pub struct SupportState {
    pub row: Model,
    /// Whether the status, or who looks after the room, is another than before.
    pub is_news: bool,
}

/// Where a list of support rooms goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportCursor {
    pub active_at: Timestamp,
    pub room: RoomId,
}

impl Store {
    pub async fn support_room(&self, tenant: &TenantId, room: &RoomId) -> Result<Option<Model>> {
        let query = Entity::find_by_id((tenant.clone(), room.clone()));
        timed("support_room", query.one(&self.reader)).await
    }

    /// A customer's newest support room, of all or of those that are open.
    pub async fn customers_room(
        &self,
        tenant: &TenantId,
        customer: &UserId,
        only_open: bool,
    ) -> Result<Option<Model>> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(is_of(customer))
            .filter(if only_open {
                is_open()
            } else {
                Condition::all()
            })
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::RoomId);
        timed("customers_room", query.one(&self.reader)).await
    }

    /// Opens a support room, or finds the one that the customer has open. Says whether it was made.
    ///
    /// # Errors
    /// [`Error::GuestLinked`] if the customer is a guest who has signed in: the room would be nobody's.
    pub async fn open_support_room(
        &self,
        tenant: &TenantId,
        new: NewSupportRoom,
    ) -> Result<(Model, bool)> {
        let tenant = tenant.clone();
        self.writer
            .write("open_support_room", move |txn| {
                Box::pin(async move { open(txn, &tenant, new).await })
            })
            .await?
    }

    /// Support rooms, newest activity first.
    pub async fn support_rooms(
        &self,
        tenant: &TenantId,
        status: Option<SupportStatus>,
        after: Option<SupportCursor>,
        limit: u32,
    ) -> Result<Vec<Model>> {
        let wanted = status.map_or_else(is_open, |status| {
            Condition::all().add(Column::Status.eq(status))
        });
        let mut query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(wanted)
            .order_by_desc(Column::ActiveAt)
            .order_by_desc(Column::RoomId)
            .limit(u64::from(limit));
        if let Some(SupportCursor { active_at, room }) = after {
            let same_time = Condition::all()
                .add(Column::ActiveAt.eq(active_at))
                .add(Column::RoomId.lt(room));
            let older = Condition::any()
                .add(Column::ActiveAt.lt(active_at))
                .add(same_time);
            query = query.filter(older);
        }
        timed("support_rooms", query.all(&self.reader)).await
    }

    pub async fn count_open_support_rooms(&self, tenant: &TenantId) -> Result<u64> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(is_open());
        timed("count_open_support_rooms", query.count(&self.reader)).await
    }

    /// Messages of staff above a `seq`: what a customer has not read.
    pub async fn unread_answers(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        read_seq: Rev,
    ) -> Result<i64> {
        let query = said(tenant, room, SenderType::Staff, read_seq);
        let count = timed("unread_answers", query.count(&self.reader)).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Makes somebody of the staff, or nobody, look after a room that is not closed; says where it stands then.
    pub async fn assign_support_room(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        staff: Option<UserId>,
    ) -> Result<Option<Model>> {
        let (tenant, room) = (tenant.clone(), room.clone());
        self.writer
            .write("assign_support_room", move |txn| {
                Box::pin(async move {
                    Entity::update_many()
                        .col_expr(Column::AssignedTo, Expr::value(staff))
                        .filter(Column::TenantId.eq(tenant.clone()))
                        .filter(Column::RoomId.eq(room.clone()))
                        .filter(is_open())
                        .exec(txn)
                        .await?;
                    Entity::find_by_id((tenant, room)).one(txn).await
                })
            })
            .await
    }

    /// The staff have read a room up to a `seq`; it never moves back. Says where the room stands then.
    pub async fn staff_have_read(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        seq: Rev,
    ) -> Result<Option<Model>> {
        let (tenant, room) = (tenant.clone(), room.clone());
        self.writer
            .write("staff_have_read", move |txn| {
                Box::pin(async move {
                    let Some(row) = Entity::find_by_id((tenant.clone(), room.clone()))
                        .lock_exclusive()
                        .one(txn)
                        .await?
                    else {
                        return Ok(None);
                    };
                    let read = row.staff_read_seq.max(seq);
                    let unread = said(&tenant, &room, SenderType::Customer, read)
                        .count(txn)
                        .await?;
                    let mut changed = row.into_active_model();
                    changed.staff_read_seq = Set(read);
                    changed.unread_count = Set(i64::try_from(unread).unwrap_or(i64::MAX));
                    Entity::update(changed).exec(txn).await.map(Some)
                })
            })
            .await
    }

    /// A customer has read their room up to a `seq`.
    pub async fn customer_has_read(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        customer: &UserId,
        seq: Rev,
    ) -> Result<()> {
        self.save_departure(tenant, customer, vec![(room.clone(), seq)], None)
            .await
    }
}

fn is_open() -> Condition {
    Condition::all().add(Column::Status.is_in([SupportStatus::Waiting, SupportStatus::Active]))
}

fn is_of(customer: &UserId) -> Condition {
    Condition::any()
        .add(Column::UserId.eq(customer.clone()))
        .add(Column::GuestId.eq(customer.clone()))
}

fn said(
    tenant: &TenantId,
    room: &RoomId,
    by: SenderType,
    above: Rev,
) -> sea_orm::Select<entity::messages::Entity> {
    use entity::messages::{Column, Entity};
    Entity::find()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::RoomId.eq(room.clone()))
        .filter(Column::Seq.gt(above))
        .filter(Column::SenderType.eq(by))
}

/// How often a room is looked for that is closed before it is found.
const MAX_CLOSED_MEANWHILE: usize = 5;

async fn open(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    new: NewSupportRoom,
) -> Result<Result<(Model, bool)>, DbErr> {
    if new.is_guest {
        lock::guests(txn, tenant, std::slice::from_ref(&new.customer)).await?;
        let guest = HashSet::from([(tenant, &new.customer)]);
        if !guests::signed_in(txn, guest).await?.is_empty() {
            return Ok(Err(Error::GuestLinked));
        }
    }
    for _ in 0..MAX_CLOSED_MEANWHILE {
        if let Some(row) = make(txn, tenant, &new).await? {
            return Ok(Ok((row, true)));
        }
        if let Some(row) = found(txn, tenant, &new).await? {
            return Ok(Ok((row, false)));
        }
    }
    Err(DbErr::RecordNotFound(
        "the customer's open support room".to_owned(),
    ))
}

/// None if the customer has one already.
async fn make(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    new: &NewSupportRoom,
) -> Result<Option<Model>, DbErr> {
    let (user_id, guest_id) = if new.is_guest {
        (None, Some(new.customer.clone()))
    } else {
        (Some(new.customer.clone()), None)
    };
    let row = ActiveModel {
        tenant_id: Set(tenant.clone()),
        room_id: Set(new.id.clone()),
        user_id: Set(user_id),
        guest_id: Set(guest_id),
        customer_name: Set(new.name.clone()),
        customer_email: Set(new.email.clone()),
        status: Set(SupportStatus::Waiting),
        assigned_to: Set(None),
        staff_read_seq: Set(Rev(0)),
        unread_count: Set(0),
        created_at: Set(new.now),
        active_at: Set(new.now),
        closed_at: Set(None),
    };
    // The partial unique indexes decide, whoever else is opening one.
    let made = Entity::insert_many([row])
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    if made == 0 {
        return Ok(None);
    }
    let room = rooms::ActiveModel {
        tenant_id: Set(tenant.clone()),
        id: Set(new.id.clone()),
        name: Set(new.name.clone()),
        name_key: Set(name_key(&new.name)),
        kind: Set(RoomKind::Support),
        created_by: Set(new.customer.clone()),
        created_at: Set(new.now),
        direct_key: Set(None),
        last_rev: Set(Rev(0)),
        last_message_seq: Set(Rev(0)),
        last_message_at: Set(None),
        archived_at: Set(None),
    };
    rooms::Entity::insert(room)
        .exec_without_returning(txn)
        .await?;
    let customer = participant_rows::ActiveModel {
        tenant_id: Set(tenant.clone()),
        room_id: Set(new.id.clone()),
        user_id: Set(new.customer.clone()),
        role: Set(Role::Member),
        joined_at: Set(new.now),
        read_seq: Set(Rev(0)),
    };
    participant_rows::Entity::insert(customer)
        .exec_without_returning(txn)
        .await?;
    Entity::find_by_id((tenant.clone(), new.id.clone()))
        .one(txn)
        .await
}

/// The customer's open room, under the name and address that they said just now.
async fn found(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    new: &NewSupportRoom,
) -> Result<Option<Model>, DbErr> {
    let query = Entity::find()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(is_of(&new.customer))
        .filter(is_open())
        .lock_exclusive();
    let Some(row) = query.one(txn).await? else {
        return Ok(None);
    };
    let is_renamed = new.is_named && row.customer_name != new.name;
    let has_new_email = new.email.is_some() && row.customer_email != new.email;
    if !is_renamed && !has_new_email {
        return Ok(Some(row));
    }
    let mut changed = row.into_active_model();
    if is_renamed {
        changed.customer_name = Set(new.name.clone());
    }
    if has_new_email {
        changed.customer_email = Set(new.email.clone());
    }
    Entity::update(changed).exec(txn).await.map(Some)
}
