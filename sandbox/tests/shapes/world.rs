//! A cluster in which every path of the API leads to something, and what has to happen before single calls.

use proxmox_spec::{Method, Segment, Verb};

/// What is made before anything is read, in this order: path and form.
pub const SETUP: &[(&str, &[(&str, &str)])] = &[
    (
        "/access/domains",
        &[("realm", "corp"), ("type", "openid"), ("issuer-url", "https://id.example.org"), ("client-id", "pve")],
    ),
    ("/access/groups", &[("groupid", "walkers")]),
    ("/access/roles", &[("roleid", "Walker"), ("privs", "VM.Audit")]),
    ("/access/users", &[("userid", "walker@pve"), ("password", "correct-horse")]),
    ("/access/users/walker@pve/token/walk", &[("comment", "for walking")]),
    ("/cluster/acme/account", &[("contact", "root@example.org"), ("tos_url", "https://example.org/tos")]),
    ("/cluster/acme/plugins", &[("id", "walkdns"), ("type", "dns"), ("api", "cf"), ("data", "Q0ZfVG9rZW49eA==")]),
    ("/cluster/backup", &[("id", "walkjob"), ("vmid", "100"), ("storage", "backup-nas"), ("schedule", "sat 03:00")]),
    ("/cluster/firewall/aliases", &[("name", "walkalias"), ("cidr", "192.0.2.7")]),
    ("/cluster/firewall/groups", &[("group", "walkgroup")]),
    ("/cluster/firewall/groups/walkgroup", &[("type", "in"), ("action", "ACCEPT")]),
    ("/cluster/firewall/ipset", &[("name", "walkset")]),
    ("/cluster/firewall/ipset/walkset", &[("cidr", "192.0.2.8")]),
    ("/cluster/firewall/rules", &[("type", "in"), ("action", "ACCEPT")]),
    ("/cluster/ha/resources", &[("sid", "vm:102"), ("state", "stopped")]),
    ("/cluster/ha/resources", &[("sid", "vm:110")]),
    (
        "/cluster/ha/rules",
        &[("rule", "walkrule"), ("type", "node-affinity"), ("resources", "vm:102"), ("nodes", "pve1")],
    ),
    ("/cluster/jobs/realm-sync/walksync", &[("realm", "corp"), ("schedule", "daily")]),
    ("/cluster/mapping/dir", &[("id", "walkdir"), ("map", "node=pve1,path=/srv")]),
    ("/cluster/mapping/pci", &[("id", "walkpci"), ("map", "node=pve1,path=0000:01:00.0,id=8086:1533")]),
    ("/cluster/mapping/usb", &[("id", "walkusb"), ("map", "node=pve1,id=0bda:0307")]),
    ("/cluster/metrics/server/walkmetrics", &[("type", "graphite"), ("server", "192.0.2.9"), ("port", "2003")]),
    (
        "/cluster/notifications/endpoints/gotify",
        &[("name", "walkgotify"), ("server", "https://example.org"), ("token", "x")],
    ),
    ("/cluster/notifications/endpoints/sendmail", &[("name", "walkmail"), ("mailto-user", "root@pam")]),
    (
        "/cluster/notifications/endpoints/smtp",
        &[
            ("name", "walksmtp"),
            ("server", "mail.example.org"),
            ("from-address", "pve@example.org"),
            ("mailto", "a@example.org"),
        ],
    ),
    (
        "/cluster/notifications/endpoints/webhook",
        &[("name", "walkhook"), ("url", "https://example.org/x"), ("method", "post")],
    ),
    (
        "/cluster/notifications/matchers",
        &[("name", "walkmatcher"), ("target", "mail-to-root"), ("match-severity", "error")],
    ),
    ("/cluster/qemu/custom-cpu-models", &[("cputype", "walkcpu"), ("reported-model", "host")]),
    ("/cluster/replication", &[("id", "100-0"), ("type", "local"), ("target", "pve2")]),
    (
        "/cluster/sdn/controllers",
        &[("controller", "walkctl"), ("type", "evpn"), ("asn", "65000"), ("peers", "192.0.2.11")],
    ),
    ("/cluster/sdn/dns", &[("dns", "walkdns"), ("type", "powerdns"), ("url", "https://dns.example.org"), ("key", "k")]),
    (
        "/cluster/sdn/ipams",
        &[("ipam", "walkipam"), ("type", "netbox"), ("url", "https://ipam.example.org"), ("token", "t")],
    ),
    ("/cluster/sdn/zones", &[("zone", "walkz"), ("type", "simple")]),
    ("/cluster/sdn/vnets", &[("vnet", "walkv"), ("zone", "walkz")]),
    (
        "/cluster/sdn/vnets/walkv/subnets",
        &[("subnet", "198.51.100.0/24"), ("type", "subnet"), ("gateway", "198.51.100.1")],
    ),
    ("/cluster/sdn/vnets/walkv/ips", &[("zone", "walkz"), ("ip", "198.51.100.9"), ("mac", "BC:24:11:00:00:09")]),
    ("/cluster/sdn/vnets/walkv/firewall/rules", &[("type", "forward"), ("action", "ACCEPT")]),
    (
        "/cluster/sdn/fabrics/fabric",
        &[("id", "walkf"), ("protocol", "ospf"), ("redistribute", "source=connected"), ("ip_prefix", "203.0.113.0/24")],
    ),
    (
        "/cluster/sdn/fabrics/node/walkf",
        &[("node_id", "pve1"), ("protocol", "ospf"), ("interfaces", "name=eno2"), ("ip", "203.0.113.1")],
    ),
    ("/cluster/sdn/prefix-lists", &[("id", "walklist")]),
    ("/cluster/sdn/prefix-lists/walklist/entries", &[("action", "permit"), ("prefix", "192.0.2.0/24"), ("seq", "10")]),
    ("/cluster/sdn/route-maps/entries", &[("route-map-id", "walkmap"), ("order", "10"), ("action", "permit")]),
    ("/nodes/pve1/disks/zfs", &[("name", "walkpool"), ("devices", "/dev/sdb"), ("raidlevel", "single")]),
    ("/nodes/pve2/disks/directory", &[("name", "walkdir"), ("device", "/dev/sdb")]),
    ("/nodes/pve1/network", &[("iface", "vmbr9"), ("type", "bridge"), ("autostart", "1")]),
    ("/nodes/pve1/qemu/100/firewall/aliases", &[("name", "walkalias"), ("cidr", "192.0.2.7")]),
    ("/nodes/pve1/qemu/100/firewall/ipset", &[("name", "walkset")]),
    ("/nodes/pve1/qemu/100/firewall/ipset/walkset", &[("cidr", "192.0.2.8")]),
    ("/nodes/pve1/lxc/200/firewall/aliases", &[("name", "walkalias"), ("cidr", "192.0.2.7")]),
    ("/nodes/pve1/lxc/200/firewall/ipset", &[("name", "walkset")]),
    ("/nodes/pve1/lxc/200/firewall/ipset/walkset", &[("cidr", "192.0.2.8")]),
    ("/nodes/pve1/firewall/rules", &[("type", "in"), ("action", "ACCEPT")]),
    (
        "/nodes/pve1/storage/local/download-url",
        &[("content", "import"), ("filename", "walk.ova"), ("url", "https://example.org/walk.ova")],
    ),
    ("/nodes/pve1/qemu/100/agent/exec", &[("command", "true")]),
];

