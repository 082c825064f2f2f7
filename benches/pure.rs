//! The parts of a call that need no network: `cargo bench --bench pure`.
//!
//! What a call costs as a whole, with its floor, is measured by the package `proxmox-bench`.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use proxmox_mcp::arguments::Fields;
use proxmox_mcp::catalogue;
use proxmox_mcp::client::{Listing, Row};
use proxmox_mcp::engine::{Given, prepare_with};
use proxmox_mcp::server;
use proxmox_mcp::tool::{Kind, Surface};
use serde_json::{Value, json};
use std::hint::black_box;

fn surface(name: &str) -> &'static Surface {
    catalogue::surface(name).unwrap_or_else(|| panic!("no tool {name}"))
}

/// From JSON arguments to the finished requests.
fn arguments(criterion: &mut Criterion) {
    let calls = [
        ("list_nodes", json!({})),
        ("start_guest", json!({"vmid": 100})),
        (
            "create_vm",
            json!({"node": "pve1", "name": "web", "memory": 4096, "cores": 2, "storage": "local-lvm", "disk_size": "50G",
                "net0": "virtio,bridge=vmbr0", "options": {"scsi1": "local-lvm:8,ssd=1", "agent": "1"}}),
        ),
    ];
    let given = Given {
        kind: Some(Kind::Qemu),
        node: Some("pve1".to_owned()),
        nextid: Some("103".to_owned()),
        ..Given::default()
    };
    for (tool, arguments) in calls {
        let surface = surface(tool);
        criterion.bench_function(&format!("arguments to requests, {tool}"), |bench| {
            bench.iter(|| {
                let mut fields = Fields::new(surface, black_box(&arguments).as_object());
                let plan = (surface.tool.plan)(&mut fields).expect("it decodes");
                prepare_with(&plan, &given).expect("it is complete")
            });
        });
    }
}

/// The longest list that a cluster answers with.
fn listings(criterion: &mut Criterion) {
    let row = |vmid: u32| {
        json!({"vmid": vmid, "id": format!("qemu/{vmid}"), "type": "qemu", "node": "pve1", "name": format!("vm-{vmid}"),
            "status": "running", "cpu": 0.03, "maxcpu": 4, "mem": 1_717_986_918_u64, "maxmem": 4_294_967_296_u64,
            "uptime": 438_001, "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0, "template": 0})
    };
    let rows: Vec<Value> = (100..1_100).map(row).collect();
    let body = json!({ "data": rows }).to_string();
    criterion.bench_function("1,000 guests: rows found", |bench| {
        bench.iter_batched(|| body.clone(), |body| Listing::parse(body).expect("a list"), BatchSize::SmallInput);
    });
    let listing = Listing::parse(body).expect("a list");
    criterion.bench_function("1,000 guests: three fields of every row", |bench| {
        bench.iter(|| for_each_row(&listing, |row| row.pick(&["vmid", "type", "status"]).len()));
    });
    criterion.bench_function("1,000 guests: every row whole", |bench| {
        bench.iter(|| for_each_row(&listing, |row| usize::from(row.value().is_object())));
    });
}

fn for_each_row(listing: &Listing, read: impl Fn(Row<'_>) -> usize) -> usize {
    listing.rows().map(read).sum()
}

fn facts(criterion: &mut Criterion) {
    let path = "/nodes/pve1/qemu/100/firewall/rules/3";
    criterion.bench_function("the method of a path", |bench| {
        bench.iter(|| proxmox_spec::route(proxmox_spec::Verb::Get, black_box(path)));
    });
    criterion.bench_function("tools/list, built once per process", |bench| {
        bench.iter(|| catalogue::SURFACES.iter().filter_map(server::describe).count());
    });
}

criterion_group!(benches, arguments, listings, facts);
criterion_main!(benches);
