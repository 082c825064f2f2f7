//! What a list of 1,000 guests costs: time, and tokens of the encoding `o200k_base`.

use crate::backend::Backend;
use crate::floor::Raw;
use crate::report::{Report, median};
use crate::server::{LIST, Server, call};
use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::time::Instant;
use tiktoken_rs::o200k_base;

const GUESTS: u32 = 1_000;

pub fn measure(program: &Path, report: &mut Report) -> io::Result<()> {
    let encoding = o200k_base().map_err(io::Error::other)?;
    let tokens = |text: &str| encoding.encode_ordinary(text).len();
    let backend = Backend::start(GUESTS, 0)?;
    let mut server = Server::start(program, &backend)?;
    let mut raw = Raw::connect(&backend)?;
    let mut least = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        raw.get("/cluster/resources?type=vm")?;
        least.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let floor = format!("{:.2} ms: the same request, not parsed", median(&mut least));
    let mut list = |arguments: Value| -> io::Result<(f64, Value)> {
        let mut times = Vec::new();
        let line = call(7, "list_guests", &arguments);
        for _ in 0..200 {
            let start = Instant::now();
            server.ask(&line)?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        let answer = server.call("list_guests", arguments)?["structuredContent"].take();
        Ok((median(&mut times), answer))
    };
    let (time, page) = list(json!({}))?;
    if page["total"] != GUESTS {
        return Err(io::Error::other("the list does not say how many guests there are"));
    }
    let shown = page["guests"].as_array().map_or(0, Vec::len);
    report.row("A list of 1,000 guests, as asked by default", format!("{time:.2} ms"), floor.clone(), "≤ 10 ms");
    report.row(
        "The same, tokens of `structuredContent`",
        format!("{} for {shown} rows of {GUESTS}", tokens(&page.to_string())),
        "",
        "≤ 2,500",
    );
    let (time, table) = list(json!({"limit": GUESTS, "form": "table"}))?;
    let rows = table["rows"].as_array().map_or(0, Vec::len);
    if rows != GUESTS as usize {
        return Err(io::Error::other("the table is not complete"));
    }
    let count = tokens(&table.to_string());
    report.row("All 1,000 guests as a table", format!("{time:.2} ms"), floor, "≤ 10 ms");
    report.row(
        "The same, tokens of `structuredContent`",
        format!("{count}, {:.1} per guest", count as f64 / rows as f64),
        "",
        "≤ 20 per guest",
    );
    let listed = server.ask(LIST)?.to_owned();
    let listed: Value = serde_json::from_str(&listed)?;
    let tools = &listed["result"]["tools"];
    report.row(
        "`tools/list`, every tool",
        format!("{} tokens for {} tools", tokens(&tools.to_string()), tools.as_array().map_or(0, Vec::len)),
        "",
        "",
    );
    Ok(())
}