/// What a path parameter names, by the template up to it; the longest that fits wins.
const THERE: &[(&str, &str)] = &[
    ("{node}", "pve1"),
    ("{vmid}", "100"),
    ("/nodes/{node}/lxc/{vmid}", "200"),
    ("/nodes/{node}/qemu/{vmid}/snapshot/{snapname}", "clean"),
    ("/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", "initial"),
    ("{storage}", "local"),
    ("{volume}", "local:iso/ubuntu-22.04.iso"),
    ("{pos}", "0"),
    ("{userid}", "walker@pve"),
    ("{tokenid}", "walk"),
    ("{roleid}", "Walker"),
    ("{realm}", "corp"),
    ("{groupid}", "walkers"),
    ("/access/tfa/{userid}/{id}", "totp-1"),
    ("{poolid}", "lab"),
    ("/cluster/acme/account/{name}", "default"),
    ("/cluster/acme/plugins/{id}", "walkdns"),
    ("/cluster/backup/{id}", "walkjob"),
    ("/cluster/config/nodes/{node}", "pve3"),
    ("/firewall/aliases/{name}", "walkalias"),
    ("/firewall/ipset/{name}", "walkset"),
    ("/firewall/ipset/{name}/{cidr}", "192.0.2.8"),
    ("/cluster/firewall/groups/{group}", "walkgroup"),
    ("/cluster/ha/groups/{group}", "walk"),
    ("/cluster/ha/resources/{sid}", "vm:102"),
    ("/cluster/ha/rules/{rule}", "walkrule"),
    ("/cluster/jobs/realm-sync/{id}", "walksync"),
    ("/cluster/mapping/dir/{id}", "walkdir"),
    ("/cluster/mapping/pci/{id}", "walkpci"),
    ("/cluster/mapping/usb/{id}", "walkusb"),
    ("/cluster/metrics/server/{id}", "walkmetrics"),
    ("/cluster/notifications/endpoints/gotify/{name}", "walkgotify"),
    ("/cluster/notifications/endpoints/sendmail/{name}", "walkmail"),
    ("/cluster/notifications/endpoints/smtp/{name}", "walksmtp"),
    ("/cluster/notifications/endpoints/webhook/{name}", "walkhook"),
    ("/cluster/notifications/matchers/{name}", "walkmatcher"),
    ("/cluster/notifications/targets/{name}", "mail-to-root"),
    ("/cluster/qemu/custom-cpu-models/{cputype}", "walkcpu"),
    ("/cluster/replication/{id}", "100-0"),
    ("/nodes/{node}/replication/{id}", "100-0"),
    ("/cluster/sdn/controllers/{controller}", "walkctl"),
    ("/cluster/sdn/dns/{dns}", "walkdns"),
    ("/cluster/sdn/ipams/{ipam}", "walkipam"),
    ("/cluster/sdn/zones/{zone}", "walkz"),
    ("/cluster/sdn/vnets/{vnet}", "walkv"),
    ("/cluster/sdn/vnets/{vnet}/subnets/{subnet}", "walkz-198.51.100.0-24"),
    ("/cluster/sdn/fabrics/fabric/{id}", "walkf"),
    ("/cluster/sdn/fabrics/node/{fabric_id}", "walkf"),
    ("/cluster/sdn/fabrics/node/{fabric_id}/{node_id}", "pve1"),
    ("/cluster/sdn/prefix-lists/{id}", "walklist"),
    ("/cluster/sdn/prefix-lists/{id}/entries/{url_seq}", "10"),
    ("/cluster/sdn/route-maps/entries/{route-map-id}", "walkmap"),
    ("/cluster/sdn/route-maps/entries/{route-map-id}/entry/{order}", "10"),
    ("/nodes/{node}/disks/zfs/{name}", "walkpool"),
    ("/nodes/{node}/disks/lvm/{name}", "pve"),
    ("/nodes/{node}/disks/lvmthin/{name}", "data"),
    ("/nodes/{node}/disks/directory/{name}", "walkdir"),
    ("/nodes/{node}/hardware/pci/{pci-id-or-mapping}", "0000:00:02.0"),
    ("/nodes/{node}/network/{iface}", "vmbr9"),
    ("/nodes/{node}/services/{service}", "cron"),
    ("/nodes/{node}/sdn/zones/{zone}", "walkz"),
    ("/nodes/{node}/sdn/vnets/{vnet}", "walkv"),
    ("/nodes/{node}/sdn/fabrics/{fabric}", "walkf"),
];

