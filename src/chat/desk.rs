//! The staff's desk: all support rooms of their tenant, live, and who of them looks at which.

mod seats;
mod viewers;

use std::{collections::HashMap, sync::Arc};

use entity::{
    ids::{ExternalId, Rev, RoomId, TenantId, UserId},
    rooms::RoomKind,
    timestamp::Timestamp,
};
pub(super) use seats::Desk;
use seats::Turned;

use super::{
    Chat, Connection, Entry, RoomKey, left_undone, messages::Draft, room_cache::RoomRecord,
};
use crate::{
    auth::Identity,
    bus::Event,
    error::{Error, Result},
    protocol::{
        Activity, AdminMessage, AssignRoom, CustomerRoom, CustomerRoomChanged, CustomerRooms,
        GetMessages, GetRooms, MarkedRead, Message, MessagePage, RoomActivity, RoomStatus, Typing,
        Viewers, to_raw,
    },
    store::{SupportCursor, SupportRow},
};

/// Rooms that staff who connect are told of; the rest by `get_rooms`.
const ROOMS_AT_ONCE: u32 = 200;

impl Chat {
    /// Staff connect: they are told where everything stands, then what happens.
    pub(super) async fn enter_desk(&self, connection: &Arc<Connection>) -> Result<()> {
        self.desk.sit(connection);
        self.tell_standing(connection).await
    }

    /// Tells staff where everything stands, and then what happens.
    pub(super) async fn tell_standing(&self, connection: &Connection) -> Result<()> {
        connection.hold();
        let status = self.room_status(&connection.identity().tenant).await;
        let first = status.as_ref().ok();
        connection.release(first.map(|status| ("room_status", to_raw(status))));
        status.map(drop)
    }

    async fn room_status(&self, tenant: &TenantId) -> Result<RoomStatus> {
        let rows = self
            .store
            .support_rooms(tenant, None, None, ROOMS_AT_ONCE)
            .await?;
        Ok(RoomStatus {
            rooms: self.customer_rooms(tenant, rows).await?,
            active_customers: self.store.count_open_support_rooms(tenant).await?,
            viewers: self.viewers(tenant).await,
        })
    }

    pub(super) async fn leave_desk(&self, connection: &Connection) {
        let turned = self.desk.turn(connection, None, true);
        self.tell_turned(connection, None, &turned);
        self.pin_viewers(&connection.identity().tenant).await;
    }

    /// The support rooms of the tenant, newest activity first.
    pub async fn support_rooms(
        &self,
        caller: &Identity,
        request: GetRooms,
    ) -> Result<CustomerRooms> {
        Self::may_administer(caller)?;
        let after = request.cursor.as_deref().map(parse_cursor).transpose()?;
        let limit = request.limit.0;
        let tenant = &caller.tenant;
        let mut rows = self
            .store
            .support_rooms(tenant, request.status, after, limit + 1)
            .await?;
        let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next_cursor = rows.last().filter(|_| has_more).map(cursor);
        Ok(CustomerRooms {
            rooms: self.customer_rooms(tenant, rows).await?,
            next_cursor,
        })
    }

    /// A support room of the tenant, for staff.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::ROOM_NOT_FOUND`]; [`Error::ROOM_DENIED`] for a room of another kind.
    async fn desk_room(&self, caller: &Identity, room: &RoomId) -> Result<Arc<RoomRecord>> {
        Self::may_administer(caller)?;
        let room = self.room(&caller.tenant, room).await?;
        if room.row.kind != RoomKind::Support {
            return Err(Error::ROOM_DENIED);
        }
        Ok(room)
    }

    /// A reply of staff.
    pub async fn send_as_staff(
        &self,
        caller: &Identity,
        request: AdminMessage,
    ) -> Result<Arc<Message>> {
        let room = self.desk_room(caller, &request.room_id).await?;
        let draft = Draft {
            text: request.content.0,
            client_id: request.client_id,
            reply_to: None,
            support: None,
        };
        let sending = self
            .send_in_support_room(caller, &room, draft, request.if_rev)
            .await?;
        let message = sending.stored(&self.limits).await?;
        self.audit
            .note(Entry::new("support.reply", caller).room(&message.room_id));
        Ok(message)
    }

