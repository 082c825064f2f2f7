//! The stand-alone sandbox answers what a real Proxmox VE answered: every recorded request is sent again, in order,
//! and status, message, errors, the types of the answer and the end of the task have to be the recorded ones.
//!
//! What differs stands in `data/differences.json` with its reason, and an entry there that no longer differs is a
//! failure too. `REPLAY=vm.put` prints what happens to the requests whose ids begin like that.

mod client;
mod prepare;
mod record;
mod send;
mod shape;
mod text;
mod wire;

use prepare::World;
use record::Record;
use serde_json::Value;
use text::normal;

#[tokio::test]
async fn recorded_requests_get_the_recorded_answers() {
    let shown = std::env::var("REPLAY").ok();
    let mut known = record::differences();
    let mut world = World::start().await;
    let mut failures = Vec::new();
    let mut same = 0;
    for record in record::records() {
        let id = record.id().to_owned();
        world.prepare(&id).await;
        let expected = known.remove(&id);
        if expected.as_ref().is_some_and(|known| known.skipped) {
            continue;
        }
        let differences = replay(&mut world, &record).await;
        if shown.as_ref().is_some_and(|prefix| id.starts_with(prefix.as_str())) {
            println!("{id}: {differences:#?}");
        }
        match (differences.is_empty(), expected) {
            (true, None) => same += 1,
            (true, Some(known)) => failures.push(format!("{id}: does not differ any more ({})", known.reason)),
            (false, Some(_)) => {}
            (false, None) => failures.push(format!("{id}: {}", differences.join("; "))),
        }
    }
    failures.extend(known.keys().map(|id| format!("{id}: no such record")));
    assert!(failures.is_empty(), "{same} as recorded, {} not:\n{}", failures.len(), failures.join("\n"));
}

/// Sends one request and tells what is different.
async fn replay(world: &mut World, record: &Record) -> Vec<String> {
    let answer = if record.get("raw").is_null() { world.send(record).await } else { wire::send(world, record).await };
    let body = answer.json();
    let mut differences = Vec::new();
    let mut check = |what: &str, seen: &Value, ours: Value| {
        if *seen != ours {
            differences.push(format!("{what} {seen}, here {ours}"));
        }
    };
    if answer.status != record.status() {
        let shown: String = answer.text.chars().take(200).collect();
        return vec![format!("status {}, here {} {} {shown}", record.status(), answer.status, answer.reason)];
    }
    if let Some(message) = record.get("message").as_str() {
        check("message", &message.into(), normal(body["message"].as_str().unwrap_or(&answer.text).trim_end()).into());
        let errors = body["errors"].as_object().map(|errors| {
            errors.iter().map(|(name, text)| (name.clone(), normal(text.as_str().unwrap_or_default()).into())).collect()
        });
        check("errors", record.get("errors"), errors.map_or(Value::Null, Value::Object));
    }
    if answer.status >= 300 {
        let message = record.get("message").as_str().unwrap_or_else(|| record.text("text"));
        let reason = record.get("reason").as_str().unwrap_or(message).lines().next().unwrap_or_default();
        check("reason", &reason.trim().into(), normal(&answer.reason).trim().into());
    }
    match record.get("text").as_str() {
        Some("s") => check("text", &true.into(), (!answer.text.is_empty() && body.is_null()).into()),
        Some(text) => check("text", &text.into(), normal(&answer.text).into()),
        None => {}
    }
    for (name, header) in [("answers", "content-type"), ("location", "location")] {
        if let Some(seen) = record.get(name).as_str() {
            check(header, &seen.into(), answer.headers.get(header).map_or(Value::Null, |text| text.as_str().into()));
        }
    }
    if !record.get("shape").is_null() {
        differences.extend(shape::compare(record.get("shape"), &body));
    }
    let upid = body["data"].as_str().filter(|text| text.starts_with("UPID:"));
    let mut log = Vec::new();
    if let (Some(end), Some(upid)) = (record.get("end").as_str(), upid) {
        let status = world.wait(upid).await;
        if normal(&status) != end {
            differences.push(format!("the task ends {end:?}, here {status:?}"));
        }
        log = world.log(upid).await;
        if let Some(last) = record.get("last").as_str()
            && log.last().map(|line| normal(line)).as_deref() != Some(last)
        {
            differences.push(format!("the log ends {last:?}, here {:?}", log.last()));
        }
    }
    for (mark, place) in record.get("defines").as_object().into_iter().flatten() {
        let value = match place.as_str() {
            Some("archive") => log.iter().find_map(|line| text::archive(line)),
            Some(pointer) => body.pointer(pointer).and_then(Value::as_str).map(str::to_owned),
            None => None,
        };
        match value {
            Some(value) => world.define(mark, value),
            None => differences.push(format!("nothing here is {mark}")),
        }
    }
    differences
}
