//! What an assistant pays, counted with a real tokenizer: the listed tools against their budgets, and docs/tokens.md.
//!
//! o200k is not every model's tokenizer; it is a public one that stays the same, so that numbers can be compared.

use proxmox_mcp::access::Access;
use proxmox_mcp::catalogue::SURFACES;
use proxmox_mcp::server::describe;
use proxmox_mcp::tool::{Surface, Tier};
use serde_json::json;

mod count;
use count::{Listed, tokens};

#[test]
fn show() {
    let all: Vec<&'static Surface> = SURFACES.iter().filter(|s| s.dialect.is_none()).collect();
    let core: Vec<&'static Surface> = all.iter().copied().filter(|s| s.tool.core).collect();
    for (name, set) in [("all", &all), ("core", &core)] {
        let listed = Listed::of(set);
        println!("{name}: {} tools input {} whole {}", set.len(), listed.input, listed.whole);
    }
    for s in &all {
        let l = Listed::of(&[s]);
        println!("{:>5} {:>5} {} {}", l.input, l.whole, s.name, if s.tool.core { "core" } else { "" });
    }
    let _ = (Access::new(Tier::Admin, vec![], vec![]), tokens(&json!({})), describe(all[0]));
}