/// Paths of what does not exist yet, for calls that make it.
const NEW: &[(&str, &str)] = &[
    ("POST /access/users/{userid}/token/{tokenid}", "/access/users/walker@pve/token/other"),
    ("POST /cluster/config/nodes/{node}", "/cluster/config/nodes/pve4"),
    ("POST /cluster/jobs/realm-sync/{id}", "/cluster/jobs/realm-sync/other"),
    ("POST /cluster/metrics/server/{id}", "/cluster/metrics/server/other"),
];

/// Paths of what the usual one would not show.
const INSTEAD: &[(&str, &str)] = &[
    ("GET /cluster/sdn/ipams/{ipam}/status", "/cluster/sdn/ipams/pve/status"),
    ("GET /nodes/{node}/storage/{storage}/file-restore/list", "/nodes/pve1/storage/pbs/file-restore/list"),
    ("GET /nodes/{node}/storage/{storage}/file-restore/download", "/nodes/pve1/storage/pbs/file-restore/download"),
    ("DELETE /nodes/{node}/disks/directory/{name}", "/nodes/pve2/disks/directory/walkdir"),
    ("DELETE /nodes/{node}/qemu/{vmid}", "/nodes/pve1/qemu/102"),
    ("DELETE /nodes/{node}/lxc/{vmid}", "/nodes/pve2/lxc/202"),
    ("POST /nodes/{node}/wakeonlan", "/nodes/pve2/wakeonlan"),
    ("POST /nodes/{node}/lxc/{vmid}/clone", "/nodes/pve2/lxc/202/clone"),
    ("POST /nodes/{node}/lxc/{vmid}/migrate", "/nodes/pve3/lxc/210/migrate"),
    ("POST /nodes/{node}/lxc/{vmid}/move_volume", "/nodes/pve2/lxc/202/move_volume"),
    ("POST /nodes/{node}/lxc/{vmid}/remote_migrate", "/nodes/pve2/lxc/202/remote_migrate"),
    ("POST /nodes/{node}/lxc/{vmid}/status/start", "/nodes/pve2/lxc/202/status/start"),
    ("POST /nodes/{node}/lxc/{vmid}/template", "/nodes/pve2/lxc/202/template"),
    ("POST /nodes/{node}/qemu/{vmid}/migrate", "/nodes/pve1/qemu/102/migrate"),
    ("POST /nodes/{node}/qemu/{vmid}/remote_migrate", "/nodes/pve1/qemu/102/remote_migrate"),
    ("POST /nodes/{node}/qemu/{vmid}/status/start", "/nodes/pve1/qemu/102/status/start"),
    ("POST /nodes/{node}/qemu/{vmid}/template", "/nodes/pve1/qemu/102/template"),
    (
        "PUT /nodes/{node}/storage/{storage}/content/{volume}",
        "/nodes/pve1/storage/backup-nas/content/backup-nas:backup/wiki-before-upgrade.tar.zst",
    ),
    ("DELETE /storage/{storage}", "/storage/pbs"),
];

