//! Long-polling: do the requests of a session come to one node, whole, and are their answers there at once.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use tokio::time::sleep;

use super::{
    client::{Client, PATIENCE},
    report::Finding,
    session::{self, NOT_THERE, NOWHERE, PONG, Session, Trouble},
};

/// Sessions at the same time, and requests of each after its handshake.
const SESSIONS: usize = 6;
const REQUESTS: usize = 6;

/// How much longer than it must an answer may take before something is holding it back.
const HELD_BACK: Duration = Duration::from_secs(1);
/// How long a poll is left waiting before there is something for it.
const WAITING: Duration = Duration::from_millis(300);

/// No larger body is tried.
const LARGEST: usize = 1024 * 1024;

pub async fn examine(client: &Client) -> Vec<Finding> {
    let (sticky, has_cookie) = stickiness(client).await;
    let is_sticky = sticky.is_empty();
    let mut findings = sticky;
    if is_sticky {
        findings.push(Finding::ok(
            "stickiness",
            format!(
                "{SESSIONS} long-polling sessions of {REQUESTS} requests each stayed at their nodes"
            ),
        ));
        if has_cookie {
            findings.extend(without_cookies(client).await);
        }
        // What one session shows would be hidden by requests that go astray.
        findings.extend(delay(client).await);
        findings.extend(large_body(client).await);
    }
    findings.extend(handshakes(client).await);
    findings
}

/// What became of the requests of a session.
#[derive(Default)]
struct Course {
    asked: usize,
    strays: Vec<String>,
    other: Option<String>,
    cookies: Vec<String>,
}

async fn course(client: &Client, keeps_cookies: bool) -> Course {
    let mut course = Course::default();
    let mut session = match Session::open(client).await {
        Ok(session) => session,
        Err(trouble) => {
            course.other = Some(trouble.text());
            return course;
        }
    };
    course.cookies.clone_from(&session.cookies);
    if !keeps_cookies {
        session.cookies.clear();
    }
    for i in 0..REQUESTS {
        let result = match i {
            0 => session.post(NOWHERE).await,
            // Answered at once, unless the request before has gone astray.
            1 if course.strays.is_empty() => session.poll(PATIENCE).await,
            _ => session.post(PONG).await,
        };
        course.asked += 1;
        match result {
            Ok(_) => {}
            Err(Trouble::Stray(words)) => course.strays.push(words),
            Err(trouble) => {
                course.other = Some(trouble.text());
                break;
            }
        }
    }
    session.close().await;
    course
}

/// What is wrong with it, and whether there is a cookie.
async fn stickiness(client: &Client) -> (Vec<Finding>, bool) {
    let courses = join_all((0..SESSIONS).map(|_| course(client, true))).await;
    let asked: usize = courses.iter().map(|course| course.asked).sum();
    let strays: Vec<&String> = courses.iter().flat_map(|course| &course.strays).collect();
    let cookies: HashSet<&str> = courses
        .iter()
        .flat_map(|course| &course.cookies)
        .filter_map(|cookie| cookie.split('=').next())
        .collect();
    let mut findings = Vec::new();
    if let Some(words) = strays.first() {
        let names = cookies.iter().copied().collect::<Vec<_>>().join(", ");
        let (text, advice) = if cookies.is_empty() {
            (
                "no cookie was set by which the load balancer could know the node",
                "Set sticky_cookie and node_name on the nodes and let the load balancer go by that cookie, or by one of its own, or by the client's address: see examples/cluster",
            )
        } else {
            (
                "the load balancer does not go by the cookie that was set",
                "Let it send requests with that cookie to the node that the cookie names: see examples/cluster",
            )
        };
        let cookie = if names.is_empty() {
            String::new()
        } else {
            format!(" ({names})")
        };
        findings.push(Finding::problem(
            "stickiness",
            format!(
                "{} of {asked} requests of long-polling sessions came to a node that does not know the session (\"{words}\"); {text}{cookie}. Clients that cannot use WebSocket lose their connection again and again",
                strays.len()
            ),
            advice,
        ));
    }
    let other: HashSet<&String> = courses
        .iter()
        .filter_map(|course| course.other.as_ref())
        .collect();
    findings.extend(other.into_iter().map(|text| {
        Finding::problem(
            "polling",
            format!("a request of a long-polling session was answered: {text}"),
            "Look at the log of the load balancer, and of the node",
        )
    }));
    (findings, !cookies.is_empty())
}

async fn without_cookies(client: &Client) -> Option<Finding> {
    let courses = join_all((0..SESSIONS).map(|_| course(client, false))).await;
    let strays = courses.iter().filter(|course| !course.strays.is_empty());
    let strays = strays.count();
    (strays > 0).then(|| {
        Finding::warning(
            "cookies",
            format!("{strays} of {SESSIONS} long-polling sessions without cookies came to other nodes: only clients that keep cookies can use long-polling (pages of other sites need withCredentials, and mobile clients often keep none)"),
            "Let the load balancer go by the client's address where there is no cookie, or let such clients use transports: [\"websocket\"]",
        )
    })
}

