//! What changed in a room, for those who hold no connection: the answer can wait until there is something.
//!
//! Whoever waits listens to the room's live stream without having joined. What is heard is not the answer, it only says
//! that it is time to look again; so nothing is missed that happens between looking and waiting.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Chat, CloseReason, Connection, Namespace, Outlet, RoomKey,
    live::{Page, Part},
    room_cache::RoomRecord,
    rooms::MAX_CHANGES,
    support::ReadMarks,
};
use crate::{
    auth::Identity,
    error::{Error, Result},
    limits::UserPlace,
    protocol::{Changes, GetChanges},
};

impl Chat {
    /// What changed in a room after a revision. `answer` is called at a definite place of the caller's stream. A caller
    /// without one may wait until something changes; then this ends at once when the caller loses access, and leaves
    /// nothing behind when it is dropped.
    ///
    /// # Errors
    /// [`Error::ROOM_NOT_FOUND`], [`Error::ROOM_DENIED`]; of those who wait also [`Error::TooManyConnections`],
    /// [`Error::SignedOut`], [`Error::TokenExpired`] and [`Error::Restarting`].
    pub async fn changes(
        &self,
        connection: &Arc<Connection>,
        request: GetChanges,
        answer: &mut (dyn FnMut(Changes) + Send),
    ) -> Result<()> {
        let caller = connection.identity();
        let key = RoomKey::new(&caller.tenant, &request.room_id);
        let part = Part::Since {
            rev: request.since.unwrap_or_default(),
            limit: MAX_CHANGES,
        };
        let wait = request.wait.0;
        if !wait.is_zero() && !connection.lasts() {
            answer(self.await_changes(&caller, &key, part, wait).await?);
            return Ok(());
        }
        self.read_changes(&caller, &key, connection, part, false, answer)
            .await
            .map(drop)
    }

    /// Reads what changed, and listens from there on if asked to. Says what the caller's access was decided by.
    async fn read_changes(
        &self,
        caller: &Identity,
        key: &RoomKey,
        connection: &Arc<Connection>,
        part: Part,
        listen: bool,
        answer: &mut (dyn FnMut(Changes) + Send),
    ) -> Result<Arc<RoomRecord>> {
        loop {
            let (room, decided) = self.enter(caller, key).await?;
            let marks = self.read_marks(&caller.tenant, &room).await?;
            let mut give = |page: Page| {
                answer(Changes {
                    reset: page.has_more,
                    rev: page.rev,
                    changes: if page.has_more {
                        Vec::new()
                    } else {
                        ReadMarks::apply(marks, page.messages)
                    },
                });
            };
            let given = self
                .live
                .history(key, connection, part, listen, decided, &mut give);
            if given.await? {
                return Ok(room);
            }
        }
    }

    async fn await_changes(
        &self,
        caller: &Identity,
        key: &RoomKey,
        part: Part,
        wait: Duration,
    ) -> Result<Changes> {
        self.enter(caller, key).await?;
        let until = Instant::now() + wait;
        let token_ends = self
            .time_left(caller)
            .map_or(until, |left| Instant::now() + left);
        let watch = Watch::begin(self, caller, key).await?;
        self.listen(&watch.connection).await;
        self.confirm(&watch.connection).await?;
        loop {
            // First heard, then looked at: whatever happens from here on says so.
            let mut found = None;
            let mut keep = |changes| found = Some(changes);
            let room = self
                .read_changes(caller, key, &watch.connection, part, true, &mut keep)
                .await?;
            let found = found.ok_or(Error::Internal)?;
            if found.reset || !found.changes.is_empty() {
                return Ok(found);
            }
            tokio::select! {
                biased;
                () = watch.ended.cancelled() => return Err(watch.why()),
                () = sleep_until(token_ends), if token_ends < until => return Err(Error::TokenExpired),
                () = watch.stirred.notified() => {}
                () = room.stale.cancelled() => {}
                () = sleep_until(until) => return Ok(found),
            }
        }
    }
}

/// Somebody who waits for a change. When dropped nothing of them is left.
struct Watch<'a> {
    chat: &'a Chat,
    key: &'a RoomKey,
    connection: Arc<Connection>,
    signals: Arc<Signals>,
    _place: UserPlace,
}

/// What a watch's connection is told.
#[derive(Default)]
struct Signals {
    /// Something happened in the room.
    stirred: Notify,
    ended: CancellationToken,
    why: OnceLock<CloseReason>,
}

impl Outlet for Signals {
    fn push(&self, _: &'static str, _: &RawValue) {
        self.stirred.notify_one();
    }

    fn close(&self, reason: CloseReason) {
        self.why.get_or_init(|| reason);
        self.ended.cancel();
    }
}

impl std::ops::Deref for Watch<'_> {
    type Target = Signals;

    fn deref(&self) -> &Signals {
        &self.signals
    }
}

impl<'a> Watch<'a> {
    /// Takes one of the user's places for connections: an answer that waits costs as much.
    async fn begin(chat: &'a Chat, caller: &Identity, key: &'a RoomKey) -> Result<Self> {
        let place = chat
            .limits
            .connection(&caller.tenant, &caller.user_id)
            .await?;
        let signals = Arc::new(Signals::default());
        let connection = Connection::new(
            Namespace::Chat,
            caller.clone(),
            Box::new(Arc::clone(&signals)),
        );
        chat.presence.wait(&connection);
        gauge(caller).increment(1.0);
        Ok(Self {
            chat,
            key,
            connection,
            signals,
            _place: place,
        })
    }

    fn why(&self) -> Error {
        let refusal = self.connection.refusal().cloned();
        let reason = || self.signals.why.get().map(|reason| reason.error());
        refusal.or_else(reason).unwrap_or(Error::Restarting)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.connection.end();
        drop(self.chat.live.leave(self.key, self.connection.id));
        self.chat.presence.wait_no_more(&self.connection);
        gauge(&self.connection.identity()).decrement(1.0);
    }
}

fn gauge(caller: &Identity) -> metrics::Gauge {
    metrics::gauge!("confab_connections", "door" => "long_poll", "kind" => caller.kind())
}
