//! Reading a room's history so that it fits the live stream.
//!
//! The rule: an answer is given under the room's lock and holds everything up to `delivered`, nothing above it. What
//! memory does not hold is read from the store without the lock, up to where the stream stood before, and what was
//! delivered meanwhile is added under the lock.

use std::{collections::VecDeque, sync::Arc};

use entity::ids::Rev;

use super::room::{Entering, LiveRoom, RECENT, State};
use crate::{
    chat::{connection::Connection, room_cache::Decided},
    error::Result,
    protocol::Encoded,
    store::{MessageQuery, Store},
};

/// The largest page, in bytes of its messages.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// A part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest messages, of all or below a `seq`.
    Newest { before: Option<Rev>, limit: u32 },
    /// The oldest messages above a `seq`.
    After { seq: Rev, limit: u32 },
    /// What changed after a revision.
    Since { rev: Rev, limit: u32 },
}

/// An answer, oldest first.
pub struct Page {
    pub messages: Vec<Arc<Encoded>>,
    /// There is more in the direction that was asked for.
    pub has_more: bool,
    pub rev: Rev,
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Given,
    /// The room was closed meanwhile.
    Closed,
    /// The reader may have lost access meanwhile: nothing was given.
    Overturned,
}

/// Answers under the room's lock, and enters the room if asked to.
pub(super) async fn read(
    store: &Store,
    room: &LiveRoom,
    connection: &Arc<Connection>,
    part: Option<Part>,
    entering: Entering,
    decided: Decided<'_>,
    answer: &mut (dyn FnMut(Page) + Send),
) -> Result<Outcome> {
    loop {
        let delivered = {
            let mut state = room.lock();
            if let Some(refusal) = refusal(&state, decided) {
                return Ok(refusal);
            }
            let found = match part {
                None => Some(Page {
                    messages: Vec::new(),
                    has_more: false,
                    rev: state.delivered,
                }),
                Some(part) => from_memory(&state, part),
            };
            if let Some(page) = found {
                give(&mut state, connection, part, entering, page, answer);
                return Ok(Outcome::Given);
            }
            state.delivered
        };
        let Some(part) = part else { continue };
        let (query, limit) = store_query(part, delivered);
        let rows = store
            .messages(&room.key.tenant, &room.key.room, query)
            .await?;
        let rows: Vec<Arc<Encoded>> = rows
            .into_iter()
            .map(|message| Arc::new(Encoded::new(Arc::new(message))))
            .collect();
        let mut state = room.lock();
        if let Some(refusal) = refusal(&state, decided) {
            return Ok(refusal);
        }
        if let Part::Newest { before: None, .. } = part {
            // Fills the memory for all who ask next; the answer then comes from there.
            install(&mut state, rows, delivered);
            continue;
        }
        if let Some(page) = merge(&state, part, rows, limit, delivered) {
            give(&mut state, connection, Some(part), entering, page, answer);
            return Ok(Outcome::Given);
        }
    }
}

/// Asked under the lock under which the answer is given, and members are taken out who lose access.
fn refusal(state: &State, decided: Decided<'_>) -> Option<Outcome> {
    if state.closed {
        return Some(Outcome::Closed);
    }
    (!decided.holds()).then_some(Outcome::Overturned)
}

/// Takes so much from a page that it is not too large, and leaves the rest for the next one.
fn bounded(part: Option<Part>, mut page: Page) -> Page {
    let mut room = MAX_PAGE_BYTES;
    let mut fits = |message: &&Arc<Encoded>| {
        room = room.saturating_sub(message.json.get().len());
        room > 0
    };
    let count = match part {
        Some(Part::Newest { .. }) => page.messages.iter().rev().take_while(&mut fits).count(),
        _ => page.messages.iter().take_while(&mut fits).count(),
    };
    // However large, one message is a page.
    let count = count.max(1);
    if count < page.messages.len() {
        page.has_more = true;
        match part {
            Some(Part::Newest { .. }) => drop(page.messages.drain(..page.messages.len() - count)),
            _ => page.messages.truncate(count),
        }
    }
    page
}

