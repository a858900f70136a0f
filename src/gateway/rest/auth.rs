//! Getting in: built-in accounts, and who a token belongs to.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::{
    Api, answer, call,
    describe::{Description, Needs},
    extract::{Object, Visitor},
    refuse,
};
use crate::{
    auth::{Identity, RefreshToken},
    chat::{LoginRefused, Namespace, SignIn},
    error::{Error, Result},
    gateway::Gateway,
    protocol::{Credentials, Done, Me, Refresh, SignedIn, User, WaysIn},
};

/// The cookie that holds a browser's refresh token.
const COOKIE: &str = "confab_refresh";
/// Where the cookie is sent: nowhere but to the routes that need it.
const COOKIE_PATH: &str = "/api/auth";
const ACCESS_TOKEN_SECONDS: i64 = 6 * 3600;

type Served = State<Arc<Gateway>>;

pub fn serve(api: Api) -> Api {
    let about =
        |method, path, id, summary| Description::new(method, path, id, summary).tag("Signing in");
    let signs_in = |path, id, summary| {
        about(Method::POST, path, id, summary)
            .answers::<SignedIn>()
            .refuses(&[401])
    };
    let ways = about(
        Method::GET,
        "/auth",
        "ways_in",
        "The ways in that there are",
    );
    let made = signs_in(
        "/auth/register",
        "register",
        "Makes an account and signs in to it",
    );
    let known = signs_in("/auth/login", "login", "Signs in to an account");
    let next = signs_in(
        "/auth/refresh",
        "refresh",
        "Continues a session, by the token given or the cookie",
    );
    let end = about(
        Method::POST,
        "/auth/logout",
        "logout",
        "Ends a session, if there is one",
    );
    api.serve(ways.answers::<WaysIn>(), ways_in)
        .serve(
            made.body::<Credentials>().says(&[201]).refuses(&[409]),
            register,
        )
        .serve(known.body::<Credentials>(), login)
        .serve(next.body::<Refresh>(), refresh)
        .serve(end.body::<Refresh>().answers::<Done>(), logout)
}

pub fn serve_me(api: Api) -> Api {
    let about = Description::new(Method::GET, "/me", "me", "Who is calling");
    let about = about.tag("Signing in").needs(Needs::TokenOrGuestSession);
    api.serve(about.answers::<Me>(), me)
}

async fn ways_in(State(gateway): Served, visitor: Visitor) -> Response {
    answer(
        "ways_in",
        &visitor,
        Ok((StatusCode::OK, gateway.chat.ways_in())),
    )
}

/// How somebody comes in by name and password.
#[derive(Clone, Copy)]
enum Entry {
    Register,
    Login,
}

async fn register(
    gateway: Served,
    visitor: Visitor,
    jar: CookieJar,
    credentials: Object<Credentials>,
) -> Response {
    enter(Entry::Register, gateway, visitor, jar, credentials).await
}

async fn login(
    gateway: Served,
    visitor: Visitor,
    jar: CookieJar,
    credentials: Object<Credentials>,
) -> Response {
    enter(Entry::Login, gateway, visitor, jar, credentials).await
}

async fn enter(
    entry: Entry,
    State(gateway): Served,
    visitor: Visitor,
    jar: CookieJar,
    Object(credentials): Object<Credentials>,
) -> Response {
    let result = async {
        let credentials = credentials?;
        let wants_cookie = credentials.cookie;
        let sign_in = match entry {
            Entry::Register => gateway.chat.register(credentials, visitor.ip).await?,
            Entry::Login => {
                let sign_in = gateway.chat.login(credentials, visitor.ip).await;
                sign_in.map_err(|LoginRefused { error, account }| {
                    visitor.concerns(account);
                    error
                })?
            }
        };
        Ok((sign_in, wants_cookie))
    };
    let (what, status) = match entry {
        Entry::Register => ("register", StatusCode::CREATED),
        Entry::Login => ("login", StatusCode::OK),
    };
    signed_in(what, status, &gateway, &visitor, jar, result.await)
}

async fn refresh(
    State(gateway): Served,
    visitor: Visitor,
    jar: CookieJar,
    Object(request): Object<Refresh>,
) -> Response {
    let by_cookie = is_by_cookie(&request);
    let result = async {
        let (token, from_cookie) = refresh_token(&gateway, &jar, request?)?;
        Ok((gateway.chat.refresh(token, visitor.ip).await?, from_cookie))
    };
    let result = result.await;
    // A cookie that is good for nothing goes; one that could not be looked at, or was not used, stays.
    let is_refused = matches!(result, Err(Error::SignedOut | Error::Unauthorized(_)));
    let jar = if is_refused && by_cookie {
        jar.remove(forgotten())
    } else {
        jar
    };
    signed_in("refresh", StatusCode::OK, &gateway, &visitor, jar, result)
}