    /// A page of any support room.
    pub async fn history_for_staff(
        &self,
        connection: &Arc<Connection>,
        request: GetMessages,
        answer: &mut (dyn FnMut(MessagePage) + Send),
    ) -> Result<()> {
        self.desk_room(&connection.identity(), &request.room_id)
            .await?;
        self.get_messages(connection, request, answer).await
    }

    /// Staff type in a room that they are looking at.
    pub async fn typing_as_staff(
        &self,
        connection: &Arc<Connection>,
        room_id: RoomId,
        is_typing: bool,
    ) -> Result<()> {
        self.desk_room(&connection.identity(), &room_id).await?;
        self.typing(connection, Typing { room_id, is_typing }).await
    }

    /// Makes somebody look after a room. Ids of staff are those of their tokens; whoever is named is shown to staff only.
    pub async fn assign_room(
        &self,
        caller: &Identity,
        request: AssignRoom,
    ) -> Result<CustomerRoomChanged> {
        self.desk_room(caller, &request.room_id).await?;
        let staff = match request.user_id {
            None => Some(caller.user_id.clone()),
            Some(staff) => staff,
        };
        let tenant = &caller.tenant;
        if let Some(staff) = &staff
            && self
                .store
                .user(tenant, staff)
                .await?
                .is_none_or(|user| user.is_guest)
        {
            return Err(Error::NotFound("User"));
        }
        let row = self
            .store
            .assign_support_room(tenant, &request.room_id, staff.clone())
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        if row.assigned_to != staff {
            return Err(Error::RoomClosed);
        }
        let entry = Entry::new("support.assign", caller).room(&row.room_id);
        self.audit.note(match &staff {
            Some(staff) => entry.subject(staff),
            None => entry,
        });
        self.tell_status(tenant, &row).await;
        let room = self.customer_room(tenant, row).await?;
        Ok(CustomerRoomChanged { room })
    }

    /// Staff end a conversation.
    pub async fn close_as_staff(
        &self,
        caller: &Identity,
        room: &RoomId,
    ) -> Result<CustomerRoomChanged> {
        self.desk_room(caller, room).await?;
        self.end_support_room(caller, room).await?;
        let room = self.standing(&caller.tenant, room).await?;
        Ok(CustomerRoomChanged { room })
    }

    /// The staff have read a room up to a `seq`.
    pub async fn read_as_staff(
        &self,
        caller: &Identity,
        room: &RoomId,
        seq: Rev,
    ) -> Result<MarkedRead> {
        self.desk_room(caller, room).await?;
        let tenant = &caller.tenant;
        let seq = seq.min(self.newest_seq(tenant, room).await?);
        let before = self.store.support_room(tenant, room).await?;
        let before = before.ok_or(Error::ROOM_NOT_FOUND)?;
        if seq <= before.staff_read_seq {
            return Ok(MarkedRead {
                seq: before.staff_read_seq,
                unread_count: before.unread_count,
            });
        }
        let row = self.store.staff_have_read(tenant, room, seq).await?;
        let row = row.ok_or(Error::ROOM_NOT_FOUND)?;
        self.tell_read(caller, room, row.staff_read_seq);
        let activity = RoomActivity {
            seq: Some(row.staff_read_seq),
            unread_count: Some(row.unread_count),
            ..staff_activity(caller, room, Activity::Read)
        };
        self.tell_desk(tenant, activity);
        Ok(MarkedRead {
            seq: row.staff_read_seq,
            unread_count: row.unread_count,
        })
    }

    /// The caller looks at a room, or at none: colleagues are told, and the caller may type there.
    pub async fn view_room(
        &self,
        connection: &Arc<Connection>,
        room: Option<RoomId>,
    ) -> Result<Viewers> {
        let caller = connection.identity();
        if let Some(room) = &room {
            self.desk_room(&caller, room).await?;
        }
        let before = self.desk.viewing(connection);
        if before != room
            && let Some(before) = before
        {
            let key = RoomKey::new(&caller.tenant, &before);
            drop(self.live.leave(&key, connection.id));
        }
        if let Some(room) = &room {
            let key = RoomKey::new(&caller.tenant, room);
            self.enter_quietly(connection, &key).await?;
        }
        let turned = self.desk.turn(connection, room.as_ref(), false);
        self.tell_turned(connection, room.as_ref(), &turned);
        self.pin_viewers(&caller.tenant).await;
        let mut viewers = self.viewers(&caller.tenant).await;
        viewers.retain(|viewer| Some(&viewer.room_id) == room.as_ref());
        let room = match &room {
            Some(room) => Some(self.standing(&caller.tenant, room).await?),
            None => None,
        };
        Ok(Viewers { viewers, room })
    }

