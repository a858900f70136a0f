//! What load balancers and operators ask: does the process run, may clients be sent here, and how are the things that it
//! depends on. `confab doctor` reads the same.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use entity::timestamp::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use super::{Gateway, handshake};
use crate::{error::Error, protocol::ErrorBody};

/// How long the database may take for the smallest answer: whoever asks whether a node is ready does not wait long.
const PATIENCE: Duration = Duration::from_secs(1);

/// The release.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What every answer says.
#[derive(Serialize)]
struct About<'a> {
    status: &'static str,
    version: &'static str,
    node: &'a str,
    time: Timestamp,
}

#[derive(Serialize)]
struct Health<'a> {
    #[serde(flatten)]
    about: About<'a>,
    forwarded: handshake::Forwarded,
}

/// Something that the node depends on.
#[derive(Serialize)]
struct Dependency {
    ok: bool,
    /// How long it took to answer.
    ms: f64,
}

#[derive(Serialize)]
struct Readiness<'a> {
    #[serde(flatten)]
    about: About<'a>,
    database: Dependency,
    /// Only where the node is one of many.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Dependency>,
    #[serde(flatten)]
    refusal: Option<ErrorBody>,
}

impl Dependency {
    fn new(ok: bool, took: Duration) -> Self {
        let ms = (took.as_secs_f64() * 10_000.0).round() / 10.0;
        Self { ok, ms }
    }
}

fn about<'a>(gateway: &'a Gateway, status: &'static str) -> About<'a> {
    About {
        status,
        version: VERSION,
        node: &gateway.node,
        time: gateway.chat.clock.now(),
    }
}

/// The process runs.
pub async fn healthz(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let health = Health {
        about: about(&gateway, "ok"),
        forwarded: handshake::forwarded(&gateway.config, &request),
    };
    fresh(Json(health).into_response())
}

/// Whether new clients may be sent here. A node that has lost Redis serves its own clients, so it stays ready.
pub async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    let asked = timed(timeout(PATIENCE, gateway.chat.ping()));
    let ((pinged, took), (others, others_took)) =
        tokio::join!(asked, timed(gateway.chat.ping_others()));
    let pinged = pinged.unwrap_or(Err(Error::StorageUnavailable));
    let database = Dependency::new(pinged.is_ok(), took);
    let redis = others.map(|ok| Dependency::new(ok, others_took));
    let (status, refusal) = match pinged {
        _ if gateway.is_draining() => ("draining", Some(Error::Restarting)),
        Err(error) => ("unavailable", Some(error)),
        Ok(()) if redis.as_ref().is_some_and(|redis| !redis.ok) => ("degraded", None),
        Ok(()) => ("ready", None),
    };
    let code = match refusal {
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::OK,
    };
    let readiness = Readiness {
        about: about(&gateway, status),
        database,
        redis,
        refusal: refusal.map(|error| error.body()),
    };
    fresh((code, Json(readiness)).into_response())
}

async fn timed<T>(asked: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (asked.await, start.elapsed())
}

/// What held a moment ago says nothing.
fn fresh(mut response: Response) -> Response {
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
