//! Accepting connections, with a bound on their number and on the time that a request's head may take.

use std::{convert::Infallible, io, sync::Arc};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

use super::{
    Gateway, refusals,
    transport::{Stream, Transport},
};
use crate::{chat::Entry, error::Error};

/// Bytes of a request's head that are read at the most.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves connections until the future is dropped.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(gateway.config.max_connections));
    loop {
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Most often out of file descriptors: waiting is all that helps.
                tracing::error!(%error, "a connection was not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            let entry = Entry::stranger("accept").address(peer.ip());
            refusals::note(&gateway.chat.audit, &Error::TooManyConnections, entry);
            continue;
        };
        if let Err(error) = prepare(&tcp, &gateway) {
            tracing::debug!(%peer, %error, "a connection was gone at once");
            continue;
        }
        let transport = Transport::new(peer);
        let held = (place, gateway.transports.forgetting(&transport));
        let stream = Stream::new(
            tcp,
            Arc::clone(&transport),
            gateway.config.slow_reader_seconds.0,
            held,
        );
        let router = router.clone();
        let header_timeout = gateway.config.header_timeout_seconds.0;
        tokio::spawn(async move {
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Arc::clone(&transport));
                let router = router.clone();
                async move { Ok::<_, Infallible>(respond(router, request).await) }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(header_timeout)
                .max_buf_size(MAX_HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
            if let Err(error) = served {
                tracing::debug!(%peer, %error, "a connection ended");
            }
        });
    }
}

async fn respond(router: Router, request: Request<Incoming>) -> axum::response::Response {
    match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn prepare(tcp: &TcpStream, gateway: &Gateway) -> io::Result<()> {
    // Small events must not wait for the acknowledgement of the one before.
    tcp.set_nodelay(true)?;
    // Data that a stalled client does not confirm ends its connection, even while our buffers still take more.
    #[cfg(target_os = "linux")]
    SockRef::from(tcp).set_tcp_user_timeout(Some(gateway.config.slow_reader_seconds.0))?;
    Ok(())
}