/// `GET /nodes/{node}/status`.
pub fn name(method: &Method) -> String {
    format!("{} {}", method.verb, method.path)
}

/// A real path for a method.
pub fn path(method: &Method, upid: &str) -> String {
    let name = name(method);
    if let Some((_, path)) = NEW.iter().chain(INSTEAD).find(|(of, _)| *of == name) {
        return (*path).to_owned();
    }
    let (mut template, mut path) = (String::new(), String::new());
    for segment in method.segments {
        match segment {
            Segment::Literal(text) => {
                template.push_str(&format!("/{text}"));
                path.push_str(&format!("/{text}"));
            }
            Segment::Param(param) | Segment::Remainder(param) => {
                template.push_str(&format!("/{{{param}}}"));
                let value = if *param == "upid" { upid } else { there(&template) };
                path.push_str(&format!("/{}", value.replace('%', "%25").replace(' ', "%20")));
            }
        }
    }
    path
}

fn there(template: &str) -> &'static str {
    if template.contains("/ceph/") {
        // There is none of it.
        return if template.ends_with("{flag}") {
            "noout"
        } else if template.ends_with("{code}") {
            "OSD_DOWN"
        } else {
            "0"
        };
    }
    let fitting = THERE.iter().filter(|(end, _)| template.ends_with(end));
    fitting.max_by_key(|(end, _)| end.len()).map_or("walked", |(_, value)| *value)
}