async fn logout(
    State(gateway): Served,
    visitor: Visitor,
    jar: CookieJar,
    Object(request): Object<Refresh>,
) -> Response {
    let by_cookie = is_by_cookie(&request);
    let result = async {
        match refresh_token(&gateway, &jar, request?) {
            Ok((token, _)) => gateway.chat.logout(token, visitor.ip).await,
            // Who has no session is signed out already.
            Err(Error::Unauthorized(_)) => Ok(()),
            Err(error) => Err(error),
        }
    };
    match result.await {
        Ok(()) => {
            let body = answer("logout", &visitor, Ok((StatusCode::OK, Done {})));
            let jar = if by_cookie {
                jar.remove(forgotten())
            } else {
                jar
            };
            (jar, body).into_response()
        }
        Err(error) => refuse("logout", &visitor, error),
    }
}

async fn me(State(gateway): Served, visitor: Visitor, parts: Parts) -> Response {
    let caller = call::caller(&gateway, Namespace::Chat, &parts, &visitor).await;
    let me = caller.map(|identity| {
        let user = user(&identity);
        (StatusCode::OK, Me { user })
    });
    answer("me", &visitor, me)
}

/// Whether a request leaves it to the cookie to say which session it is about.
fn is_by_cookie(request: &Result<Refresh>) -> bool {
    matches!(request, Ok(request) if request.refresh_token.is_none())
}

/// The refresh token of a request, and whether it came in the cookie.
fn refresh_token(
    gateway: &Gateway,
    jar: &CookieJar,
    request: Refresh,
) -> Result<(RefreshToken, bool)> {
    let in_cookie = || jar.get(COOKIE).map(|cookie| cookie.value().to_owned());
    let (token, from_cookie) = match request.refresh_token {
        Some(token) => (token, false),
        None => (
            in_cookie().ok_or_else(|| Error::unauthorized("a refresh token is required"))?,
            true,
        ),
    };
    Ok((gateway.authenticator.verify_refresh(&token)?, from_cookie))
}

fn signed_in(
    what: &'static str,
    status: StatusCode,
    gateway: &Gateway,
    visitor: &Visitor,
    jar: CookieJar,
    result: Result<(SignIn, bool)>,
) -> Response {
    let tokens = result.and_then(|(sign_in, in_cookie)| {
        let (body, refresh_token) = tokens(gateway, &sign_in)?;
        Ok((body, refresh_token, in_cookie))
    });
    match tokens {
        Ok((body, refresh_token, true)) => {
            let jar = jar.add(cookie(refresh_token, visitor.is_secure));
            (jar, answer(what, visitor, Ok((status, body)))).into_response()
        }
        Ok((body, refresh_token, false)) => {
            let refresh_token = Some(refresh_token);
            let body = SignedIn {
                refresh_token,
                ..body
            };
            answer(what, visitor, Ok((status, body)))
        }
        Err(error) => (jar, refuse(what, visitor, error)).into_response(),
    }
}

/// What somebody who has signed in is given, and the refresh token.
fn tokens(gateway: &Gateway, sign_in: &SignIn) -> Result<(SignedIn, String)> {
    let signed = |result: Result<String, String>| {
        result.map_err(|error| {
            tracing::error!(error, "a token was not signed");
            Error::Internal
        })
    };
    let authenticator = &gateway.authenticator;
    let access_token = signed(authenticator.sign(&sign_in.identity, ACCESS_TOKEN_SECONDS))?;
    let refresh_token = signed(authenticator.sign_refresh(
        &sign_in.identity,
        sign_in.session,
        sign_in.generation,
        sign_in.expires_at,
    ))?;
    let expires_at = authenticator.verify(&access_token)?.expires_at;
    let body = SignedIn {
        access_token,
        expires_at: expires_at.ok_or(Error::Internal)?,
        refresh_token: None,
        user: user(&sign_in.identity),
    };
    Ok((body, refresh_token))
}

fn user(identity: &Identity) -> User {
    User {
        id: identity.user_id.clone(),
        tenant: identity.tenant.clone(),
        username: identity.username.to_string(),
        is_guest: identity.is_guest,
        is_staff: identity.is_staff,
    }
}

fn cookie(refresh_token: String, is_secure: bool) -> Cookie<'static> {
    Cookie::build((COOKIE, refresh_token))
        .path(COOKIE_PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure)
        // As long as browsers keep any; the token in it says when it ends.
        .permanent()
        .build()
}

fn forgotten() -> Cookie<'static> {
    Cookie::build(COOKIE).path(COOKIE_PATH).build()
}
