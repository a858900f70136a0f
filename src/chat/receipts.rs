//! How far participants have read, as they say themselves.

use entity::rooms::RoomKind;

use super::{Chat, RoomKey};
use crate::{
    auth::Identity,
    bus::Event,
    error::{Error, Result},
    protocol::{MarkRead, MarkedRead, ReadReceipt},
};

impl Chat {
    /// Moves how far the caller has read forward; the room is told where it has moved.
    pub async fn read_up_to(&self, caller: &Identity, request: MarkRead) -> Result<MarkedRead> {
        let MarkRead {
            room_id,
            seq,
            message_id,
        } = request;
        let key = RoomKey::new(&caller.tenant, &room_id);
        let (room, _) = self.enter(caller, &key).await?;
        let seq = match (seq, message_id) {
            (Some(seq), None) => seq,
            (None, Some(id)) => {
                let seq = self.store.message_seq(&caller.tenant, &room_id, id).await?;
                seq.ok_or(Error::NotFound("Message"))?
            }
            _ => return Err(Error::invalid("either `seq` or `message_id`")),
        };
        if room.row.kind == RoomKind::Support {
            return self.read_in_support_room(caller, &room, seq).await;
        }
        let (tenant, user) = (&caller.tenant, &caller.user_id);
        let mark = self.store.read_up_to(tenant, &room_id, user, seq).await?;
        let mark = mark.ok_or(Error::AccessDenied(
            "Only participants of the room may do this",
        ))?;
        loop {
            let (_, decided) = self.enter(caller, &key).await?;
            let unread_count = self.store.unread(tenant, &room_id, user, mark.seq).await?;
            let _turn = self.presence.turn(user);
            if !decided.holds() {
                continue;
            }
            if mark.has_moved {
                self.bus.publish(Event::Read {
                    tenant: tenant.clone(),
                    receipt: ReadReceipt {
                        room_id: room_id.clone(),
                        user_id: user.clone(),
                        seq: mark.seq,
                        at: self.clock.now(),
                    },
                });
            }
            return Ok(MarkedRead {
                seq: mark.seq,
                unread_count,
            });
        }
    }
}
