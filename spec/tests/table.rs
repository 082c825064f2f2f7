//! What the table holds and how things are found in it.

use proxmox_spec::{Danger, Effect, Kind, Segment, Tier, Type, Upid, Verb, find, methods, nearest, on_path, route};
use std::collections::BTreeSet;

fn method(verb: Verb, path: &str) -> &'static proxmox_spec::Method {
    find(verb, path).unwrap_or_else(|| panic!("{verb} {path} is in the table"))
}

fn routed(verb: Verb, path: &str) -> (&'static str, Vec<(&'static str, String)>) {
    let route = route(verb, path).unwrap_or_else(|| panic!("{verb} {path} is served"));
    (route.method.path, route.params)
}

#[test]
fn every_published_method_is_there() {
    assert_eq!(methods().len(), 680);
    assert_eq!(methods().iter().map(|method| method.path).collect::<BTreeSet<_>>().len(), 449);
    assert!(methods().is_sorted_by(|one, two| (one.path, one.verb) < (two.path, two.verb)));
}

#[test]
fn removed_methods_are_not_there() {
    let removed: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../facts/pve-api-removed.json")).expect("readable");
    assert_eq!(removed.len(), 20);
    for entry in &removed {
        let verb = entry["method"].as_str().and_then(Verb::parse).expect("a verb");
        assert!(find(verb, entry["path"].as_str().expect("a path")).is_none(), "{entry}");
    }
}

#[test]
fn lists_are_sorted_by_name() {
    for method in methods() {
        assert!(method.params.is_sorted_by(|one, two| one.name < two.name), "{}", method.path);
        assert!(method.returns.fields.is_sorted_by(|one, two| one.0 < two.0), "{}", method.path);
    }
}

#[test]
fn path_parameters_are_declared_and_required() {
    for method in methods() {
        for segment in method.segments {
            if let Segment::Param(name) | Segment::Remainder(name) = segment {
                let param = method.param(name).unwrap_or_else(|| panic!("{} {} {name}", method.verb, method.path));
                assert!(param.in_path && !param.optional, "{} {} {name}", method.verb, method.path);
            }
        }
    }
}

#[test]
fn routes_take_a_real_path_apart() {
    let (path, params) = routed(Verb::Get, "/nodes/pve1/qemu/100/config");
    assert_eq!(path, "/nodes/{node}/qemu/{vmid}/config");
    assert_eq!(params, [("node", "pve1".to_owned()), ("vmid", "100".to_owned())]);
    assert_eq!(routed(Verb::Get, "//nodes/").0, "/nodes");
    assert_eq!(routed(Verb::Get, "/nodes/pve1/tasks/UPID:a:b/status").1[1].1, "UPID:a:b");
    assert!(route(Verb::Get, "/nope").is_none());
    assert!(route(Verb::Delete, "/version").is_none());
    assert!(route(Verb::Get, "/nodes/pve1/qemu/100/config/x").is_none());
}

#[test]
fn volumes_and_networks_take_the_rest_of_the_path() {
    let (path, params) = routed(Verb::Delete, "/nodes/a/storage/local/content/local:iso/debian 12.iso");
    assert_eq!(path, "/nodes/{node}/storage/{storage}/content/{volume}");
    assert_eq!(params[2], ("volume", "local:iso/debian 12.iso".to_owned()));
    let (path, params) = routed(Verb::Get, "/nodes/a/lxc/100/firewall/ipset/set/192.0.2.0/24");
    assert_eq!(path, "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}/{cidr}");
    assert_eq!(params[3], ("cidr", "192.0.2.0/24".to_owned()));
    assert_eq!(routed(Verb::Delete, "/cluster/firewall/ipset/set/2001:db8::/32").1[1].1, "2001:db8::/32");
    assert_eq!(routed(Verb::Get, "/nodes/a/storage/local/content").0, "/nodes/{node}/storage/{storage}/content");
}

#[test]
fn a_literal_segment_wins_over_a_parameter() {
    assert_eq!(routed(Verb::Get, "/cluster/ha/status/current").0, "/cluster/ha/status/current");
    assert_eq!(routed(Verb::Get, "/cluster/sdn/fabrics/all").0, "/cluster/sdn/fabrics/all");
}

#[test]
fn the_methods_of_a_path_stand_together() {
    let verbs: Vec<Verb> = on_path("/nodes/{node}/qemu/{vmid}/config").iter().map(|method| method.verb).collect();
    assert_eq!(verbs, [Verb::Get, Verb::Post, Verb::Put]);
    assert!(on_path("/nope").is_empty());
}

