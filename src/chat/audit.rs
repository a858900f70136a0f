//! The audit: who did, or was refused, what concerns who may do what. For operators as a log line and a metric, for staff
//! as rows of a table that outlives both.
//!
//! Refusals come here by themselves, from `gateway/refusals.rs`. An act notes itself, where it was done:
//!
//! ```text
//! chat.audit.note(Entry::new("staff.assign", &identity).room(&room_id).subject(&user_id));
//! chat.audit.note(Entry::system("session.stolen", &tenant).subject(&user_id).address(ip));
//! ```
//!
//! An action is a noun and a verb, and always the same text: it is a metric's label too. What can be told of it beside
//! has a place of its own; `detail` is for a few words of ours, never for what somebody wrote or a secret.
//!
//! It must not cost those who are served: [`Audit::note`] never waits. What it is given goes through a bounded queue to one
//! task, which counts equal entries of a second as one and writes them together. It must not fill the disk: a second has so
//! many rows, and a sweep removes what is old or too much ([`Store::sweep_audit`]). What finds no place is counted, warned of
//! and entered itself.

mod scribe;

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use entity::{
    ids::{RoomId, TenantId, UserId},
    timestamp::Timestamp,
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::Chat;
use crate::{
    auth::Identity,
    clock::Clock,
    config::Config,
    error::{Error, Result},
    limits,
    protocol::{AuditEntry, AuditPage},
    store::{ActorKind, AuditQuery, AuditRow, Store},
};
use scribe::Scribe;

/// Entries on their way to the task.
const QUEUE: usize = 8192;
const MAX_DETAIL_CHARS: usize = 200;
const OK: &str = "ok";

/// Something to be noted.
#[derive(Clone, Debug)]
pub struct Entry {
    what: What,
    kind: ActorKind,
    address: Option<IpAddr>,
    door: Option<&'static str>,
    detail: Option<Cow<'static, str>>,
    count: u64,
}

/// What makes two entries equal. The address is the network of one visitor: who has an IPv6 network has more addresses
/// than a table has room for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct What {
    tenant: TenantId,
    action: &'static str,
    outcome: &'static str,
    actor: Option<UserId>,
    room: Option<RoomId>,
    subject: Option<UserId>,
    network: Option<IpAddr>,
}

impl Entry {
    /// An act of somebody who is known.
    #[must_use]
    pub fn new(action: &'static str, actor: &Identity) -> Self {
        let kind = match (actor.is_guest, actor.is_staff) {
            (true, _) => ActorKind::Guest,
            (false, true) => ActorKind::Staff,
            (false, false) => ActorKind::User,
        };
        let mut entry = Self::by(action, actor.tenant.clone(), kind);
        entry.what.actor = Some(actor.user_id.clone());
        entry
    }

    /// An act of a user who has shown a refresh token, which says no more of them.
    #[must_use]
    pub(super) fn of_user(action: &'static str, tenant: &TenantId, user: &UserId) -> Self {
        let mut entry = Self::by(action, tenant.clone(), ActorKind::User);
        entry.what.actor = Some(user.clone());
        entry
    }

    /// Something that the server does by itself.
    #[must_use]
    pub fn system(action: &'static str, tenant: &TenantId) -> Self {
        Self::by(action, tenant.clone(), ActorKind::System)
    }

    /// Something of somebody who has not said who they are. It belongs to the tenant `default`.
    #[must_use]
    pub fn stranger(action: &'static str) -> Self {
        Self::by(action, TenantId::default(), ActorKind::Stranger)
    }

    fn by(action: &'static str, tenant: TenantId, kind: ActorKind) -> Self {
        Self {
            what: What {
                tenant,
                action,
                outcome: OK,
                actor: None,
                room: None,
                subject: None,
                network: None,
            },
            kind,
            address: None,
            door: None,
            detail: None,
            count: 1,
        }
    }

    /// The same of another action.
    #[must_use]
    pub const fn named(mut self, action: &'static str) -> Self {
        self.what.action = action;
        self
    }

    #[must_use]
    pub fn room(mut self, room: &RoomId) -> Self {
        self.what.room = Some(room.clone());
        self
    }

