//! A plain client of the sandbox, for all tests.

// Every test file uses its own part of this.
#![allow(dead_code)]

use proxmox_sandbox::{Options, Sandbox};
use reqwest::{Certificate, Client, Method, RequestBuilder, multipart::Form};
use serde_json::Value;

/// A sandbox and somebody who talks to it with its token.
pub struct Bench {
    pub sandbox: Sandbox,
    pub http: Client,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    /// Null when the body is no JSON.
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The value of `data` of a success.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        &self.body["data"]
    }

    /// Status and message of a failure, without the newline at the end.
    pub fn failure(&self) -> (u16, &str) {
        (self.status, self.body["message"].as_str().unwrap_or_default().trim_end())
    }

    /// The text for one parameter of a 400.
    #[track_caller]
    pub fn error(&self, param: &str) -> &str {
        assert_eq!(self.failure(), (400, "Parameter verification failed."), "{self:?}");
        self.body["errors"][param].as_str().unwrap_or_else(|| panic!("no error for {param}: {self:?}"))
    }

    #[track_caller]
    pub fn upid(&self) -> String {
        let upid = self.data().as_str().unwrap_or_default();
        assert!(upid.starts_with("UPID:"), "{self:?}");
        upid.to_owned()
    }
}

impl Bench {
    pub async fn start() -> Bench {
        Bench::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Bench {
        // Installing it a second time fails, and that is fine.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let sandbox = Sandbox::start(options).await.expect("starts");
        let certificate = Certificate::from_pem(sandbox.certificate_pem().as_bytes()).expect("a certificate");
        let http = Client::builder().tls_certs_only([certificate]).build().expect("a client");
        Bench { sandbox, http }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}/api2/json{path}", self.sandbox.address())
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = format!("PVEAPIToken={}", self.sandbox.token());
        self.http.request(method, self.url(path)).header("Authorization", token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// With parameters as a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.request(Method::POST, path).form(form)).await
    }

    pub async fn put(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.request(Method::PUT, path).form(form)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub async fn upload(&self, path: &str, form: Form) -> Answer {
        send(self.request(Method::POST, path).multipart(form)).await
    }

    /// Polls a task to its end: exit status and log.
    pub async fn wait(&self, answer: &Answer) -> (String, Vec<String>) {
        let upid = answer.upid();
        let node = upid.split(':').nth(1).unwrap_or_default();
        for _ in 0..400 {
            let status = self.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
            if status.data()["status"] == "stopped" {
                let log = self.get(&format!("/nodes/{node}/tasks/{upid}/log?limit=0")).await;
                let lines = log.data().as_array().expect("lines");
                let lines = lines.iter().map(|line| line["t"].as_str().unwrap_or_default().to_owned()).collect();
                return (status.data()["exitstatus"].as_str().unwrap_or_default().to_owned(), lines);
            }
        }
        panic!("{upid} does not end");
    }

    /// Posts, and waits for a good end.
    pub async fn task(&self, path: &str, form: &[(&str, &str)]) -> Vec<String> {
        let answer = self.post(path, form).await;
        let (status, log) = self.wait(&answer).await;
        assert_eq!(status, "OK", "{path} {form:?}: {log:?}");
        log
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let reason = match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: status.as_u16(), reason, body, text }
}
