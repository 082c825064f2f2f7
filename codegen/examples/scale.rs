//! Prints a catalogue of 250 tools, to see how long a large one takes.
//!
//! The generator alone: `cargo run --release -p proxmox-codegen --example scale > /tmp/scale.yaml`, then
//! `time cargo run --release -p proxmox-codegen --example check -- /tmp/scale.yaml > /dev/null`. The server with it: put
//! the file in the place of `tools.yaml` for a while, and `time cargo build`. Another number of tools is an argument.

use std::fmt::Write as _;

/// What stands around the tools.
const HEAD: &str = "\
catalogue: 1

vocabulary:
  vmid: Id of the guest, or its unique name.
  node: Name of the node.
  kind: qemu = virtual machine, lxc = container.
  wait: Seconds to wait for the end.
  limit: Most rows to return.
  offset: Rows to skip.
  fields: Only these fields.

waiters:
  task:
    poll: GET /nodes/{node}/tasks/{upid}/status
    from: { upid: answer }
    log: GET /nodes/{node}/tasks/{upid}/log
    outcomes:
      - { when: { exitstatus: OK }, then: ok }
      - { when: { status: stopped }, then: failed }
    fields: [exitstatus]

toolsets:
";

/// Five tools, one of each sort that a catalogue is mostly made of: a list, a read of one thing, a task, a write to both
/// kinds of guest, and a wide call. `#` stands for the number.
const TOOLS: &str = r#"      list_guests_#:
        title: List guests
        doc: Guests of the whole cluster with their state.
        tier: read
        call: GET /cluster/resources
        fixed: { type: vm }
        args:
          status: { doc: Only guests in this state., type: text, values: [running, stopped] }
        returns: { list: guests, page: 50, sort: vmid, fields: [vmid, name, kind = type, node, status, mem], filter: { status: status } }
        examples:
          - args: { status: running }
            sends: GET /cluster/resources type=vm
      get_node_status_#:
        title: Node status
        doc: One node in detail.
        tier: read
        call: GET /nodes/{node}/status
        args:
          node:
        examples:
          - args: { node: pve1 }
            sends: GET /nodes/pve1/status
      shutdown_guest_#:
        title: Shut down a guest
        doc: Ask the guest's system to shut down.
        tier: operate
        effect: interrupts
        call: POST {guest}/status/shutdown
        args:
          timeout: Seconds the guest gets.
          force_stop: Cut the power when the timeout passes.
        examples:
          - args: { vmid: 100, timeout: 60, force_stop: true }
            given: { kind: qemu, node: pve1 }
            sends: POST /nodes/pve1/qemu/100/status/shutdown timeout=60 forceStop=1
      set_firewall_options_#:
        title: Change firewall options
        doc: Change the firewall options of a guest.
        tier: configure
        effect: changes
        call: PUT {guest}/firewall/options
        args:
          enable: Whether the firewall is on.
          policy_in: What happens to what comes in.
          digest: Refuse when the options have changed.
        examples:
          - args: { vmid: 100, enable: true, policy_in: DROP }
            given: { kind: lxc, node: pve1 }
            sends: PUT /nodes/pve1/lxc/100/firewall/options enable=1 policy_in=DROP
      create_vm_#:
        title: Create a virtual machine
        doc: Create a virtual machine with one disk.
        tier: configure
        effect: changes
        call: POST /nodes/{node}/qemu
        args:
          node:
          vmid: { doc: Id of the new guest., default_from: GET /cluster/nextid }
          name: Name of the virtual machine.
          memory: { doc: Memory in MiB., default: 2048, type: integer, minimum: 16 }
          cores: { doc: Cores per socket., default: 1 }
          ostype: { doc: Guest system., default: l26 }
          storage: Storage for the disk.
          disk_size: { doc: Size of the disk., parse: size, default: 32G, needs: storage }
          options: { doc: Other options of the API., parse: rest }
        derive: { scsi0: "{storage}:{disk_size|gib}" }
        examples:
          - args: { node: pve1, name: web, storage: local-lvm, options: { bios: ovmf } }
            given: { nextid: 103 }
            sends: POST /nodes/pve1/qemu vmid=103 name=web memory=2048 cores=1 ostype=l26 bios=ovmf scsi0=local-lvm:32
"#;

/// A catalogue of at least `tools` tools, 25 to a toolset.
pub fn catalogue(tools: usize) -> String {
    let mut out = HEAD.to_owned();
    for number in 0..tools.div_ceil(5) {
        if number % 5 == 0 {
            let set = number / 5;
            let _ = write!(out, "  set{set}:\n    title: Set {set}\n    doc: Some tools.\n    tools:\n");
        }
        out.push_str(&TOOLS.replace('#', &number.to_string()));
    }
    out
}

#[allow(dead_code)]
fn main() {
    let tools = std::env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(250);
    print!("{}", catalogue(tools));
}