    /// How a room stands: a console may be at one that is on none of its pages.
    async fn standing(&self, tenant: &TenantId, room: &RoomId) -> Result<CustomerRoom> {
        let row = self.store.support_room(tenant, room).await?;
        self.customer_room(tenant, row.ok_or(Error::ROOM_NOT_FOUND)?)
            .await
    }

    fn tell_turned(&self, connection: &Connection, room: Option<&RoomId>, turned: &Turned) {
        let caller = connection.identity();
        if let Some(left) = &turned.left {
            self.tell_desk(
                &caller.tenant,
                staff_activity(&caller, left, Activity::Left),
            );
        }
        if let (Some(room), true) = (room, turned.is_new) {
            let activity = staff_activity(&caller, room, Activity::Viewing);
            self.tell_desk(&caller.tenant, activity);
        }
    }

    pub(super) fn tell_desk(&self, tenant: &TenantId, activity: RoomActivity) {
        self.bus.publish(Event::Desk {
            tenant: tenant.clone(),
            activity,
        });
    }

    pub(super) async fn customer_room(
        &self,
        tenant: &TenantId,
        row: SupportRow,
    ) -> Result<CustomerRoom> {
        let mut rooms = self.customer_rooms(tenant, vec![row]).await?;
        rooms.pop().ok_or(Error::ROOM_NOT_FOUND)
    }

    async fn customer_rooms(
        &self,
        tenant: &TenantId,
        rows: Vec<SupportRow>,
    ) -> Result<Vec<CustomerRoom>> {
        let ids: Vec<RoomId> = rows.iter().map(|row| row.room_id.clone()).collect();
        let mut latest = self.store.latest(tenant, &ids).await?;
        let mut names: HashMap<UserId, Option<String>> = HashMap::new();
        let mut rooms = Vec::with_capacity(rows.len());
        let customers: Vec<UserId> = rows.iter().filter_map(customer_of).collect();
        let online = self.online(tenant, &customers).await;
        for row in rows {
            if let Some(staff) = &row.assigned_to
                && !names.contains_key(staff)
            {
                let name = self.name_of(tenant, Some(staff)).await;
                names.insert(staff.clone(), name);
            }
            let assigned_name = row.assigned_to.as_ref().and_then(|id| names[id].clone());
            let (Some(customer_id), Some((room, last_message))) =
                (customer_of(&row), latest.remove(&row.room_id))
            else {
                continue;
            };
            rooms.push(CustomerRoom {
                is_online: online.contains(&customer_id),
                is_guest: row.user_id.is_none(),
                customer_id,
                id: row.room_id,
                customer_name: row.customer_name,
                customer_email: row.customer_email,
                status: row.status,
                created_at: row.created_at,
                last_message_at: room.last_message_at,
                last_message,
                unread_count: row.unread_count,
                assigned_to: row.assigned_to,
                assigned_name,
                rev: room.last_rev,
            });
        }
        Ok(rooms)
    }

    /// How somebody of the staff is called.
    pub(super) async fn name_of(&self, tenant: &TenantId, user: Option<&UserId>) -> Option<String> {
        let user = user?;
        match self.store.user(tenant, user).await {
            Ok(row) => Some(row.map_or_else(|| user.label(), |row| row.username)),
            Err(error) => {
                left_undone(&error, "a name was not found");
                None
            }
        }
    }
}

fn customer_of(row: &SupportRow) -> Option<UserId> {
    row.user_id.clone().or_else(|| row.guest_id.clone())
}

fn staff_activity(caller: &Identity, room: &RoomId, action: Activity) -> RoomActivity {
    RoomActivity::new(room, action, &caller.user_id, &caller.username, true)
}

/// Where the list goes on after a row.
fn cursor(row: &SupportRow) -> String {
    format!("{}.{}", row.active_at.0, row.room_id)
}

fn parse_cursor(cursor: &str) -> Result<SupportCursor> {
    let parse = || {
        let (active_at, room) = cursor.split_once('.')?;
        let room: ExternalId = room.parse().ok()?;
        Some(SupportCursor {
            active_at: Timestamp(active_at.parse().ok()?),
            room: RoomId(room),
        })
    };
    parse().ok_or_else(|| Error::invalid("`cursor` is none of this list"))
}