fn give(
    state: &mut State,
    connection: &Arc<Connection>,
    part: Option<Part>,
    entering: Entering,
    page: Page,
    answer: &mut (dyn FnMut(Page) + Send),
) {
    let page = bounded(part, page);
    // An older page, or one that ends before the newest message, says nothing about what was given at the end.
    let reaches_end = match part {
        None | Some(Part::Newest { before: None, .. }) => true,
        Some(Part::Newest { .. }) => false,
        Some(Part::After { .. } | Part::Since { .. }) => !page.has_more,
    };
    if reaches_end || entering == Entering::Join {
        state.given(connection, entering);
    } else if entering == Entering::Listen {
        state.listen(connection);
    }
    answer(page);
}

/// What to ask the store for: nothing above `delivered`, and one more than wanted, to know whether there is more.
fn store_query(part: Part, delivered: Rev) -> (MessageQuery, u32) {
    match part {
        Part::Newest { before: None, .. } => {
            let limit = u32::try_from(RECENT).unwrap_or(u32::MAX);
            (
                MessageQuery::Newest {
                    before: Some(delivered.next()),
                    limit,
                },
                limit,
            )
        }
        Part::Newest {
            before: Some(before),
            limit,
        } => (
            MessageQuery::Newest {
                before: Some(before.min(delivered.next())),
                limit: limit + 1,
            },
            limit,
        ),
        Part::After { seq, limit } => (
            MessageQuery::After {
                seq,
                limit: limit + 1,
            },
            limit,
        ),
        Part::Since { rev, limit } => (
            MessageQuery::Since {
                rev,
                limit: limit + 1,
            },
            limit,
        ),
    }
}

fn install(state: &mut State, rows: Vec<Arc<Encoded>>, up_to: Rev) {
    let follows = state
        .recent
        .front()
        .is_none_or(|first| first.message.rev <= up_to.next());
    if !follows {
        // So much was delivered meanwhile that memory alone holds a page.
        return;
    }
    let first = state
        .recent
        .front()
        .map_or(Rev(i64::MAX), |first| first.message.rev);
    let mut recent: VecDeque<_> = rows
        .into_iter()
        .filter(|row| row.message.rev < first)
        .collect();
    recent.append(&mut state.recent);
    let surplus = recent.len().saturating_sub(RECENT);
    recent.drain(..surplus);
    state.recent = recent;
}

/// The part, if memory holds all of it.
fn from_memory(state: &State, part: Part) -> Option<Page> {
    let recent = &state.recent;
    let is_whole = recent.front().map_or(state.delivered == Rev(0), |first| {
        first.message.rev == Rev(1)
    });
    let rev = state.delivered;
    match part {
        Part::Newest { before, limit } => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let end = before.map_or(recent.len(), |before| {
                recent.partition_point(|m| m.message.seq < before)
            });
            if end <= limit && !is_whole {
                return None;
            }
            let start = end.saturating_sub(limit);
            Some(Page {
                messages: recent.range(start..end).cloned().collect(),
                has_more: start > 0,
                rev,
            })
        }
        Part::After { seq: after, limit } | Part::Since { rev: after, limit } => {
            let reaches_back = after >= rev
                || recent
                    .front()
                    .is_some_and(|first| first.message.rev <= after.next());
            if !reaches_back {
                return None;
            }
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let start = recent.partition_point(|m| m.message.rev <= after);
            let end = recent.len().min(start.saturating_add(limit));
            Some(Page {
                messages: recent.range(start..end).cloned().collect(),
                has_more: end < recent.len(),
                rev,
            })
        }
    }
}

/// What the store said of the room as it stood at `read_at`, with what was delivered since; `None` if memory does not
/// reach back so far any more.
fn merge(
    state: &State,
    part: Part,
    mut rows: Vec<Arc<Encoded>>,
    limit: u32,
    read_at: Rev,
) -> Option<Page> {
    let rev = state.delivered;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if let Part::Newest { .. } = part {
        let surplus = rows.len().saturating_sub(limit);
        rows.drain(..surplus);
        return Some(Page {
            messages: rows,
            has_more: surplus > 0,
            rev,
        });
    }
    // The store may know more than was delivered.
    rows.retain(|row| row.message.rev <= read_at);
    if rows.len() <= limit && rev > read_at {
        let start = state.recent.partition_point(|m| m.message.rev <= read_at);
        let reaches_back = state
            .recent
            .get(start)
            .is_some_and(|first| first.message.rev == read_at.next());
        if !reaches_back {
            return None;
        }
        rows.extend(state.recent.range(start..).cloned());
    }
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    Some(Page {
        messages: rows,
        has_more,
        rev,
    })
}
