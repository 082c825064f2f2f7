//! Every way into the cluster: passwords, tickets and their end, second factors, several addresses; and what somebody
//! needs who sets up a token of his own.

#[path = "../common/mod.rs"]
mod common;
mod factors;
mod places;
mod state;
mod tickets;
mod tokens;

use common::{Answer, Bench, send};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proxmox_sandbox::USER;
use reqwest::{Method, RequestBuilder};

/// Somebody who has logged in.
struct Login {
    ticket: String,
    csrf: String,
}

/// POST /access/ticket, without anything that tells who asks.
async fn log_in(bench: &Bench, form: &[(&str, &str)]) -> Answer {
    send(bench.http.post(bench.url("/access/ticket")).form(form)).await
}

async fn by_password(bench: &Bench, user: &str) -> Login {
    Login::of(&log_in(bench, &[("username", user), ("password", bench.sandbox.password())]).await)
}

impl Login {
    #[track_caller]
    fn of(answer: &Answer) -> Login {
        let text = |name: &str| answer.data()[name].as_str().expect("a text").to_owned();
        Login { ticket: text("ticket"), csrf: text("CSRFPreventionToken") }
    }

    /// As a browser sends it: percent-encoded in the cookie, and with the token against forged requests.
    fn request(&self, bench: &Bench, method: Method, path: &str) -> RequestBuilder {
        bare(bench, method, path, &self.ticket).header("CSRFPreventionToken", &self.csrf)
    }

    async fn get(&self, bench: &Bench, path: &str) -> Answer {
        send(self.request(bench, Method::GET, path)).await
    }

    async fn post(&self, bench: &Bench, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.request(bench, Method::POST, path).form(form)).await
    }

    async fn put(&self, bench: &Bench, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.request(bench, Method::PUT, path).form(form)).await
    }

    async fn delete(&self, bench: &Bench, path: &str) -> Answer {
        send(self.request(bench, Method::DELETE, path)).await
    }
}

/// With a ticket in the cookie and nothing else.
fn bare(bench: &Bench, method: Method, path: &str, ticket: &str) -> RequestBuilder {
    let cookie = format!("PVEAuthCookie={}", utf8_percent_encode(ticket, NON_ALPHANUMERIC));
    bench.http.request(method, bench.url(path)).header("Cookie", cookie)
}

/// Status and reason of a refusal that has no body.
#[track_caller]
fn outside(answer: &Answer, reason: &str) {
    assert_eq!((answer.status, answer.reason.as_str(), answer.text.as_str()), (401, reason, ""));
}

const NOBODY: &str = "Authentication failed!";
const FORGED: &str = "Permission denied - invalid csrf token";
const WRONG: (u16, &str) = (401, "authentication failure");
