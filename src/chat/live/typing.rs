//! Typing in a live room: told to those who are in it, and at the desk to the staff.

use std::time::Duration;

use entity::ids::UserId;
use tokio::time::Instant;

use super::room::{ECHO, LiveRoom, Member, State};
use crate::{
    bus::{Origin, Typist},
    chat::Namespace,
    protocol::{Activity, RoomActivity, TypingUpdate, to_raw},
};

impl LiveRoom {
    /// Begins, renews or ends typing. When it begins, says when it ends by itself.
    pub(super) fn typing(
        &self,
        typist: &Typist,
        is_typing: bool,
        timeout: Duration,
        origin: Origin,
    ) -> Option<(Instant, u64)> {
        let mut state = self.lock();
        if !is_typing {
            state.stop_typing(&typist.user_id, |other| other == typist);
            return None;
        }
        // It may have left while the event was on its way.
        let joined = |member: &Member| member.joined;
        if origin == Origin::Here && !state.members.get(&typist.connection).is_some_and(joined) {
            return None;
        }
        let expelled = state.expelled.get(&typist.user_id);
        if origin == Origin::Elsewhere && expelled.is_some_and(|at| at.elapsed() < ECHO) {
            return None;
        }
        let until = Instant::now() + timeout;
        let is_new = !state.typists.includes(&typist.user_id);
        let begun = state.typists.begin(typist, until)?;
        if is_new {
            state.tell_typing(typist, true);
        }
        Some((until, begun))
    }

    /// When a typist's time ends, if it was renewed; else it ends now.
    pub(super) fn typing_deadline(&self, begun: u64) -> Option<Instant> {
        let mut state = self.lock();
        let (until, typist) = state.typists.deadline(begun)?;
        if until > Instant::now() {
            return Some(until);
        }
        state.stop_typing(&typist.user_id, |other| *other == typist);
        None
    }
}

impl State {
    /// Ends typing of a user, and tells it if they type on no other connection.
    pub(super) fn stop_typing(&mut self, user: &UserId, ends: impl Fn(&Typist) -> bool) {
        let Some(typist) = self.typists.of(user) else {
            return;
        };
        if self.typists.end(ends) && !self.typists.includes(user) {
            self.tell_typing(&typist, false);
        }
    }

    fn tell_typing(&self, typist: &Typist, is_typing: bool) {
        let update = TypingUpdate {
            room_id: self.room_id.clone(),
            typing_users: self.typists.users(),
            user_id: typist.user_id.clone(),
            is_typing,
        };
        self.broadcast("typing_update", &to_raw(&update));
        let staff = self
            .members
            .values()
            .map(|member| &member.connection)
            .filter(|connection| connection.namespace == Namespace::Admin);
        let mut activity = None;
        for connection in staff {
            let payload = activity.get_or_insert_with(|| {
                to_raw(&RoomActivity {
                    is_typing: Some(is_typing),
                    ..RoomActivity::new(
                        &self.room_id,
                        Activity::Typing,
                        &typist.user_id,
                        &typist.username,
                        typist.is_staff,
                    )
                })
            });
            connection.push("room_activity", payload);
        }
    }
}
