//! How a recorded request is written: credentials, marks, multipart bodies, shortened paths.

use crate::{
    client::Answer,
    prepare::{UPLOADED, World},
    record::Record,
};

impl World {
    /// Sends a recorded request.
    pub async fn send(&mut self, record: &Record) -> Answer {
        if record.mentions("TICKET>") {
            self.log_in().await;
        }
        let mut headers = Vec::new();
        for (name, value) in record.get("headers").as_object().into_iter().flatten() {
            headers.push((name.clone(), self.fill(value.as_str().unwrap_or_default())));
        }
        let given = |name: &str| headers.iter().any(|(known, _)| known == name);
        let mut credentials = Vec::new();
        match record.auth() {
            "none" => {}
            "token" if given("Authorization") => {}
            "token" => credentials.push(("Authorization", format!("PVEAPIToken={}", self.token))),
            "audit-token" => credentials.push(("Authorization", format!("PVEAPIToken={}", self.audit_token))),
            "privsep-token-without-acl" => {
                credentials.push(("Authorization", format!("PVEAPIToken={}", self.bare_token)));
            }
            "ticket" | "ticket-no-csrf" | "ticket-bad-csrf" => {
                let (ticket, csrf) = self.log_in().await;
                credentials.push(("Cookie", format!("PVEAuthCookie={}", encode(&ticket))));
                match record.auth() {
                    "ticket" => credentials.push(("CSRFPreventionToken", csrf)),
                    "ticket-bad-csrf" => credentials.push(("CSRFPreventionToken", "00000000:x".to_owned())),
                    _ => {}
                }
            }
            other => panic!("unknown credentials {other}"),
        }
        headers.extend(credentials.into_iter().map(|(name, value)| (name.to_owned(), value)));
        // In a form, the plus signs of a ticket would be spaces.
        let body = record.get("body").as_str().map(|text| self.fill(&text.replace("<TICKET>", "<ENCODED-TICKET>")));
        let kind = record.get("type").as_str();
        let body = match (body, kind) {
            (Some(text), Some(kind)) if text.starts_with("parts in order: ") => {
                let boundary = kind.rsplit('=').next().unwrap_or_default();
                Some(multipart(text.trim_start_matches("parts in order: "), boundary))
            }
            (body, _) => body.map(String::into_bytes),
        };
        match kind {
            Some("") => {}
            Some(kind) => headers.push(("Content-Type".to_owned(), kind.to_owned())),
            None if body.is_some() => {
                headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
            }
            None => {}
        }
        let mut target = self.fill(&long(record.text("path")));
        // Two records ask for files of the web interface, all others for paths of the API.
        if !target.starts_with("/api2") && !["/", "/obsnone.js"].contains(&target.as_str()) {
            target = format!("/api2/json{target}");
        }
        if let Some(query) = record.get("query").as_str() {
            target = format!("{target}?{}", self.fill(query));
        }
        self.client.send(record.text("method"), &target, &headers, body).await
    }
}

/// `aaa...(4000)` in full.
fn long(path: &str) -> String {
    match path.split_once("aaa...(") {
        Some((start, rest)) => {
            let (count, end) = rest.split_once(')').expect("a count");
            format!("{start}{}{end}", "a".repeat(count.parse().expect("a number")))
        }
        None => path.to_owned(),
    }
}

pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A multipart body from its description: `name="content" = iso | name="filename"; filename="x.iso" = (300 bytes)`.
fn multipart(description: &str, boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for part in description.split(" | ") {
        let (disposition, value) = part.split_once(" = ").expect("a value");
        body.extend(format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n").into_bytes());
        if disposition.contains("filename=") {
            body.extend(b"Content-Type: application/octet-stream\r\n");
        }
        body.extend(b"\r\n");
        match value {
            "(300 bytes)" => body.extend([UPLOADED; 300]),
            value => body.extend(value.as_bytes()),
        }
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    body
}