#[test]
fn indexed_parameters_answer_to_their_real_names() {
    let config = method(Verb::Put, "/nodes/{node}/qemu/{vmid}/config");
    assert_eq!(config.param("net0").map(|param| param.name), Some("net[n]"));
    assert_eq!(config.param("scsi30").map(|param| param.name), Some("scsi[n]"));
    assert_eq!(config.param("numa").map(|param| param.name), Some("numa"));
    for wrong in ["net", "net32", "net00", "net01", "net-1", "net[n", "scsi31", ""] {
        assert!(config.param(wrong).is_none(), "{wrong}");
    }
    let answer = method(Verb::Get, "/nodes/{node}/qemu/{vmid}/config").returns;
    assert!(answer.field("net3").is_some() && answer.field("cores").is_some() && answer.field("nonsense").is_none());
}

#[test]
fn facts_survive_the_table() {
    let upload = method(Verb::Post, "/nodes/{node}/storage/{storage}/upload");
    assert_eq!((upload.kind, upload.upid), (Kind::Upload, Upid::Always));
    let create = method(Verb::Post, "/nodes/{node}/qemu");
    assert!(create.proxy_to_node && create.protected && create.allow_token);
    let cores = create.param("cores").expect("a parameter");
    assert_eq!((cores.ty, cores.minimum, cores.default, cores.optional), (Type::Integer, Some(1.0), Some("1"), true));
    assert!(!method(Verb::Put, "/access/password").allow_token);
    assert_eq!(method(Verb::Get, "/version").since, "6.4");
}

#[test]
fn corrections_are_in_the_table() {
    assert_eq!(method(Verb::Get, "/cluster/nextid").returns.ty, Type::String);
    for path in
        ["/cluster/firewall/rules", "/nodes/{node}/lxc/{vmid}/firewall/rules", "/cluster/firewall/groups/{group}"]
    {
        let items = method(Verb::Get, path).returns.items.expect("a list");
        assert!(items.field("digest").is_some(), "{path}");
        assert!(method(Verb::Get, &format!("{path}/{{pos}}")).returns.field("digest").is_some(), "{path}");
    }
    let content = method(Verb::Get, "/nodes/{node}/storage/{storage}/content").returns.items.expect("a list");
    assert_eq!(content.field("subtype").map(|field| field.values), Some(["qemu", "lxc"].as_slice()));
    let start = method(Verb::Post, "/nodes/{node}/qemu/{vmid}/status/start");
    assert!(start.param("skiplock").is_some_and(|param| param.root_only));
    assert!(!start.param("timeout").is_some_and(|param| param.root_only));
}

#[test]
fn credentials_are_marked_wherever_they_are_given_or_answered() {
    for method in methods() {
        for param in method.params.iter().filter(|param| param.name.contains("password")) {
            assert_eq!(param.secret, param.ty == Type::String, "{} {} {}", method.verb, method.path, param.name);
        }
    }
    let secret = |verb, path: &str, name: &str| method(verb, path).param(name).is_some_and(|param| param.secret);
    assert!(secret(Verb::Post, "/nodes/{node}/certificates/custom", "key"));
    assert!(secret(Verb::Post, "/storage", "encryption-key"));
    assert!(!secret(Verb::Post, "/storage", "master-pubkey"));
    assert!(!secret(Verb::Put, "/nodes/{node}/qemu/{vmid}/sendkey", "key"));
    let token = method(Verb::Post, "/access/users/{userid}/token/{tokenid}").returns;
    assert!(token.field("value").is_some_and(|field| field.secret));
    assert!(!token.field("full-tokenid").is_some_and(|field| field.secret));
    let ticket = method(Verb::Post, "/access/ticket").returns;
    assert!(["ticket", "CSRFPreventionToken"].iter().all(|name| ticket.field(name).is_some_and(|field| field.secret)));
}

#[test]
fn reading_that_grants_more_is_not_for_the_reader() {
    let tier = |path: &str| method(Verb::Get, path).danger.map(|danger| danger.tier);
    assert_eq!(tier("/nodes/{node}/qemu/{vmid}/agent/file-read"), Some(Tier::Admin));
    assert_eq!(tier("/nodes/{node}/scan/nfs"), Some(Tier::Configure));
    assert_eq!(tier("/nodes/{node}/vncwebsocket"), Some(Tier::Admin));
    assert_eq!(tier("/nodes/{node}/syslog"), Some(Tier::Operate));
    for plain in ["/nodes/{node}/qemu/{vmid}/agent/get-osinfo", "/cluster/resources", "/access/users"] {
        assert_eq!(tier(plain), None, "{plain}");
    }
}