/// How long an answer takes for which a poll was already waiting.
async fn delay(client: &Client) -> Vec<Finding> {
    let Ok(session) = Session::open(client).await else {
        return Vec::new();
    };
    let poll = async {
        let answer = session.news(PATIENCE).await;
        (answer, Instant::now())
    };
    let post = async {
        sleep(WAITING).await;
        let start = Instant::now();
        let answer = session.post(NOWHERE).await;
        (answer, start)
    };
    let ((polled, arrived), (posted, asked)) = tokio::join!(poll, post);
    let finding = match (polled, posted) {
        (_, Ok(posted)) if posted.took > HELD_BACK => Finding::problem(
            "polling",
            format!(
                "a request had to wait {:.1} s while another one of the same client was open: what clients send arrives late",
                posted.took.as_secs_f64()
            ),
            "Something between takes the requests of a client one after the other: let it pass them at the same time",
        ),
        (Ok(packet), Ok(_)) if !packet.starts_with(NOT_THERE) => Finding::problem(
            "polling",
            format!(
                "a poll was answered with something else than what there was for it: {}",
                packet.chars().take(80).collect::<String>()
            ),
            "Something between answers in place of the node: look for a cache, and let it leave /socket.io alone",
        ),
        (Ok(_), Ok(posted)) => {
            let late = arrived
                .saturating_duration_since(asked)
                .saturating_sub(posted.took);
            if late < HELD_BACK {
                return vec![Finding::ok(
                    "polling",
                    format!(
                        "what there is for a client that polls arrives within {} ms",
                        late.as_millis().max(1)
                    ),
                )];
            }
            Finding::problem(
                "polling",
                format!(
                    "what there is for a client that polls arrives {:.1} s late: something between holds answers back",
                    late.as_secs_f64()
                ),
                "Switch buffering off for /socket.io (nginx: proxy_buffering off), and look for a cache or a scanner on the way",
            )
        }
        (Err(trouble), _) | (_, Err(trouble)) => Finding::problem(
            "polling",
            format!("a poll that waited was answered: {}", trouble.text()),
            "Look at the log of the load balancer, and of the node",
        ),
    };
    session.close().await;
    vec![finding]
}

/// Whether as much gets through as the server takes.
async fn large_body(client: &Client) -> Option<Finding> {
    let session = Session::open(client).await.ok()?;
    let size = session.terms.max_payload.min(LARGEST);
    let padding = "x".repeat(size.saturating_sub(100));
    let result = session
        .post(format!("{NOWHERE}{{\"padding\":\"{padding}\"}}"))
        .await;
    session.close().await;
    let advice = "Let bodies of max_payload_bytes pass (nginx: client_max_body_size)";
    match result {
        Ok(_) => Some(Finding::ok(
            "size",
            format!("a message of {size} bytes, as large as the server takes, gets through"),
        )),
        Err(Trouble::Stray(_)) => None,
        Err(trouble) => Some(Finding::problem(
            "size",
            format!(
                "a message of {size} bytes, which the server takes, is answered: {}",
                trouble.text()
            ),
            advice,
        )),
    }
}

/// What handshakes show: caches, compression, and cookies that browsers would not keep to TLS.
async fn handshakes(client: &Client) -> Vec<Finding> {
    let headers = [(ACCEPT_ENCODING, "gzip".to_owned())];
    let (plain, again, compressed) = tokio::join!(
        session::handshake(client, &[]),
        session::handshake(client, &[]),
        client.get(
            "/socket.io/?EIO=4&transport=polling",
            super::client::Ask {
                headers: headers.to_vec(),
                ..Default::default()
            }
        ),
    );
    let mut findings = Vec::new();
    if let (Ok((answer, first)), Ok((_, second))) = (plain, again) {
        if first.sid == second.sid {
            findings.push(Finding::problem(
                "cache",
                "two clients were given the same session: a cache answers in place of the node",
                "Let nothing keep answers of /socket.io",
            ));
        }
        let lacks_secure = |cookie: &&str| !cookie.to_ascii_lowercase().contains("; secure");
        let careless = answer.cookies().into_iter().find(lacks_secure);
        if let (Some(cookie), "https") = (careless, client.base().scheme()) {
            let name = cookie.split('=').next().unwrap_or_default().to_owned();
            findings.push(Finding::warning(
                "cookies",
                format!("the cookie {name} is not limited to TLS, and pages of other sites cannot use it"),
                "That does no harm where all pages are of this address; else let the load balancer add Secure and SameSite=None",
            ));
        }
    }
    if compressed.is_ok_and(|answer| answer.header(&CONTENT_ENCODING).is_some()) {
        findings.push(Finding::warning(
            "compression",
            "answers of long-polling are compressed on the way: that costs time and gains little",
            "Switch it off for /socket.io",
        ));
    }
    findings
}