    /// The user whom it is about, where that is not the actor.
    #[must_use]
    pub fn subject(mut self, user: &UserId) -> Self {
        self.what.subject = Some(user.clone());
        self
    }

    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self.what.network = Some(limits::network(address));
        self
    }

    #[must_use]
    pub const fn door(mut self, door: &'static str) -> Self {
        self.door = Some(door);
        self
    }

    /// A few words of ours.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// It was refused. The reason is the detail, unless there is one already.
    #[must_use]
    pub fn refused(mut self, error: &Error) -> Self {
        self.what.outcome = error.code();
        // What is wrong with a payload quotes it, and it may be a message.
        if self.detail.is_none() && !matches!(error, Error::InvalidPayload(_)) {
            self.detail = Some(error.to_string().into());
        }
        self
    }

    #[must_use]
    pub const fn action(&self) -> &'static str {
        self.what.action
    }

    /// The door, as metrics name it: the empty text where it came in by none.
    #[must_use]
    pub fn door_name(&self) -> &'static str {
        self.door.unwrap_or_default()
    }

    fn is_refusal(&self) -> bool {
        self.what.outcome != OK
    }

    fn short_detail(&self) -> Option<String> {
        let detail = self.detail.as_ref()?;
        Some(detail.chars().take(MAX_DETAIL_CHARS).collect())
    }

    fn log(&self) {
        let what = &self.what;
        let limited = if self.is_refusal() {
            what.outcome
        } else {
            what.action
        };
        if !limits::may_log(limited) {
            return;
        }
        tracing::info!(
            target: "audit",
            action = what.action,
            outcome = what.outcome,
            tenant = %what.tenant,
            actor = what.actor.as_ref().map(tracing::field::display),
            kind = ?self.kind,
            room = what.room.as_ref().map(tracing::field::display),
            subject = what.subject.as_ref().map(tracing::field::display),
            address = self.address.map(tracing::field::display),
            door = self.door,
            detail = self.short_detail(),
            "{}",
            if self.is_refusal() { "refused" } else { "done" }
        );
    }

    fn into_row(self, at: Timestamp) -> AuditRow {
        AuditRow {
            id: Uuid::now_v7(),
            at,
            detail: self.short_detail(),
            tenant_id: self.what.tenant,
            action: self.what.action.to_owned(),
            outcome: self.what.outcome.to_owned(),
            actor: self.what.actor,
            actor_kind: self.kind,
            room_id: self.what.room,
            subject: self.what.subject,
            address: self.address.map(|address| address.to_string()),
            door: self.door.map(str::to_owned),
            count: i64::try_from(self.count).unwrap_or(i64::MAX),
        }
    }
}

enum Item {
    Entry(Box<Entry>, Timestamp),
    Flush(oneshot::Sender<()>),
}

/// Where it is noted. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    queue: mpsc::Sender<Item>,
    dropped: Arc<AtomicU64>,
    clock: Clock,
}

impl Audit {
    /// Starts the task that writes.
    #[must_use]
    pub(super) fn start(config: &Config, store: Store, clock: Clock) -> Self {
        let (queue, items) = mpsc::channel(QUEUE);
        let audit = Self {
            queue,
            dropped: Arc::default(),
            clock: clock.clone(),
        };
        let scribe = Scribe::new(config, store, clock, Arc::clone(&audit.dropped));
        tokio::spawn(scribe.run(items));
        audit
    }

    /// One whose entries go nowhere.
    #[cfg(test)]
    #[must_use]
    pub fn nowhere() -> Self {
        let (queue, _) = mpsc::channel(1);
        Self {
            queue,
            dropped: Arc::default(),
            clock: Clock::System,
        }
    }

    /// Notes something, without ever waiting.
    pub fn note(&self, entry: Entry) {
        metrics::counter!("confab_audit_total", "action" => entry.action()).increment(1);
        entry.log();
        // The last places are for acts.
        let is_crowded = entry.is_refusal() && self.queue.capacity() < QUEUE / 8;
        let item = Item::Entry(Box::new(entry), self.clock.now());
        if is_crowded || self.queue.try_send(item).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns when what was noted before is written, or cannot be.
    pub async fn flush(&self) {
        let (done, receiver) = oneshot::channel();
        if self.queue.send(Item::Flush(done)).await.is_ok() {
            // It is gone where the task is.
            drop(receiver.await);
        }
    }
}

impl Chat {
    /// The audit of a staff member's tenant, newest first, everything noted so far included. Reads one entry more than
    /// there is to show, to know whether there are more.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn read_audit(&self, staff: &Identity, query: AuditQuery) -> Result<AuditPage> {
        Self::may_administer(staff)?;
        self.audit.flush().await;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let query = AuditQuery {
            limit: query.limit + 1,
            ..query
        };
        let mut rows = self.store.audit(&staff.tenant, query).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Ok(AuditPage {
            entries: rows.into_iter().map(AuditEntry::from).collect(),
            has_more,
        })
    }
}