fn risk(path: &str, verb: Verb, param: &str, value: &str) -> Option<(Tier, Effect)> {
    let dangers: &[Danger] = method(verb, path).param(param).expect("a parameter").danger;
    dangers.iter().filter(|danger| danger.applies(value, None)).map(|danger| (danger.tier, danger.effect)).max()
}

#[test]
fn values_decide_what_a_parameter_does() {
    let config = "/nodes/{node}/qemu/{vmid}/config";
    let destroys = Some((Tier::Admin, Effect::Destroys));
    let admin = Some((Tier::Admin, Effect::Changes));
    assert_eq!(risk(config, Verb::Put, "delete", "description, unused0"), destroys);
    assert_eq!(risk(config, Verb::Put, "delete", "protection"), destroys);
    assert_eq!(risk(config, Verb::Put, "delete", "description;scsihw"), None);
    assert_eq!(risk(config, Verb::Put, "protection", "0"), destroys);
    assert_eq!(risk(config, Verb::Put, "protection", "1"), None);
    assert_eq!(risk(config, Verb::Put, "serial0", "socket"), None);
    assert_eq!(risk(config, Verb::Put, "serial0", "/dev/ttyS0"), admin);
    assert_eq!(risk(config, Verb::Put, "usb1", "spice"), None);
    assert_eq!(risk(config, Verb::Put, "usb1", "host=1234:5678"), admin);
    assert_eq!(risk("/nodes/{node}/vzdump", Verb::Post, "remove", "1"), destroys);
    assert_eq!(risk("/nodes/{node}/vzdump", Verb::Post, "remove", "0"), None);
    assert_eq!(risk("/nodes/{node}/qemu", Verb::Post, "archive", "local:backup/x.vma.zst"), destroys);
}

#[test]
fn danger_reaches_every_method_that_has_the_parameter() {
    for method in methods() {
        for param in method.params.iter().filter(|param| ["skiplock", "purge", "hookscript"].contains(&param.name)) {
            let firewall_or_sync = param.ty != Type::Boolean && param.name == "purge";
            let elsewhere = method.path.starts_with("/access") || method.path.starts_with("/cluster");
            assert!(!param.danger.is_empty() || firewall_or_sync || elsewhere, "{} {}", method.path, param.name);
        }
    }
}

#[test]
fn a_misspelt_word_finds_its_neighbour() {
    let names = ["memory", "cores", "sockets", "ide0", "with-local-disks"];
    assert_eq!(nearest("memroy", names), Some("memory"));
    assert_eq!(nearest("Cores", names), Some("cores"));
    assert_eq!(nearest("with_local_disk", names), Some("with-local-disks"));
    assert_eq!(nearest("hypervisor", names), None);
    assert_eq!(nearest("x", names), None);
    assert_eq!(nearest("", names), None);
}

#[test]
fn another_guests_volume_is_for_administrators() {
    let set = |path, name: &str, value: &str| {
        let method = proxmox_spec::find(proxmox_spec::Verb::Put, path).expect("a method");
        let param = method.param(name).expect("a parameter");
        param.danger.iter().filter(|danger| danger.applies(value, Some("100"))).map(|danger| danger.tier).max()
    };
    let vm = "/nodes/{node}/qemu/{vmid}/config";
    let admin = Some(proxmox_spec::Tier::Admin);
    assert_eq!(set(vm, "scsi1", "local-lvm:vm-101-disk-0,size=32G"), admin);
    assert_eq!(set(vm, "virtio0", "file=local:101/vm-101-disk-0.qcow2"), admin);
    assert_eq!(set("/nodes/{node}/lxc/{vmid}/config", "mp0", "local-lvm:subvol-101-disk-1,mp=/data"), admin);
    for own in ["local-lvm:vm-100-disk-0,discard=on", "local-lvm:32", "local-lvm:0.5,ssd=1", "none,media=cdrom"] {
        assert_eq!(set(vm, "scsi1", own), None, "{own}");
    }
    assert_eq!(set(vm, "ide2", "local:iso/debian.iso,media=cdrom"), None);
    assert_eq!(set(vm, "ide2", "local-lvm:cloudinit"), None);
}

#[test]
fn every_method_is_found_by_its_own_path() {
    for method in methods() {
        let path: String = method
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => format!("/{text}"),
                Segment::Param(name) => format!("/some-{name}"),
                Segment::Remainder(name) => format!("/some-{name}/and/more"),
            })
            .collect();
        assert_eq!(routed(method.verb, &path).0, method.path);
    }
}