/// What has to happen before a call can go well: verb, path, form.
type Step = (Verb, &'static str, &'static [(&'static str, &'static str)]);

const BEFORE: &[(&str, &[Step])] = &[
    ("DELETE /cluster/firewall/groups/{group}", &[(Verb::Delete, "/cluster/firewall/groups/walkgroup/0", &[])]),
    ("DELETE /cluster/firewall/ipset/{name}", &[(Verb::Delete, "/cluster/firewall/ipset/walkset/192.0.2.8", &[])]),
    (
        "DELETE /nodes/{node}/lxc/{vmid}/firewall/ipset/{name}",
        &[(Verb::Delete, "/nodes/pve1/lxc/200/firewall/ipset/walkset/192.0.2.8", &[])],
    ),
    (
        "DELETE /nodes/{node}/qemu/{vmid}/firewall/ipset/{name}",
        &[(Verb::Delete, "/nodes/pve1/qemu/100/firewall/ipset/walkset/192.0.2.8", &[])],
    ),
    ("POST /cluster/sdn/lock", &[(Verb::Put, "/cluster/sdn", &[])]),
    (
        "DELETE /cluster/sdn/vnets/{vnet}",
        &[(Verb::Delete, "/cluster/sdn/vnets/walkv/subnets/walkz-198.51.100.0-24", &[])],
    ),
    (
        "DELETE /cluster/sdn/zones/{zone}",
        &[
            (Verb::Delete, "/cluster/sdn/vnets/walkv/subnets/walkz-198.51.100.0-24", &[]),
            (Verb::Delete, "/cluster/sdn/vnets/walkv", &[]),
        ],
    ),
    ("POST /nodes/{node}/certificates/acme/certificate", &[(Verb::Put, "/nodes/pve1/config", DOMAINS)]),
    (
        "PUT /nodes/{node}/certificates/acme/certificate",
        &[(Verb::Put, "/nodes/pve1/config", DOMAINS), (Verb::Post, "/nodes/pve1/certificates/acme/certificate", &[])],
    ),
    (
        "DELETE /nodes/{node}/certificates/acme/certificate",
        &[(Verb::Put, "/nodes/pve1/config", DOMAINS), (Verb::Post, "/nodes/pve1/certificates/acme/certificate", &[])],
    ),
    ("POST /nodes/{node}/wakeonlan", &[(Verb::Put, "/nodes/pve2/config", &[("wakeonlan", "BC:24:11:00:00:02")])]),
    ("DELETE /pools", &[(Verb::Put, "/pools/lab", &[("vms", "110"), ("delete", "1")])]),
    ("DELETE /pools/{poolid}", &[(Verb::Put, "/pools/lab", &[("vms", "110"), ("delete", "1")])]),
];

const DOMAINS: &[(&str, &str)] = &[("acme", "domains=pve1.example.org")];

/// What has to happen before a call can go well.
pub fn before(method: &Method) -> &'static [Step] {
    let name = name(method);
    BEFORE.iter().find(|(of, _)| *of == name).map_or(&[], |(_, steps)| steps)
}

/// Whether a part of the setup has to do with a method that writes.
pub fn concerns(setup: &str, method: &Method) -> bool {
    let depth = if setup.starts_with("/access") { 2 } else { 3 };
    let part: Vec<&str> = setup.split('/').take(depth).collect();
    let nodes = setup.starts_with("/nodes/") || setup == "/cluster/replication";
    let makes_disks = method.path.contains("/disks/") && method.verb != Verb::Delete;
    method.path.starts_with(&part.join("/")) || (nodes && method.path.starts_with("/nodes/") && !makes_disks)
}
